//! The process itself: its start and end, its children, its clock and its log.

mod children;
mod component;
mod composition;
mod log;
mod signature;
mod start;
mod time;

pub use children::{Child, Ended, Outcome, Refused, Spawn, SpawnError, spawn};
pub use composition::{Cause, Failure, Failures, Par, par, seq};
pub use log::{Level, log};
pub use time::{Instant, now, sleep, sleep_until};

pub use component::{register, run};
pub use signature::{Piece, signature, signature_length};
pub use start::{Ending, Start};

use crate::bindings::transputer::csp::process as raw;
use crate::channel::run_deferred;

/// This process's name, unique in the network.
pub fn name() -> String {
    raw::name()
}

/// This process's number, unique in the network.
pub fn id() -> u64 {
    raw::id()
}

/// Lets other processes run before this one goes on.
pub fn yield_now() {
    run_deferred();
    raw::yield_now();
}
