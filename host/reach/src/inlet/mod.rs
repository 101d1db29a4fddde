//! The inlet of a remote channel: hands what is in the log to a process, in order, and answers for each message when
//! the process has finished it.
//!
//! # Invariants
//!
//! - A message leaves the log when the process has finished it *and* everything that the host's outlets took before is
//!   stored: otherwise both the message and what was made of it would be lost with the host.
//! - A sole receiver takes places in the log without gaps. Where there is a gap, something went astray on its way and
//!   would come again only after what follows it; so the consumer is begun anew, with the first unfinished message.
//! - No message is passed over as had unless all before it have been seen. One that comes again while the process is
//!   still at it only gets another ticket.
//! - Whether it is fenced is decided by the consumer of a later epoch, never by a consumer that is missing: a server
//!   that has forgotten looks the same.

mod had;
mod held;
mod leaving;
mod reading;
mod sink;

pub use sink::{Gate, NoGate, NotWanted, Sink};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::carrier::{
    Answer, Carrier, Channel, Consumer, Deliveries, Delivery, Fault, Hint, Hints, Log, Pending,
    Side, Stamp, Ticket,
};
use crate::insist::changed;
use crate::notices::{Notices, STALLED};
use crate::origins::Origins;
use had::Had;
use held::{Held, Known};

/// The most messages that are sent ahead to a sole receiver.
const AHEAD: u64 = 64;

/// How often the server is asked where nothing comes.
const LOOK: Duration = Duration::from_secs(1);

/// How soon it is asked for an end that was told.
const LOOK_FOR_END: Duration = Duration::from_millis(100);

/// How often a message that is being worked on is renewed.
const RENEW: Duration = Duration::from_secs(10);

/// What an inlet had to do about faults.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InletCounts {
    /// Messages handed to the process.
    pub handed: u64,
    /// Messages that came again and were passed over.
    pub passed_over: u64,
    /// How often the consumer was begun anew because of a gap.
    pub renewed: u64,
    /// How often the log was read anew because it went away.
    pub reattached: u64,
    /// Messages that are missing for good: sender and server lost them together.
    pub missing: u64,
}

/// Where an inlet stands.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// Whether it offers a message to the process.
    pub offers: bool,
    /// How many finished messages it has noticed.
    pub finished: u64,
    /// Whether the log has heard of all of those.
    pub settled: bool,
    /// Whether it has ended.
    pub ended: bool,
}

/// How an inlet ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InletEnd {
    /// No sender is left, and everything has been handed over and finished.
    Closed,
    /// The process wants no more; so many messages were dropped.
    NotWanted {
        /// How many.
        dropped: u64,
    },
    /// The process failed, and the other side has been told.
    Failed,
    /// Another side of the channel failed.
    Poisoned {
        /// In what way, in one word.
        kind: String,
        /// What it said.
        reason: String,
    },
    /// A later incarnation receives here.
    Fenced,
    /// It was told to stop.
    Left,
    /// The carrier refuses.
    Refused(String),
}

