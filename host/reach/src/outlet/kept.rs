//! The messages that an outlet keeps, because they are not known to be finished.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Progress;
use crate::carrier::{Ack, Refusal};
use crate::ending::Ending;

/// One message.
struct Entry {
    number: u64,
    /// Its place in the log: of a sole sender where it must be, else where it is, once it is stored.
    place: u64,
    bytes: Bytes,
    /// What the carrier knows it by.
    id: Option<String>,
    /// Which of the messages taken it is, those that were dropped included.
    taken: u64,
    /// Says what became of it; `None` where it is not on its way.
    ack: Option<Ack>,
}

/// Messages in the order of their numbers. The first `settled` of them are stored, the others on their way.
#[derive(Default)]
pub(super) struct Kept {
    entries: VecDeque<Entry>,
    /// How many of the entries are stored.
    stored: usize,
    /// The number of the message taken last.
    number: u64,
    /// The place of the message stored last, or of a sole sender the one that the last message must have.
    tail: u64,
    taken: u64,
    dropped: u64,
    /// The ending that was told.
    told: Option<Ending>,
}

impl Kept {
    /// Takes a message, which is not on its way yet, and numbers it.
    pub(super) fn push(&mut self, bytes: Bytes, id: Option<String>) -> u64 {
        self.taken += 1;
        self.number += 1;
        let place = match self.entries.back() {
            Some(last) if self.stored < self.entries.len() => last.place + 1,
            _ => self.tail + 1,
        };
        self.entries.push_back(Entry {
            number: self.number,
            place,
            bytes,
            id,
            taken: self.taken,
            ack: None,
        });
        self.number
    }

    /// Takes a message that is dropped.
    pub(super) fn drop_one(&mut self) {
        self.taken += 1;
        self.dropped += 1;
    }

    /// A message's place, bytes and identifier.
    pub(super) fn get(&self, number: u64) -> Option<(u64, Bytes, Option<String>)> {
        let entry = self.entries.get(self.index(number)?)?;
        Some((entry.place, entry.bytes.clone(), entry.id.clone()))
    }

    /// How many messages were taken, those that were dropped included.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn fly(&mut self, number: u64, ack: Ack) {
        if let Some(index) = self.index(number) {
            self.entries[index].ack = Some(ack);
        }
    }

    fn index(&self, number: u64) -> Option<usize> {
        let first = self.entries.front()?.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        (index < self.entries.len()).then_some(index)
    }

    /// What became of the oldest message that is on its way; waits for ever if none is.
    pub(super) async fn next_ack(&mut self) -> Result<u64, Refusal> {
        let ack = self.entries.get_mut(self.stored);
        let Some(ack) = ack.and_then(|entry| entry.ack.as_mut()) else {
            return std::future::pending().await;
        };
        let result = ack.await;
        // It must not be polled again.
        self.entries[self.stored].ack = None;
        result
    }

    /// Whether the oldest message that is not stored is not on its way.
    pub(super) fn is_grounded(&self) -> bool {
        let first = self.entries.get(self.stored);
        first.is_some_and(|entry| entry.ack.is_none())
    }

    /// The place of the oldest message that is not known to be stored.
    pub(super) fn first_flying_place(&self) -> Option<u64> {
        Some(self.entries.get(self.stored)?.place)
    }

    pub(super) fn first_flying(&self) -> Option<u64> {
        Some(self.entries.get(self.stored)?.number)
    }

    /// The numbers of all messages that are not known to be stored.
    pub(super) fn all_flying(&self) -> Vec<u64> {
        let flying = self.entries.iter().skip(self.stored);
        flying.map(|entry| entry.number).collect()
    }

    /// The oldest message on its way is stored at this place.
    pub(super) fn stored_at(&mut self, place: u64) {
        if let Some(entry) = self.entries.get_mut(self.stored) {
            entry.place = place;
            entry.ack = None;
            self.stored += 1;
            self.tail = self.tail.max(place);
        }
    }

    /// The oldest message on its way was stored by an earlier incarnation, so those behind it get places before those
    /// that they were to have.
    pub(super) fn stored_before(&mut self, place: u64) {
        let tail = self.tail;
        self.stored_at(place);
        self.tail = tail;
        for (entry, place) in self.entries.iter_mut().skip(self.stored).zip(tail + 1..) {
            entry.place = place;
            entry.ack = None;
        }
    }

    /// How many of the messages that are kept have places up to this one.
    pub(super) fn stored_within(&self, place: u64) -> u64 {
        let stored = self.entries.iter().take(self.stored);
        stored.filter(|entry| entry.place <= place).count() as u64
    }

    /// All up to this place are stored; returns how many that were not known to be.
    pub(super) fn stored_up_to(&mut self, place: u64) -> u64 {
        let mut count = 0;
        while self.first_flying_place().is_some_and(|it| it <= place) {
            let place = self.entries[self.stored].place;
            self.stored_at(place);
            count += 1;
        }
        count
    }

    /// Nothing is on its way any more, as far as this outlet cares.
    pub(super) fn land(&mut self) {
        for entry in self.entries.iter_mut().skip(self.stored) {
            entry.ack = None;
        }
    }

    /// All messages up to this number are finished.
    pub(super) fn finished_up_to(&mut self, number: u64) {
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.number <= number)
        {
            let entry = self.entries.pop_front();
            match self.stored {
                // It was finished before its answer came.
                0 => self.tail = self.tail.max(entry.map_or(0, |entry| entry.place)),
                _ => self.stored -= 1,
            }
        }
    }

    /// All messages before this place in the log are finished.
    pub(super) fn finished_before(&mut self, place: u64) {
        let stored = self.entries.iter().take(self.stored);
        let finished = stored.take_while(|entry| entry.place < place);
        if let Some(number) = finished.last().map(|entry| entry.number) {
            self.finished_up_to(number);
        }
    }

    /// The log goes on behind this place, where everything that is kept is to be stored.
    pub(super) fn begin_after(&mut self, last: u64) {
        self.stored = 0;
        self.tail = last;
        let mut place = last;
        for entry in &mut self.entries {
            place += 1;
            entry.place = place;
            entry.ack = None;
        }
        self.told = None;
    }

    pub(super) fn all_stored(&self) -> bool {
        self.stored == self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn flying(&self) -> u64 {
        (self.entries.len() - self.stored) as u64
    }

    pub(super) fn unfinished(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The place of the last message that is known to be stored.
    pub(super) fn tail(&self) -> u64 {
        self.tail
    }

    /// Whether this ending has not been told yet; from now on it counts as told.
    pub(super) fn tell(&mut self, ending: &Ending) -> bool {
        let new = self.told.as_ref() != Some(ending);
        self.told = Some(ending.clone());
        new
    }

    /// The ending may have been forgotten.
    pub(super) fn tell_again(&mut self) {
        self.told = None;
    }

    pub(super) fn progress(&self) -> Progress {
        let first = self.entries.get(self.stored);
        Progress {
            taken: self.taken,
            settled: first.map_or(self.taken, |entry| entry.taken - 1),
            finished: self.number - self.entries.len() as u64,
            unfinished: self.entries.len() as u64,
            dropped: self.dropped,
            ..Progress::default()
        }
    }
}
