//! Places for the processes of a network: its own, and those of its host.

use std::sync::Arc;

use transputer_core::channel::{Look, Poison, Probe, Side, Statistics, Waiting};
use transputer_core::clock::Time;
use transputer_core::{ChannelId, Holder, ProcessId};

use super::state::NetworkState;
use crate::error::SpawnFault;
use crate::limits::{Patience, Places, Spawner, Taken};

/// A place among the processes of a network and of its host; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _network: Taken,
    _host: Taken,
}

/// How long a process waits for a place.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Wait {
    Never,
    Until(Time),
    Forever,
}

impl NetworkState {
    /// Places for all who are to start with the network, at once. Blocks the calling thread.
    pub(super) fn places_to_start(&self, count: u32) -> Result<(Taken, Taken), SpawnFault> {
        let patience = || match self.at_capacity.wait(self.host.scheduler().clock().now()) {
            Wait::Never => Patience::Never,
            Wait::Forever => Patience::Forever,
            Wait::Until(time) => Patience::Until(self.host.scheduler().clock().sleep_until(time)),
        };
        let take = |places: &Arc<Places>| {
            transputer_core::channel::block_on(places.take(count, None, patience()))
        };
        Ok((take(&self.places)?, take(self.host.places())?))
    }

    /// A place for a child of this process.
    pub(crate) async fn place_for_child(
        &self,
        parent: ProcessId,
        wait: Wait,
    ) -> Result<Place, SpawnFault> {
        let who = Spawner {
            network: self.number,
            process: parent,
            timed: matches!(wait, Wait::Until(_)),
        };
        let patience = || match wait {
            Wait::Never => Patience::Never,
            Wait::Forever => Patience::Forever,
            Wait::Until(time) => Patience::Until(self.host.scheduler().clock().sleep_until(time)),
        };
        let network = self.places.take(1, Some(who), patience()).await?;
        let host = self.host.places().take(1, Some(who), patience()).await?;
        Ok(Place::new(network, host))
    }

    /// A place that is free now.
    pub(crate) fn free_place(&self) -> Result<Place, SpawnFault> {
        Ok(Place::new(
            self.places.try_take()?,
            self.host.places().try_take()?,
        ))
    }

    /// The places as something that processes wait at. Whether processes of other networks can
    /// end, and free one, is `others_live`.
    pub(super) fn place_probes(self: &Arc<Self>, others_live: bool) -> [Arc<dyn Probe>; 2] {
        let probe = |id, label: &str, shared| -> Arc<dyn Probe> {
            Arc::new(PlaceProbe {
                id,
                label: label.into(),
                shared,
                others_live,
                network: self.clone(),
            })
        };
        let [own, hosts] = self.place_ids;
        [
            probe(own, "processes of the network", false),
            probe(hosts, "processes of the host", true),
        ]
    }
}

impl Place {
    pub(super) fn new(network: Taken, host: Taken) -> Self {
        Self {
            _network: network,
            _host: host,
        }
    }
}

/// Places, for the eyes of deadlock detection: whoever has one can give it back.
struct PlaceProbe {
    id: ChannelId,
    label: Arc<str>,
    /// Whether other networks have such places as well.
    shared: bool,
    others_live: bool,
    network: Arc<NetworkState>,
}

impl PlaceProbe {
    fn places(&self) -> &Arc<Places> {
        match self.shared {
            true => self.network.host.places(),
            false => &self.network.places,
        }
    }
}

impl Probe for PlaceProbe {
    fn id(&self) -> ChannelId {
        self.id
    }

    fn label(&self) -> Option<Arc<str>> {
        Some(self.label.clone())
    }

    fn look(&self) -> Look {
        let spawners = self.places().waiting(self.network.number);
        let waiting = spawners.into_iter().map(|spawner| Waiting {
            holder: Holder::Process(spawner.process),
            side: Side::Place,
            ticket: spawner.ticket,
            since: spawner.since,
            timed: spawner.timed,
        });
        let mut look = Look {
            waiting: waiting.collect(),
            ..Look::default()
        };
        if look.waiting.is_empty() {
            return look;
        }
        // Looked at after the waits: who is born in between had a place before.
        let living = self.network.living();
        look.senders = living
            .iter()
            .map(|process| Holder::Process(process.id))
            .collect();
        if self.shared && self.others_live && self.places().taken() as usize > living.len() {
            look.senders.push(Holder::Host);
        }
        look
    }

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn poison(&self, poison: Poison) -> bool {
        let reason = format!("deadlock: {}", poison.reason).into();
        self.places().refuse(self.network.number, &reason);
        true
    }

    fn poisoned(&self) -> Option<Poison> {
        None
    }

    fn discard(&self) {}
}
