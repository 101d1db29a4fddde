//! The outlet of a remote channel: takes what a process sends, and sees to it that it is stored, in order, and not
//! forgotten before it is finished.
//!
//! # Invariants
//!
//! - A message is taken only where there is credit: what was taken and is not known to be finished, and what earlier
//!   incarnations left in the log, are less than the capacity.
//! - Every message that is not known to be finished is kept, so that a server that forgets is given it again.
//! - A sole sender names the place before each message. So nothing is stored twice or out of order, whatever is
//!   tried again, and a server that has forgotten something says so by its number.
//! - One that begins the log anew does it under a new generation: what is still on its way from before is not stored.
//! - The protocol can be left at every wait and taken up again: what is not known is found out.

mod ends;
mod kept;
mod recovery;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::carrier::{
    Carrier, Channel, Fault, Hint, Hints, Pending, Put, Refusal, Side, Stamp, Writer,
};
use crate::ending::Ending;
use crate::insist::{changed, insist};
use crate::notices::Notices;
use crate::origins::Origins;
use kept::Kept;
use recovery::Trouble;

/// The most messages of one port that are on their way at once.
const WINDOW: u64 = 256;

/// How soon the server is asked where nothing moves; each time it is twice as long, up to [`LONGEST_LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// What comes from the process that sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A message.
    Message(Bytes),
    /// Nobody sends any more.
    Closed,
    /// The sender failed.
    Poisoned {
        /// In what way, in one word.
        kind: String,
        /// What it said.
        reason: String,
    },
}

/// Where an outlet takes its messages from.
pub trait Source: Send {
    /// The next one. Dropping the future loses nothing.
    fn next(&mut self) -> Pending<'_, Sent>;
}

/// How far an outlet is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages taken from the source.
    pub taken: u64,
    /// Up to which of them all are stored, or dropped by the channel's policy.
    pub settled: u64,
    /// Messages of this epoch that are known to be finished.
    pub finished: u64,
    /// Messages that it keeps, because they are not known to be finished.
    pub unfinished: u64,
    /// Messages dropped, because there was no credit and the channel drops the newest.
    pub dropped: u64,
    /// Whether it would take another message now.
    pub takes: bool,
    /// Whether its process sends no more.
    pub closing: bool,
    /// Whether it is about to tell the other side that it ends.
    pub tells: bool,
    /// Whether it has ended.
    pub ended: bool,
}

/// What an outlet had to do about faults.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutletCounts {
    /// Messages that were refused because the log was full.
    pub refused: u64,
    /// Messages that were sent again.
    pub resent: u64,
    /// Messages that had been stored although no answer said so.
    pub resolved: u64,
    /// How often the log was begun anew, because it had been forgotten.
    pub rebuilt: u64,
    /// Messages that an earlier incarnation had stored already.
    pub known: u64,
}

/// How an outlet ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutletEnd {
    /// The source is closed, and all that it sent is finished.
    Closed,
    /// The source failed, and the other side has been told.
    Failed,
    /// The other side wants no more; so many that were accepted are dropped.
    NotWanted {
        /// How many.
        dropped: u64,
    },
    /// Another side of the channel failed.
    Poisoned {
        /// In what way, in one word.
        kind: String,
        /// What it said.
        reason: String,
    },
    /// A later incarnation sends here.
    Fenced,
    /// It was told to stop, and all that it took is stored.
    Left,
    /// The carrier refuses.
    Refused(String),
}

/// The sending side of a remote channel.
pub struct Outlet {
    carrier: Arc<dyn Carrier>,
    channel: Channel,
    /// Whether messages without credit are dropped.
    drops_newest: bool,
    /// Whether others send at this port, so that it is not closed when this one ends.
    leaves_open: bool,
    writer: Writer,
    /// `None` where the subscription has ended.
    hints: Option<Box<dyn Hints>>,
    kept: Kept,
    /// Messages that others left in the log of a sole sender, up to place `base`.
    before: u64,
    base: u64,
    /// Where there are several at one side: what was in the log when it was looked at last, and was put since.
    load: u64,
    /// Which log it is.
    born: u64,
    /// Of which inputs the messages of this port are made.
    origins: Option<(Arc<Origins>, usize)>,
    notices: Notices,
    /// When something moved last.
    moved_at: Instant,
    /// The other side is about to be told of the end.
    tells: bool,
    trouble: Option<Trouble>,
    closing: bool,
    look_at: Instant,
    pause: Duration,
    progress: watch::Sender<Progress>,
    counts: OutletCounts,
}

