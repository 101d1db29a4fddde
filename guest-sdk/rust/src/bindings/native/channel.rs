//! `transputer:csp/channel`, in memory.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use transputer_core as core;
use transputer_core::Holder;
use transputer_core::channel::{ChannelError, Payload, Poison, PoisonKind};

pub use super::super::generated::transputer::csp::channel::{
    Cause, Error, Limit, LimitOwner, Options, Outcome, Overflow, Overrun, Patience, Peer, Received,
    Sent, Small, Statistics,
};
use super::state::{Registered, holder};
use super::transfer::{pack, receive, receive_bytes, receive_many, send, send_all};
use super::wait::{deadline, sleep_until, wait};

/// The largest capacity of a channel, as a host has it.
const CAPACITY: u32 = 1 << 20;

/// A message while it is in a channel.
#[derive(Debug)]
pub struct Envelope {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<End>,
    /// Why nobody will receive it.
    poison: Option<Poison>,
}

/// A message with the ends attached to it.
#[derive(Debug)]
pub struct Message {
    pub bytes: Vec<u8>,
    pub ends: Vec<End>,
}

/// What can be attached to a message.
#[derive(Debug)]
pub enum End {
    Sender(Sender),
    Receiver(Receiver),
    Barrier(Barrier),
}

/// Ends that could not be sent.
#[derive(Debug)]
pub struct Refused {
    pub error: Error,
    pub ends: Vec<End>,
}

/// A sender.
#[derive(Debug)]
pub struct Sender {
    end: Arc<core::Sender<Envelope>>,
}

/// A receiver.
#[derive(Debug)]
pub struct Receiver {
    end: Arc<core::Receiver<Envelope>>,
}

/// A membership of a barrier.
#[derive(Debug)]
pub struct Barrier {
    end: Arc<core::Barrier>,
    number: u32,
}

impl Barrier {
    fn new(end: core::Barrier) -> Self {
        Self {
            end: Arc::new(end),
            number: next_number(),
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// The same membership, for who gives this one up.
    pub(super) fn same(&self) -> Self {
        Self {
            end: Arc::clone(&self.end),
            number: self.number,
        }
    }
}

thread_local! {
    /// Ends by their numbers, which is how calls without a list name them.
    static SENDERS: RefCell<HashMap<u32, Weak<core::Sender<Envelope>>>> = RefCell::default();
    static RECEIVERS: RefCell<HashMap<u32, Weak<core::Receiver<Envelope>>>> = RefCell::default();
}

fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Enters an end by a new number, and forgets those that are gone.
fn enter<T>(ends: &mut HashMap<u32, Weak<T>>, end: &Arc<T>) -> u32 {
    if ends.len() == ends.capacity() {
        ends.retain(|_, end| end.strong_count() > 0);
    }
    let number = next_number();
    ends.insert(number, Arc::downgrade(end));
    number
}

fn sender(number: u32) -> Result<Arc<core::Sender<Envelope>>, Error> {
    let found = SENDERS.with_borrow(|senders| senders.get(&number)?.upgrade());
    found.ok_or(Error::Moved)
}

fn receiver(number: u32) -> Result<Arc<core::Receiver<Envelope>>, Error> {
    let found = RECEIVERS.with_borrow(|receivers| receivers.get(&number)?.upgrade());
    found.ok_or(Error::Moved)
}

impl Envelope {
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ends: Vec::new(),
            poison: None,
        }
    }

    /// What a monitor is told.
    pub(super) fn of_outcome(outcome: &Outcome) -> Self {
        let text = match outcome {
            Outcome::Finished => String::new(),
            Outcome::Failed(text) => format!("failed: {text}"),
            Outcome::Trapped(text) => format!("trapped: {text}"),
            Outcome::Killed(overrun) => format!("killed: {}", overrun.text),
            Outcome::Stopped(text) => format!("stopped: {text}"),
        };
        Self::of_bytes(text.into_bytes())
    }

    /// The message, with its ends this process's own.
    pub(super) fn adopted(mut self) -> Message {
        let ends = std::mem::take(&mut self.ends);
        let holder = holder();
        ends.iter().for_each(|end| end.set_holder(holder));
        Message {
            bytes: std::mem::take(&mut self.bytes),
            ends,
        }
    }
}

impl Payload for Envelope {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        self.bytes.len()
    }

    fn undelivered(&mut self, poison: &Poison) {
        self.poison = Some(poison.clone());
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        let Some(poison) = self.poison.take() else {
            return;
        };
        for end in &self.ends {
            match end {
                End::Sender(sender) => drop(sender.end.poison(poison.clone())),
                End::Receiver(receiver) => drop(receiver.end.poison(poison.clone())),
                End::Barrier(barrier) => drop(barrier.end.poison(poison.clone())),
            }
        }
    }
}

