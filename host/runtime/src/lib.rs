//! A host that runs networks of communicating sequential processes, each an isolated
//! WebAssembly component.
//!
//! A [`Host`] compiles [`Component`]s and schedules processes on a few worker threads. A
//! process has its own instance, its own memory and no authority, and meets others only at
//! channels that the host owns. [`HostOptions`], [`Limits`] and [`Totals`] bound what processes may use,
//! [`Grants`] say what they may reach outside, [`Restart`] what happens when they fail.
//!
//! # Run a network file
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
//!
//! # Wire a network in a program
//!
//! ```no_run
//! use std::time::Duration;
//! use transputer::{ChannelOptions, Host, HostOptions, Limits};
//!
//! let host = Host::new(HostOptions::default().workers(2))?;
//! let plugin = host.component("plugin.wasm")?;
//! let mut network = host.network("plugins");
//! for name in ["first", "second"] {
//!     let limits = Limits::default().memory(8 << 20).cpu(Duration::from_secs(1));
//!     network.process(name, &plugin).limits(limits);
//! }
//! network.connect("first.out", "second.lines", ChannelOptions::bounded(16))?;
//! let lines = network.input("first.lines", ChannelOptions::rendezvous())?;
//! let out = network.output("second.out", ChannelOptions::rendezvous())?;
//! let running = network.start()?;
//! lines.send_value(&"hello")?;
//! println!("{}", out.receive_value::<String>()?);
//! drop(lines);
//! assert!(running.wait().failures.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Exchange messages with processes
//!
//! The program holds ends of channels, too: [`HostSender`] and [`HostReceiver`]. Their operations
//! block, wait as a future, or do not wait; [`HostAlternation`] waits for several at once. Values go
//! in and out by the payload type of the port (one of another type is refused before it is sent), and ends can travel
//! in messages.
//!
//! ```
//! use std::time::Duration;
//! use transputer::{ChannelOptions, Host, HostOptions, ReceiveError, ReceiveTimeoutError};
//!
//! let host = Host::new(HostOptions::default().workers(1))?;
//! let running = host.network("a channel and nobody else").start()?;
//! let (sender, receiver) = running.channel("greetings", ChannelOptions::bounded(2));
//! sender.send("hello")?;
//! assert_eq!(receiver.receive()?, b"hello");
//! assert_eq!(
//!     receiver.receive_timeout(Duration::from_millis(1)),
//!     Err(ReceiveTimeoutError::TimedOut)
//! );
//! drop(sender);
//! assert_eq!(receiver.receive(), Err(ReceiveError::Closed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In async programs
//!
//! Every operation that blocks has one that is a future, of any executor: [`HostSender::send_value_async`],
//! [`HostReceiver::receive_value_async`], [`Running::wait_async`]. Dropping it loses nothing. A receiver is a stream of
//! bytes, and [of values](HostReceiver::into_stream); a sender is a [sink of values](HostSender::into_sink).
//!
//! ```
//! use transputer::signature::PayloadType;
//! use transputer::{ChannelOptions, Host, HostOptions, SendValueError};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::new(HostOptions::default().workers(1))?;
//! let running = host.network("points").start()?;
//! let (sender, receiver) = running.channel("points", ChannelOptions::rendezvous());
//! let points = PayloadType::parse("tuple<f64, f64>")?;
//! let (sender, receiver) = (sender.carrying(points.clone()), receiver.carrying(points));
//! let exchange = async {
//!     let wrong = sender.send_value_async("somewhere").await;
//!     assert!(matches!(wrong, Err(SendValueError::Misfit { .. })));
//!     let both = futures_lite::future::zip(
//!         sender.send_value_async(&(1.0, 2.0)),
//!         receiver.receive_value_async::<(f64, f64)>(),
//!     );
//!     let (sent, received) = both.await;
//!     sent?;
//!     assert_eq!(received?, (1.0, 2.0));
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! };
//! futures_lite::future::block_on(exchange)
//! # }
//! ```
//!
//! # Watch a network, and end it
//!
//! [`Network::events`] is a stream, and a loop, of what happens: log lines, ends of processes, restarts, deadlocks.
//! [`Running::look`] tells what every process does now, [`Running::kill`] ends one of them, [`Running::stop`] all.
//!
//! ```no_run
//! use transputer::{Event, Host, HostOptions, Outcome};
//!
//! # let host = Host::new(HostOptions::default())?;
//! # let mut network = host.network("plugins");
//! let events = network.events(1000);
//! let running = network.start()?;
//! for event in events {
//!     match event {
//!         Event::Log { process, line, .. } if line.contains("password") => {
//!             running.kill(&process, "it says what it must not know");
//!         }
//!         Event::Ended(report) if report.outcome != Outcome::Finished => eprintln!("{report:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod batch;
mod code_cache;
mod compiling;
mod component;
mod core_dumps;
mod dead_letters;
mod engine;
mod error;
mod host;
mod host_calls;
mod host_ports;
mod limits;
mod lookout;
mod message;
mod network;
mod options;
mod patience;
mod process;
mod profiling;
mod python;
mod stdio;
mod supervision;
mod test_network;
mod text;
mod usage;
mod wasi_not_offered;

pub use compiling::CompileLimits;
pub use component::Component;
pub use core_dumps::{CoreDump, CoreDumps};
pub use dead_letters::{DeadLetterFile, DeadLetterOptions, DeadLetters};
pub use error::{ComponentFault, Error, SpawnFault};
pub use host::Host;
pub use host_ports::{
    ChargedMessage, CrossbeamReceiver, HostAlternation, HostBarrier, HostChosen, HostEnd,
    HostGuard, HostOutcome, HostReceiver, HostSender, Messages, Order, ReceiveValueError,
    SendValueError, TryReceiveValueError, TrySendValueError, ValueSink, ValueStream, WithEnds,
};
pub use network::{
    BadLine, BadLineCount, BadLineFate, ChannelOptions, ChannelStatus, DeadlockReport, Doing,
    Event, EventLoop, Events, Level, Network, NetworkStatus, ProcessReport, ProcessSettings,
    ProcessStatus, Report, RestartReport, Running, Standstill, StuckReport, UnfinishedCount,
    UnfinishedFate, UnfinishedMessage, Verdict, Wait,
};
pub use options::{CacheFolder, HostOptions};
pub use process::{HeardFrom, Lifetime, LimitKind, LimitOwner, Outcome, Overrun, Peer, Trap};
pub use profiling::{Profiled, Profiling};
pub use python::{PythonFile, PythonModule, PythonOptions, signature as python_signature};
pub use supervision::{OutOfPatience, Replace, ReplaceError};
pub use test_network::{StartedTest, TestNetwork, TestOutput, TestRun};
pub use transputer_core::channel::{
    ChannelError, Poison, PoisonKind, ReceiveError, ReceiveTimeoutError, SendError,
    SendTimeoutError, Statistics, TryReceiveError, TrySendError,
};
pub use transputer_core::{ChannelId, GuardError, Holder, Overflow, ProcessId, Side, SyncError};
pub use transputer_network::ComponentPath;
pub use transputer_network::description::Description;
pub use transputer_network::plan::{Grants, Limits, Totals};
pub use transputer_network::policies::{
    AtCapacity, Backoff, Group, Intensity, OnBadLine, Restart, RestartPolicy, Strategy, Unfinished,
};
pub use transputer_network::value::Value;
#[doc(inline)]
pub use transputer_network::{
    description, diagnostics, files, parts, plan, policies, signature, validation, value,
};
pub use usage::Usage;