enum Event {
    Acked(Result<u64, Refusal>),
    Hint(Result<Hint, Fault>),
    Sent(Sent),
    Retry,
    Look,
    Stop,
}

impl Outlet {
    /// Takes over the sending side of a channel: of a sole sender, earlier incarnations can store nothing any
    /// more. `epoch` must be greater than theirs.
    ///
    /// # Errors
    /// [`OutletEnd::Fenced`] if there is a later one; [`OutletEnd::Refused`].
    pub async fn take_over(
        carrier: Arc<dyn Carrier>,
        channel: &Channel,
        port: &str,
        epoch: u64,
    ) -> Result<Self, OutletEnd> {
        let writer = Writer {
            port: port.to_owned(),
            epoch,
            generation: 0,
        };
        let mut outlet = Self {
            carrier,
            channel: channel.clone(),
            drops_newest: false,
            leaves_open: false,
            writer,
            hints: None,
            kept: Kept::default(),
            before: 0,
            base: 0,
            load: 0,
            born: 0,
            origins: None,
            notices: Notices::default(),
            moved_at: Instant::now(),
            tells: false,
            trouble: None,
            closing: false,
            look_at: Instant::now() + FIRST_LOOK,
            pause: FIRST_LOOK,
            progress: watch::Sender::default(),
            counts: OutletCounts::default(),
        };
        outlet.hints = outlet.carrier.hints(&outlet.channel).await.ok();
        outlet.begin().await?;
        Ok(outlet)
    }

    /// Drops messages for which there is no credit.
    #[must_use]
    pub fn drop_newest(mut self) -> Self {
        self.drops_newest = true;
        self
    }

    /// Does not tell that the port is closed: others send there, on other hosts. Whoever knows that none is left
    /// [closes the port](crate::close_port).
    #[must_use]
    pub fn leave_open(mut self) -> Self {
        self.leaves_open = true;
        self
    }

    /// Gives each message the identifier that [`Origins`] makes of what the process received; `output` is the number of
    /// this port there. What an earlier incarnation has stored is not stored again.
    #[must_use]
    pub fn know_again(mut self, origins: Arc<Origins>, output: usize) -> Self {
        self.origins = Some((origins, output));
        self
    }

    /// Calls `listener` with what it had to do because nothing moved.
    #[must_use]
    pub fn on_notice(mut self, listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        self.notices = Notices::to(listener);
        self
    }

    /// How far it is, from now on.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// What it had to do about faults.
    pub fn counts(&self) -> OutletCounts {
        self.counts
    }

    /// Carries what the source sends, until one side ends. Where `stop` becomes true it takes no more, and ends when all
    /// that it took is stored.
    pub async fn run(
        &mut self,
        source: &mut dyn Source,
        stop: &mut watch::Receiver<bool>,
    ) -> OutletEnd {
        loop {
            match self.step(source, stop).await {
                Ok(()) => {}
                Err(end) => {
                    self.progress.send_modify(|known| known.ended = true);
                    return end;
                }
            }
        }
    }

