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
//! ```
//! use transputer_guest::{Error, Receiver, Sender, process};
//!
//! /// Passes on what the prime does not divide.
//! #[process]
//! fn filter(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) -> Result<(), Error> {
//!     for candidate in candidates {
//!         if candidate % prime != 0 {
//!             survivors.send(candidate)?;
//!         }
//!     }
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! (It is in `examples/sieve`, and `transputer run examples/sieve` runs one for each prime.)
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
//! ```
//! use transputer_guest::{Error, Receiver, process, select};
//!
//! /// Waits for either neighbour to take it, then for the same one to put it down.
//! #[process]
//! fn fork(left: Receiver<bool>, right: Receiver<bool>) -> Result<(), Error> {
//!     let (mut at_left, mut at_right) = (true, true);
//!     while at_left || at_right {
//!         select! {
//!             taken = receive(left) if at_left => at_left = held(&left, taken)?,
//!             taken = receive(right) if at_right => at_right = held(&right, taken)?,
//!         }?;
//!     }
//!     Ok(())
//! }
//!
//! /// Waits until a fork that was taken is put down; false if its neighbour has left the table.
//! fn held(hand: &Receiver<bool>, taken: Result<bool, Error>) -> Result<bool, Error> {
//!     match taken.and_then(|_| hand.receive()) {
//!         Err(Error::Closed) => Ok(false),
//!         put_down => put_down.map(|_| true),
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! (It is in `examples/philosophers`, and `transputer run examples/philosophers` lays a table with
//! them.)
//!
//! Besides `receive` there are `send`, `after`, `at` and `skip`; with `priority;` in front, the first
//! guard that is ready wins. [`Alternation`] is for guards whose number is known only at run time,
//! [`Prepared`] for a loop over the same channels, and [`receive_any`] for a slice of receivers.
//!
//! # Starting others
//!
//! [`channel`] opens a channel; [`spawn`] starts another process and gives it ends of channels. The
//! head of the sieve, in `examples/sieve`:
//!
//! ```
//! use transputer_guest::{Error, Receiver, Sender, channel, process, spawn};
//!
//! /// Finds so many primes. Each one's filter is joined to those before it by a channel of
//! /// this capacity.
//! #[process]
//! fn sieve(
//!     count: u64,
//!     capacity: u32,
//!     mut candidates: Receiver<u64>,
//!     primes: Sender<u64>,
//! ) -> Result<(), Error> {
//!     for _ in 0..count {
//!         let prime = candidates.receive()?;
//!         primes.send(prime)?;
//!         let (survivors, next) = channel(capacity)?;
//!         spawn("filter")
//!             .name(&format!("filter-{prime}"))
//!             .argument("prime", prime)
//!             .input("candidates", candidates)
//!             .output("survivors", survivors)
//!             .start()?;
//!         candidates = next;
//!     }
//!     Ok(())
//! }
//! # fn main() {}
//! ```
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
//! to all its subscribers. Numbered processes that do something all together (scatter, gather, reduce) are a [`Group`].
//!
//! # Several ports of one kind
//!
//! A parameter of type `Vec<Receiver<T>>`, `[Receiver<T>; 4]`, or the same of senders, is an **array of ports**; one of type
//! `Option<Sender<T>>` is a port that may be left out:
//!
//! ```
//! use transputer_guest::{Error, Receiver, Sender, process, receive_any};
//!
//! /// Passes on what comes in at any of its inputs, and how much that was.
//! #[process]
//! fn merge(
//!     mut inputs: Vec<Receiver<u64>>,
//!     merged: Sender<u64>,
//!     count: Option<Sender<u64>>,
//! ) -> Result<(), Error> {
//!     let mut passed = 0;
//!     while !inputs.is_empty() {
//!         match receive_any(&inputs)? {
//!             (_, Ok(number)) => merged.send(number)?,
//!             (ended, Err(Error::Closed)) => {
//!                 inputs.remove(ended);
//!                 continue;
//!             }
//!             (_, Err(error)) => return Err(error),
//!         }
//!         passed += 1;
//!     }
//!     count.map_or(Ok(()), |count| count.send(passed))
//! }
//! # fn main() {}
//! ```
//!
//! A network file wires the ends one by one, and can start many processes from one entry:
//!
//! ```toml
//! [process.worker]
//! component = "lib.rs:worker"
//! count = 4                           # `worker[0]` to `worker[3]`
//! index = "rank"                      # the argument that says which it is
//!
//! [[channel]]                         # one channel from which all take their work
//! from = "source.jobs"
//! to = "worker[*].jobs"
//!
//! [[channel]]                         # one channel for each of them
//! for = "i in 0..4"
//! from = "worker[i].results"
//! to = "merge.inputs[i]"
//! ```
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
//! # Processes that are `async` functions
//!
//! A process may be an `async` function instead; then it returns to the host where it waits, and needs no
//! stack of its own meanwhile. [`stackless`] has its ends of channels, its alternation, and several tasks
//! for one process.
//!
//! # Building
//!
//! The processes of a network may be in one file beside it, or in several. This is a whole network, of two
//! files, `network.toml` and `lib.rs`:
//!
//! ```toml
//! [process.generator]
//! component = "lib.rs:generator"      # the function of this name
//!
//! [process.printer]
//! component = "lib.rs:printer"
//! ```
//!
//! What needs other crates, or tests, is a Cargo package of type `cdylib`; `transputer build` compiles it for
//! `wasm32-wasip2`. A crate may have several `#[process]` functions, in one file or many: its component contains
//! them all, and whoever starts one names it, as in `app.wasm:printer`. Where there is one, no name is needed.
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! # Printing
//!
//! What `println!` writes goes to the network's log as lines of level [info](Level::Info), with the process's name, and what
//! `eprintln!` and `dbg!` write as lines of level [debug](Level::Debug) (`transputer run --log debug` shows them), unless the
//! network file grants the process the host's own standard output. [`info!`](crate::info) and its like choose the level.
//! A panic is logged once, with its file and line.
//!
//! # Testing
//!
//! On the machine itself, where there is no host, channels are in memory, and `cargo test` runs a process as
//! the function that it is:
//!
//! ```
//! use transputer_guest::{Error, Outcome, Receiver, Sender, channel, process, spawn};
//!
//! #[process]
//! fn double(numbers: Receiver<u64>, doubled: Sender<u64>) -> Result<(), Error> {
//!     for number in numbers {
//!         doubled.send(2 * number)?;
//!     }
//!     Ok(())
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn doubles() -> Result<(), Error> {
//!     let (give, numbers) = channel(3)?;
//!     let (doubled, take) = channel(3)?;
//!     for number in 1..=3 {
//!         give.send(number)?;
//!     }
//!     drop(give);
//!     double(numbers, doubled)?;
//!     assert_eq!(take.into_iter().collect::<Vec<u64>>(), [2, 4, 6]);
//!     Ok(())
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn doubles_beside_the_test() -> Result<(), Error> {
//!     let (give, numbers) = channel::<u64>(0)?;
//!     let (doubled, take) = channel::<u64>(0)?;
//!     let child = spawn("double").input("numbers", numbers).output("doubled", doubled).start().unwrap();
//!     give.send(21)?;
//!     assert_eq!(take.receive()?, 42);
//!     give.close();
//!     assert_eq!(child.wait(), Outcome::Finished);
//!     Ok(())
//! }
//! # doubles().unwrap();
//! # doubles_beside_the_test().unwrap();
//! ```
//!
//! There, [`spawn`] starts the `#[process]` function of that name in a thread. The test is a process itself, ends, timers,
//! [`select!`], barriers and [`par`] work as under a host, and a deadlock is an error instead of a test that hangs. A
//! function that is called like this only returns what it returns: that its channels are poisoned where it fails, and
//! that it fails where a loop of its was poisoned, is the doing of whoever runs it as a process, as `spawn` does. There are
//! no limits and no grants, a process that computes without end cannot be killed, and processes that are `async` functions
//! need a host. A whole network is tested with `transputer test`.
//!
//! # Features
//!
//! With `chrono` and `time`, dates and times of these crates are messages. The feature `allocator`, on by default, gives a guest an allocator with which a process that holds
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
mod group;
pub mod message;
mod process;
mod request;
pub mod stackless;

pub use alternation::{
    Alternation, Chosen, OfferGuard, PlainGuard, Prepared, ReceiveGuard, SendGuard, receive_any,
};
pub use broadcast::Broadcast;
pub use channel::{
    Barrier, Buffered, IntoMessages, Loop, Messages, Options, Overflow, Receiver, Sender,
    Statistics, channel, open, open_named,
};
pub use error::{Error, Undecodable};
pub use group::{Group, GroupError, Packet, Rank};
pub use message::{AsMessage, Bytes, Message};
pub use process::{
    Cause, Child, Ended, Failure, Failures, Instant, Level, Limit, LimitOwner, Outcome, Overrun,
    Par, Peer, Refused, Spawn, SpawnError, id, log, name, now, par, seq, sleep, sleep_until, spawn,
    yield_now,
};
pub use request::{Client, Request, Server};

pub use transputer_guest_macros::{Message, process};

/// What the macros need.
#[doc(hidden)]
pub mod __private {
    pub use crate::process::{
        Component, Ending, Piece, Start, argument_type, port_type, register, register_stackless,
        run_stackless, signature, signature_length,
    };
    pub use crate::stackless::WORLD as STACKLESS_WORLD;
    pub use crate::stackless::{Main, call_back};

    /// The host chose a guard that was not offered; `Alternation::wait` has ruled that out.
    #[cold]
    pub fn no_such_guard() -> ! {
        unreachable!("an alternation chose a guard that it doesn't have")
    }
}
