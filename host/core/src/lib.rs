//! CSP without WebAssembly: channels, alternation, and a scheduler of processes.
//!
//! This crate knows nothing of components or guests: a process is any future that the
//! scheduler runs, a message any value that implements [`Payload`].
//!
//! # Send and receive
//!
//! A [`channel`](fn@channel) takes messages from senders to receivers, first in, first out. At a rendezvous the
//! sender waits until a receiver has its message; a bounded channel holds some. Every operation
//! waits as a future, blocks its thread (`_blocking`, `_timeout`), or does not wait (`try_`).
//!
//! ```
//! use transputer_core::{Options, ReceiveError, channel};
//!
//! let (sender, receiver) = channel(Options::rendezvous());
//! std::thread::spawn(move || {
//!     for square in (1..=3_u64).map(|n| n * n) {
//!         sender.send_blocking(square).expect("somebody receives");
//!     }
//! });
//! assert_eq!(receiver.receive_blocking(), Ok(1));
//! assert_eq!(receiver.receive_blocking(), Ok(4));
//! assert_eq!(receiver.receive_blocking(), Ok(9));
//! // The sender is gone, which is how a stream ends.
//! assert_eq!(receiver.receive_blocking(), Err(ReceiveError::Closed));
//! ```
//!
//! # Choose
//!
//! An [`Alternation`] waits for several communications, of which exactly one happens.
//!
//! ```
//! use transputer_core::{Alternation, Guard, Options, Order, Outcome, channel};
//!
//! let (work, jobs) = channel(Options::bounded(1));
//! let (_stop, stopped) = channel(Options::rendezvous());
//! work.send_blocking("paint the fence").unwrap();
//!
//! let mut choice = Alternation::new(Order::Priority);
//! let chosen = choice.wait_blocking(vec![Guard::Receive(&stopped), Guard::Receive(&jobs)]);
//! assert_eq!(chosen.outcome, Outcome::Received("paint the fence"));
//! ```
//!
//! # Run processes
//!
//! A [`Scheduler`] runs thousands of them on a few threads. With a seed it repeats one schedule, in
//! virtual time:
//!
//! ```
//! use std::time::Duration;
//! use transputer_core::{Mode, Options, Scheduler, SchedulerOptions, channel};
//!
//! let scheduler = Scheduler::new(SchedulerOptions::new(Mode::Seeded { seed: 1 }))?;
//! let (sender, receiver) = channel(Options::rendezvous());
//! let clock = scheduler.clock().clone();
//! scheduler.spawn(async move {
//!     clock.sleep(Duration::from_secs(3_600)).await;
//!     let _ = sender.send(3_600_u64).await;
//! });
//! // It takes no time at all.
//! assert_eq!(receiver.receive_blocking(), Ok(3_600));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`deadlock`] finds processes that wait for each other for ever, and a [`Barrier`] is where several
//! wait until all have arrived. How the insides work is in the crate's `README.md`.
#![deny(missing_docs)]

// Charging what is held for processes: only the host needs it.
#[doc(hidden)]
pub mod account;
pub mod alternation;
pub mod barrier;
pub mod channel;
#[cfg_attr(loom, allow(dead_code))]
pub mod clock;
#[cfg(not(loom))]
pub mod deadlock;
mod ids;
pub mod scheduler;
mod sync;

pub use alternation::{
    Alternation, AlternationFuture, Chosen, Guard, GuardError, Order, Outcome, Prepared,
};
pub use barrier::{Barrier, SyncError, SyncTimeoutError};
pub use channel::{
    ChannelError, Inspect, Options, Overflow, Payload, Poison, PoisonKind, ReceiveDeadline,
    ReceiveError, ReceiveFuture, ReceiveTimeoutError, Receiver, SendDeadline, SendError,
    SendFuture, SendTimeoutError, Sender, Side, Snapshot, Statistics, TryReceiveError,
    TrySendError, WaitingOperation, channel,
};
pub use clock::{Clock, Sleep, Time};
pub use ids::{ChannelId, Holder, ProcessId};
pub use scheduler::{Mode, Scheduler, SchedulerOptions, Task, TimeHold};
