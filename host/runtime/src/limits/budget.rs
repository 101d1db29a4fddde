//! Budgets: what a process may use together with all that descends from it.
//!
//! Where a limit was given to a process, its children use it up with it, and theirs as well: who starts
//! afresh in a copy of itself gains nothing. A component that has limits of its own for being spawned gets a
//! budget of its own for these. Defaults hold for each process by itself.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use transputer_core::clock::{Clock, Sleep, Time};

use super::log_rate::LogRate;
use super::{Count, Limit, Total, Totals, nanos};
use crate::host::lock;
use crate::network::state::NetworkState;
use crate::process::{LimitKind, LimitOwner, Outcome, Overrun, ProcessLimits};
use transputer_network::plan::Limits;

/// What a process uses up, with all that share its budget.
#[derive(Debug)]
pub(crate) struct Budget {
    memory: Given<Arc<Total>>,
    channels: Given<Arc<Total>>,
    /// Nanoseconds of computing.
    pub(crate) cpu: Arc<Total>,
    children: Option<Arc<Count>>,
    pub(crate) log: Option<Arc<LogRate>>,
    pub(crate) lifetime: Option<Arc<Lifetime>>,
}

/// A total, and whether it is a budget's own.
#[derive(Clone, Debug)]
enum Given<T> {
    /// A limit was given.
    Here(T),
    /// None was; what is above counts.
    Above(T),
}

impl Budget {
    /// The budget of a process that nobody has spawned.
    pub(crate) fn new(given: &Limits, network: &Arc<NetworkState>) -> Arc<Self> {
        let totals = &network.totals;
        let unlimited = Self {
            memory: Given::Above(totals.memory.clone()),
            channels: Given::Above(totals.channels.clone()),
            cpu: totals.cpu.clone(),
            children: None,
            log: None,
            lifetime: None,
        };
        Arc::new(unlimited.with(given, network))
    }

    /// A budget of so much computing, and of nothing else.
    #[cfg(test)]
    pub(crate) fn of_time(allowed: Duration) -> Arc<Self> {
        let total = |kind, allowed| {
            let owner = LimitOwner::Process;
            Total::new(Limit { kind, owner }, allowed, None)
        };
        Arc::new(Self {
            memory: Given::Above(total(LimitKind::Memory, None)),
            channels: Given::Above(total(LimitKind::Channels, None)),
            cpu: total(LimitKind::Cpu, Some(nanos(allowed))),
            children: None,
            log: None,
            lifetime: None,
        })
    }

    /// The budget of a child: this one, but for what its component has limits of its own.
    pub(crate) fn for_child(
        self: &Arc<Self>,
        own: Option<&Limits>,
        network: &Arc<NetworkState>,
    ) -> Arc<Self> {
        match own {
            None => self.clone(),
            Some(own) => Arc::new(self.with(own, network)),
        }
    }

    /// This budget, but for what is given.
    fn with(&self, given: &Limits, network: &Arc<NetworkState>) -> Self {
        let Totals {
            memory,
            channels,
            cpu,
            ..
        } = &*network.totals;
        let own = |kind, amount, above: &Arc<Total>| {
            let limit = Limit {
                kind,
                owner: LimitOwner::Process,
            };
            Total::new(limit, Some(amount), Some(above.clone()))
        };
        Self {
            memory: match given.memory {
                Some(bytes) => Given::Here(own(LimitKind::Memory, bytes, memory)),
                None => self.memory.clone(),
            },
            channels: match given.channels {
                Some(most) => Given::Here(own(LimitKind::Channels, most.into(), channels)),
                None => self.channels.clone(),
            },
            cpu: match given.cpu {
                Some(time) => own(LimitKind::Cpu, nanos(time), cpu),
                None => self.cpu.clone(),
            },
            children: match given.children {
                Some(most) => Some(Count::new((), Some(most.into()), None)),
                None => self.children.clone(),
            },
            log: match given.log {
                Some(lines) => Some(Arc::new(LogRate::new(lines))),
                None => self.log.clone(),
            },
            lifetime: match given.wall {
                Some(time) => Some(Lifetime::start(time, network)),
                None => self.lifetime.clone(),
            },
        }
    }

