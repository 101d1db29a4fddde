//! Whether a part stands still, and what is done where the whole network is stuck.

use std::convert::Infallible;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use transputer::{ChannelId, HostReceiver, HostSender, Running, Standstill};
use transputer_reach::carrier::Channel;
use transputer_reach::lookout::{BEAT, Lookout, PortIndex, Ports, Still};
use transputer_reach::{Inlet, Outlet};

use crate::terminal;

/// The ports of a part at remote channels.
#[derive(Default)]
pub(super) struct PortViews {
    ports: Ports,
    known: Vec<Known>,
}

struct Known {
    /// The local half.
    half: ChannelId,
    index: PortIndex,
    /// `process.port`.
    port: String,
    /// What a process does there.
    does: String,
}

impl PortViews {
    pub(super) fn output(
        &mut self,
        port: &str,
        channel: &Channel,
        outlet: &Outlet,
        receiver: &HostReceiver,
    ) {
        let statistics = receiver.statistics_later();
        let sends = move || statistics().received;
        let is_gone = receiver.is_ended_later();
        let index = (self.ports).outlet(&channel.name, outlet.progress(), sends, is_gone);
        let others = channel.to.join("` or `");
        let does = format!("to send to `{others}` (channel `{}`)", channel.name);
        self.know(receiver.channel(), index, port, does);
    }

    pub(super) fn input(
        &mut self,
        port: &str,
        channel: &Channel,
        inlet: &Inlet,
        finished: watch::Receiver<u64>,
        sender: &HostSender,
    ) {
        let is_gone = sender.is_ended_later();
        let index = (self.ports).inlet(&channel.name, inlet.standing(), finished, is_gone);
        let others = channel.from.join("` or `");
        let does = format!("to receive from `{others}` (channel `{}`)", channel.name);
        self.know(sender.channel(), index, port, does);
    }

    fn know(&mut self, half: ChannelId, index: PortIndex, port: &str, does: String) {
        let port = port.to_owned();
        self.known.push(Known {
            half,
            index,
            port,
            does,
        });
    }

    /// Looks at each beat, and ends what can never go on.
    pub(super) async fn look_out(
        &self,
        mut lookout: Lookout,
        running: &Running,
        host: &str,
    ) -> Infallible {
        let halves: Vec<_> = self.known.iter().map(|known| known.half).collect();
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            let standstill = running.standstill(&halves);
            let still = standstill
                .as_ref()
                .and_then(|standstill| self.still(standstill, host));
            let stuck = lookout.beat(still).await;
            if let (Some(stuck), Some(standstill)) = (stuck, standstill) {
                terminal::warning(format_args!(
                    "no host can go on: the processes of the network wait for each other"
                ));
                running.report_deadlock(&standstill, stuck.waits);
                // What is poisoned here fails elsewhere; by then all hosts have found out by themselves.
                tokio::time::sleep(2 * BEAT).await;
                running.end_deadlock(&standstill);
            }
        }
    }

    /// What is said of the part, with its waits as all hosts understand them.
    fn still(&self, standstill: &Standstill, host: &str) -> Option<Still> {
        let known = |half: ChannelId| self.known.iter().find(move |known| known.half == half);
        let waits_at = standstill.waits_at.iter();
        let indices: Vec<_> = waits_at
            .filter_map(|(half, _)| Some(known(*half)?.index))
            .collect();
        let waits = standstill.stuck.iter().map(|stuck| {
            let waits = stuck.waits.iter().map(|wait| {
                let port = wait
                    .port
                    .as_ref()
                    .map(|port| format!("{}.{port}", stuck.process));
                let remote = self
                    .known
                    .iter()
                    .find(|known| Some(&known.port) == port.as_ref());
                remote.map_or_else(|| format!("to {wait}"), |known| known.does.clone())
            });
            let joins = stuck
                .joins
                .iter()
                .map(|name| format!("for `{name}` to end"));
            let all: Vec<_> = waits.chain(joins).collect();
            format!(
                "`{}` on host {host} waits {}",
                stuck.process,
                all.join(", or ")
            )
        });
        self.ports.still(standstill.mark, &indices, waits.collect())
    }
}
