//! How to open a channel.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::Batch;
use super::error::Poison;
use super::metrics::{LiveCount, Totals};

/// What can be a message.
pub trait Payload: Sized + Send + 'static {
    /// Several messages as one value; `VecDeque<Self>` if there is no denser form.
    type Batch: Batch<Self>;

    /// The size of the message in bytes, which counts against [`Options::max_bytes`]. It
    /// never changes while the message is in a channel.
    fn size(&self) -> usize;

    /// The channel was poisoned while the message lay in it: nobody will receive it, and it is
    /// dropped next. What it holds can pass the reason on then, as ends of channels do. Does
    /// nothing by default.
    ///
    /// Called under the channel's lock: it must be quick, and must not use any channel.
    fn undelivered(&mut self, poison: &Poison) {
        let _ = poison;
    }
}

macro_rules! fixed_size {
    ($($kind:ty),* $(,)?) => {
        $(impl Payload for $kind {
            type Batch = VecDeque<Self>;

            fn size(&self) -> usize {
                size_of::<$kind>()
            }
        })*
    };
}

fixed_size!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64
);

impl Payload for String {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        self.len()
    }
}

impl Payload for &'static str {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        self.len()
    }
}

impl Payload for Vec<u8> {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        self.len()
    }
}

impl Payload for Box<dyn Any + Send> {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        size_of_val(&**self)
    }
}

/// What a full channel of capacity 1 or more does with another message.
///
/// Dropped messages are counted in [`Statistics::dropped`](crate::Statistics::dropped).
/// A rendezvous always blocks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The sender waits.
    #[default]
    Block,
    /// The messages that have waited longest are dropped until the new one fits.
    DropOldest,
    /// The new message is dropped.
    DropNewest,
}

/// How to open a channel; the default is an unlabelled rendezvous.
///
/// ```
/// use transputer_core::{Options, Overflow, channel};
///
/// let options = Options::bounded(2).overflow(Overflow::DropOldest).label("newest two");
/// let (sender, receiver) = channel(options);
/// for n in 0..5u64 {
///     sender.try_send(n).unwrap();
/// }
/// assert_eq!(receiver.try_receive(), Ok(3));
/// assert_eq!(receiver.statistics().dropped, 3);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Messages that may wait in the channel; 0 means rendezvous, in which a
    /// sender waits until a receiver has its message.
    pub capacity: usize,
    /// What happens beyond the capacity, or beyond `max_bytes`.
    pub overflow: Overflow,
    /// Operations that may wait on each side; one more fails with
    /// `Overloaded`. 65,536 by default.
    pub max_waiting: usize,
    /// Bytes that may wait in the channel, unlimited by default. A full channel
    /// makes senders wait; a message that is larger on its own fails with
    /// `TooLarge`, at a rendezvous as well.
    pub max_bytes: usize,
    /// Whether what is buffered when the channel is poisoned is received first, and the reason
    /// after it; otherwise, as by default, it is dropped.
    pub delivers_before_poison: bool,
    /// A name for errors and reports.
    pub label: Option<Arc<str>>,
    /// Where the channel's numbers are added when its last end goes.
    pub totals: Option<Arc<Totals>>,
    /// Where the channel and its ends are counted while they live.
    #[doc(hidden)]
    pub live_count: Option<Arc<LiveCount>>,
    /// Dropped when its last end goes.
    pub keep_alive: Option<KeepAlive>,
}

/// Something that lives as long as a channel or a barrier, so that these can be counted.
pub type KeepAlive = Arc<dyn Any + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Options {
            capacity: 0,
            overflow: Overflow::Block,
            max_waiting: 65_536,
            max_bytes: usize::MAX,
            delivers_before_poison: false,
            label: None,
            totals: None,
            live_count: None,
            keep_alive: None,
        }
    }
}

impl Options {
    /// A rendezvous: nothing is buffered.
    pub fn rendezvous() -> Self {
        Options::default()
    }

    /// A channel in which `capacity` messages may wait; 0 is a rendezvous.
    pub fn bounded(capacity: usize) -> Self {
        Options {
            capacity,
            ..Options::default()
        }
    }

    /// Sets what happens beyond the capacity.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets how many operations may wait on each side.
    #[must_use]
    pub fn max_waiting(mut self, operations: usize) -> Self {
        self.max_waiting = operations;
        self
    }

    /// Sets how many bytes may wait in the channel.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// When the channel is poisoned, lets receivers have what is buffered before they get the reason: for
    /// the way into or out of a program, where a message that was accepted must not be lost.
    ///
    /// ```
    /// use transputer_core::channel::{Poison, PoisonKind};
    /// use transputer_core::{Options, channel};
    ///
    /// let (sender, receiver) = channel(Options::bounded(2).deliver_before_poison());
    /// sender.try_send("good").unwrap();
    /// sender.poison(Poison::new(PoisonKind::Poisoned, "the next line is bad"));
    /// assert!(sender.try_send("more").is_err());
    /// assert_eq!(receiver.try_receive(), Ok("good"));
    /// assert!(receiver.try_receive().is_err());
    /// ```
    #[must_use]
    pub fn deliver_before_poison(mut self) -> Self {
        self.delivers_before_poison = true;
        self
    }

    /// Adds the channel's numbers to `totals` when its last end goes.
    #[must_use]
    pub fn totals(mut self, totals: Arc<Totals>) -> Self {
        self.totals = Some(totals);
        self
    }

    /// Counts the channel and its ends in `live_count` while they live.
    #[doc(hidden)]
    #[must_use]
    pub fn live_count(mut self, live_count: Arc<LiveCount>) -> Self {
        self.live_count = Some(live_count);
        self
    }

    /// Drops `keep_alive` when the channel's last end goes.
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// Names the channel in errors and reports.
    #[must_use]
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into());
        self
    }
}
