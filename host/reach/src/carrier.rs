//! What carries remote channels: logs that refuse when they are full, values that are exchanged by comparison, and
//! hints that may get lost.
//!
//! A carrier knows bytes only. It is trusted with little: it may lose requests and answers, deliver late, deliver
//! twice, and forget what it had accepted. What makes channels of that is in [`Outlet`](crate::Outlet) and
//! [`Inlet`](crate::Inlet).

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// What an operation of a carrier returns: a future, so that carriers can be chosen at run time.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why an operation of a carrier did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No answer, or one that says to come again: what was asked for may have been done.
    #[error("{0}")]
    Away(String),
    /// The log or the consumer is not there.
    #[error("the server does not have {0}")]
    Missing(String),
    /// It will not be done, however often it is tried.
    #[error("{0}")]
    Refused(String),
}

/// How many processes are at one side of a channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// One at a time: a port of a process of which there is one.
    Sole,
    /// Several.
    Shared,
}

/// A remote channel, the same on every host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// Its name, unique in the run.
    pub name: String,
    /// How many messages may be in it, from when the outlet takes one until the receiver has finished it.
    pub capacity: u64,
    /// Who sends.
    pub senders: Side,
    /// Who receives.
    pub receivers: Side,
    /// The ports that send into it, written `process.port`.
    pub from: Vec<String>,
    /// The ports that receive from it.
    pub to: Vec<String>,
}

impl Channel {
    /// A channel from one port to another.
    pub fn new(name: &str, capacity: u64, from: &str, to: &str) -> Self {
        Self {
            name: name.to_owned(),
            capacity,
            senders: Side::Sole,
            receivers: Side::Sole,
            from: vec![from.to_owned()],
            to: vec![to.to_owned()],
        }
    }
}

/// What tells the messages of a port apart: counted from 1 in each epoch.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Which incarnation of the sender sent it; later ones have greater epochs.
    pub epoch: u64,
    /// Which of its messages it is.
    pub number: u64,
}

impl Stamp {
    /// The message `number` of `epoch`.
    pub fn new(epoch: u64, number: u64) -> Self {
        Self { epoch, number }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.epoch, self.number)
    }
}

/// Who may write into a log. What another one writes is not stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// The port, written `process.port`.
    pub port: String,
    /// Which incarnation of the sender.
    pub epoch: u64,
    /// How often this incarnation has begun the log anew, after it was forgotten.
    pub generation: u64,
}

/// What is known of a log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What tells it from one of the same name that was made after it was forgotten.
    pub born: u64,
    /// The place of the oldest message that is not finished; one after `last` if there is none.
    pub first: u64,
    /// The place of the message stored last; 0 before the first.
    pub last: u64,
    /// Messages that are not finished.
    pub messages: u64,
    /// Who may write into it.
    pub writers: Vec<Writer>,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct Put {
    /// Who puts it.
    pub writer: Writer,
    /// What it is known by.
    pub stamp: Stamp,
    /// The place of the message before it: if that is not the last one, this one is refused. `None` for one of
    /// several senders.
    pub after: Option<u64>,
    /// What it is known by whoever puts it: one with an identifier that was stored before is not stored again, as far
    /// as the carrier remembers.
    pub id: Option<String>,
    /// The message.
    pub bytes: Bytes,
}

/// Why a message was not stored, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The log holds as many as it may.
    Full,
    /// The last message is at this place, not at that of [`Put::after`].
    Last(u64),
    /// There is no log that this writer may write into.
    NotStored,
    /// One with its identifier was stored before, at this place.
    Known(u64),
    /// No answer: it may have been stored.
    Unknown(String),
}

/// What becomes of a message that is put: its place, or why it has none.
pub type Ack = Pending<'static, Result<u64, Refusal>>;

/// Who reads a log: what it was given and has not finished is given to nobody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consumer {
    /// The only receiver: which incarnation, and how often that has begun anew.
    Sole {
        /// Which incarnation of the receiver.
        epoch: u64,
        /// How often it has begun anew.
        renewal: u64,
    },
    /// All receivers together.
    Shared,
}

/// What answers for a delivered message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket(pub String);

/// A message that is delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its place in the log.
    pub place: u64,
    /// The port that sent it; empty if what is in the log is not of ours.
    pub port: String,
    /// What it is known by there.
    pub stamp: Stamp,
    /// The message.
    pub bytes: Bytes,
    /// What answers for it.
    pub ticket: Ticket,
    /// How many more wait behind it.
    pub waiting: u64,
    /// How often it has been delivered.
    pub deliveries: u64,
    /// What is wrong with it, if no outlet can have sent it.
    pub junk: Option<String>,
}

