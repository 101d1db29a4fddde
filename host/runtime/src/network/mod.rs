//! Networks: processes and the channels between them.
//!
//! A [`Description`](crate::Description) is read from a file, and checking it makes a
//! [`Plan`](crate::plan::Plan). A [`Network`] is wired from a plan, or by a program. A
//! [`Running`] network ends with a [`Report`].

pub(crate) mod builder;
pub(crate) mod cycle_collector;
pub(crate) mod deadlock;
pub(crate) mod ends_in_transit;
pub(crate) mod event;
mod events;
mod hot_swap;
mod load;
mod member;
pub(crate) mod permits;
mod reach;
pub(crate) mod report;
mod running;
pub(crate) mod signature_check;
mod spawn_plan;
mod standstill;
pub(crate) mod state;
mod status;
mod supervised;
mod wait;

pub use builder::{ChannelOptions, Network};
pub use event::{Event, Level};
pub use events::{EventLoop, Events};
pub use member::ProcessSettings;
pub use report::{
    BadLine, BadLineCount, BadLineFate, DeadlockReport, ProcessReport, Report, RestartReport,
    StuckReport, UnfinishedCount, UnfinishedFate, UnfinishedMessage, Verdict,
};
pub use running::Running;
pub use standstill::Standstill;
pub use status::{ChannelStatus, Doing, NetworkStatus, ProcessStatus};
pub use wait::Wait;
