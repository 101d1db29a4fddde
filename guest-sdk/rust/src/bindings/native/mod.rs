//! The contract in memory, for tests on the machine itself: the same functions as
//! [`generated`](super::generated) imports from a host, done by `transputer-core`.
//!
//! A process is a thread here. The thread of a test is one, too, from its first operation on. Ends cannot leave
//! their thread but through a spawn or a message, so it is known who holds each, and deadlock is found as the
//! host finds it.
//!
//! What a thread cannot do is left out: there are no limits and no grants, and a process that computes without
//! end cannot be killed.

pub mod alternation;
pub mod channel;
mod deadlock;
mod handles;
pub mod process;
mod state;
mod transfer;
mod wait;

pub use channel::{Receiver, Sender};
pub(super) use state::abandon;

/// The paths of the generated bindings.
pub mod transputer {
    pub mod csp {
        pub use super::super::{alternation, channel, process};
    }
}
