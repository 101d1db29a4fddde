//! A network that runs.

use std::fmt;
use std::sync::{Arc, Mutex};

use transputer_core::{Options, ProcessId, channel};

use super::builder::{ChannelOptions, Network};
use super::permits::ProcessPermit;
use super::report::Report;
use super::spawn_plan::spawn_requests;
use super::state::NetworkState;
use super::wait::{Names, Wait, label, waits};
use crate::error::Error;
use crate::host::lock;
use crate::host_ports::{HostBarrier, HostReceiver, HostSender};
use crate::limits::OpenChannel;
use crate::message::{Barrier, Message};
use crate::process::{Process, spawn};
use crate::stdio::{self, Writing};
use transputer_network::signature::PayloadType;

/// A network that runs. Clones are the same network; it runs on if all are dropped.
#[derive(Clone)]
pub struct Running {
    pub(super) state: Arc<NetworkState>,
    /// Whoever writes the network's standard output.
    writing: Arc<Mutex<Option<Writing>>>,
}

/// A process, and what it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: ProcessId,
    /// Which of its incarnations this is: 1, and one more for each restart.
    pub incarnation: u64,
    /// What it is doing.
    pub doing: Doing,
}

/// What a process is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// It computes, sleeps, or does something outside the network.
    Running,
    /// It waits for one of these communications.
    Waiting(Vec<Wait>),
    /// It waits for the end of this process.
    Joining(String),
    /// It has ended, and its supervisor has yet to restart it.
    Down,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("runs"),
            Self::Waiting(waits) => {
                let waits: Vec<_> = waits.iter().map(Wait::to_string).collect();
                write!(f, "waits to {}", waits.join(", or to "))
            }
            Self::Joining(name) => write!(f, "waits for {name} to end"),
            Self::Down => f.write_str("is down, to be restarted"),
        }
    }
}

impl Running {
    /// Blocks until every process has ended and the standard output is written.
    pub fn wait(&self) -> Report {
        self.state.wait_until_empty();
        let writing = lock(&self.writing).take();
        if let Some(writing) = writing {
            writing.wait();
        }
        self.state.drop_unreachable();
        self.state.report()
    }

    /// Ends every process, with this reason. Returns at once; [`wait`](Self::wait) waits
    /// until they have ended.
    pub fn stop(&self, reason: &str) {
        self.state.stop(reason);
    }

    /// Whether every process has ended.
    pub fn has_ended(&self) -> bool {
        self.state.is_empty()
    }

    /// Opens a channel whose ends the program can send to processes, in messages.
    pub fn channel(&self, label: &str, options: ChannelOptions) -> (HostSender, HostReceiver) {
        let open = OpenChannel::of_program(&self.state.totals);
        let options = Options::bounded(options.capacity).overflow(options.overflow);
        let options = self.state.counted(options, label, open);
        let (sender, receiver) = channel::<Message>(options);
        self.state.watch_channel(&sender);
        (
            HostSender::new(sender, PayloadType::bytes()),
            HostReceiver::new(receiver, PayloadType::bytes()),
        )
    }

    /// Opens a barrier of one member, the program. Memberships that it [enrols](HostBarrier::enrol)
    /// can go to processes, in messages.
    pub fn barrier(&self, label: &str) -> HostBarrier {
        let barrier = Barrier::keeping(label, OpenChannel::of_program(&self.state.totals));
        self.state.watch_probe(&barrier.inspect());
        HostBarrier::new(barrier)
    }

    /// Every process that lives, and what it is doing, in the order of request.
    pub fn status(&self) -> Vec<ProcessStatus> {
        let living = self.state.living();
        let names = Names::new(&self.state);
        let mut probes = self.state.probes();
        probes.extend(self.state.permit_probes(true));
        let waits = waits(&probes, &names);
        let status = |process: &Arc<Process>| ProcessStatus {
            name: process.name.to_string(),
            id: process.id,
            incarnation: process.incarnation(),
            doing: match (waits.get(&process.id), process.join()) {
                _ if process.outcome().is_some() => Doing::Down,
                (Some(waits), _) => Doing::Waiting(waits.clone()),
                (None, Some(join)) => Doing::Joining(names.of(join.target)),
                (None, None) => Doing::Running,
            },
        };
        living.iter().map(status).collect()
    }

    /// Messages that wait in channels, by the channel's label; those with none are left out.
    pub fn in_flight(&self) -> Vec<(String, usize)> {
        let probes = self.state.probes();
        let waiting = probes
            .iter()
            .map(|probe| (label(&**probe), probe.snapshot().buffered));
        waiting.filter(|(_, waiting)| *waiting > 0).collect()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("network", &self.state.name)
            .finish_non_exhaustive()
    }
}

/// The steps from a wired network to a running one.
pub(super) struct Start {
    state: Arc<NetworkState>,
    network: Network,
}

impl Start {
    pub(super) fn new(mut network: Network) -> Self {
        let listener = std::mem::replace(&mut network.listener, Box::new(|_| {}));
        let state = NetworkState::new(
            network.name.clone(),
            network.host.0.clone(),
            listener,
            network.traced,
            network.channel_totals.clone(),
            network.totals,
            network.at_capacity,
        );
        Self {
            state: Arc::new(state),
            network,
        }
    }

    pub(super) fn run(self) -> Result<Running, Error> {
        let Self { state, mut network } = self;
        let host = &network.host.0;
        for wired in network.wired.drain(..) {
            wired
                .count(&state.totals)
                .map_err(|overrun| Error::Wiring {
                    network: network.name.clone(),
                    message: overrun.to_string(),
                })?;
        }
        for probe in network.probes.drain(..) {
            state.watch_probe(&probe);
        }
        host.adopt(&state);
        let members = u32::try_from(network.members.len()).unwrap_or(u32::MAX);
        let mut permits = state.acquire_to_start(members).map_err(|reason| {
            let first = network.members.first();
            Error::Spawn {
                process: first.map_or_else(String::new, |first| first.name.clone()),
                reason,
            }
        })?;
        // Nothing runs, and no deadlock is seen, before everybody is there.
        let hold = host.scheduler().hold_tasks();
        let births = spawn_requests(&state, network.members, network.groups)
            .inspect_err(|_| state.stop("the network could not be started"))?;
        for (mut request, wiring) in births {
            let name = request.name.clone();
            let place = permits.0.split_one().zip(permits.1.split_one());
            request.place = place.map(|(own, hosts)| ProcessPermit::new(own, hosts));
            // How it starts is in its outcome.
            if let Err((reason, _wiring)) = spawn(request, wiring) {
                state.stop("the network could not be started");
                drop(hold);
                state.wait_until_empty();
                return Err(Error::Spawn {
                    process: name,
                    reason,
                });
            }
        }
        if let Some(stdin) = network.stdin {
            stdio::read(&state, stdin, network.reader, network.journal.clone());
        }
        let writing = network
            .stdout
            .and_then(|stdout| stdio::write(&state, stdout, network.writer, network.journal));
        drop(hold);
        Ok(Running {
            state,
            writing: Arc::new(Mutex::new(writing)),
        })
    }
}