impl End {
    pub(super) fn set_holder(&self, holder: Holder) {
        match self {
            End::Sender(sender) => sender.end.set_holder(holder),
            End::Receiver(receiver) => receiver.end.set_holder(holder),
            End::Barrier(barrier) => barrier.end.set_holder(holder),
        }
    }
}

/// What the contract calls a poison.
pub(super) fn kind(kind: PoisonKind) -> Error {
    match kind {
        PoisonKind::PeerTrapped => Error::PeerTrapped,
        PoisonKind::PeerFailed => Error::PeerFailed,
        PoisonKind::PeerKilled => Error::PeerKilled,
        PoisonKind::Deadlock => Error::Deadlock,
        _ => Error::Poisoned,
    }
}

pub(super) fn error(error: impl Into<ChannelError>) -> Error {
    match error.into() {
        ChannelError::Closed => Error::Closed,
        ChannelError::Poisoned(poison) => kind(poison.kind),
        ChannelError::WouldBlock => Error::WouldBlock,
        ChannelError::TimedOut => Error::TimedOut,
        ChannelError::TooLarge { .. } => Error::TooLarge,
        _ => Error::Overloaded,
    }
}

fn cause(poison: &Poison) -> Cause {
    Cause {
        error: kind(poison.kind),
        reason: poison.reason.to_string(),
        peer: poison.cause::<Peer>().cloned(),
    }
}

fn asked_for(reason: &str) -> Poison {
    Poison::new(PoisonKind::Poisoned, reason)
}

impl From<transputer_core::Statistics> for Statistics {
    fn from(seen: transputer_core::Statistics) -> Self {
        Statistics {
            sent: seen.sent,
            received: seen.received,
            dropped: seen.dropped,
            waiting: u32::try_from(seen.waiting).unwrap_or(u32::MAX),
        }
    }
}

/// What an end can do, whichever it is.
macro_rules! end {
    ($End:ident) => {
        impl $End {
            /// The same end, for who gives this one up.
            pub(super) fn same(&self) -> Self {
                Self {
                    end: Arc::clone(&self.end),
                }
            }

            pub(super) fn core(&self) -> &Arc<core::$End<Envelope>> {
                &self.end
            }

            pub(super) fn set_holder(&self, holder: Holder) {
                self.end.set_holder(holder);
            }

            /// Another end of the same channel, of the same kind.
            #[allow(clippy::should_implement_trait)]
            pub fn clone(&self) -> Self {
                Self {
                    end: Arc::new(self.end.clone_for(holder())),
                }
            }

            pub fn close(this: Self) {
                drop(this);
            }

            pub fn poison(&self, reason: &str) {
                self.end.poison(asked_for(reason));
            }

            pub fn reason(&self) -> Option<String> {
                Some(self.end.poisoned()?.reason.to_string())
            }

            pub fn cause(&self) -> Option<Cause> {
                self.end.poisoned().as_ref().map(cause)
            }

            pub fn statistics(&self) -> Statistics {
                self.end.statistics().into()
            }
        }
    };
}

end!(Sender);
end!(Receiver);

impl Sender {
    fn send_bytes(&self, message: &[u8], patience: Patience) -> Result<(), Error> {
        let message = Envelope::of_bytes(message.to_vec());
        send(&self.end, message, patience).map_err(|refused| refused.0)
    }

    pub fn send(&self, message: &[u8]) -> Result<(), Error> {
        self.send_bytes(message, Patience::Forever)
    }

    pub fn number(&self) -> u32 {
        SENDERS.with_borrow_mut(|senders| enter(senders, &self.end))
    }

    pub fn try_send(&self, message: &[u8]) -> Result<(), Error> {
        self.send_bytes(message, Patience::Never)
    }

    pub fn send_by(&self, message: &[u8], deadline: u64) -> Result<(), Error> {
        self.send_bytes(message, Patience::Until(deadline))
    }

    pub fn send_batch(&self, packed: &[u8], patience: Patience) -> (u32, Option<Error>) {
        send_all(&self.end, packed, patience)
    }

    pub fn send_ends(
        &self,
        message: &[u8],
        ends: Vec<End>,
        patience: Patience,
    ) -> Result<(), Refused> {
        let message = Envelope {
            bytes: message.to_vec(),
            ends,
            poison: None,
        };
        let sent = send(&self.end, message, patience);
        sent.map_err(|(error, ends)| Refused { error, ends })
    }
}

impl Receiver {
    pub fn receive(&self) -> Result<Vec<u8>, Error> {
        receive_bytes(&self.end, Patience::Forever)
    }

    pub fn number(&self) -> u32 {
        RECEIVERS.with_borrow_mut(|receivers| enter(receivers, &self.end))
    }

    pub fn try_receive(&self) -> Result<Vec<u8>, Error> {
        receive_bytes(&self.end, Patience::Never)
    }

    pub fn receive_by(&self, deadline: u64) -> Result<Vec<u8>, Error> {
        receive_bytes(&self.end, Patience::Until(deadline))
    }

