//! Networks: processes and the channels between them.
//!
//! A [`Description`](description::Description) is read from a file and checked into a
//! [`Plan`](plan::Plan); a [`Network`] is wired from a plan, or by a program; a
//! [`Running`] network ends in a [`Report`].

pub(crate) mod builder;
pub(crate) mod cycle_collector;
pub(crate) mod deadlock;
pub(crate) mod ends_in_transit;
pub(crate) mod event;
mod hot_swap;
mod load;
pub(crate) mod permits;
pub(crate) mod report;
mod running;
pub(crate) mod signature_check;
mod spawn_plan;
pub(crate) mod state;
mod supervised;
mod wait;

pub use builder::{ChannelOptions, Network, ProcessSettings};
pub use event::{Event, Level};
pub use report::{
    DeadlockReport, ProcessReport, Report, RestartReport, StuckReport, UnfinishedCount,
    UnfinishedFate, UnfinishedMessage, Verdict,
};
pub use running::{Doing, ProcessStatus, Running};
pub use wait::Wait;
