//! Running a process within its limits on time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use transputer_core::clock::{Clock, Sleep, Time};

use super::limits::ProcessLimits;
use super::outcome::{LimitKind, Overrun};

/// A future that is given up once it has computed, or lasted, for too long.
///
/// Computing is measured over each poll; preemption makes polls short, so that the limit
/// holds to within a tick of the scheduler.
pub(super) struct Metered<F> {
    inner: Pin<Box<F>>,
    turn: Turn,
    cpu: Option<Cpu>,
    wall: Option<Wall>,
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
    allowed: Duration,
    used: Duration,
}

struct Wall {
    allowed: Duration,
    started: Time,
    clock: Clock,
    end: Sleep,
}

impl<F: Future> Metered<F> {
    pub(super) fn new(inner: F, turn: &Turn, limits: &ProcessLimits, clock: &Clock) -> Self {
        Self {
            inner: Box::pin(inner),
            turn: turn.clone(),
            cpu: limits.cpu.map(|allowed| Cpu {
                allowed,
                used: Duration::ZERO,
            }),
            wall: limits.wall.map(|allowed| Wall {
                allowed,
                started: clock.now(),
                clock: clock.clone(),
                end: clock.sleep(allowed),
            }),
        }
    }
}

impl Cpu {
    fn spend(&mut self, time: Duration) -> Result<(), Overrun> {
        self.used += time;
        if self.used > self.allowed {
            return Err(overrun(LimitKind::Cpu, self.allowed, self.used));
        }
        Ok(())
    }
}

impl Wall {
    fn check(&mut self, context: &mut Context<'_>) -> Result<(), Overrun> {
        if Pin::new(&mut self.end).poll(context).is_pending() {
            return Ok(());
        }
        let lasted = self.clock.now().as_nanos() - self.started.as_nanos();
        Err(overrun(
            LimitKind::Wall,
            self.allowed,
            Duration::from_nanos(lasted),
        ))
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output, Overrun>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.turn.begin();
        let before = this.cpu.as_ref().map(|_| Instant::now());
        if let Poll::Ready(output) = this.inner.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if let (Some(cpu), Some(before)) = (&mut this.cpu, before) {
            cpu.spend(before.elapsed())?;
        }
        if let Some(wall) = &mut this.wall {
            wall.check(context)?;
        }
        Poll::Pending
    }
}

fn overrun(limit: LimitKind, allowed: Duration, asked: Duration) -> Overrun {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Overrun {
        limit,
        allowed: nanos(allowed),
        asked: nanos(asked),
    }
}
