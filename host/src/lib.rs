//! A host that runs networks of communicating sequential processes, each an isolated
//! WebAssembly component.
//!
//! A [`Host`] compiles [`Component`]s and schedules processes on a few worker threads. A
//! [`Network`] is read from a `network.toml` ([`Description`]) or wired by a program; a
//! process has its own instance, its own memory and no authority, and meets others only at
//! channels that the host owns. [`HostSender`] and [`HostReceiver`] are the ends that the
//! embedding program holds. A [`Running`] network ends in a [`Report`].
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use std::path::Path;
//! use transputer::{Description, Host, HostOptions};
//!
//! let host = Host::new(HostOptions::default())?;
//! let description = Description::read(Path::new("network.toml"))?;
//! let mut network = host.load(&description, &BTreeMap::new(), &[])?;
//! network.stdout(std::io::stdout());
//! let report = network.start()?.wait();
//! println!("{:?}", report.verdict());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod bindings;
mod cache;
mod component;
mod direct;
mod engine;
mod error;
mod host;
mod imports;
mod limits;
mod message;
pub mod network;
mod packed;
pub mod problem;
mod process;
pub mod signature;
mod supervisor;
mod usage;
pub mod value;

pub use component::Component;
pub use error::{ComponentFault, Error, SpawnFault};
pub use host::{AtCapacity, CacheFolder, Host, HostOptions};
pub use network::description::Description;
pub use network::plan::{Grants, Limits, Totals};
pub use network::{
    ChannelOptions, DeadLetterFile, DeadLetterOptions, DeadLetters, DeadlockReport, Doing, Event,
    HostAlternation, HostBarrier, HostChosen, HostEnd, HostGuard, HostOutcome, HostReceiver,
    HostSender, Level, Messages, Network, Order, ProcessReport, ProcessSettings, ProcessStatus,
    ReceiveValueError, Report, RestartReport, Running, SendValueError, StuckReport,
    UnfinishedCount, UnfinishedFate, UnfinishedMessage, Verdict, Wait, WithEnds,
};
pub use process::{LimitKind, LimitOwner, Outcome, Overrun, Trap};
pub use supervisor::{
    Backoff, Group, Intensity, OutOfPatience, Replace, ReplaceError, Restart, RestartPolicy,
    Strategy, Unfinished,
};
pub use transputer_core::channel::{ChannelError, Poison, PoisonKind, SendError, Statistics};
pub use transputer_core::{Overflow, ProcessId, Side};
pub use usage::Usage;
pub use value::Value;
