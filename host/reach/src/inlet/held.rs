//! The messages that a process has and has not finished, and those whose answer may not have arrived.

use std::collections::VecDeque;

use crate::carrier::{Delivery, Stamp, Ticket};

/// A message in the hands of the process, or finished lately.
#[derive(Clone, Debug)]
pub(super) struct InHand {
    pub(super) port: String,
    pub(super) stamp: Stamp,
    pub(super) ticket: Ticket,
    pub(super) waiting: u64,
    /// Which reading of the log, and the place in it: the later copy of a message is the one that counts.
    place: (u64, u64),
}

/// Whether a message is in the hands of the process.
pub(super) enum Known {
    No,
    /// It is; an earlier copy of it, at this place, can leave the log.
    Again {
        superseded: Option<(Ticket, u64)>,
    },
}

#[derive(Default)]
pub(super) struct Held {
    /// In the order in which they were handed over.
    hands: VecDeque<InHand>,
    /// How many were handed over and have been answered for.
    finished: u64,
    /// How many may be answered for.
    target: u64,
    /// Those that were answered for since the log was looked at, which may not have heard it.
    answered: VecDeque<InHand>,
    /// Which reading of the log this is.
    reading: u64,
    born: u64,
}

/// The most answers that are remembered.
const MOST_ANSWERED: usize = 4096;

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.hands.is_empty()
    }

    /// Whether nothing is in the hands of the process, and the log has heard all answers.
    pub(super) fn is_settled(&self) -> bool {
        self.hands.is_empty() && self.answered.is_empty()
    }

    /// The log is read anew; tickets of a log that was forgotten count no more.
    pub(super) fn attached(&mut self, born: u64) {
        self.reading += 1;
        if self.born != born {
            self.answered.clear();
        }
        self.born = born;
    }

    /// The process has this message now.
    pub(super) fn push(&mut self, delivery: &Delivery) {
        self.hands.push_back(InHand {
            port: delivery.port.clone(),
            stamp: delivery.stamp,
            ticket: delivery.ticket.clone(),
            waiting: delivery.waiting,
            place: (self.reading, delivery.place),
        });
    }

    /// Looks for a message among those in the hands of the process. If it is there, the ticket of the later copy is kept.
    pub(super) fn know(&mut self, delivery: &Delivery) -> Known {
        let place = (self.reading, delivery.place);
        let is_same = |it: &&mut InHand| it.stamp == delivery.stamp && it.port == delivery.port;
        let Some(hand) = self.hands.iter_mut().find(is_same) else {
            return Known::No;
        };
        let ticket = delivery.ticket.clone();
        let superseded = match place > hand.place {
            true => {
                let before = std::mem::replace(&mut hand.place, place);
                let old = std::mem::replace(&mut hand.ticket, ticket);
                // The same copy, delivered again, stays.
                (before.1 != place.1 && before.0 == place.0).then_some((old, before.1))
            }
            false if place == hand.place => {
                hand.ticket = ticket;
                None
            }
            false => Some((ticket, delivery.place)),
        };
        Known::Again { superseded }
    }

    /// The process has finished so many since the beginning; returns those that were not answered for. It may have
    /// finished one before it is known here that it has it.
    pub(super) fn finish(&mut self, count: u64) -> Vec<InHand> {
        self.target = self.target.max(count);
        let mut finished = Vec::new();
        while self.finished < self.target {
            let Some(hand) = self.hands.pop_front() else {
                break;
            };
            self.finished += 1;
            self.answered.push_back(hand.clone());
            finished.push(hand);
        }
        let more = self.answered.len().saturating_sub(MOST_ANSWERED);
        self.answered.drain(..more);
        finished
    }

    /// A copy of a message that was passed over, at this place, has been answered for.
    pub(super) fn answered(&mut self, delivery: &Delivery, ticket: &Ticket, place: u64) {
        self.answered.push_back(InHand {
            port: delivery.port.clone(),
            stamp: delivery.stamp,
            ticket: ticket.clone(),
            waiting: 0,
            place: (self.reading, place),
        });
    }

    /// How many messages that are in the log it accounts for.
    pub(super) fn known(&self) -> u64 {
        (self.hands.len() + self.answered.len()) as u64
    }

    /// Whether the log has heard all answers.
    pub(super) fn all_heard(&self) -> bool {
        self.answered.is_empty()
    }

    /// How many messages may be answered for.
    pub(super) fn target(&self) -> u64 {
        self.target
    }

    /// Tickets of messages that were answered for and are still in the log, which begins with this place.
    pub(super) fn unheard(&mut self, first: u64) -> Vec<Ticket> {
        let reading = self.reading;
        self.answered
            .retain(|hand| hand.place.0 == reading && hand.place.1 >= first);
        self.answered
            .iter()
            .map(|hand| hand.ticket.clone())
            .collect()
    }

    pub(super) fn tickets(&self) -> Vec<Ticket> {
        self.hands.iter().map(|hand| hand.ticket.clone()).collect()
    }

    /// Which log is read.
    pub(super) fn born(&self) -> u64 {
        self.born
    }
}
