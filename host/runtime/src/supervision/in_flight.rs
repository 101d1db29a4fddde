//! What a process has received and not finished, and the right moment to replace its component.
//!
//! Only processes that can be restarted, or that are about to be replaced, are tracked; for all others
//! each call costs one look at a flag.
//!
//! The rule is that of nested loops: a message is finished when the process asks its port for
//! another one, and so is everything that it received after that message. So at most one message
//! for each port is kept, in the order of reception. What is kept counts as the receiver's memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use transputer_core::ChannelId;

use super::finished::FinishedCounts;
use super::hot_swap::Swap;
use crate::host::lock;
use crate::message::Message;

/// What is known of the messages that a process receives. Its lock is a leaf.
#[derive(Default)]
pub(crate) struct InFlight {
    on: AtomicBool,
    state: Mutex<Reception>,
}

#[derive(Default)]
struct Reception {
    ended: bool,
    /// `None` for most processes.
    watched: Option<Box<Watched>>,
}

impl Reception {
    fn watched(&mut self) -> &mut Watched {
        self.watched.get_or_insert_default()
    }
}

#[derive(Default)]
struct Watched {
    /// The channels of its input ports.
    inputs: Vec<ChannelId>,
    /// Those from which it may hold messages that it received before it was tracked.
    unknown: Vec<ChannelId>,
    /// What it has received and not finished, in the order of reception.
    taken: Vec<Taken>,
    /// Who wants to know what is finished.
    finished: FinishedCounts,
    /// Messages that earlier incarnations were given.
    tried: Vec<Tried>,
    /// It waits to receive from a port, and has nothing unfinished.
    idle: bool,
    /// What is to replace it.
    swap: Option<Swap>,
    /// The swap does not wait for the process to be idle.
    cut: bool,
}

/// A message that was received and is not finished.
pub(crate) struct Taken {
    pub(crate) channel: ChannelId,
    /// It, without what came with it.
    pub(crate) message: Message,
    /// What came with it, by the numbers that these ends have at the process.
    pub(crate) ends: Vec<TakenEnd>,
    /// How often it has been delivered to this process.
    pub(crate) attempts: u32,
}

/// An end that came with a message.
#[derive(Copy, Clone, Debug)]
pub(crate) enum TakenEnd {
    Sender(u32, ChannelId),
    Receiver(u32, ChannelId),
    Barrier(u32, ChannelId),
}

/// A message that an earlier incarnation of the process was given.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    channel: ChannelId,
    /// What it is known by, so that it need not be kept twice.
    length: usize,
    digest: blake3::Hash,
    pub(crate) attempts: u32,
}

impl Tried {
    pub(crate) fn new(
        channel: ChannelId,
        length: usize,
        digest: blake3::Hash,
        attempts: u32,
    ) -> Self {
        Self {
            channel,
            length,
            digest,
            attempts,
        }
    }

    fn is(&self, channel: ChannelId, bytes: &[u8]) -> bool {
        self.channel == channel && self.length == bytes.len() && self.digest == blake3::hash(bytes)
    }
}

/// Why a process cannot be replaced now.
pub(super) enum Unswappable {
    Ended,
    Busy,
}