/// The receiving side of a remote channel.
pub struct Inlet {
    carrier: Arc<dyn Carrier>,
    channel: Channel,
    port: String,
    consumer: Consumer,
    deliveries: Option<Box<dyn Deliveries>>,
    hints: Option<Box<dyn Hints>>,
    /// The place of what came last in the log; `None` where any may come.
    came: Option<u64>,
    /// What was had of each sending port.
    had: Had,
    held: Held,
    /// What is to be handed over next.
    next: Option<Delivery>,
    /// Counted up to where acknowledging waits for the gate.
    gated: VecDeque<(u64, Pending<'static, ()>)>,
    look_at: Instant,
    renew_at: Instant,
    /// The last message of each port that has said so.
    last: BTreeMap<String, Stamp>,
    /// All senders have ended, and all that they sent has been handed over.
    closed: bool,
    /// The process wants no more, after it was told that nothing follows.
    unwanted: bool,
    hinted: u64,
    /// Of which inputs the process makes its messages.
    origins: Option<Arc<Origins>>,
    notices: Notices,
    /// Since when messages are known to wait, and none has come.
    waits_since: Option<Instant>,
    standing: watch::Sender<Standing>,
    counts: InletCounts,
}

enum Event {
    Finished,
    Passed(u64),
    Hint(Result<Hint, Fault>),
    Delivered(Result<Delivery, Fault>),
    Offered(Result<(), NotWanted>),
    Unwanted,
    Look,
    Renew,
    Stop,
}

impl Inlet {
    /// Takes over the receiving side of a channel. A sole receiver ends the consumers of earlier epochs: what those had
    /// not finished comes first.
    ///
    /// # Errors
    /// [`InletEnd::Fenced`] if there is a later one; [`InletEnd::Refused`].
    pub async fn take_over(
        carrier: Arc<dyn Carrier>,
        channel: &Channel,
        port: &str,
        epoch: u64,
    ) -> Result<Self, InletEnd> {
        let consumer = match channel.receivers {
            Side::Sole => Consumer::Sole { epoch, renewal: 0 },
            Side::Shared => Consumer::Shared,
        };
        let now = Instant::now();
        let mut inlet = Self {
            carrier,
            channel: channel.clone(),
            port: port.to_owned(),
            consumer,
            deliveries: None,
            hints: None,
            came: None,
            had: Had::default(),
            held: Held::default(),
            next: None,
            gated: VecDeque::new(),
            look_at: now + LOOK_FOR_END,
            renew_at: now + RENEW,
            last: BTreeMap::new(),
            closed: false,
            unwanted: false,
            hinted: 0,
            origins: None,
            notices: Notices::default(),
            waits_since: None,
            standing: watch::Sender::default(),
            counts: InletCounts::default(),
        };
        inlet.hints = inlet.carrier.hints(&inlet.channel).await.ok();
        inlet.attach().await?;
        Ok(inlet)
    }

    /// Notes each input before it is offered, so that outlets can [know again](crate::Outlet::know_again) what is made
    /// of it.
    #[must_use]
    pub fn note_inputs(mut self, origins: Arc<Origins>) -> Self {
        self.origins = Some(origins);
        self
    }

    /// Calls `listener` with what it had to do because nothing moved.
    #[must_use]
    pub fn on_notice(mut self, listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        self.notices = Notices::to(listener);
        self
    }

    /// Where it stands, from now on.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// What it had to do about faults.
    pub fn counts(&self) -> InletCounts {
        self.counts
    }

    /// Hands over what comes, until one side ends or `stop` becomes true. Then what is not finished is given back.
    pub async fn run(
        &mut self,
        sink: &mut dyn Sink,
        gate: &dyn Gate,
        stop: &mut watch::Receiver<bool>,
    ) -> InletEnd {
        let mut finished = sink.finished();
        loop {
            match self.step(sink, gate, &mut finished, stop).await {
                Ok(()) => self.tell_standing(),
                Err(end) => {
                    let end = self.leave(end, sink).await;
                    self.standing.send_modify(|known| known.ended = true);
                    return end;
                }
            }
        }
    }

    fn tell_standing(&self) {
        let now = Standing {
            offers: self.next.is_some(),
            finished: self.held.target(),
            settled: self.gated.is_empty() && self.held.all_heard(),
            ended: false,
        };
        self.standing.send_if_modified(|known| {
            let differs = *known != now;
            *known = now;
            differs
        });
    }

