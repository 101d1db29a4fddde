//! What a barrier's lock protects, and every step that is taken under it.
//!
//! Invariants, whenever the lock is free:
//! - `arrived` counts the members that wait.
//! - Not all members wait: the last one to arrive, or the last absent one to resign,
//!   completes the phase in the same step.
//! - Nobody waits at a poisoned barrier.

use std::mem;
use std::task::Waker;

use slab::Slab;

use super::{Later, SyncError};
use crate::channel::wait_queue::Ticket;
use crate::channel::{KeepAlive, Poison, Side, Snapshot, WaitingOperation};
use crate::ids::Holder;

/// The number of a membership at its barrier.
pub(super) type MemberKey = usize;

struct Member {
    holder: Holder,
    arrival: Arrival,
}

/// Where a member stands in the present phase.
enum Arrival {
    Absent,
    Waiting {
        /// Here until the member is told.
        waker: Waker,
        ticket: Ticket,
        timed: bool,
    },
    /// The outcome, until the member looks at it.
    Over(Result<(), SyncError>),
}

#[derive(Default)]
pub(super) struct State {
    members: Slab<Member>,
    /// Those who wait, in the order in which they came.
    arrived: Vec<MemberKey>,
    pub(super) poison: Option<Poison>,
    tickets: u64,
    /// As long as the barrier has a member, whoever else holds the barrier.
    keep_alive: Option<KeepAlive>,
}

impl State {
    pub(super) fn new(keep_alive: Option<KeepAlive>) -> Self {
        Self {
            keep_alive,
            ..Self::default()
        }
    }

    pub(super) fn enrol(&mut self, holder: Holder) -> MemberKey {
        let arrival = Arrival::Absent;
        self.members.insert(Member { holder, arrival })
    }

    /// Takes a member out. It may have been the only one that the others waited for. What was kept alive, if it was
    /// the last, is to be dropped after unlocking.
    pub(super) fn resign(&mut self, key: MemberKey, later: &mut Later) -> Option<KeepAlive> {
        self.withdraw(key, later);
        self.members.remove(key);
        self.complete_if_all_arrived(later);
        if self.members.is_empty() {
            self.keep_alive.take()
        } else {
            None
        }
    }

    /// A member arrives. Returns `None` if it has to wait.
    pub(super) fn arrive(
        &mut self,
        key: MemberKey,
        waker: &Waker,
        timed: bool,
        later: &mut Later,
    ) -> Option<Result<(), SyncError>> {
        if let Some(poison) = &self.poison {
            return Some(Err(SyncError::Poisoned(poison.clone())));
        }
        let Arrival::Absent = self.members[key].arrival else {
            return Some(Err(SyncError::Overloaded));
        };
        self.tickets += 1;
        self.members[key].arrival = Arrival::Waiting {
            waker: waker.clone(),
            ticket: Ticket::new(self.tickets),
            timed,
        };
        self.arrived.push(key);
        self.complete_if_all_arrived(later);
        match self.members[key].arrival {
            Arrival::Over(_) => self.withdraw(key, later),
            Arrival::Absent | Arrival::Waiting { .. } => None,
        }
    }

    /// What became of a member that waits, if that is known; otherwise notes the waker to use from now on.
    pub(super) fn poll(
        &mut self,
        key: MemberKey,
        new: &Waker,
        later: &mut Later,
    ) -> Option<Result<(), SyncError>> {
        if let Arrival::Waiting { waker, .. } = &mut self.members[key].arrival {
            if !waker.will_wake(new) {
                later.drop_waker(Some(mem::replace(waker, new.clone())));
            }
            return None;
        }
        self.withdraw(key, later)
    }

    /// A member takes its arrival back, or learns that the phase is over.
    pub(super) fn withdraw(
        &mut self,
        key: MemberKey,
        later: &mut Later,
    ) -> Option<Result<(), SyncError>> {
        match mem::replace(&mut self.members[key].arrival, Arrival::Absent) {
            Arrival::Absent => None,
            Arrival::Waiting { waker, .. } => {
                later.drop_waker(Some(waker));
                self.arrived.retain(|other| *other != key);
                None
            }
            Arrival::Over(outcome) => Some(outcome),
        }
    }

    /// Ends the barrier at once. False if it was poisoned already.
    pub(super) fn poison(&mut self, poison: Poison, later: &mut Later) -> bool {
        if self.poison.is_some() {
            return false;
        }
        self.poison = Some(poison.clone());
        self.tell_all(&Err(SyncError::Poisoned(poison)), later);
        true
    }

    fn complete_if_all_arrived(&mut self, later: &mut Later) {
        if self.arrived.len() == self.members.len() {
            self.tell_all(&Ok(()), later);
        }
    }

    fn tell_all(&mut self, outcome: &Result<(), SyncError>, later: &mut Later) {
        for key in self.arrived.drain(..) {
            let over = Arrival::Over(outcome.clone());
            if let Arrival::Waiting { waker, .. } =
                mem::replace(&mut self.members[key].arrival, over)
            {
                later.wake(Some(waker));
            }
        }
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    pub(super) fn holder(&self, key: MemberKey) -> Holder {
        self.members[key].holder
    }

    pub(super) fn set_holder(&mut self, key: MemberKey, holder: Holder) {
        self.members[key].holder = holder;
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let waits = |member: &Member| matches!(member.arrival, Arrival::Waiting { .. });
        let absent = self.members.iter().map(|(_, member)| member);
        Snapshot {
            absent: absent
                .filter(|member| !waits(member))
                .map(|member| member.holder)
                .collect(),
            waiting: self
                .arrived
                .iter()
                .filter_map(|key| waiting(&self.members[*key]))
                .collect(),
            ..Snapshot::default()
        }
    }

    /// Asserts the invariants.
    pub(super) fn check(&self) {
        if cfg!(any(debug_assertions, loom)) {
            let waiting = self.members.iter();
            let waiting = waiting.filter(|(_, m)| matches!(m.arrival, Arrival::Waiting { .. }));
            assert_eq!(waiting.count(), self.arrived.len(), "who waits has arrived");
            assert!(
                self.arrived.is_empty() || self.arrived.len() < self.members.len(),
                "all have arrived, and still wait"
            );
            assert!(
                self.poison.is_none() || self.arrived.is_empty(),
                "poison wakes all"
            );
        }
    }
}

fn waiting(member: &Member) -> Option<WaitingOperation> {
    let Arrival::Waiting { ticket, timed, .. } = member.arrival else {
        return None;
    };
    Some(WaitingOperation {
        holder: member.holder,
        side: Side::Sync,
        ticket: ticket.number,
        since: ticket.since.instant(),
        timed,
    })
}
