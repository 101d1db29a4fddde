//! What a stackless process waits for: its subtasks, and the sets in which it waits for them.
//!
//! A *subtask* is a call that could not be done at once. A *set* is what the process waits on: the
//! callback's next event is that of a subtask that was joined to the set. Both are places in tables
//! of the process's own, and the guest knows them by numbers with their kinds in the lowest bits, as it
//! knows other handles.
//!
//! Invariants:
//! - A subtask waits, then is done, then is told; what came of it is kept until the guest is told, and
//!   is written into its memory just before. A number stands for a subtask until the guest drops it,
//!   which it may once it was told.
//! - A subtask is in one set at most. One that is done and in a set is in that set's list, in the
//!   order in which they came to be both.
//! - A subtask that begins while the process has a set of its own is in that set, and its number stands for it
//!   until its end is told, if it is still there then: the guest needs neither to join nor to drop it.
//! - `members` of a set counts the subtasks in it, `untold` those of them that the guest was not told of.
//!   A set with members is not dropped.
//! - Each place has a waker. That of the first is the task's own, so a process that waits for one
//!   thing at a time allocates nothing for it, and looks at that place whenever it is woken; the others
//!   note their place when they are woken, so that a process looks at no more than has changed.

mod sets;

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use smallvec::{SmallVec, smallvec};
use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use super::call::Answer;
use super::woken::Woken;
use crate::handles::{Kind, handle, resource};

/// The kind of handle that stands for a subtask.
enum SubtaskKind {}

impl Kind for SubtaskKind {
    const NUMBER: u32 = 6;
    const NAME: &'static str = "subtask";
}

/// The kind of handle that stands for a set of waitables.
enum SetKind {}

impl Kind for SetKind {
    const NUMBER: u32 = 7;
    const NAME: &'static str = "waitable set";
}

/// No place.
const NONE: u32 = u32::MAX;

/// The largest number of places, far below what a status has bits for.
const MOST: usize = 1 << 20;

/// See the module.
pub(crate) struct Tasks<O> {
    /// Most processes have one, and it is on the lines of the cache that each turn needs anyway.
    places: SmallVec<[Place<O>; 1]>,
    /// The first place that is free.
    free: u32,
    sets: SmallVec<[Set; 1]>,
    free_set: u32,
    /// The set in which each call that waits is from its beginning, once the guest has asked for one.
    own: u32,
    /// One for each place that was ever used; nothing while it is lent.
    wakers: SmallVec<[Option<Waker>; 1]>,
    woken: Arc<Woken>,
    /// The storage that the guest has for its task.
    pub(crate) context: [u32; 2],
    /// How many places are charged.
    pub(crate) covered: usize,
    /// How many subtasks and sets there are.
    used: usize,
}

struct Place<O> {
    stage: Stage<O>,
    /// Where the answer goes.
    to: u32,
    set: u32,
    /// Neighbours in the set's list, or the next free place.
    previous: u32,
    next: u32,
}

enum Stage<O> {
    Free,
    /// Reserved for a call that is being begun, or being looked at.
    Taken,
    Waits(O),
    Done(Answer),
    /// The guest has been told.
    Told,
}

/// What the guest is told of a subtask that is done.
pub(super) struct Told {
    pub(super) number: u32,
    pub(super) answer: Answer,
    /// Where the answer goes.
    pub(super) to: u32,
}

#[derive(Clone, Copy)]
struct Set {
    in_use: bool,
    members: u32,
    untold: u32,
    /// The ends of the list of those that are done, or the next free set.
    first: u32,
    last: u32,
}

impl<O> Tasks<O> {
    /// Tables without an entry, for the task that this wakes.
    pub(crate) fn new(task: Waker) -> Self {
        Self {
            places: SmallVec::new(),
            free: NONE,
            sets: SmallVec::new(),
            free_set: NONE,
            own: NONE,
            wakers: smallvec![Some(task)],
            woken: Arc::default(),
            context: [0; 2],
            covered: 0,
            used: 0,
        }
    }

