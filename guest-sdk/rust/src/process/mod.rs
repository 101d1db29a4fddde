//! The process itself: its start and end, its children, its clock and its log.

mod children;
mod component;
mod composition;
mod log;
mod outcome;
mod signature;
mod start;
mod time;

pub(crate) use children::{Birth, Inputs, Outputs};
pub use children::{Child, Ended, Refused, Spawn, SpawnError, spawn};
pub use composition::{Cause, Failure, Failures, Par, par, seq};
pub use log::{Level, log};
pub use outcome::{Limit, LimitOwner, Outcome, Overrun, Peer};
pub use time::{Instant, now, sleep, sleep_until};

#[cfg(not(target_family = "wasm"))]
pub(crate) use component::run_here;
pub use component::{Component, register, register_stackless, run_stackless};
pub use signature::{Piece, argument_type, port_type, signature, signature_length};
pub(crate) use start::end_stackless;
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
