//! Finding a network that is stuck as a whole, on all its hosts together.
//!
//! Each part that stands still says so, again at each beat, with a mark that changes whenever one of its processes goes
//! on. Who runs the first part that is not over puts together what all say.
//!
//! # Why there is no false alarm
//!
//! A part that said a mark at one beat, and the same at a later one, has stood still in between. All that is said is read
//! three times:
//!
//! 1. Every part says that it stands still. Then the logs and the ends of the channels are looked at.
//! 2. Every part says the same mark.
//! 3. Every part has said it at least two beats later than in 2. The second of those was found after the first had been
//!    told, which was after 2. So every part stood still from the end of 1 until after 2: at one time, and while the logs
//!    were looked at.
//!
//! While all stand still nobody sends or finishes anything, so what a log holds then it holds for ever, unless an answer
//! is on its way; and of parts whose answers are, none says that it stands still. So nobody can go on if each process that
//! waits to receive has an empty log before it, of which no outlet keeps a message, and each that waits to send has a full
//! one; and if no other side of these channels has ended. Whatever is not so, or is not known, is no deadlock.

mod ports;
mod still;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::carrier::{Bucket, Carrier, Channel, Exchange, Fault};
use crate::ending::{self, Ending};
use crate::facts;
use crate::lease::{self, LeaseHolder};
pub use ports::{PortIndex, Ports};
use still::Said;
pub use still::Still;

/// How often a part that stands still says so.
pub const BEAT: Duration = Duration::from_millis(500);

/// Where it is kept which parts are stuck together.
const STUCK: &str = "stuck";

/// A network over several hosts.
#[derive(Clone, Debug)]
pub struct Network {
    /// The parts by their names, and whether each runs on one host at a time.
    pub parts: Vec<(String, bool)>,
    /// The remote channels.
    pub channels: Vec<Channel>,
}

/// A network that is stuck: what all its processes wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// In words, those of each host.
    pub waits: Vec<String>,
}

/// One part's view of whether the network is stuck.
pub struct Lookout {
    carrier: Arc<dyn Carrier>,
    network: Arc<Network>,
    /// The part's lease.
    name: String,
    epoch: u64,
    beat: u64,
    revision: Option<u64>,
    suspicion: Option<Seen>,
}

/// What all parts say, by their leases.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen(BTreeMap<String, Said>);

impl Seen {
    fn marks(&self) -> Vec<(&str, u64, u64)> {
        let all = self.0.iter();
        all.map(|(name, said)| (&**name, said.epoch, said.still.mark))
            .collect()
    }

    /// Whether the same is said as before.
    fn is_same(&self, before: &Self) -> bool {
        self.marks() == before.marks()
    }

    /// Whether each has looked again, and knew then that what was said before had been told.
    fn is_later(&self, before: &Self) -> bool {
        let later = |(name, said): (&String, &Said)| {
            let before = before.0.get(name);
            before.is_some_and(|before| said.beat >= before.beat + 2)
        };
        self.0.iter().all(later)
    }

