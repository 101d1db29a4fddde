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
mod ids;
pub mod scheduler;
mod sync;

pub use alternation::{Alternation, AlternationFuture, Chosen, Guard, Order, Outcome, Prepared};
pub use barrier::Barrier;
pub use channel::{
    ChannelError, Inspect, Options, Overflow, Payload, Poison, PoisonKind, ReceiveDeadline,
    ReceiveFuture, Receiver, SendDeadline, SendError, SendFuture, Sender, Side, Snapshot,
    Statistics, WaitingOperation, channel,
};
pub use clock::{Clock, Sleep, Time};
pub use ids::{ChannelId, Holder, ProcessId};
pub use scheduler::{Mode, Scheduler, SchedulerOptions, Task, TimeHold};
