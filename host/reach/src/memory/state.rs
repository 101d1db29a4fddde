//! What the server in memory holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Forget;
use crate::carrier::{
    Answer, Bucket, Channel, Consumer, Delivery, Exchange, Fault, Hint, Log, Put, Refusal, Side,
    Stamp, Ticket, Value, Writer,
};

/// After so long without an answer, a message is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct State {
    /// When it was made.
    began: Instant,
    logs: BTreeMap<String, LogState>,
    values: BTreeMap<(Bucket, String), Kept>,
    /// Counts births of logs, consumers and revisions of values.
    count: u64,
    pub(super) listeners: Vec<(String, mpsc::UnboundedSender<Hint>)>,
}

#[derive(Debug)]
struct Kept {
    value: Value,
    until: Option<Instant>,
}

#[derive(Debug)]
struct LogState {
    born: u64,
    capacity: u64,
    last: u64,
    messages: BTreeMap<u64, Stored>,
    writers: Vec<Writer>,
    /// Where messages with identifiers were stored.
    known: BTreeMap<String, u64>,
    /// Whose messages vanish.
    deaf_to: Option<Writer>,
    consumers: BTreeMap<Consumer, Reader>,
}

#[derive(Clone, Debug)]
struct Stored {
    port: String,
    stamp: Stamp,
    bytes: Bytes,
    junk: Option<String>,
}

#[derive(Debug)]
struct Reader {
    born: u64,
    /// The place to be delivered next.
    next: u64,
    /// What was delivered and not answered: until when, and how often.
    open: BTreeMap<u64, (Instant, u64)>,
    /// What is to be delivered again.
    again: BTreeSet<u64>,
    /// It delivers nothing any more, and does not say so.
    mute: bool,
}

/// What a consumer gets next.
pub(super) enum Next {
    Delivery(Box<Delivery>),
    /// Nothing before this time, unless something changes.
    Wait(Instant),
    Gone,
}

impl Default for State {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            logs: BTreeMap::new(),
            values: BTreeMap::new(),
            count: 0,
            listeners: Vec::new(),
        }
    }
}

impl State {
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    fn count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(super) fn forget(&mut self, forget: Forget) {
        match forget {
            Forget::Nothing => {}
            Forget::Latest(count) => {
                for log in self.logs.values_mut() {
                    log.roll_back(count);
                }
            }
            Forget::Logs => self.logs.clear(),
            Forget::Everything => {
                self.logs.clear();
                self.values.clear();
            }
        }
    }

    pub(super) fn messages(&self, channel: &str) -> u64 {
        let log = self.logs.get(channel);
        log.map_or(0, |log| log.messages.len() as u64)
    }

    pub(super) fn put_junk(&mut self, channel: &str, why: &str) {
        if let Some(log) = self.logs.get_mut(channel) {
            log.last += 1;
            let stored = Stored {
                port: String::new(),
                stamp: Stamp::default(),
                bytes: Bytes::from_static(b"junk"),
                junk: Some(why.to_owned()),
            };
            log.messages.insert(log.last, stored);
        }
    }

    /// The consumers that a log has now deliver nothing any more.
    pub(super) fn mute(&mut self, channel: &str) {
        let log = self.logs.get_mut(channel);
        for reader in log.into_iter().flat_map(|log| log.consumers.values_mut()) {
            reader.mute = true;
        }
    }

    /// What the present writer of a log puts there vanishes from now on.
    pub(super) fn deafen(&mut self, channel: &str) {
        if let Some(log) = self.logs.get_mut(channel) {
            log.deaf_to = log.writers.first().cloned();
        }
    }

    pub(super) fn open(&mut self, channel: &Channel) -> Result<Log, Fault> {
        let born = self.count();
        let log = self.logs.entry(channel.name.clone());
        let log = log.or_insert_with(|| LogState::new(born, channel.capacity));
        if log.capacity != channel.capacity {
            return Err(Fault::Refused(format!(
                "channel `{}` is there with capacity {}, and the network's file says {}",
                channel.name, log.capacity, channel.capacity
            )));
        }
        Ok(log.log())
    }

