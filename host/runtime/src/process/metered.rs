//! Running a process within its limits on time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use transputer_core::clock::{Clock, Sleep, Time};

use super::Process;
use super::limits::ProcessLimits;
use super::outcome::{LimitKind, LimitOwner, Overrun};
use crate::limits::Totals;

/// What a process has used of its time, over all of its life.
///
/// Computing is measured over each poll; preemption makes polls short, so that the limit
/// holds to within a tick of the scheduler.
pub(super) struct Meter {
    turn: Turn,
    cpu: Option<Cpu>,
    wall: Option<Wall>,
    operation: Option<Operation>,
}

/// A future that is given up once its process has computed, waited or lasted for too long.
pub(super) struct Metered<'a, F> {
    inner: Pin<Box<F>>,
    meter: &'a mut Meter,
}

/// When a process's present turn began, in ticks of the scheduler.
///
/// A process that was parked finds its epoch long past. It must not yield for that: it has
/// only begun, and would lose its place to everybody who is ready.
#[derive(Clone)]
pub(crate) struct Turn {
    ticks: Arc<AtomicU64>,
    began: Arc<AtomicU64>,
}

impl Turn {
    pub(crate) fn new(ticks: &Arc<AtomicU64>) -> Self {
        Self {
            ticks: ticks.clone(),
            began: Arc::new(AtomicU64::new(ticks.load(Ordering::Relaxed))),
        }
    }

    fn begin(&self) {
        let now = self.ticks.load(Ordering::Relaxed);
        self.began.store(now, Ordering::Relaxed);
    }

    /// Whether the process has computed on past a tick.
    pub(super) fn is_over(&self) -> bool {
        self.ticks.load(Ordering::Relaxed) != self.began.load(Ordering::Relaxed)
    }
}

struct Cpu {
    allowed: Option<Duration>,
    used: Duration,
    /// If the network or the host limits what all compute together.
    totals: Option<Arc<Totals>>,
}

struct Wall {
    allowed: Duration,
    started: Time,
    clock: Clock,
    end: Sleep,
}

/// The operation on channels that the process is parked in.
struct Operation {
    allowed: Duration,
    clock: Clock,
    process: Arc<Process>,
    /// Its number, when it began to wait, and until when it may.
    waiting: Option<(u64, Time, Sleep)>,
}

impl Meter {
    pub(super) fn new(
        process: &Arc<Process>,
        turn: &Turn,
        limits: &ProcessLimits,
        totals: &Arc<Totals>,
        clock: &Clock,
    ) -> Self {
        let totals = totals.limit_cpu().then(|| totals.clone());
        let measured = limits.cpu.is_some() || totals.is_some();
        Self {
            turn: turn.clone(),
            cpu: measured.then_some(Cpu {
                allowed: limits.cpu,
                used: Duration::ZERO,
                totals,
            }),
            wall: limits.wall.map(|allowed| Wall {
                allowed,
                started: clock.now(),
                clock: clock.clone(),
                end: clock.sleep(allowed),
            }),
            operation: limits.operation.map(|allowed| Operation {
                allowed,
                clock: clock.clone(),
                process: process.clone(),
                waiting: None,
            }),
        }
    }
}

impl Meter {
    /// Goes on with the turn of another instance of the process.
    pub(super) fn take_turn(&mut self, turn: Turn) {
        self.turn = turn;
    }
}

impl<'a, F: Future> Metered<'a, F> {
    pub(super) fn new(inner: F, meter: &'a mut Meter) -> Self {
        Self {
            inner: Box::pin(inner),
            meter,
        }
    }
}

impl Cpu {
    fn spend(&mut self, time: Duration) -> Result<(), Overrun> {
        self.used += time;
        if let Some(totals) = &self.totals {
            totals.spend(|totals| &totals.cpu, nanos(time))?;
        }
        match self.allowed {
            Some(allowed) if self.used > allowed => {
                Err(overrun(LimitKind::Cpu, allowed, self.used))
            }
            _ => Ok(()),
        }
    }
}

impl Wall {
    fn check(&mut self, context: &mut Context<'_>) -> Result<(), Overrun> {
        if Pin::new(&mut self.end).poll(context).is_pending() {
            return Ok(());
        }
        let lasted = self.clock.now() - self.started;
        Err(overrun(LimitKind::Wall, self.allowed, lasted))
    }
}

impl Operation {
    fn check(&mut self, context: &mut Context<'_>) -> Result<(), Overrun> {
        let Some(number) = self.process.parked_operation() else {
            self.waiting = None;
            return Ok(());
        };
        let now = self.clock.now();
        let (_, began, end) = match self.waiting.take() {
            Some(same) if same.0 == number => self.waiting.insert(same),
            _ => {
                let end = self.clock.sleep(self.allowed);
                self.waiting.insert((number, now, end))
            }
        };
        if Pin::new(end).poll(context).is_pending() {
            return Ok(());
        }
        Err(overrun(LimitKind::Operation, self.allowed, now - *began))
    }
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = Result<F::Output, Overrun>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { inner, meter } = &mut *self;
        meter.turn.begin();
        let before = meter.cpu.as_ref().map(|_| Instant::now());
        if let Poll::Ready(output) = inner.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if let (Some(cpu), Some(before)) = (&mut meter.cpu, before) {
            cpu.spend(before.elapsed())?;
        }
        if let Some(wall) = &mut meter.wall {
            wall.check(context)?;
        }
        if let Some(operation) = &mut meter.operation {
            operation.check(context)?;
        }
        Poll::Pending
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn overrun(limit: LimitKind, allowed: Duration, asked: Duration) -> Overrun {
    Overrun {
        limit,
        owner: LimitOwner::Process,
        allowed: nanos(allowed),
        asked: nanos(asked),
    }
}