    async fn step(
        &mut self,
        sink: &mut dyn Sink,
        gate: &dyn Gate,
        finished: &mut watch::Receiver<u64>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), InletEnd> {
        if *stop.borrow_and_update() {
            return Err(InletEnd::Left);
        }
        if self.closed && self.held.is_settled() {
            return Err(InletEnd::Closed);
        }
        let offers = self.next.is_some();
        let event = tokio::select! {
            biased;
            () = changed(finished) => Event::Finished,
            count = first_passed(&mut self.gated) => Event::Passed(count),
            hint = next_hint(&mut self.hints) => Event::Hint(hint),
            result = sink_turn(sink, offers), if !self.unwanted => match offers {
                true => Event::Offered(result),
                false => Event::Unwanted,
            },
            delivery = next_delivery(&mut self.deliveries), if !offers => Event::Delivered(delivery),
            () = sleep_until(self.look_at) => Event::Look,
            () = sleep_until(self.renew_at), if !self.held.is_empty() => Event::Renew,
            () = changed(stop) => Event::Stop,
        };
        match event {
            Event::Finished => {
                let count = *finished.borrow_and_update();
                self.gated.push_back((count, gate.passed()));
            }
            Event::Passed(count) => self.passed(count).await,
            Event::Hint(Ok(Hint::Ended)) => self.look(sink).await?,
            Event::Hint(Ok(_)) | Event::Stop => {}
            Event::Hint(Err(_)) => self.hints = None,
            Event::Delivered(Ok(delivery)) => {
                self.delivered(delivery).await?;
                if let Some(next) = &self.next {
                    if let Some(origins) = &self.origins {
                        origins.offered(&next.port, next.stamp);
                    }
                    sink.offer(next.bytes.clone());
                }
            }
            Event::Delivered(Err(_)) => self.attach().await?,
            Event::Offered(Ok(())) => self.offered(sink).await?,
            Event::Unwanted if self.closed && sink.failure().is_none() => {
                self.unwanted = true;
                self.gated.push_back((u64::MAX, gate.passed()));
            }
            Event::Offered(Err(NotWanted)) | Event::Unwanted => {
                return Err(InletEnd::NotWanted { dropped: 0 });
            }
            Event::Look => self.look(sink).await?,
            Event::Renew => self.renew_tickets().await,
        }
        Ok(())
    }

    /// The process has the message that was next.
    async fn offered(&mut self, sink: &mut dyn Sink) -> Result<(), InletEnd> {
        if let Some(next) = self.next.take() {
            self.counts.handed += 1;
            self.held.push(&next);
            self.passed(0).await;
        }
        // It may have been the last one.
        let all_had = self.channel.from.iter().all(|port| {
            let last = self.last.get(port);
            last.is_some_and(|last| self.had.last(port) >= *last)
        });
        match all_had {
            true => self.look(sink).await,
            false => Ok(()),
        }
    }

    /// A message came: whether it is the next one, one that was had, or shows that something is missing.
    async fn delivered(&mut self, delivery: Delivery) -> Result<(), InletEnd> {
        let stranger = || {
            let known = self.channel.from.contains(&delivery.port);
            (!known).then(|| format!("it comes from `{}`", delivery.port))
        };
        if let Some(why) = delivery.junk.clone().or_else(stranger) {
            let name = &self.channel.name;
            let reason = format!("channel `{name}` holds a message that no outlet has sent: {why}");
            return Err(self.fail("failed", &reason).await);
        }
        self.waits_since = None;
        let sole = self.channel.receivers == Side::Sole;
        if sole && self.came.is_some_and(|came| delivery.place > came + 1) {
            return self.begin_anew().await;
        }
        self.came = self.came.map(|came| came.max(delivery.place));
        if sole {
            match self.held.know(&delivery) {
                Known::No => {}
                // The process is at it, or has finished it but the answer waits: only the ticket is new.
                Known::Again { superseded } => {
                    self.counts.passed_over += 1;
                    if let Some((ticket, place)) = superseded {
                        self.pass_over(&delivery, &ticket, place).await;
                    }
                    return Ok(());
                }
            }
            // What comes after the end is sent by a later incarnation of a process that had closed its port.
            let had = self.had.has(&delivery, self.channel.senders);
            if had || self.closed {
                self.counts.passed_over += 1;
                self.pass_over(&delivery, &delivery.ticket, delivery.place)
                    .await;
                self.hint_room(&delivery).await;
                return Ok(());
            }
            self.counts.missing += self.had.note(&delivery, self.channel.senders);
        }
        self.next = Some(delivery);
        Ok(())
    }

    /// All messages up to this count are finished, and what was made of them is stored.
    async fn passed(&mut self, count: u64) {
        for finished in self.held.finish(count) {
            self.answer(&finished.ticket, Answer::Finished).await;
            let every = (self.channel.capacity / 8).max(1);
            self.hinted += 1;
            // The sender has credit for the rest, unless nothing waits any more.
            if self.hinted >= every || finished.waiting == 0 {
                self.hinted = 0;
                let (port, stamp) = (finished.port, finished.stamp);
                let hint = Hint::Finished { port, stamp };
                let _ = self.carrier.hint(&self.channel, hint).await;
            }
        }
    }

