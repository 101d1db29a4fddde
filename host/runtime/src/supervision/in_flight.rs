//! What a process has received and not finished, and the moment to exchange its component.
//!
//! Only processes that can be restarted, or that are about to be replaced, are watched; all
//! others pay one look at a flag for each call.
//!
//! The rule is that of nested loops: a message is finished when the process asks its port for
//! another one, and so is everything that it received after that message. So at most one message
//! for each port is kept, in the order of reception.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use transputer_core::ChannelId;

use super::hot_swap::Swap;
use crate::host::lock;

/// What is known of a process's receiving. Its lock is a leaf.
#[derive(Default)]
pub(crate) struct InFlight {
    on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ended: bool,
    /// Most processes never need it.
    watched: Option<Box<Watched>>,
}

impl State {
    fn watched(&mut self) -> &mut Watched {
        self.watched.get_or_insert_default()
    }
}

#[derive(Default)]
struct Watched {
    /// The channels of its input ports.
    inputs: Vec<ChannelId>,
    /// Those from which it may hold messages that it received before it was watched.
    unknown: Vec<ChannelId>,
    /// What it has received and not finished, in the order of reception.
    taken: Vec<Taken>,
    /// Messages that earlier incarnations were given.
    tried: Vec<Tried>,
    /// It waits to receive from a port, and has nothing unfinished.
    idle: bool,
    /// What is to take its place.
    swap: Option<Swap>,
    /// The swap does not wait for the process to be idle.
    cut: bool,
}

/// A message that was received and is not finished.
pub(crate) struct Taken {
    pub(crate) channel: ChannelId,
    pub(crate) bytes: Vec<u8>,
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
    pub(crate) channel: ChannelId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) attempts: u32,
}

/// Why a process cannot be replaced now.
pub(super) enum Unswappable {
    Ended,
    Busy,
}

impl InFlight {
    /// Whether the process is watched.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Watches a process from its start. `tried` is what earlier incarnations were given.
    pub(crate) fn start(&self, inputs: Vec<ChannelId>, tried: Vec<Tried>) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        watched.inputs = inputs;
        watched.tried = tried;
        self.on.store(true, Ordering::Relaxed);
    }

    /// The process asks for a message from one of these channels. `waits`: there is none yet.
    pub(crate) fn asks(&self, channels: impl IntoIterator<Item = ChannelId>, waits: bool) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        let mut at_port = false;
        for channel in channels {
            if !watched.inputs.contains(&channel) {
                continue;
            }
            at_port = true;
            watched.unknown.retain(|unknown| *unknown != channel);
            let taken = watched.taken.iter();
            if let Some(place) = taken.map(|taken| taken.channel).position(|c| c == channel) {
                watched.taken.truncate(place);
            }
        }
        watched.idle = waits && at_port && watched.is_clean();
    }

    /// The process goes on, with a message or without.
    pub(crate) fn goes_on(&self) {
        lock(&self.state).watched().idle = false;
    }

    /// The process has received a message.
    pub(crate) fn took(&self, channel: ChannelId, bytes: &[u8], ends: Vec<TakenEnd>) {
        self.asks([channel], false);
        let mut state = lock(&self.state);
        let watched = state.watched();
        if !watched.inputs.contains(&channel) {
            return;
        }
        let mut tried = watched.tried.iter();
        let tried = tried.position(|tried| tried.channel == channel && tried.bytes == bytes);
        let before = tried.map_or(0, |place| watched.tried.swap_remove(place).attempts);
        watched.taken.push(Taken {
            channel,
            bytes: bytes.to_vec(),
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

    /// Has the process replaced at its next idle moment. From now on it is watched.
    pub(super) fn request(&self, inputs: Vec<ChannelId>, swap: Swap) -> Result<(), Unswappable> {
        let mut state = lock(&self.state);
        if state.ended {
            return Err(Unswappable::Ended);
        }
        let watched = state.watched();
        if watched.swap.is_some() {
            return Err(Unswappable::Busy);
        }
        if !self.is_on() {
            watched.unknown.clone_from(&inputs);
            watched.inputs = inputs;
        }
        watched.swap = Some(swap);
        watched.cut = false;
        self.on.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Has the process replaced wherever it is when it next lets others run.
    pub(super) fn cut(&self) {
        lock(&self.state).watched().cut = true;
    }

    /// Takes a request back, if it has not been granted.
    pub(super) fn withdraw(&self) -> Option<Swap> {
        lock(&self.state).watched().swap.take()
    }

    /// What takes the place of the process, if this is the moment. Called between its steps.
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

    /// The process begins anew, with another component.
    pub(crate) fn renew(&self, watch: bool) {
        let mut state = lock(&self.state);
        let watched = state.watched();
        watched.unknown.clear();
        watched.taken.clear();
        watched.tried.clear();
        watched.idle = false;
        watched.cut = false;
        self.on.store(watch, Ordering::Relaxed);
    }

    /// The process has ended: nobody will take its place.
    pub(crate) fn end(&self) {
        let mut state = lock(&self.state);
        state.ended = true;
        let watched = state.watched.take();
        drop(state);
        drop(watched);
    }
}

impl Watched {
    fn is_clean(&self) -> bool {
        self.taken.is_empty() && self.unknown.is_empty()
    }
}
