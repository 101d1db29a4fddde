//! A network that runs.

use std::fmt;
use std::sync::Arc;

use transputer_core::{Options, channel};

use super::builder::{ChannelOptions, Network};
use super::permits::ProcessPermit;
use super::report::Report;
use super::spawn_plan::spawn_requests;
use super::state::NetworkState;
use super::wait::label;
use crate::error::Error;
use crate::host_ports::{HostBarrier, HostReceiver, HostSender};
use crate::limits::OpenChannel;
use crate::message::{Barrier, Message};
use crate::process::spawn;
use crate::stdio::{self, Written};
use transputer_network::signature::PayloadType;

/// A network that runs. Clones are the same network; it runs on if all are dropped.
#[derive(Clone)]
pub struct Running {
    pub(super) state: Arc<NetworkState>,
    /// The network's standard output, if it has one.
    written: Option<Written>,
}

impl Running {
    /// Blocks until every process has ended and the standard output is written.
    pub fn wait(&self) -> Report {
        self.state.wait_until_empty();
        if let Some(written) = &self.written {
            written.wait();
        }
        self.state.sweep();
        self.state.report()
    }

    /// Like [`wait`](Self::wait), in an async program. Dropping the future stops nothing.
    ///
    /// ```no_run
    /// # async fn example(running: transputer::Running) {
    /// let report = running.wait_async().await;
    /// println!("{:?}", report.verdict());
    /// # }
    /// ```
    pub async fn wait_async(&self) -> Report {
        self.state.emptied().await;
        if let Some(written) = &self.written {
            written.wait_async().await;
        }
        self.state.sweep();
        self.state.report()
    }

    /// Ends the process of this name, with this reason; false if none of that name lives. Returns at once. Its
    /// [outcome](crate::Outcome::Stopped) poisons its channels, unless it is restarted by its policy.
    pub fn kill(&self, process: &str, reason: &str) -> bool {
        self.state.kill(process, reason)
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
        let open = OpenChannel::of_program(&self.state.totals.channels);
        let options = Options::bounded(options.capacity).overflow(options.overflow);
        let options = self.state.counted(options, label, open);
        let (sender, receiver) = channel::<Message>(options);
        self.state.register_channel(&sender);
        (
            HostSender::new(sender, PayloadType::bytes()),
            HostReceiver::new(receiver, PayloadType::bytes()),
        )
    }

    /// Opens a barrier of one member, the program. Memberships that it [enrols](HostBarrier::enrol)
    /// can go to processes, in messages.
    pub fn barrier(&self, label: &str) -> HostBarrier {
        let barrier = Barrier::keeping(label, OpenChannel::of_program(&self.state.totals.channels));
        self.state.register_probe(&barrier.inspect());
        HostBarrier::new(barrier)
    }

    /// How many messages wait in each channel, by its label; empty channels are left out.
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
        let state = NetworkState::new(&mut network);
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
                .count(&state.totals.channels)
                .map_err(|overrun| Error::Wiring {
                    network: network.name.clone(),
                    message: overrun.to_string(),
                })?;
        }
        for probe in network.probes.drain(..) {
            state.register_probe(&probe);
        }
        host.adopt(&state);
        let members = u32::try_from(network.members.len()).unwrap_or(u32::MAX);
        let mut permits = state.acquire_to_start(members).map_err(|reason| {
            let first = network.members.first();
            Error::Spawn {
                process: first.map_or_else(String::new, |first| first.name().to_owned()),
                reason,
            }
        })?;
        // Nothing runs, and no deadlock is seen, before all processes are there.
        let hold = host.scheduler().hold_tasks();
        let requests = spawn_requests(&state, network.members, network.groups)
            .inspect_err(|_| state.stop("the network could not be started"))?;
        for (mut request, wiring) in requests {
            let name = request.spec.name.clone();
            let permit = permits.0.split_one().zip(permits.1.split_one());
            request.permit = permit.map(|(own, hosts)| ProcessPermit::new(own, hosts));
            // How it starts is in its outcome.
            if let Err((reason, _wiring)) = spawn(request, wiring) {
                state.stop("the network could not be started");
                drop(hold);
                state.wait_until_empty();
                return Err(Error::Spawn {
                    process: name.to_string(),
                    reason,
                });
            }
        }
        if let Some(stdin) = network.stdin {
            stdio::read(&state, stdin, network.reader, network.journal.clone());
        }
        let written = network
            .stdout
            .map(|stdout| stdio::write(&state, stdout, network.writer, network.journal));
        if written.is_none() {
            state.output_ended();
        }
        state.signal_if_empty();
        drop(hold);
        Ok(Running { state, written })
    }
}