    async fn hint_room(&mut self, delivery: &Delivery) {
        let hint = match self.held.is_empty() {
            true => Hint::Finished {
                port: delivery.port.clone(),
                stamp: delivery.stamp,
            },
            false => Hint::Room,
        };
        let _ = self.carrier.hint(&self.channel, hint).await;
    }

    /// A copy of a message can leave the log.
    async fn pass_over(&mut self, delivery: &Delivery, ticket: &Ticket, place: u64) {
        self.held.answered(delivery, ticket, place);
        self.answer(ticket, Answer::Finished).await;
    }

    async fn answer(&mut self, ticket: &Ticket, answer: Answer) {
        // One that does not arrive is given again when the log is looked at.
        let _ = self.carrier.answer(&self.channel, ticket, answer).await;
    }

    async fn renew_tickets(&mut self) {
        self.renew_at = Instant::now() + RENEW;
        for ticket in self.held.tickets() {
            self.answer(&ticket, Answer::Working).await;
        }
        if let Some(ticket) = self.next.as_ref().map(|next| next.ticket.clone()) {
            self.answer(&ticket, Answer::Working).await;
        }
    }

    /// Whether messages wait in the log that should have come long ago.
    fn is_stalled(&mut self, log: &Log) -> bool {
        let sole = self.channel.receivers == Side::Sole;
        if !sole || self.next.is_some() || log.messages <= self.held.known() {
            self.waits_since = None;
            return false;
        }
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        since.elapsed() >= STALLED
    }

    /// Asks the server what there is, because hints and answers get lost and servers forget.
    async fn look(&mut self, sink: &mut dyn Sink) -> Result<(), InletEnd> {
        self.look_at = Instant::now() + LOOK;
        if self.hints.is_none() {
            self.hints = self.carrier.hints(&self.channel).await.ok();
        }
        let log = match self.carrier.look(&self.channel).await {
            Ok(Some(log)) if log.born == self.held.born() => log,
            Ok(_) => return self.attach().await,
            Err(Fault::Refused(text)) => return Err(InletEnd::Refused(text)),
            Err(_) => return Ok(()),
        };
        for ticket in self.held.unheard(log.first) {
            self.answer(&ticket, Answer::Finished).await;
        }
        if self.is_stalled(&log) {
            self.notices.tell(format!(
                "channel `{}`: {} messages wait for `{}` and none has come for {} s, though the server answers; the \
                 channel is read anew",
                self.channel.name,
                log.messages,
                self.port,
                STALLED.as_secs()
            ));
            self.waits_since = None;
            return self.begin_anew().await;
        }
        self.senders_ended(&log, sink).await
    }
}

impl std::fmt::Debug for Inlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inlet")
            .field("channel", &self.channel.name)
            .field("consumer", &self.consumer)
            .field("had", &self.had)
            .finish_non_exhaustive()
    }
}

fn refuse(fault: Fault) -> InletEnd {
    InletEnd::Refused(fault.to_string())
}

/// The process's turn: to take the message that is offered, or to say that it wants none.
async fn sink_turn(sink: &mut dyn Sink, offers: bool) -> Result<(), NotWanted> {
    if offers {
        return sink.taken().await;
    }
    sink.unwanted().await;
    Err(NotWanted)
}

async fn first_passed(gated: &mut VecDeque<(u64, Pending<'static, ()>)>) -> u64 {
    let Some((count, gate)) = gated.front_mut() else {
        return std::future::pending().await;
    };
    gate.await;
    let count = *count;
    gated.pop_front();
    count
}

async fn next_hint(hints: &mut Option<Box<dyn Hints>>) -> Result<Hint, Fault> {
    match hints {
        Some(hints) => hints.next().await,
        None => std::future::pending().await,
    }
}

async fn next_delivery(deliveries: &mut Option<Box<dyn Deliveries>>) -> Result<Delivery, Fault> {
    match deliveries {
        Some(deliveries) => deliveries.next().await,
        None => std::future::pending().await,
    }
}
