//! CSP without WebAssembly: channels, alternation, and a scheduler of processes.
//!
//! This crate knows nothing of components or guests: a process is whatever future the
//! scheduler runs, a message whatever implements [`Payload`].
#![deny(missing_docs)]

pub mod alternation;
pub mod barrier;
pub mod channel;
#[cfg_attr(loom, allow(dead_code))]
pub mod clock;
#[cfg(not(loom))]
pub mod deadlock;
mod process;
pub mod scheduler;
mod sync;

pub use alternation::{Alternation, Chosen, Guard, Order, Outcome, Prepared, Wait};
pub use barrier::Barrier;
pub use channel::{
    ChannelError, ChannelId, Look, Options, Overflow, Payload, Poison, PoisonKind, Probe, Receive,
    ReceiveBy, Receiver, Send, SendBy, SendError, Sender, Side, Statistics, Waiting, channel,
};
pub use clock::{Clock, Sleep, Time};
pub use process::{Holder, ProcessId};
pub use scheduler::{Mode, Scheduler, SchedulerOptions, Task, TimeHold};
