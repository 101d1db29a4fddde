//! Permits for the processes of a network: its own, and those of its host.

use std::sync::Arc;

use transputer_core::channel::{Inspect, Poison, Side, Snapshot, Statistics, WaitingOperation};
use transputer_core::clock::Time;
use transputer_core::{ChannelId, Holder, ProcessId};

use super::state::NetworkState;
use crate::error::SpawnFault;
use crate::limits::{Permit, Permits, Spawner};
use crate::patience::Patience;

/// The right of one process to live, in its network and in its host; given back when dropped.
#[derive(Debug)]
pub(crate) struct ProcessPermit {
    _network: Permit,
    _host: Permit,
}

impl NetworkState {
    /// Permits for all who are to start with the network, at once. Blocks the calling thread.
    pub(super) fn acquire_to_start(&self, count: u32) -> Result<(Permit, Permit), SpawnFault> {
        let clock = self.host.scheduler().clock();
        let patience = Patience::at_capacity(self.at_capacity, clock.now());
        let take = |permits: &Arc<Permits>| {
            transputer_core::channel::block_on(permits.acquire(count, None, patience.on(clock)))
        };
        Ok((take(&self.permits)?, take(self.host.permits())?))
    }

    /// A permit for a child of this process, for which it may wait.
    pub(crate) async fn acquire_for_child(
        &self,
        parent: ProcessId,
        patience: Patience<Time>,
    ) -> Result<ProcessPermit, SpawnFault> {
        let who = Spawner {
            network: self.number,
            process: parent,
            timed: matches!(patience, Patience::Until(_)),
        };
        let clock = self.host.scheduler().clock();
        let network = self
            .permits
            .acquire(1, Some(who), patience.on(clock))
            .await?;
        let host = self
            .host
            .permits()
            .acquire(1, Some(who), patience.on(clock))
            .await?;
        Ok(ProcessPermit::new(network, host))
    }

    /// A permit for a process, if one is free now.
    pub(crate) fn try_acquire_for_child(&self) -> Result<ProcessPermit, SpawnFault> {
        Ok(ProcessPermit::new(
            self.permits.try_acquire()?,
            self.host.permits().try_acquire()?,
        ))
    }

    /// The permits as something that processes wait for. `others_live`: processes of other networks can
    /// end, and give one back.
    pub(super) fn permit_probes(self: &Arc<Self>, others_live: bool) -> [Arc<dyn Inspect>; 2] {
        let probe = |id, label: &str, shared| -> Arc<dyn Inspect> {
            Arc::new(PermitProbe {
                id,
                label: label.into(),
                shared,
                others_live,
                network: self.clone(),
            })
        };
        let [own, hosts] = self.permit_ids;
        [
            probe(own, "processes of the network", false),
            probe(hosts, "processes of the host", true),
        ]
    }
}

impl ProcessPermit {
    pub(super) fn new(network: Permit, host: Permit) -> Self {
        Self {
            _network: network,
            _host: host,
        }
    }
}

/// Permits, for the eyes of deadlock detection: whoever has one can give it back.
struct PermitProbe {
    id: ChannelId,
    label: Arc<str>,
    /// Whether other networks have such permits as well.
    shared: bool,
    others_live: bool,
    network: Arc<NetworkState>,
}

impl PermitProbe {
    fn permits(&self) -> &Arc<Permits> {
        match self.shared {
            true => self.network.host.permits(),
            false => &self.network.permits,
        }
    }
}

impl Inspect for PermitProbe {
    fn id(&self) -> ChannelId {
        self.id
    }

    fn label(&self) -> Option<Arc<str>> {
        Some(self.label.clone())
    }

    fn snapshot(&self) -> Snapshot {
        let spawners = self.permits().waiting(self.network.number);
        let waiting = spawners.into_iter().map(|spawner| {
            let holder = Holder::Process(spawner.process);
            WaitingOperation::new(holder, Side::Permit, spawner.ticket, spawner.since)
                .timed(spawner.timed)
        });
        let mut look = Snapshot::default();
        look.waiting = waiting.collect();
        if look.waiting.is_empty() {
            return look;
        }
        // Looked at after the waits: who is born in between had a permit before.
        let living = self.network.living();
        look.senders = living
            .iter()
            .map(|process| Holder::Process(process.id))
            .collect();
        if self.shared && self.others_live && self.permits().taken() as usize > living.len() {
            look.senders.push(Holder::Host);
        }
        look
    }

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn poison(&self, poison: Poison) -> bool {
        let reason = format!("deadlock: {}", poison.reason).into();
        self.permits().refuse(self.network.number, &reason);
        true
    }

    fn poisoned(&self) -> Option<Poison> {
        None
    }

    fn discard(&self) {}
}