    /// How many places and sets there will be with one more.
    pub(crate) fn grown(&self) -> usize {
        self.used + 1
    }

    /// The calls that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &O> {
        self.places.iter().filter_map(|place| match &place.stage {
            Stage::Waits(operation) => Some(operation),
            _ => None,
        })
    }

    /// Takes all calls that wait.
    pub(crate) fn take_waiting(&mut self) -> Vec<O> {
        let mut taken = Vec::new();
        for place in &mut self.places {
            if matches!(place.stage, Stage::Waits(_))
                && let Stage::Waits(operation) = mem::replace(&mut place.stage, Stage::Told)
            {
                taken.push(operation);
            }
        }
        taken
    }

    /// Reserves a place for a call, and takes the waker for it.
    pub(super) fn reserve(&mut self) -> Result<(u32, Waker)> {
        if self.free == NONE {
            if self.places.len() >= MOST {
                bail!("more than {MOST} calls wait");
            }
            self.places.push(Place {
                stage: Stage::Free,
                to: 0,
                set: NONE,
                previous: NONE,
                next: NONE,
            });
            self.free = self.places.len() as u32 - 1;
        }
        let place = self.free;
        if self.wakers.len() <= place as usize {
            let waker = self.waker(place)?;
            self.wakers.push(Some(waker));
        }
        let entry = &mut self.places[place as usize];
        self.free = entry.next;
        entry.stage = Stage::Taken;
        entry.set = NONE;
        self.used += 1;
        Ok((place, self.lend(place)?))
    }

    /// Takes a place's waker, to be given back.
    fn lend(&mut self, place: u32) -> Result<Waker> {
        match self.wakers[place as usize].take() {
            Some(waker) => Ok(waker),
            None => bail!("a place is looked at while it is looked at"),
        }
    }

    fn give_back(&mut self, place: u32, waker: Waker) {
        self.wakers[place as usize] = Some(waker);
    }

    /// Another waker for a place, which is not the first.
    fn waker(&self, place: u32) -> Result<Waker> {
        match &self.wakers[0] {
            Some(task) => Ok(self.woken.waker(place, task)),
            None => bail!("a place is made while the first is looked at"),
        }
    }

    /// The call did not have to wait, or has failed.
    pub(super) fn release(&mut self, place: u32, waker: Waker) {
        self.give_back(place, waker);
        self.free_place(place);
    }

    fn free_place(&mut self, place: u32) {
        let entry = &mut self.places[place as usize];
        entry.stage = Stage::Free;
        entry.next = self.free;
        self.free = place;
        self.used -= 1;
    }

    /// The call waits. Returns the number of its subtask.
    pub(super) fn wait(&mut self, place: u32, waker: Waker, operation: O, to: u32) -> Result<u32> {
        self.give_back(place, waker);
        let entry = &mut self.places[place as usize];
        entry.stage = Stage::Waits(operation);
        entry.to = to;
        if let Some(own) = self.sets.get_mut(self.own as usize) {
            entry.set = self.own;
            own.members += 1;
            own.untold += 1;
        }
        self.number(place)
    }

    /// Makes the task's waker the one for this context. Whether it was already.
    pub(super) fn set_waker(&mut self, waker: &Waker) -> bool {
        if let Some(task) = &self.wakers[0]
            && task.will_wake(waker)
        {
            return true;
        }
        // The marks of the others name the task, and are made anew where they are needed next.
        self.wakers.truncate(1);
        self.wakers[0] = Some(waker.clone());
        for place in 1..self.places.len() as u32 {
            let waker = self.woken.waker(place, waker);
            // Whoever would wake an old one is asked again.
            waker.wake_by_ref();
            self.wakers.push(Some(waker));
        }
        false
    }

    /// The places that may have changed, besides the first.
    pub(super) fn take_woken(&mut self) -> impl Iterator<Item = u32> + use<O> {
        self.woken.take()
    }

    /// Takes the call that waits at a place, to look at it.
    pub(super) fn take_operation(&mut self, place: u32) -> Option<(O, Waker)> {
        let entry = self.places.get_mut(place as usize)?;
        if !matches!(entry.stage, Stage::Waits(_)) {
            return None;
        }
        let waker = self.wakers[place as usize].take()?;
        let Stage::Waits(operation) = mem::replace(&mut entry.stage, Stage::Taken) else {
            return None;
        };
        Some((operation, waker))
    }

    /// It still waits.
    pub(super) fn put_operation(&mut self, place: u32, waker: Waker, operation: O) {
        self.give_back(place, waker);
        self.places[place as usize].stage = Stage::Waits(operation);
    }

    /// It is done.
    pub(super) fn complete(&mut self, place: u32, waker: Waker, answer: Answer) {
        self.give_back(place, waker);
        self.places[place as usize].stage = Stage::Done(answer);
        self.enlist(place);
    }

    /// It is done, and this is told at once if it is the next of this set; otherwise it is kept.
    pub(super) fn complete_for(
        &mut self,
        number: u32,
        place: u32,
        waker: Waker,
        answer: Answer,
    ) -> Result<Option<Told>> {
        let set = self.set(number)?;
        if self.places[place as usize].set != set || self.sets[set as usize].first != NONE {
            self.complete(place, waker, answer);
            return Ok(None);
        }
        self.give_back(place, waker);
        self.told(place, answer).map(Some)
    }

    fn subtask(&self, number: u32) -> Result<u32> {
        let place = resource::<SubtaskKind>(number)?.rep();
        match self.places.get(place as usize).map(|place| &place.stage) {
            None | Some(Stage::Free | Stage::Taken) => {
                bail!("unknown handle: no subtask has number {number} here")
            }
            Some(_) => Ok(place),
        }
    }

    /// Drops a subtask of which the guest was told.
    pub(crate) fn drop_subtask(&mut self, number: u32) -> Result<()> {
        let place = self.subtask(number)?;
        if !matches!(self.places[place as usize].stage, Stage::Told) {
            bail!("subtask {number} is dropped before its end was told");
        }
        self.leave(place);
        self.free_place(place);
        Ok(())
    }

    /// Takes the answer of a subtask that is done: it is told now.
    pub(super) fn tell(&mut self, place: u32) -> Result<Told> {
        if matches!(self.places[place as usize].stage, Stage::Done(_)) {
            self.delist(place);
        }
        let entry = &mut self.places[place as usize];
        let Stage::Done(answer) = mem::replace(&mut entry.stage, Stage::Told) else {
            bail!("a subtask is told before it is done");
        };
        self.told(place, answer)
    }

    /// Notes that the end of a subtask is told; it is gone if the guest leaves that to the host.
    fn told(&mut self, place: u32, answer: Answer) -> Result<Told> {
        let number = self.number(place)?;
        let to = self.places[place as usize].to;
        self.is_told(place);
        Ok(Told { number, answer, to })
    }

    fn is_told(&mut self, place: u32) {
        let entry = &mut self.places[place as usize];
        entry.stage = Stage::Told;
        let Some(set) = self.sets.get_mut(entry.set as usize) else {
            return;
        };
        set.untold -= 1;
        if entry.set == self.own {
            set.members -= 1;
            self.free_place(place);
        }
    }

    /// The number of the subtask at a place.
    pub(super) fn number(&self, place: u32) -> Result<u32> {
        handle(&Resource::<SubtaskKind>::new_own(place))
    }

    /// The place of a subtask that the guest cancels, and whether it is done already.
    pub(super) fn to_cancel(&self, number: u32) -> Result<(u32, bool)> {
        let place = self.subtask(number)?;
        match self.places[place as usize].stage {
            Stage::Waits(_) => Ok((place, false)),
            Stage::Done(_) => Ok((place, true)),
            _ => bail!("subtask {number} is cancelled after its end was told"),
        }
    }

    /// It was cancelled, without an answer.
    pub(super) fn cancelled(&mut self, place: u32, waker: Waker) {
        self.give_back(place, waker);
        self.is_told(place);
    }
}

impl<O> fmt::Debug for Tasks<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}