    async fn step(
        &mut self,
        source: &mut dyn Source,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), OutletEnd> {
        let stopping = *stop.borrow_and_update();
        if stopping && self.kept.all_stored() {
            return Err(OutletEnd::Left);
        }
        let takes = !self.closing && !stopping && self.trouble.is_none() && self.may_take();
        let retry_at = self.trouble.as_ref().and_then(Trouble::retry_at);
        let event = tokio::select! {
            biased;
            result = self.kept.next_ack() => Event::Acked(result),
            hint = next_hint(&mut self.hints) => Event::Hint(hint),
            () = sleep_until(retry_at.unwrap_or(self.look_at)), if retry_at.is_some() => Event::Retry,
            sent = source.next(), if takes => Event::Sent(sent),
            () = changed(stop), if !stopping => Event::Stop,
            () = sleep_until(self.look_at) => Event::Look,
        };
        match event {
            Event::Acked(Ok(place)) => self.stored(place).await?,
            Event::Acked(Err(refusal)) => self.refused(refusal).await?,
            Event::Hint(Ok(hint)) => self.hinted(hint).await?,
            Event::Hint(Err(_)) => self.hints = None,
            Event::Sent(sent) => self.take(sent).await?,
            Event::Retry => self.retry().await,
            Event::Look => self.look().await?,
            Event::Stop => {}
        }
        self.go_on().await;
        self.tell_progress();
        self.close_if_done().await?;
        self.tell_progress();
        Ok(())
    }

    /// Whether one more message may be on its way, and there is credit for it.
    fn may_take(&self) -> bool {
        let window = match self.channel.senders {
            Side::Sole => WINDOW.min(self.channel.capacity),
            Side::Shared => 1,
        };
        self.kept.flying() < window && (self.has_credit() || self.drops_newest)
    }

    fn has_credit(&self) -> bool {
        let capacity = self.channel.capacity;
        match self.is_sole() {
            true => self.kept.unfinished() + self.before < capacity,
            // They finish in any order, and the oldest may be kept long after newer ones are finished.
            false => self.load < capacity && self.kept.unfinished() < capacity.saturating_mul(4),
        }
    }

    /// Whether there is one process at each side.
    fn is_sole(&self) -> bool {
        (self.channel.senders, self.channel.receivers) == (Side::Sole, Side::Sole)
    }

    async fn take(&mut self, sent: Sent) -> Result<(), OutletEnd> {
        self.moved();
        match sent {
            Sent::Message(_) if !self.has_credit() => self.kept.drop_one(),
            Sent::Message(bytes) => {
                let id = self.id();
                let number = self.kept.push(bytes, id);
                self.load += 1;
                self.put(number).await;
            }
            Sent::Closed => {
                self.closing = true;
                self.tells = true;
            }
            Sent::Poisoned { kind, reason } => {
                (self.closing, self.tells) = (true, true);
                self.tell_progress();
                let ending = Ending::poisoned(&kind, &reason);
                self.end(&ending).await?;
                return Err(OutletEnd::Failed);
            }
        }
        Ok(())
    }

    /// What the carrier is to know the next message by.
    fn id(&self) -> Option<String> {
        let number = self.kept.taken() + 1;
        match (&self.origins, self.channel.senders) {
            (Some((origins, output)), _) => origins.id(*output, number),
            (None, Side::Sole) => None,
            (None, Side::Shared) => {
                let stamp = Stamp::new(self.writer.epoch, self.kept.number() + 1);
                Some(format!("{} {stamp}", self.writer.port))
            }
        }
    }

    /// Sends one of the kept messages on its way.
    async fn put(&mut self, number: u64) {
        let Some((place, bytes, id)) = self.kept.get(number) else {
            return;
        };
        let put = Put {
            writer: self.writer.clone(),
            stamp: Stamp::new(self.writer.epoch, number),
            after: (self.channel.senders == Side::Sole).then(|| place - 1),
            id,
            bytes,
        };
        let ack = self.carrier.put(&self.channel, put).await;
        self.kept.fly(number, ack);
    }

    async fn stored(&mut self, place: u64) -> Result<(), OutletEnd> {
        self.moved();
        let expected = self.kept.first_flying_place();
        match self.channel.senders {
            // A place that was given before: what was there has been forgotten.
            Side::Shared if place <= self.kept.tail() => {
                return self.rebuild().await;
            }
            Side::Shared => self.kept.stored_at(place),
            Side::Sole if expected == Some(place) => self.kept.stored_at(place),
            Side::Sole => return self.rebuild().await,
        }
        if self.trouble.take().is_some() {
            self.put_rest().await;
        }
        Ok(())
    }

