//! Write a process of a Transputer network in Rust.
//!
//! A **process** has memory of its own and shares nothing; it meets other processes only at
//! **channels**. That is all there is to CSP, communicating sequential processes. Three things make
//! a program of it: processes, waiting for one of several communications, and starting further
//! processes.
//!
//! # A process
//!
//! A process is a function:
//!
#![doc = concat!(
    "```\n",
    include_str!("../docs/filter.rs"),
    "# fn main() {}\n```"
)]
//!
//! (This is `examples/sieve/filter`; `transputer run examples/sieve` runs one for each prime.)
//!
//! Parameters that are [`Receiver`]s and [`Sender`]s are the **ports** of the process, which a
//! network file wires to channels; the others are its arguments. [`process`](macro@process) says
//! what the function may look like.
//!
//! # Waiting for one of several
//!
//! [`select!`] waits for several communications at once and lets exactly one happen, which is
//! CSP's **alternation**:
//!
#![doc = concat!(
    "```\n",
    include_str!("../docs/fork.rs"),
    "# fn main() {}\n```"
)]
//!
//! (This is `examples/philosophers/fork`; `transputer run examples/philosophers` lays a table with
//! them.)
//!
//! Besides `receive` there are `send`, `after`, `at` and `skip`; with `priority;` in front, the first
//! guard that is ready wins. [`Alternation`] is for guards whose number is known only at run time,
//! [`Prepared`] for a loop over the same channels, and [`receive_any`] for a slice of receivers.
//!
//! # Starting others
//!
//! [`channel`] opens a channel; [`spawn`] starts another process and gives it ends of channels. The
//! head of the sieve, `examples/sieve/sieve`:
//!
#![doc = concat!(
    "```\n",
    include_str!("../docs/sieve.rs"),
    "# fn main() {}\n```"
)]
//!
//! [`par`] runs several processes and waits for all of them, [`seq`] runs one after the other.
//!
//! # Channels
//!
//! A channel takes messages from senders to receivers, first in, first out. At a
//! **rendezvous** (capacity 0) a sender waits until a receiver has taken its message; a
//! bounded channel holds some. Waiting costs no thread: the host parks the process.
//!
//! Messages are copied, so a `send` takes them by value or by reference. Anything that implements
//! [`Message`] can be one: numbers, texts, [`Bytes`], lists, options, tuples, your own types with
//! `#[derive(Message)]`, and ends of channels, which then move to the receiver.
//!
//! At a [`Barrier`], a number of processes wait for each other. A [`Client`] asks a [`Server`] and
//! waits for the reply, whose channel travels in the request; a [`Broadcast`] sends every message
//! to all its subscribers.
//!
//! # How a stream ends
//!
//! - **Closed**: the last sender is gone. Receivers get what is still in the channel, then
//!   [`Error::Closed`], and `for` loops end. When the last receiver is gone, senders get
//!   [`Error::Closed`]. A process that returns it has ended normally, so `?` does the right thing.
//! - **Poisoned**: some process gave up, with a reason. A process that panics or returns any other
//!   error poisons its channels, and the error travels through the network: a loop that it ends makes
//!   its process fail as well, unless the process asks for it with [`Receiver::ended`].
//!
//! # Building
//!
//! Processes live in a library crate of type `cdylib`, built for `wasm32-wasip2`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! A crate may have several `#[process]` functions, in one file or many; its component then contains
//! them all, and whoever starts one chooses by name.
//!
//! The crate compiles natively as well, so everything in it that does not touch a channel can be
//! tested with `cargo test`; an operation on the host panics there.
//!
//! The feature `allocator`, on by default, gives a guest an allocator with which a process that holds
//! little takes little memory. A program that brings its own allocator turns it off.

#![deny(missing_docs)]

#[cfg(any(test, all(feature = "allocator", target_family = "wasm")))]
mod allocator;
mod alternation;
#[doc(hidden)]
pub mod bindings;
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
pub use message::{AsMessage, Bytes, Message};
pub use process::{
    Cause, Child, Ended, Failure, Failures, Instant, Level, Outcome, Par, Refused, Spawn,
    SpawnError, id, log, name, now, par, seq, sleep, sleep_until, spawn, yield_now,
};
pub use request::{Client, Request, Server};

pub use transputer_guest_macros::{Message, process};

/// What the macros need.
#[doc(hidden)]
pub mod __private {
    pub use crate::process::{Ending, Piece, Start, register, run, signature, signature_length};

    /// The host chose a guard that was not offered; `Alternation::wait` has ruled that out.
    #[cold]
    pub fn no_such_guard() -> ! {
        unreachable!("an alternation chose a guard that it doesn't have")
    }
}