    pub(super) fn look(&self, channel: &Channel) -> Option<Log> {
        self.logs.get(&channel.name).map(LogState::log)
    }

    fn log(&mut self, channel: &str) -> Result<&mut LogState, Fault> {
        let missing = || Fault::Missing(format!("a log of channel `{channel}`"));
        self.logs.get_mut(channel).ok_or_else(missing)
    }

    pub(super) fn fence(&mut self, channel: &Channel, writer: &Writer) -> Result<(), Fault> {
        self.log(&channel.name)?.writers = vec![writer.clone()];
        Ok(())
    }

    pub(super) fn put(&mut self, channel: &Channel, put: Put) -> Result<u64, Refusal> {
        let log = self.logs.get_mut(&channel.name);
        log.ok_or(Refusal::NotStored)?.put(channel, put)
    }

    pub(super) fn purge(&mut self, channel: &Channel) -> Result<u64, Fault> {
        let log = self.log(&channel.name)?;
        let count = log.messages.len() as u64;
        log.messages.clear();
        Ok(count)
    }

    pub(super) fn consumers(&mut self, channel: &Channel) -> Result<Vec<Consumer>, Fault> {
        Ok(self.log(&channel.name)?.consumers.keys().cloned().collect())
    }

    /// Makes a consumer unless it is there; what tells it from a later one of its name.
    pub(super) fn consume(&mut self, channel: &Channel, consumer: &Consumer) -> Result<u64, Fault> {
        let born = self.count();
        let log = self.log(&channel.name)?;
        if log.consumers.keys().any(|other| other != consumer) {
            return Err(Fault::Away("the log has another consumer".to_owned()));
        }
        let reader = log.consumers.entry(consumer.clone());
        let reader = reader.or_insert_with(|| Reader {
            born,
            next: 0,
            open: BTreeMap::new(),
            again: BTreeSet::new(),
            mute: false,
        });
        Ok(reader.born)
    }

    pub(super) fn end_consumer(&mut self, channel: &Channel, consumer: &Consumer) {
        if let Ok(log) = self.log(&channel.name) {
            log.consumers.remove(consumer);
        }
    }

    pub(super) fn next(&mut self, channel: &str, consumer: &Consumer, born: u64) -> Next {
        let Some(log) = self.logs.get_mut(channel) else {
            return Next::Gone;
        };
        match log.consumers.get_mut(consumer) {
            Some(reader) if reader.born == born => reader.next(&log.messages),
            _ => Next::Gone,
        }
    }

    pub(super) fn answer(&mut self, channel: &Channel, ticket: &Ticket, answer: Answer) {
        let mut numbers = ticket.0.split(' ').filter_map(|it| it.parse::<u64>().ok());
        let (Some(born), Some(place)) = (numbers.next(), numbers.next()) else {
            return;
        };
        let Ok(log) = self.log(&channel.name) else {
            return;
        };
        // Those of a consumer that has ended count no more.
        let Some(reader) = log.consumers.values_mut().find(|it| it.born == born) else {
            return;
        };
        match answer {
            Answer::Finished => {
                reader.open.remove(&place);
                reader.again.remove(&place);
                log.messages.remove(&place);
            }
            Answer::GiveBack => {
                if reader.open.contains_key(&place) {
                    reader.again.insert(place);
                }
            }
            Answer::Working => {
                if let Some((until, _)) = reader.open.get_mut(&place) {
                    *until = Instant::now() + ACK_WAIT;
                }
            }
        }
    }

    pub(super) fn get(&mut self, bucket: Bucket, key: &str) -> Option<Value> {
        let key = (bucket, key.to_owned());
        let kept = self.values.get(&key)?;
        if kept.until.is_some_and(|until| until <= Instant::now()) {
            self.values.remove(&key);
            return None;
        }
        Some(kept.value.clone())
    }

    pub(super) fn exchange(
        &mut self,
        bucket: Bucket,
        key: &str,
        revision: Option<u64>,
        bytes: Bytes,
        until: Option<Instant>,
    ) -> Exchange {
        if self.get(bucket, key).map(|value| value.revision) != revision {
            return Exchange::Another;
        }
        let revision = self.count();
        let value = Value { revision, bytes };
        self.values
            .insert((bucket, key.to_owned()), Kept { value, until });
        Exchange::Done(revision)
    }

