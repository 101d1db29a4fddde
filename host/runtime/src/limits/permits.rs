//! Permits: how many processes may live at once, and who waits for one to end.
//!
//! A permit that is given back goes to whoever has waited longest, under the same lock: nobody is
//! woken to try again, and a waiter that gives up hands on what it had been given. Networks that
//! wait to start come after the processes that wait to spawn, because those hold permits themselves.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use transputer_core::ProcessId;
use transputer_core::clock::Sleep;

use crate::error::SpawnFault;
use crate::host::lock;
use crate::patience::Patience;

/// How many may live at once, of a host or a network.
#[derive(Debug)]
pub(crate) struct Permits {
    most: u32,
    /// Why there are no more, for errors.
    reason: String,
    state: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    taken: u32,
    /// How often any were given back.
    freed: u64,
    tickets: u64,
    /// By their tickets, so in order.
    spawning: BTreeMap<u64, Waiter>,
    starting: BTreeMap<u64, Waiter>,
    /// Those whose wait is over, until they have seen it.
    answered: HashMap<u64, Answer>,
}

/// Who waits for permits.
#[derive(Debug)]
struct Waiter {
    count: u32,
    who: Option<Spawner>,
    since: Instant,
    waker: Waker,
}

#[derive(Debug)]
enum Answer {
    Granted(u32),
    Refused(Arc<str>),
}

/// A process that waits to spawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spawner {
    /// The number of its network.
    pub(crate) network: u64,
    pub(crate) process: ProcessId,
    /// Whether it waits only until a deadline.
    pub(crate) timed: bool,
}

/// A process that waits to spawn, as others see it.
#[derive(Copy, Clone, Debug)]
pub(crate) struct SeenSpawner {
    pub(crate) process: ProcessId,
    pub(crate) timed: bool,
    pub(crate) ticket: u64,
    pub(crate) since: Instant,
}

/// Permits that were taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    count: u32,
}

impl Permits {
    pub(crate) fn new(most: u32, reason: String) -> Arc<Self> {
        Arc::new(Self {
            most,
            reason,
            state: Mutex::default(),
        })
    }

    /// As many, for another host in the same address space.
    pub(crate) fn as_many(&self) -> Arc<Self> {
        Self::new(self.most, self.reason.clone())
    }

    /// What says that there are no more, as in "as many as ...".
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// How many there are.
    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> u32 {
        lock(&self.state).taken
    }

    /// How often any were given back, so that two looks can tell whether any were in between.
    pub(crate) fn freed(&self) -> u64 {
        lock(&self.state).freed
    }

    /// Takes one if it is free.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Result<Permit, SpawnFault> {
        let mut state = lock(&self.state);
        if state.taken < self.most && state.spawning.is_empty() {
            state.taken += 1;
            drop(state);
            return Ok(self.taken_now(1));
        }
        let running = state.taken;
        drop(state);
        Err(self.fault(running, 1, ""))
    }

    /// Waits for permits: all of them at once, or none.
    ///
    /// # Errors
    /// [`SpawnFault::Capacity`] if there are not that many at all, if patience runs out, or in a
    /// deadlock.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        count: u32,
        who: Option<Spawner>,
        patience: Patience<Sleep>,
    ) -> Acquire {
        Acquire {
            permits: self.clone(),
            count,
            who,
            patience,
            ticket: None,
        }
    }

    /// The processes of a network that wait here.
    pub(crate) fn waiting(&self, network: u64) -> Vec<SeenSpawner> {
        let state = lock(&self.state);
        let spawning = state.spawning.iter();
        let seen = spawning.filter_map(|(ticket, waiting)| {
            let who = waiting.who.filter(|who| who.network == network)?;
            Some(SeenSpawner {
                process: who.process,
                timed: who.timed,
                ticket: *ticket,
                since: waiting.since,
            })
        });
        seen.collect()
    }

    /// Refuses the processes of a network that would wait for ever.
    pub(crate) fn refuse(&self, network: u64, reason: &Arc<str>) {
        let mut state = lock(&self.state);
        let refused = state.spawning.extract_if(.., |_, waiting| {
            waiting
                .who
                .is_some_and(|who| who.network == network && !who.timed)
        });
        let refused: Vec<_> = refused.collect();
        for (ticket, _) in &refused {
            let answer = Answer::Refused(reason.clone());
            state.answered.insert(*ticket, answer);
        }
        // Others may have waited behind them.
        let granted = state.grant(self.most);
        drop(state);
        for (_, waiting) in refused {
            waiting.waker.wake();
        }
        granted.into_iter().for_each(Waker::wake);
    }

    fn taken_now(self: &Arc<Self>, count: u32) -> Permit {
        Permit {
            permits: self.clone(),
            count,
        }
    }

    fn free(&self, count: u32) {
        let mut state = lock(&self.state);
        state.taken -= count;
        state.freed += 1;
        let granted = state.grant(self.most);
        drop(state);
        granted.into_iter().for_each(Waker::wake);
    }

    fn fault(&self, running: u32, wanted: u32, why: &str) -> SpawnFault {
        SpawnFault::Capacity {
            running,
            wanted,
            limit: format!("{}{why}", self.reason),
        }
    }
}

