//! Channels as a single-threaded program would write them: lists, and rules applied until none
//! applies. Slow and obvious; it shares no code and no structure with the real ones.

use std::collections::BTreeMap;

use transputer_core::{ChannelError, Overflow, Poison, Statistics};

pub(crate) type OpId = usize;

/// A guard of an alternation, or an operation by itself, which has one.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) channel: usize,
    /// What it wants to send; nothing if it wants to receive.
    pub(crate) message: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Served {
    Sent,
    Received { number: u64, message: u64 },
    Failed(ChannelError),
}

#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) wishes: Vec<Wish>,
    pub(crate) served: Option<(usize, Served)>,
}

#[derive(Clone, Debug)]
struct Entry {
    op: OpId,
    guard: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    capacity: usize,
    overflow: Overflow,
    poison: Option<Poison>,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    buffer: Vec<(u64, u64)>,
    /// Messages that the only receiver has taken ahead, and whose places are not free yet.
    ahead: usize,
    sending: Vec<Entry>,
    receiving: Vec<Entry>,
    sent: u64,
    received: u64,
    dropped: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) channels: Vec<Channel>,
    pub(crate) ops: BTreeMap<OpId, Op>,
    next: OpId,
}

impl Oracle {
    /// Opens a channel with one end on each side.
    pub(crate) fn open(&mut self, capacity: usize, overflow: Overflow) {
        self.channels.push(Channel {
            capacity,
            overflow,
            poison: None,
            senders: 1,
            receivers: 1,
            buffer: Vec::new(),
            ahead: 0,
            sending: Vec::new(),
            receiving: Vec::new(),
            sent: 0,
            received: 0,
            dropped: 0,
        });
    }

    /// Starts an operation, which holds an end for each of its wishes.
    pub(crate) fn start(&mut self, wishes: Vec<Wish>) -> OpId {
        for wish in &wishes {
            *self.ends(wish) += 1;
        }
        let op = self.next;
        self.next += 1;
        let served = None;
        self.ops.insert(op, Op { wishes, served });
        op
    }

    /// The guards that could go at once if the operation looked now.
    pub(crate) fn ready(&self, op: OpId) -> Vec<usize> {
        (0..self.ops[&op].wishes.len())
            .filter(|&guard| {
                let mut trial = self.clone();
                trial.enter(op, guard);
                trial.ops[&op].served.is_some()
            })
            .collect()
    }

    /// Puts one guard into its queue, and does what follows from it.
    pub(crate) fn enter(&mut self, op: OpId, guard: usize) {
        let wish = self.ops[&op].wishes[guard].clone();
        if wish.message.is_none() {
            self.free_ahead(wish.channel);
        }
        let channel = &mut self.channels[wish.channel];
        let entry = Entry { op, guard };
        match wish.message {
            Some(_) => channel.sending.push(entry),
            None => channel.receiving.push(entry),
        }
        self.settle(wish.channel);
        if let Some(message) = wish.message
            && self.ops[&op].served.is_none()
        {
            self.overflow(op, guard, wish.channel, message);
        }
    }

    /// Whoever has taken messages ahead receives again: their places are free.
    pub(crate) fn free_ahead(&mut self, channel: usize) {
        self.channels[channel].ahead = 0;
        self.settle(channel);
    }

    /// What a receiver takes ahead: at most half of what the channel holds, and nothing that
    /// another one could have.
    pub(crate) fn take_ahead(&mut self, channel: usize, most: usize) -> Vec<u64> {
        let state = &self.channels[channel];
        if state.receivers != 1 || state.poison.is_some() {
            return Vec::new();
        }
        self.free_ahead(channel);
        let state = &mut self.channels[channel];
        let most = most.min(state.capacity / 2).min(state.buffer.len());
        state.ahead = most;
        state.received += most as u64;
        state
            .buffer
            .drain(..most)
            .map(|(_, message)| message)
            .collect()
    }

    /// Takes the operation out of all queues, and drops its ends in order.
    pub(crate) fn finish(&mut self, op: OpId) -> Option<(usize, Served)> {
        let Op { wishes, served } = self.ops.remove(&op).unwrap();
        for channel in &mut self.channels {
            channel.sending.retain(|entry| entry.op != op);
            channel.receiving.retain(|entry| entry.op != op);
        }
        if let Some((guard, Served::Received { .. })) = &served {
            assert!(wishes[*guard].message.is_none());
        }
        for wish in &wishes {
            *self.ends(wish) -= 1;
            self.settle(wish.channel);
        }
        served
    }

    /// Drops the operation: a message that it was handed goes back first.
    pub(crate) fn cancel(&mut self, op: OpId) {
        if let Some((guard, Served::Received { number, message })) = self.ops[&op].served.clone() {
            let channel = self.ops[&op].wishes[guard].channel;
            self.take_back(channel, number, message);
        }
        self.finish(op);
    }

    pub(crate) fn take_back(&mut self, channel: usize, number: u64, message: u64) {
        let state = &mut self.channels[channel];
        state.received -= 1;
        let place = state.buffer.iter().take_while(|b| b.0 < number).count();
        state.buffer.insert(place, (number, message));
        self.settle(channel);
    }