    pub(super) fn remove(&mut self, bucket: Bucket, key: &str, revision: u64) {
        if self
            .get(bucket, key)
            .is_some_and(|value| value.revision == revision)
        {
            self.values.remove(&(bucket, key.to_owned()));
        }
    }

    pub(super) fn keys(&mut self, bucket: Bucket) -> Vec<String> {
        let all: Vec<String> = self.values.keys().map(|(_, key)| key.clone()).collect();
        all.into_iter()
            .filter(|key| self.get(bucket, key).is_some())
            .collect()
    }
}

impl LogState {
    fn new(born: u64, capacity: u64) -> Self {
        Self {
            born,
            capacity,
            last: 0,
            messages: BTreeMap::new(),
            writers: Vec::new(),
            known: BTreeMap::new(),
            deaf_to: None,
            consumers: BTreeMap::new(),
        }
    }

    fn log(&self) -> Log {
        Log {
            born: self.born,
            first: self
                .messages
                .keys()
                .next()
                .copied()
                .unwrap_or(self.last + 1),
            last: self.last,
            messages: self.messages.len() as u64,
            writers: self.writers.clone(),
        }
    }

    fn put(&mut self, channel: &Channel, put: Put) -> Result<u64, Refusal> {
        if self.deaf_to.as_ref() == Some(&put.writer) {
            return Err(Refusal::Unknown("no answer".to_owned()));
        }
        if channel.senders == Side::Sole && !self.writers.contains(&put.writer) {
            return Err(Refusal::NotStored);
        }
        let known = put.id.as_ref().and_then(|id| self.known.get(id));
        if let Some(place) = known {
            return Err(Refusal::Known(*place));
        }
        if put.after.is_some_and(|after| after != self.last) {
            return Err(Refusal::Last(self.last));
        }
        if self.messages.len() as u64 >= self.capacity {
            return Err(Refusal::Full);
        }
        self.last += 1;
        if let Some(id) = put.id {
            self.known.insert(id, self.last);
        }
        let stored = Stored {
            port: put.writer.port,
            stamp: put.stamp,
            bytes: put.bytes,
            junk: None,
        };
        self.messages.insert(self.last, stored);
        Ok(self.last)
    }

    /// Forgets the messages that were stored last, as if they had never been.
    fn roll_back(&mut self, count: u64) {
        self.last = self.last.saturating_sub(count);
        let last = self.last;
        self.messages.retain(|place, _| *place <= last);
        self.known.retain(|_, place| *place <= last);
        for reader in self.consumers.values_mut() {
            reader.next = reader.next.min(last + 1);
            reader.open.retain(|place, _| *place <= last);
            reader.again.retain(|place| *place <= last);
        }
    }
}

impl Reader {
    fn next(&mut self, messages: &BTreeMap<u64, Stored>) -> Next {
        let now = Instant::now();
        if self.mute {
            return Next::Wait(now + ACK_WAIT);
        }
        self.open.retain(|place, _| messages.contains_key(place));
        let mut open = self.open.iter();
        let due = open.find(|(place, (until, _))| *until <= now || self.again.contains(place));
        let due = due.map(|(place, _)| *place);
        let new = || messages.range(self.next..).next().map(|(place, _)| *place);
        let Some(place) = due.or_else(new) else {
            let next = self.open.values().map(|(until, _)| *until).min();
            return Next::Wait(next.unwrap_or(now + ACK_WAIT));
        };
        self.again.remove(&place);
        self.next = self.next.max(place + 1);
        let deliveries = self.open.get(&place).map_or(0, |(_, count)| *count) + 1;
        self.open.insert(place, (now + ACK_WAIT, deliveries));
        let stored = &messages[&place];
        Next::Delivery(Box::new(Delivery {
            place,
            port: stored.port.clone(),
            stamp: stored.stamp,
            bytes: stored.bytes.clone(),
            ticket: Ticket(format!("{} {place}", self.born)),
            waiting: messages.range(place + 1..).count() as u64,
            deliveries,
            junk: stored.junk.clone(),
        }))
    }
}