impl InFlight {
    /// Whether the process is tracked.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Tracks a process from its start. `tried` is what earlier incarnations were given; `finished` hears what is
    /// finished.
    pub(crate) fn start(
        &self,
        inputs: Vec<ChannelId>,
        tried: Vec<Tried>,
        finished: FinishedCounts,
    ) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        watched.inputs = inputs;
        watched.tried = tried;
        watched.finished = finished;
        self.on.store(true, Ordering::Relaxed);
    }

    /// The process asks for a message from one of these channels. `waits`: there is none yet.
    pub(crate) fn asks(&self, channels: impl IntoIterator<Item = ChannelId>, waits: bool) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        let mut at_port = false;
        let mut done = Vec::new();
        for channel in channels {
            if !watched.inputs.contains(&channel) {
                continue;
            }
            at_port = true;
            watched.unknown.retain(|unknown| *unknown != channel);
            let taken = watched.taken.iter();
            if let Some(index) = taken.map(|taken| taken.channel).position(|c| c == channel) {
                done.extend(watched.finish_from(index));
            }
        }
        watched.idle = waits && at_port && watched.is_clean();
        let finished = (!done.is_empty()).then(|| watched.finished.clone());
        drop(state);
        tell(finished, done);
    }

    /// The process has returned: it has finished everything.
    pub(crate) fn finishes_all(&self) {
        if !self.is_on() {
            return;
        }
        let mut state = lock(&self.state);
        let watched = state.watched();
        let done = watched.finish_from(0);
        let finished = (!done.is_empty()).then(|| watched.finished.clone());
        drop(state);
        tell(finished, done);
    }

    /// The process goes on, with a message or without.
    pub(crate) fn goes_on(&self) {
        lock(&self.state).watched().idle = false;
    }

    /// Whether a message from this channel is to be kept until it is finished.
    pub(crate) fn keeps(&self, channel: ChannelId) -> bool {
        lock(&self.state).watched().inputs.contains(&channel)
    }

    /// The process has received a message from a channel that it [keeps](Self::keeps) messages of. Its
    /// ends have these numbers there now.
    pub(crate) fn took(&self, channel: ChannelId, message: Message, ends: Vec<TakenEnd>) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        let mut tried = watched.tried.iter();
        let tried = tried.position(|tried| tried.is(channel, &message.bytes));
        let before = tried.map_or(0, |index| watched.tried.swap_remove(index).attempts);
        watched.taken.push(Taken {
            channel,
            message,
            ends,
            attempts: before + 1,
        });
    }

    /// Takes what the process has received and not finished, in the order of reception.
    pub(crate) fn unfinished(&self) -> Vec<Taken> {
        let mut state = lock(&self.state);
        let watched = state.watched.as_mut();
        watched.map_or_else(Vec::new, |watched| std::mem::take(&mut watched.taken))
    }

    /// The process has its ports, of which `inputs` are those that receive.
    pub(crate) fn wired(&self, inputs: impl FnOnce() -> Vec<ChannelId>) {
        let mut state = lock(&self.state);
        // Whoever asked for a replacement before this has seen no ports.
        if let Some(watched) = &mut state.watched
            && watched.inputs.is_empty()
        {
            watched.inputs = inputs();
        }
    }

    /// Asks for the process to be replaced at its next idle moment. From now on it is tracked. `inputs` looks
    /// for its ports: if it has none yet, [`wired`](Self::wired) comes later.
    pub(super) fn request(
        &self,
        inputs: impl FnOnce() -> Vec<ChannelId>,
        swap: Swap,
    ) -> Result<(), Unswappable> {
        let mut state = lock(&self.state);
        if state.ended {
            return Err(Unswappable::Ended);
        }
        let watched = state.watched();
        if watched.swap.is_some() {
            return Err(Unswappable::Busy);
        }
        if !self.is_on() {
            watched.inputs = inputs();
            watched.unknown.clone_from(&watched.inputs);
        }
        watched.swap = Some(swap);
        watched.cut = false;
        self.on.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Asks for it to be replaced wherever it is when it next lets others run.
    pub(super) fn cut(&self) {
        lock(&self.state).watched().cut = true;
    }

    /// Takes a request back, if it has not been granted.
    pub(super) fn withdraw(&self) -> Option<Swap> {
        lock(&self.state).watched().swap.take()
    }

    /// What replaces the process's instance, if this is the moment. Called between its steps.
    #[inline]
    pub(crate) fn due(&self) -> Option<Swap> {
        if !self.is_on() {
            return None;
        }
        let mut state = lock(&self.state);
        let watched = state.watched();
        if watched.idle || watched.cut {
            return watched.swap.take();
        }
        None
    }

    /// Whether it is to be replaced wherever it is.
    pub(crate) fn is_cut(&self) -> bool {
        let is_cut = |watched: &Watched| watched.cut && watched.swap.is_some();
        self.is_on() && lock(&self.state).watched.as_deref().is_some_and(is_cut)
    }

    /// The process begins anew, with another component.
    pub(crate) fn renew(&self, watch: bool) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        watched.unknown.clear();
        watched.taken.clear();
        watched.tried.clear();
        watched.idle = false;
        watched.cut = false;
        let watch = watch || watched.finished.is_wanted();
        self.on.store(watch, Ordering::Relaxed);
    }

    /// The process has ended: nothing will replace its instance.
    pub(crate) fn end(&self) {
        let mut state = lock(&self.state);
        state.ended = true;
        let watched = state.watched.take();
        drop(state);
        drop(watched);
    }
}

/// Tells of finished messages; without the lock, because it is the program that listens.
fn tell(finished: Option<FinishedCounts>, done: Vec<ChannelId>) {
    for channel in done {
        finished.iter().for_each(|counts| counts.finished(channel));
    }
}

impl Watched {
    /// Finishes what was received from this one on. Returns the channels of those, if anybody wants to know.
    fn finish_from(&mut self, index: usize) -> Vec<ChannelId> {
        let done = self.taken.drain(index..);
        match self.finished.is_wanted() {
            true => done.map(|taken| taken.channel).collect(),
            false => Vec::new(),
        }
    }

    fn is_clean(&self) -> bool {
        self.taken.is_empty() && self.unknown.is_empty()
    }
}
