//! The sets in which a stackless process waits for its subtasks.

use std::mem;

use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use super::{MOST, NONE, Place, Set, SetKind, Stage, Tasks};
use crate::handles::{handle, resource};

impl<O> Tasks<O> {
    pub(super) fn set(&self, number: u32) -> Result<u32> {
        let set = resource::<SetKind>(number)?.rep();
        match self.sets.get(set as usize) {
            Some(Set { in_use: true, .. }) => Ok(set),
            _ => bail!("unknown handle: no waitable set has number {number} here"),
        }
    }

    /// Makes a set.
    pub(crate) fn new_set(&mut self) -> Result<u32> {
        if self.free_set == NONE {
            if self.sets.len() >= MOST {
                bail!("more than {MOST} waitable sets");
            }
            self.sets.push(Set {
                in_use: false,
                members: 0,
                untold: 0,
                first: NONE,
                last: NONE,
            });
            self.free_set = self.sets.len() as u32 - 1;
        }
        let number = self.free_set;
        let set = &mut self.sets[number as usize];
        self.free_set = set.first;
        set.in_use = true;
        set.first = NONE;
        self.used += 1;
        handle(&Resource::<SetKind>::new_own(number))
    }

    /// The process's own set, which is made if there is none yet.
    pub(crate) fn own_set(&mut self) -> Result<u32> {
        if self.own == NONE {
            let number = self.new_set()?;
            self.own = self.set(number)?;
        }
        handle(&Resource::<SetKind>::new_own(self.own))
    }

    /// Drops a set, which must be empty.
    pub(crate) fn drop_set(&mut self, number: u32) -> Result<()> {
        let index = self.set(number)?;
        if index == self.own {
            bail!("waitable set {number} is dropped, but is the process's own");
        }
        let set = &mut self.sets[index as usize];
        if set.members > 0 {
            bail!("waitable set {number} is dropped while there are waitables in it");
        }
        set.in_use = false;
        set.first = self.free_set;
        self.free_set = index;
        self.used -= 1;
        Ok(())
    }

    /// Puts a subtask into a set, out of the one that it is in; into none for 0.
    pub(crate) fn join(&mut self, waitable: u32, set: u32) -> Result<()> {
        let place = self.subtask(waitable)?;
        let set = match set {
            0 => NONE,
            set => self.set(set)?,
        };
        if self.places[place as usize].set == set {
            return Ok(());
        }
        self.leave(place);
        let entry = &mut self.places[place as usize];
        entry.set = set;
        let told = matches!(entry.stage, Stage::Told);
        let done = matches!(entry.stage, Stage::Done(_));
        if let Some(set) = self.sets.get_mut(set as usize) {
            set.members += 1;
            set.untold += u32::from(!told);
        }
        if done {
            self.enlist(place);
        }
        Ok(())
    }

    /// Takes a subtask out of its set.
    pub(super) fn leave(&mut self, place: u32) {
        let entry = &self.places[place as usize];
        let told = matches!(entry.stage, Stage::Told);
        if matches!(entry.stage, Stage::Done(_)) {
            self.delist(place);
        }
        let set = mem::replace(&mut self.places[place as usize].set, NONE);
        if let Some(set) = self.sets.get_mut(set as usize) {
            set.members -= 1;
            set.untold -= u32::from(!told);
        }
    }

    /// Appends a subtask that is done to its set's list.
    pub(super) fn enlist(&mut self, place: u32) {
        let set = self.places[place as usize].set;
        let Some(list) = self.sets.get_mut(set as usize) else {
            return;
        };
        let last = mem::replace(&mut list.last, place);
        match self.places.get_mut(last as usize) {
            Some(last) => last.next = place,
            None => list.first = place,
        }
        let entry = &mut self.places[place as usize];
        entry.previous = last;
        entry.next = NONE;
    }

    /// Takes a subtask that is done out of its set's list.
    pub(super) fn delist(&mut self, place: u32) {
        let Place {
            set,
            previous,
            next,
            ..
        } = self.places[place as usize];
        let Some(list) = self.sets.get_mut(set as usize) else {
            return;
        };
        match self.places.get_mut(previous as usize) {
            Some(previous) => previous.next = next,
            None => list.first = next,
        }
        match self.places.get_mut(next as usize) {
            Some(next) => next.previous = previous,
            None => list.last = previous,
        }
    }

    /// The subtask of a set that is to be told next, with where its answer goes.
    pub(in super::super) fn next_of(&self, set: u32) -> Result<Option<u32>> {
        let set = self.set(set)?;
        let first = self.sets[set as usize].first;
        Ok((first != NONE).then_some(first))
    }

    /// Whether anything can still come of waiting for a set.
    pub(in super::super) fn check_waits(&self, number: u32) -> Result<()> {
        let set = self.set(number)?;
        if self.sets[set as usize].untold == 0 {
            bail!("the guest waits for waitable set {number}, in which nothing waits");
        }
        Ok(())
    }
}
