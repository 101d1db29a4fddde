//! Supervision: restarting processes, and replacing the components of running ones.
//!
//! ```text
//! group        processes that are supervised together: a group, or one process by itself
//! run_loop     what happens when one of them ends
//! handover     what a process leaves to its next incarnation
//! finished     telling the program what a process has finished
//! in_flight    what a process has received and not finished
//! redelivery   what becomes of such messages when it ends
//! hot_swap     another component for a running process
//! ```
//!
//! When a process that can be restarted ends, for whatever reason, it leaves the ends at its ports to
//! its group. The group gives them to the next incarnation or, if it gives up, closes or poisons them
//! as the end of any process does.

mod finished;
mod group;
mod handover;
mod hot_swap;
mod in_flight;
mod redelivery;
mod run_loop;

pub use hot_swap::{OutOfPatience, Replace, ReplaceError};

pub(crate) use finished::{FinishedCount, FinishedCounts};
pub(crate) use group::{ChildSlot, Slot, SupervisedGroup};
pub(crate) use handover::{Handover, Left};
pub(crate) use hot_swap::{Swap, replace as exchange_component};
pub(crate) use in_flight::{InFlight, TakenEnd, Tried};
pub(crate) use redelivery::DeadLetterPort;