    pub fn receive_batch(&self, most: u32, patience: Patience) -> Result<Vec<u8>, Error> {
        Ok(pack(&receive_many(&self.end, most, patience)?))
    }

    pub fn receive_ends(&self, patience: Patience) -> Result<Message, Error> {
        Ok(receive(&self.end, patience)?.adopted())
    }
}

impl Barrier {
    pub fn enrol(&self) -> Result<Barrier, Error> {
        Ok(Barrier::new(self.end.enrol_for(holder())))
    }

    pub fn sync(&self, patience: Patience) -> Result<(), Error> {
        let synced = match deadline(patience) {
            None => wait(self.end.sync()).map_err(error),
            Some(deadline) => wait(self.end.sync_by(sleep_until(deadline))).map_err(error),
        };
        match (synced, patience) {
            (Err(Error::TimedOut), Patience::Never) => Err(Error::WouldBlock),
            (synced, _) => synced,
        }
    }

    pub fn members(&self) -> u32 {
        u32::try_from(self.end.members()).unwrap_or(u32::MAX)
    }

    pub fn poison(&self, reason: &str) {
        self.end.poison(asked_for(reason));
    }

    pub fn reason(&self) -> Option<String> {
        Some(self.end.poisoned()?.reason.to_string())
    }

    pub fn cause(&self) -> Option<Cause> {
        self.end.poisoned().as_ref().map(cause)
    }
}

/// What `send` does, for a small message.
pub fn send_small(number: u32, message: Small) -> Result<(), Error> {
    let room = message.room();
    let bytes = room
        .get(..message.length as usize)
        .ok_or(Error::Malformed)?;
    let message = Envelope::of_bytes(bytes.to_vec());
    send(&*sender(number)?, message, Patience::Forever).map_err(|refused| refused.0)
}

/// What `send_batch` does, waiting as long as it takes.
pub fn send_some(number: u32, packed: &[u8]) -> Sent {
    let sender = match sender(number) {
        Ok(sender) => sender,
        Err(error) => {
            return Sent {
                count: 0,
                error: Some(error),
                waiting: 0,
            };
        }
    };
    let (count, error) = send_all(&sender, packed, Patience::Forever);
    let waiting = u32::try_from(sender.statistics().waiting).unwrap_or(u32::MAX);
    Sent {
        count,
        error,
        waiting,
    }
}

/// What `receive` or `receive_batch` does, waiting as long as it takes.
pub fn receive_some(number: u32, most: u32) -> Result<Received, Error> {
    let mut messages = receive_many(&*receiver(number)?, most, Patience::Forever)?;
    if messages.len() > 1 {
        return Ok(Received::Batch(pack(&messages)));
    }
    let message = messages.pop().unwrap_or_default();
    Ok(match Small::new(&message) {
        Some(small) => Received::Small(small),
        None => Received::Large(message),
    })
}

/// Opens a barrier, of which the caller is the first member.
pub fn open_barrier() -> Result<Barrier, Error> {
    let registered = Registered::new();
    let end = core::Barrier::keeping("", registered.keep_alive());
    end.set_holder(holder());
    registered.record(end.inspect());
    Ok(Barrier::new(end))
}

/// Opens a channel.
pub fn open(options: Options) -> Result<(Sender, Receiver), Error> {
    open_labelled(options, None)
}

/// Opens a channel with a name, for reports of deadlocks.
pub fn open_named(options: Options, name: &str) -> Result<(Sender, Receiver), Error> {
    open_labelled(options, Some(name))
}

fn open_labelled(options: Options, name: Option<&str>) -> Result<(Sender, Receiver), Error> {
    if options.capacity > CAPACITY {
        return Err(Error::TooLarge);
    }
    let registered = Registered::new();
    let settings = core::Options::bounded(options.capacity as usize)
        .overflow(match options.overflow {
            Overflow::Block => core::Overflow::Block,
            Overflow::DropOldest => core::Overflow::DropOldest,
            Overflow::DropNewest => core::Overflow::DropNewest,
        })
        .keep_alive(registered.keep_alive());
    let settings = match name {
        Some(name) => settings.label(name),
        None => settings,
    };
    let (sender, receiver) = core::channel(settings);
    let holder = holder();
    sender.set_holder(holder);
    receiver.set_holder(holder);
    registered.record(sender.inspect());
    Ok((
        Sender {
            end: Arc::new(sender),
        },
        Receiver {
            end: Arc::new(receiver),
        },
    ))
}

/// A channel of capacity 1 whose sender is this process's.
pub(super) fn open_for(sender: Holder) -> (core::Sender<Envelope>, Receiver) {
    let registered = Registered::new();
    let settings = core::Options::bounded(1).keep_alive(registered.keep_alive());
    let (end, receiver) = core::channel(settings);
    end.set_holder(sender);
    receiver.set_holder(holder());
    registered.record(receiver.inspect());
    let end_of_receiver = Receiver {
        end: Arc::new(receiver),
    };
    (end, end_of_receiver)
}
