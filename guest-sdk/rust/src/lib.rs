//! Write a process of a Transputer network in Rust.
//!
//! A **process** is a function. It has its own memory and shares nothing; it meets other
//! processes only at **channels**. That is all there is to CSP, communicating sequential
//! processes:
//!
#![doc = concat!(
    "```\n",
    include_str!("../../../examples/sieve/filter/src/lib.rs"),
    "# fn main() {}\n```"
)]
//!
//! (This is `examples/sieve/filter`: `transputer run examples/sieve` runs one for each prime.)
//!
//! Parameters that are [`Receiver`]s and [`Sender`]s are the process's **ports**, which a
//! network file wires to channels; the others are its arguments. [`process`](macro@process) tells
//! what the function may look like.
//!
//! # Channels
//!
//! A channel takes messages from senders to receivers, first in, first out. At a
//! **rendezvous** (capacity 0) a sender waits until a receiver has taken its message; a
//! bounded channel holds some. Waiting costs no thread: the host parks the process.
//!
//! Messages are copied. Anything that implements [`Message`] can be one: numbers, texts,
//! [`Bytes`], lists, options, tuples, your own types with `#[derive(Message)]`, and ends
//! of channels, which then move to the receiver.
//!
//! # How a stream ends
//!
//! - **Closed**: the last sender is gone. Receivers get what still waits, then
//!   [`Error::Closed`], and `for` loops end. When the last receiver is gone, senders get it. A process
//!   that returns [`Error::Closed`] has ended normally, so `?` does the right thing.
//! - **Poisoned**: somebody gave up, with a reason. A process that panics or returns any other
//!   error poisons its channels, and the error travels through the network: a loop that it ends makes
//!   its process fail as well, unless that asks with [`Receiver::ended`].
//!
//! # Alternation
//!
//! [`select!`] waits for several communications at once and does exactly one:
//!
#![doc = concat!(
    "```\n",
    include_str!("../../../examples/philosophers/fork/src/lib.rs"),
    "# fn main() {}\n```"
)]
//!
//! (`examples/philosophers/fork`: `transputer run examples/philosophers` lays a table with them.)
//!
//! Besides `receive` there are `send`, `after`, `at` and `skip`; `priority;` in front prefers what
//! comes first in the list.
//!
//! [`Prepared`] is built once, for a loop over the same channels. At a [`Barrier`] a number of
//! processes wait for each other.
//!
//! # More processes
//!
//! [`spawn`] starts another component and gives it ends of channels; [`channel`] makes them.
//! [`par`] runs several and waits for all of them, [`seq`] one after the other. The head of the
//! sieve, `examples/sieve/sieve`:
//!
#![doc = concat!(
    "```\n",
    include_str!("../../../examples/sieve/sieve/src/lib.rs"),
    "# fn main() {}\n```"
)]
//!
//! # Made of channels
//!
//! A [`Client`] asks a [`Server`] and waits for the reply, whose channel travels in the request;
//! a [`Broadcast`] sends every message to all its subscribers.
//!
//! # Building
//!
//! A process is a library crate of type `cdylib`, built for `wasm32-wasip2`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! It compiles natively as well, so that everything in it that doesn't touch a channel can be
//! tested with `cargo test`; an operation on the host panics there.
//!
//! The feature `allocator`, which is on by default, gives a guest an allocator with which a process that
//! holds little takes little memory. A program that brings its own turns it off.

#![deny(missing_docs)]

#[doc(hidden)]
pub mod bindings;

#[cfg(any(test, all(feature = "allocator", target_family = "wasm")))]
mod allocator;
mod alternation;
mod broadcast;
mod channel;
mod error;
pub mod message;
mod process;
mod request;

pub use alternation::{
    Alternation, Chosen, OfferGuard, PlainGuard, Prepared, ReceiveGuard, SendGuard, receive_any,
};
pub use broadcast::Broadcast;
pub use channel::{
    Barrier, Buffered, IntoMessages, Loop, Messages, Options, Overflow, Receiver, Sender,
    Statistics, channel, open,
};
pub use error::{Error, Undecodable};
pub use message::{Bytes, Message};
pub use process::{
    Cause, Child, Ended, Failure, Failures, Instant, Level, Outcome, Par, Refused, Spawn,
    SpawnError, id, log, name, now, par, seq, sleep, sleep_until, spawn, yield_now,
};
pub use request::{Client, Request, Server};

pub use transputer_guest_macros::{Message, process};

/// What the macros need.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::{Guest, Receiver, Sender, export};
    pub use crate::process::{Ending, Piece, Start, run, signature, signature_length};

    /// The host chose a guard that was not offered; `Alternation::wait` has ruled that out.
    #[cold]
    pub fn no_such_guard() -> ! {
        unreachable!("an alternation chose a guard that it doesn't have")
    }
}