/// What a receiver says of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is finished, and leaves the log.
    Finished,
    /// It is for somebody else.
    GiveBack,
    /// It is still being worked on.
    Working,
}

/// What is told to the other side without being kept. Whoever misses it asks later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Of this port, everything up to this message is finished.
    Finished {
        /// The port that sent it.
        port: String,
        /// The message.
        stamp: Stamp,
    },
    /// There is more room than there was.
    Room,
    /// One side has ended: see its value.
    Ended,
}

/// Where a value is kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// As long as the run.
    Facts,
    /// Until it has not been renewed for the lease.
    Leases,
}

/// A value, and what it must be compared with to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Which of the key's values.
    pub revision: u64,
    /// The value.
    pub bytes: Bytes,
}

/// What came of replacing a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// It was replaced; this is the new revision.
    Done(u64),
    /// It was another one.
    Another,
}

/// Messages from a log, as they come.
pub trait Deliveries: Send {
    /// The next one. Dropping the future loses nothing.
    fn next(&mut self) -> Pending<'_, Result<Delivery, Fault>>;
}

/// Hints from the other side, as they come.
pub trait Hints: Send {
    /// The next one. Dropping the future loses nothing.
    fn next(&mut self) -> Pending<'_, Result<Hint, Fault>>;
}

/// What carries the remote channels of one run, as one host sees it.
pub trait Carrier: Send + Sync + fmt::Debug {
    /// Makes the log of a channel unless it is there.
    fn open<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Log, Fault>>;

    /// What is known of the log of a channel; `None` if there is none.
    fn look<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Option<Log>, Fault>>;

    /// Lets only this writer write into the log of a channel with a sole sender.
    fn fence<'a>(
        &'a self,
        channel: &'a Channel,
        writer: &'a Writer,
    ) -> Pending<'a, Result<(), Fault>>;

    /// Sends a message to the log. When the first future is ready, it is on its way behind all that were sent
    /// before; the second one says what became of it.
    fn put<'a>(&'a self, channel: &'a Channel, put: Put) -> Pending<'a, Ack>;

    /// Drops what waits in the log, and counts it.
    fn purge<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<u64, Fault>>;

    /// Who reads the log.
    fn consumers<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Vec<Consumer>, Fault>>;

    /// Reads the log, after making the consumer if it is not there. It is sent so many messages ahead.
    fn consume<'a>(
        &'a self,
        channel: &'a Channel,
        consumer: &'a Consumer,
        ahead: usize,
    ) -> Pending<'a, Result<Box<dyn Deliveries>, Fault>>;

    /// Ends a consumer: what it had not finished is there for others, in order, and its answers count no more.
    /// One that is not there has ended.
    fn end_consumer<'a>(
        &'a self,
        channel: &'a Channel,
        consumer: &'a Consumer,
    ) -> Pending<'a, Result<(), Fault>>;

    /// Answers for a message. Whether the answer arrives is not known.
    fn answer<'a>(
        &'a self,
        channel: &'a Channel,
        ticket: &'a Ticket,
        answer: Answer,
    ) -> Pending<'a, Result<(), Fault>>;

    /// Tells the other sides of a channel.
    fn hint<'a>(&'a self, channel: &'a Channel, hint: Hint) -> Pending<'a, Result<(), Fault>>;

    /// What the other sides of a channel tell from now on.
    fn hints<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Box<dyn Hints>, Fault>>;

    /// The value of a key.
    fn get<'a>(&'a self, bucket: Bucket, key: &'a str)
    -> Pending<'a, Result<Option<Value>, Fault>>;

    /// Sets a key to a value, if its revision is this one, or if it has none.
    fn exchange<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
        revision: Option<u64>,
        bytes: Bytes,
    ) -> Pending<'a, Result<Exchange, Fault>>;

    /// Takes a key's value away, if its revision is this one.
    fn remove<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
        revision: u64,
    ) -> Pending<'a, Result<(), Fault>>;

    /// The keys that have a value.
    fn keys<'a>(&'a self, bucket: Bucket) -> Pending<'a, Result<Vec<String>, Fault>>;

    /// Milliseconds since 1970, roughly the same on every host.
    fn now(&self) -> u64;

    /// How long a lease lasts that is not renewed.
    fn lease(&self) -> Duration;
}