impl Queue {
    /// Gives free permits to those who wait, in order. Returns whom to wake.
    fn grant(&mut self, most: u32) -> Vec<Waker> {
        let mut granted = Vec::new();
        loop {
            let queue = match self.spawning.is_empty() {
                true => &mut self.starting,
                false => &mut self.spawning,
            };
            match queue.first_entry() {
                Some(first) if first.get().count <= most - self.taken => {
                    let (ticket, waiting) = first.remove_entry();
                    self.taken += waiting.count;
                    self.answered.insert(ticket, Answer::Granted(waiting.count));
                    granted.push(waiting.waker);
                }
                _ => return granted,
            }
        }
    }

    fn enter(&mut self, waiting: Waiter) -> u64 {
        self.tickets += 1;
        let queue = match waiting.who {
            Some(_) => &mut self.spawning,
            None => &mut self.starting,
        };
        queue.insert(self.tickets, waiting);
        self.tickets
    }

    fn waiting_mut(&mut self, ticket: u64) -> Option<&mut Waiter> {
        let starting = &mut self.starting;
        self.spawning
            .get_mut(&ticket)
            .or_else(|| starting.get_mut(&ticket))
    }

    fn leave(&mut self, ticket: u64) {
        self.spawning.remove(&ticket);
        self.starting.remove(&ticket);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.free(self.count);
    }
}

impl Permit {
    /// One of several permits.
    pub(crate) fn split_one(&mut self) -> Option<Permit> {
        self.count = self.count.checked_sub(1)?;
        Some(self.permits.taken_now(1))
    }
}

/// The future of [`Permits::take`]. Dropping it leaves the queue.
pub(crate) struct Acquire {
    permits: Arc<Permits>,
    count: u32,
    who: Option<Spawner>,
    patience: Patience<Sleep>,
    ticket: Option<u64>,
}

impl Future for Acquire {
    type Output = Result<Permit, SpawnFault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = lock(&this.permits.state);
        match this.ticket {
            None => {
                let free = this.permits.most - state.taken;
                let first =
                    state.spawning.is_empty() && (this.who.is_some() || state.starting.is_empty());
                if this.count <= free && first {
                    state.taken += this.count;
                    return Poll::Ready(Ok(this.permits.taken_now(this.count)));
                }
                let running = state.taken;
                let never = matches!(this.patience, Patience::Never);
                if never || this.count > this.permits.most {
                    return Poll::Ready(Err(this.permits.fault(running, this.count, "")));
                }
                this.ticket = Some(state.enter(Waiter {
                    count: this.count,
                    who: this.who,
                    since: Instant::now(),
                    waker: context.waker().clone(),
                }));
            }
            Some(ticket) => {
                if let Some(answer) = state.answered.remove(&ticket) {
                    this.ticket = None;
                    let running = state.taken;
                    return Poll::Ready(match answer {
                        Answer::Granted(count) => Ok(this.permits.taken_now(count)),
                        Answer::Refused(reason) => {
                            Err(this
                                .permits
                                .fault(running, this.count, &format!("; {reason}")))
                        }
                    });
                }
                if let Some(waiting) = state.waiting_mut(ticket) {
                    waiting.waker.clone_from(context.waker());
                }
            }
        }
        drop(state);
        let Patience::Until(deadline) = &mut this.patience else {
            return Poll::Pending;
        };
        if Pin::new(deadline).poll(context).is_pending() {
            return Poll::Pending;
        }
        // A permit that came at the same time goes to the next one when this is dropped.
        let running = this.permits.taken();
        let why = ", and none came free in time";
        Poll::Ready(Err(this.permits.fault(running, this.count, why)))
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else {
            return;
        };
        let mut state = lock(&self.permits.state);
        state.leave(ticket);
        if let Some(Answer::Granted(count)) = state.answered.remove(&ticket) {
            state.taken -= count;
            state.freed += 1;
        }
        let granted = state.grant(self.permits.most);
        drop(state);
        granted.into_iter().for_each(Waker::wake);
    }
}
