//! Supervision: processes that are started again, and processes whose component is exchanged.
//!
//! ```text
//! group        processes that are supervised together: a group, or one process by itself
//! run_loop     what happens when one of them ends
//! handover     what a process leaves to its next incarnation
//! in_flight    what a process has received and not finished
//! redelivery   what becomes of such messages when it ends
//! hot_swap     another component for a running process
//! ```
//!
//! A process that can be restarted leaves the ends at its ports to its unit when its state is
//! dropped, whatever ended it, and its unit gives them to the next incarnation or, when it gives
//! up, closes or poisons them as the end of any process does.

mod group;
mod handover;
mod hot_swap;
mod in_flight;
mod redelivery;
mod run_loop;

pub use hot_swap::{OutOfPatience, Replace, ReplaceError};

pub(crate) use group::{ChildSlot, Recipe, Slot, SupervisedGroup};
pub(crate) use handover::{Handover, Left};
pub(crate) use hot_swap::{Swap, replace as exchange_component};
pub(crate) use in_flight::{InFlight, TakenEnd};
pub(crate) use redelivery::DeadLetterPort;
