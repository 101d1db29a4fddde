//! Networks: processes and the channels between them.
//!
//! A [`Description`](description::Description) is read from a file and checked into a
//! [`Plan`](plan::Plan); a [`Network`] is wired from a plan, or by a program; a
//! [`Running`] network ends in a [`Report`].

mod births;
mod builder;
mod dead_letters;
pub(crate) mod deadlock;
pub mod description;
mod endpoint;
pub(crate) mod event;
pub(crate) mod fit;
mod host_end;
mod load;
pub(crate) mod moving;
pub(crate) mod places;
pub mod plan;
mod replacing;
pub(crate) mod report;
mod running;
pub(crate) mod state;
mod supervision;
mod unreachable;
pub mod validation;
mod wait;

pub use builder::{ChannelOptions, Network, ProcessSettings};
pub use dead_letters::{DeadLetterFile, DeadLetterOptions, DeadLetters};
pub use event::{Event, Level};
pub use host_end::{
    HostAlternation, HostBarrier, HostChosen, HostEnd, HostGuard, HostOutcome, HostReceiver,
    HostSender, Messages, Order, ReceiveValueError, SendValueError, WithEnds,
};
pub use report::{
    DeadlockReport, ProcessReport, Report, RestartReport, StuckReport, UnfinishedCount,
    UnfinishedFate, UnfinishedMessage, Verdict,
};
pub use running::{Doing, ProcessStatus, Running};
pub use wait::Wait;