    /// What one process takes its memory from.
    pub(crate) fn memory(&self, limits: &ProcessLimits) -> Arc<Total> {
        self.memory.of_one(LimitKind::Memory, limits.memory)
    }

    /// What one process takes its channels from.
    pub(crate) fn channels(&self, limits: &ProcessLimits) -> Arc<Total> {
        let most = limits.channels as u64;
        self.channels.of_one(LimitKind::Channels, most)
    }

    /// What the children of one process are counted in.
    pub(crate) fn children(&self, limits: &ProcessLimits) -> Arc<Count> {
        let default = || Count::new((), Some(limits.children as u64), None);
        self.children.clone().unwrap_or_else(default)
    }

    /// Whether there is time left: to compute, and to live.
    ///
    /// # Errors
    /// What is used up.
    pub(crate) fn check_time(&self) -> Result<(), Overrun> {
        if let Some(lifetime) = &self.lifetime {
            lifetime.check()?;
        }
        Ok(self.cpu.check()?)
    }
}

impl Given<Arc<Total>> {
    /// It, or the default of one process within what is above.
    fn of_one(&self, kind: LimitKind, default: u64) -> Arc<Total> {
        match self {
            Self::Here(total) => total.clone(),
            Self::Above(above) => {
                let owner = LimitOwner::Process;
                Total::new(Limit { kind, owner }, Some(default), Some(above.clone()))
            }
        }
    }
}

/// How long a process and all that descends from it may live. When the time is over, one timer ends them
/// all, however many there are: none waits until it is its turn to run.
#[derive(Debug)]
pub(crate) struct Lifetime {
    allowed: Duration,
    started: Time,
    clock: Clock,
    network: Weak<NetworkState>,
    over: AtomicBool,
    timer: Mutex<Option<Sleep>>,
}

impl Lifetime {
    fn start(allowed: Duration, network: &Arc<NetworkState>) -> Arc<Self> {
        let clock = network.host.scheduler().clock();
        let lifetime = Arc::new(Self {
            allowed,
            started: clock.now(),
            clock: clock.clone(),
            network: Arc::downgrade(network),
            over: AtomicBool::new(false),
            timer: Mutex::default(),
        });
        let mut timer = clock.sleep(allowed);
        let alarm = Waker::from(Arc::new(Alarm(Arc::downgrade(&lifetime))));
        match Pin::new(&mut timer).poll(&mut Context::from_waker(&alarm)) {
            Poll::Pending => *lock(&lifetime.timer) = Some(timer),
            Poll::Ready(()) => lifetime.over.store(true, Ordering::Release),
        }
        lifetime
    }

    fn is_over(&self) -> bool {
        self.clock.now() - self.started >= self.allowed
    }

    /// Ends everybody who lives on it. Whoever comes to be meanwhile sees that it is over.
    pub(crate) fn end(self: &Arc<Self>) {
        self.over.store(true, Ordering::Release);
        let Some(network) = self.network.upgrade() else {
            return;
        };
        let overrun = self.overrun();
        for process in network.living() {
            let lifetime = process.budget.lifetime.as_ref();
            if lifetime.is_some_and(|lifetime| Arc::ptr_eq(lifetime, self)) {
                process.end(Outcome::Killed(overrun.clone()));
            }
        }
    }

    fn check(&self) -> Result<(), Overrun> {
        match self.over.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(self.overrun()),
        }
    }

    fn overrun(&self) -> Overrun {
        Overrun {
            limit: LimitKind::Wall,
            owner: LimitOwner::Process,
            allowed: nanos(self.allowed),
            asked: nanos(self.clock.now() - self.started),
        }
    }
}

/// What the timer of a lifetime calls.
struct Alarm(Weak<Lifetime>);

impl Wake for Alarm {
    /// Called by whoever fires timers, which must go on: a seeded run has nobody else.
    fn wake(self: Arc<Self>) {
        // Timers fire when a scheduler shuts down, too.
        let lifetime = self.0.upgrade().filter(|lifetime| lifetime.is_over());
        let network = lifetime.as_ref().and_then(|it| it.network.upgrade());
        if let (Some(lifetime), Some(network)) = (lifetime, network) {
            match network.host.calls() {
                Some(calls) => calls.on_end(lifetime),
                None => lifetime.end(),
            }
        }
    }
}