    /// The number under which a message comes first again.
    pub(crate) fn front_number(&self, channel: usize) -> u64 {
        let state = &self.channels[channel];
        state.buffer.first().map_or(state.sent, |first| first.0)
    }

    pub(crate) fn poison(&mut self, channel: usize, poison: Poison) -> bool {
        let first = self.channels[channel].poison.is_none();
        if first {
            self.channels[channel].poison = Some(poison);
        }
        self.settle(channel);
        first
    }

    pub(crate) fn drop_end(&mut self, channel: usize, sender: bool) {
        let state = &mut self.channels[channel];
        match sender {
            true => state.senders -= 1,
            false => state.receivers -= 1,
        }
        self.settle(channel);
    }

    pub(crate) fn statistics(&self, channel: usize) -> Statistics {
        let state = &self.channels[channel];
        let mut seen = Statistics::default();
        seen.sent = state.sent;
        seen.received = state.received;
        seen.dropped = state.dropped;
        seen.waiting = state.buffer.len();
        seen
    }

    /// How many wait to send, and to receive.
    pub(crate) fn waiting(&self, channel: usize) -> (usize, usize) {
        (
            self.live(channel, true).len(),
            self.live(channel, false).len(),
        )
    }

    fn ends(&mut self, wish: &Wish) -> &mut usize {
        let channel = &mut self.channels[wish.channel];
        match wish.message {
            Some(_) => &mut channel.senders,
            None => &mut channel.receivers,
        }
    }

    fn live(&self, channel: usize, sending: bool) -> Vec<Entry> {
        let state = &self.channels[channel];
        let entries = if sending {
            &state.sending
        } else {
            &state.receiving
        };
        let waits = |entry: &&Entry| self.ops[&entry.op].served.is_none();
        entries.iter().filter(waits).cloned().collect()
    }

    fn serve(&mut self, entry: &Entry, served: Served) -> Option<u64> {
        let op = self.ops.get_mut(&entry.op).unwrap();
        assert!(op.served.is_none(), "one winner");
        op.served = Some((entry.guard, served));
        op.wishes[entry.guard].message
    }

    /// Applies the first rule that applies, until none does.
    fn settle(&mut self, channel: usize) {
        while self.apply_one(channel) {}
    }

    fn apply_one(&mut self, channel: usize) -> bool {
        let (sending, receiving) = (self.live(channel, true), self.live(channel, false));
        let state = &mut self.channels[channel];
        if state.poison.is_some() || state.receivers == 0 {
            state.dropped += state.buffer.len() as u64;
            state.buffer.clear();
        }
        if let Some(poison) = state.poison.clone() {
            let failed = Served::Failed(ChannelError::Poisoned(poison));
            return self.serve_first(sending.iter().chain(&receiving), failed);
        }
        if state.receivers == 0 {
            return self.serve_first(sending.iter(), Served::Failed(ChannelError::Closed));
        }
        if !state.buffer.is_empty() && !receiving.is_empty() {
            let (number, message) = state.buffer.remove(0);
            state.received += 1;
            self.serve(&receiving[0], Served::Received { number, message });
            return true;
        }
        if state.senders == 0 && state.buffer.is_empty() {
            return self.serve_first(receiving.iter(), Served::Failed(ChannelError::Closed));
        }
        let pair = receiving.iter().find_map(|receiver| {
            let sender = sending.iter().find(|sender| sender.op != receiver.op)?;
            Some((receiver, sender))
        });
        let number = state.sent;
        if let Some((receiver, sender)) = pair {
            state.sent += 1;
            state.received += 1;
            let message = self.serve(sender, Served::Sent).unwrap();
            self.serve(receiver, Served::Received { number, message });
            return true;
        }
        if state.buffer.len() + state.ahead < state.capacity && !sending.is_empty() {
            state.sent += 1;
            let message = self.serve(&sending[0], Served::Sent).unwrap();
            self.channels[channel].buffer.push((number, message));
            return true;
        }
        false
    }

    fn serve_first<'a>(
        &mut self,
        mut entries: impl Iterator<Item = &'a Entry>,
        served: Served,
    ) -> bool {
        entries.next().is_some_and(|entry| {
            self.serve(entry, served);
            true
        })
    }

    /// A sender that nobody could serve, at a channel that makes nobody wait.
    fn overflow(&mut self, op: OpId, guard: usize, channel: usize, message: u64) {
        let state = &mut self.channels[channel];
        if state.capacity == 0 || state.overflow == Overflow::Block {
            return;
        }
        if state.overflow == Overflow::DropOldest {
            while state.buffer.len() + state.ahead >= state.capacity {
                state.buffer.remove(0);
                state.dropped += 1;
            }
            state.buffer.push((state.sent, message));
        } else {
            state.dropped += 1;
        }
        state.sent += 1;
        self.serve(&Entry { op, guard }, Served::Sent);
    }
}
