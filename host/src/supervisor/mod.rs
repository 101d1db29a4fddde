//! Supervision: processes that are started again, and processes whose component is exchanged.
//!
//! ```text
//! policy    what is decided before anything runs: when, how often, after how long
//! unit      processes that are supervised together: a group, or one process by itself
//! drive     what happens when one of them ends
//! legacy    what a process leaves to its next incarnation
//! letters   what becomes of messages that it had not finished
//! watch     what a process has received and not finished
//! replace   another component for a running process
//! ```
//!
//! A process that can be restarted leaves the ends at its ports to its unit when its state is
//! dropped, whatever ended it, and its unit gives them to the next incarnation or, when it gives
//! up, closes or poisons them as the end of any process does.

mod drive;
mod legacy;
mod letters;
mod policy;
mod replace;
mod unit;
mod watch;

pub use policy::{Backoff, Group, Intensity, Restart, RestartPolicy, Strategy, Unfinished};
pub use replace::{OutOfPatience, Replace, ReplaceError};

pub(crate) use legacy::{Left, Legacy};
pub(crate) use letters::Letters;
pub(crate) use replace::{Swap, replace as exchange_component};
pub(crate) use unit::{Recipe, Seat, Slot, Unit};
pub(crate) use watch::{TakenEnd, Watch};