    /// Messages of a channel that outlets keep.
    fn kept(&self, channel: &str) -> u64 {
        let keeps = self.0.values().flat_map(|said| &said.still.keeps);
        let keeps = keeps.filter(|(name, _)| name == channel);
        keeps.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

impl Lookout {
    /// For the part that has this lease.
    pub fn new(carrier: Arc<dyn Carrier>, network: Arc<Network>, lease: &str, epoch: u64) -> Self {
        Self {
            carrier,
            network,
            name: lease.to_owned(),
            epoch,
            beat: 0,
            revision: None,
            suspicion: None,
        }
    }

    /// Says that the part stands still, if it does, and looks whether it is stuck for ever. To be called each [`BEAT`],
    /// with what was found out just now. A carrier that does not answer is no reason to think anything.
    pub async fn beat(&mut self, still: Option<Still>) -> Option<Stuck> {
        let Some(still) = still else {
            self.suspicion = None;
            return None;
        };
        self.beat += 1;
        let mark = still.mark;
        let said = Said {
            epoch: self.epoch,
            beat: self.beat,
            still,
        };
        match self.say(&said).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return None,
        }
        // Only as long as the network stands still does this ask more than once a beat.
        if let Ok(false) | Err(_) = self.suspect().await {
            self.suspicion = None;
        }
        self.verdict(mark).await.ok().flatten()
    }

    /// Whether it could be said.
    async fn say(&mut self, said: &Said) -> Result<bool, Fault> {
        let key = still_key(&self.name);
        let bytes = Bytes::from(said.encode());
        let carrier = &*self.carrier;
        match carrier
            .exchange(Bucket::Facts, &key, self.revision, bytes)
            .await?
        {
            Exchange::Done(revision) => {
                self.revision = Some(revision);
                Ok(true)
            }
            Exchange::Another => {
                let there = carrier.get(Bucket::Facts, &key).await?;
                let later = there.as_ref().and_then(|value| {
                    let text = std::str::from_utf8(&value.bytes).ok()?;
                    Some(Said::decode(text)?.epoch > self.epoch)
                });
                // A later incarnation has its say; what an earlier one left is replaced at the next beat.
                self.revision = match later {
                    Some(true) => None,
                    _ => there.map(|value| value.revision),
                };
                Ok(false)
            }
        }
    }

    /// Looks whether all parts stand still together; whether there is still reason to think so.
    async fn suspect(&mut self) -> Result<bool, Fault> {
        let Some(seen) = self.all().await? else {
            return Ok(false);
        };
        match &self.suspicion {
            Some(before) if !seen.is_same(before) => Ok(false),
            Some(before) if seen.is_later(before) => {
                self.tell(&seen).await?;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => {
                let network = self.network.clone();
                if !self.is_stuck(&network, &seen).await? {
                    return Ok(false);
                }
                let again = self.all().await?.filter(|again| again.is_same(&seen));
                self.suspicion = again;
                Ok(self.suspicion.is_some())
            }
        }
    }

    /// What all parts say; `None` unless all that are not over say that they stand still, and it is this one that puts
    /// it together: the first.
    async fn all(&self) -> Result<Option<Seen>, Fault> {
        let carrier = &*self.carrier;
        let mut holders = lease::holders(carrier).await?;
        holders.sort_by(|a, b| a.name.cmp(&b.name));
        let mut seen = BTreeMap::new();
        for (part, one) in &self.network.parts {
            if *one
                && carrier
                    .get(Bucket::Facts, &facts::over(part))
                    .await?
                    .is_some()
            {
                continue;
            }
            let others = format!("{part}@");
            let own = |holder: &&LeaseHolder| match one {
                true => holder.name == *part,
                false => holder.name.starts_with(&others),
            };
            let own: Vec<LeaseHolder> = holders.iter().filter(own).cloned().collect();
            // A host that is still to come can do anything.
            if own.is_empty() {
                return Ok(None);
            }
            for holder in own {
                if seen.is_empty() && holder.name != self.name {
                    return Ok(None);
                }
                let value = carrier.get(Bucket::Facts, &still_key(&holder.name)).await?;
                let said = value.and_then(|value| {
                    let text = std::str::from_utf8(&value.bytes).ok()?;
                    Said::decode(text).filter(|said| said.epoch == holder.epoch)
                });
                match said {
                    Some(said) => seen.insert(holder.name.clone(), said),
                    None => return Ok(None),
                };
            }
        }
        Ok((!seen.is_empty()).then_some(Seen(seen)))
    }

    /// Whether nobody who waits can go on.
    async fn is_stuck(&self, network: &Network, seen: &Seen) -> Result<bool, Fault> {
        let mut waits: Vec<(&String, bool)> = Vec::new();
        for said in seen.0.values() {
            waits.extend(said.still.receives.iter().map(|channel| (channel, true)));
            waits.extend(said.still.sends.iter().map(|channel| (channel, false)));
        }
        for (name, receives) in &waits {
            let receives = *receives;
            let channel = network.channels.iter().find(|it| it.name == **name);
            let Some(channel) = channel else {
                return Ok(false);
            };
            if self.may_end(channel, receives).await? {
                return Ok(false);
            }
            let Some(log) = self.carrier.look(channel).await? else {
                return Ok(false);
            };
            let can_go_on = match receives {
                true => log.messages > 0 || seen.kept(name) > 0,
                false => log.messages < channel.capacity,
            };
            if can_go_on {
                return Ok(false);
            }
        }
        Ok(!waits.is_empty())
    }

    /// Whether the others at a channel have ended, which those who wait there may not have heard yet.
    async fn may_end(&self, channel: &Channel, receives: bool) -> Result<bool, Fault> {
        let (others, own) = match receives {
            true => (&channel.from, &channel.to),
            false => (&channel.to, &channel.from),
        };
        let mut left = others.len();
        let ports: Vec<&String> = others.iter().chain(own).collect();
        for port in ports {
            match ending::read(&*self.carrier, channel, port).await? {
                Some(Ending::Poisoned { .. }) => return Ok(true),
                Some(_) if others.contains(port) => left -= 1,
                _ => {}
            }
        }
        Ok(left == 0)
    }

    async fn tell(&self, seen: &Seen) -> Result<(), Fault> {
        let mut text = String::new();
        for (name, epoch, mark) in seen.marks() {
            text.push_str(&format!("{epoch} {mark} {name}\n"));
        }
        for wait in seen.0.values().flat_map(|said| &said.still.waits) {
            text.push_str(&format!("waits {wait}\n"));
        }
        let there = self.carrier.get(Bucket::Facts, STUCK).await?;
        let revision = there.map(|value| value.revision);
        let exchange = self
            .carrier
            .exchange(Bucket::Facts, STUCK, revision, text.into());
        exchange.await.map(drop)
    }

    /// What was found, if this part is in it as it stands now.
    async fn verdict(&self, mark: u64) -> Result<Option<Stuck>, Fault> {
        let Some(value) = self.carrier.get(Bucket::Facts, STUCK).await? else {
            return Ok(None);
        };
        let Ok(text) = std::str::from_utf8(&value.bytes) else {
            return Ok(None);
        };
        let own = format!("{} {mark} {}", self.epoch, self.name);
        if !text.lines().any(|line| line == own) {
            return Ok(None);
        }
        let waits = text.lines().filter_map(|line| line.strip_prefix("waits "));
        Ok(Some(Stuck {
            waits: waits.map(str::to_owned).collect(),
        }))
    }
}

/// What anybody may put where parts say that they stand still, read as a host does. For the fuzz target.
#[doc(hidden)]
pub fn read_junk(text: &str) {
    if let Some(said) = Said::decode(text) {
        // What is too long for one wait is cut.
        assert!(Said::decode(&said.encode()).is_some());
    }
}

fn still_key(lease: &str) -> String {
    format!("still.{lease}")
}

impl std::fmt::Debug for Lookout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookout")
            .field("name", &self.name)
            .field("epoch", &self.epoch)
            .field("beat", &self.beat)
            .finish_non_exhaustive()
    }
}
