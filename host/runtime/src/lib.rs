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

mod batch;
mod code_cache;
mod component;
mod dead_letters;
mod engine;
mod error;
mod host;
mod host_calls;
mod host_ports;
mod limits;
mod message;
mod network;
mod patience;
mod process;
mod stdio;
mod supervision;
mod usage;

pub use component::Component;
pub use dead_letters::{DeadLetterFile, DeadLetterOptions, DeadLetters};
pub use error::{ComponentFault, Error, SpawnFault};
pub use host::{CacheFolder, Host, HostOptions};
pub use host_ports::{
    HostAlternation, HostBarrier, HostChosen, HostEnd, HostGuard, HostOutcome, HostReceiver,
    HostSender, Messages, Order, ReceiveValueError, SendValueError, WithEnds,
};
pub use network::{
    ChannelOptions, DeadlockReport, Doing, Event, Level, Network, ProcessReport, ProcessSettings,
    ProcessStatus, Report, RestartReport, Running, StuckReport, UnfinishedCount, UnfinishedFate,
    UnfinishedMessage, Verdict, Wait,
};
pub use process::{LimitKind, LimitOwner, Outcome, Overrun, Trap};
pub use supervision::{OutOfPatience, Replace, ReplaceError};
pub use transputer_core::channel::{ChannelError, Poison, PoisonKind, SendError, Statistics};
pub use transputer_core::{Overflow, ProcessId, Side};
pub use transputer_network::description::Description;
pub use transputer_network::plan::{Grants, Limits, Totals};
pub use transputer_network::policies::{
    AtCapacity, Backoff, Group, Intensity, Restart, RestartPolicy, Strategy, Unfinished,
};
pub use transputer_network::value::Value;
#[doc(inline)]
pub use transputer_network::{
    description, diagnostics, plan, policies, signature, validation, value,
};
pub use usage::Usage;
