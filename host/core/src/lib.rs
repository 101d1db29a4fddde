//! CSP without WebAssembly: channels, alternation, and a scheduler of processes.
#![deny(missing_docs)]

pub mod alternation;
pub mod channel;
pub mod clock;
pub mod deadlock;
mod process;
pub mod scheduler;
mod sync;

pub use process::{Holder, ProcessId};