    async fn hinted(&mut self, hint: Hint) -> Result<(), OutletEnd> {
        match hint {
            Hint::Finished { port, stamp } if port == self.writer.port => {
                // Those of several receivers finish in any order.
                let sole = self.channel.receivers == Side::Sole;
                if sole && stamp.epoch == self.writer.epoch {
                    self.before = 0;
                    self.kept.finished_up_to(stamp.number);
                    self.moved();
                }
                self.there_may_be_room();
            }
            Hint::Finished { .. } | Hint::Room => self.there_may_be_room(),
            Hint::Ended => self.endings().await?,
        }
        Ok(())
    }

    /// Something moved, so there is no need to ask soon.
    fn moved(&mut self) {
        self.moved_at = Instant::now();
        self.pause = FIRST_LOOK;
        self.look_at = Instant::now() + self.pause;
    }

    fn there_may_be_room(&mut self) {
        self.hurry();
        if !self.is_sole() {
            self.look_at = self.look_at.min(Instant::now() + FIRST_LOOK / 4);
        }
    }

    /// Asks the server what there is, because hints get lost and servers forget.
    async fn look(&mut self) -> Result<(), OutletEnd> {
        let idle = self.kept.is_empty() && self.before == 0;
        self.pause = if idle {
            LONGEST_LOOK
        } else {
            (self.pause * 2).min(LONGEST_LOOK)
        };
        self.look_at = Instant::now() + self.pause;
        if self.hints.is_none() {
            self.hints = self.carrier.hints(&self.channel).await.ok();
        }
        self.endings().await?;
        self.compare_log().await
    }

    fn tell_progress(&self) {
        let now = Progress {
            takes: !self.closing && self.trouble.is_none() && self.may_take(),
            closing: self.closing,
            tells: self.tells,
            ..self.kept.progress()
        };
        self.progress.send_if_modified(|known| {
            let differs = *known != now;
            *known = now;
            differs
        });
    }

    /// Opens the log, keeps others out of it, and learns where it stands.
    async fn begin(&mut self) -> Result<(), OutletEnd> {
        let (carrier, channel) = (self.carrier.clone(), self.channel.clone());
        let writer = self.writer.clone();
        let sole = channel.senders == Side::Sole;
        let log = insist!({
            let log = carrier.open(&channel).await?;
            if sole && is_fenced(&log.writers, &writer) {
                return Ok(None);
            }
            if sole {
                carrier.fence(&channel, &writer).await?;
            }
            let after = carrier.look(&channel).await?;
            // The server may have forgotten in between; then all of it is done again.
            match after {
                Some(after) if after.born == log.born => Ok(Some(after)),
                _ => Err(Fault::Away("the log is another one now".to_owned())),
            }
        });
        let log = log.map_err(refuse)?.ok_or(OutletEnd::Fenced)?;
        self.born = log.born;
        self.load = log.messages;
        // Where it begins anew, these are copies of what is kept; until they are finished they take up room.
        self.before = if sole { log.messages } else { 0 };
        self.base = log.last;
        // The places of one of several senders are those that it is told.
        self.kept.begin_after(if sole { log.last } else { 0 });
        Ok(())
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet")
            .field("channel", &self.channel.name)
            .field("writer", &self.writer)
            .field("progress", &self.kept.progress())
            .finish_non_exhaustive()
    }
}

/// Whether a later incarnation of a writer is let into the log.
fn is_fenced(writers: &[Writer], writer: &Writer) -> bool {
    let later = |other: &Writer| other.port == writer.port && other.epoch > writer.epoch;
    writers.iter().any(later)
}

fn refuse(fault: Fault) -> OutletEnd {
    OutletEnd::Refused(fault.to_string())
}

async fn next_hint(hints: &mut Option<Box<dyn Hints>>) -> Result<Hint, Fault> {
    match hints {
        Some(hints) => hints.next().await,
        None => std::future::pending().await,
    }
}
