//! Running a process within its time limits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use transputer_core::clock::{Clock, Sleep, Time};

use super::Process;
use super::limits::ProcessLimits;
use super::measures::Measures;
use super::outcome::{LimitKind, LimitOwner, Overrun};
use super::processor_time::processor_time;
use crate::limits::{Budget, nanos};

/// What a process has used of its time, over all of its life.
///
/// Computing is measured over each poll, in processor time of the worker's thread; preemption makes
/// polls short, so that the limit holds to within a tick of the scheduler. Nobody is polled whose budget
/// is used up.
pub(super) struct Meter {
    turn: Turn,
    /// Where it is told who watches.
    measures: Arc<Measures>,
    budget: Arc<Budget>,
    /// Whether anything limits how long it computes.
    measured: bool,
    operation: Option<Operation>,
}

/// A future that is given up once its process has computed, waited or lasted for too long.
pub(super) struct Metered<'a, F> {
    inner: Pin<Box<F>>,
    meter: &'a mut Meter,
}

/// When a process's present turn began, by the scheduler's ticks.
///
/// A process that was parked finds its epoch long past. It must not yield because of that: its turn has
/// only begun, and everybody who is ready would overtake it.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    ticks: Arc<AtomicU64>,
    now: Arc<Now>,
}

#[derive(Debug)]
struct Now {
    began: AtomicU64,
    /// Up to which processor time of its thread, in nanoseconds, what it computes has been spent.
    spent: AtomicU64,
}

impl Turn {
    pub(crate) fn new(ticks: &Arc<AtomicU64>) -> Self {
        Self {
            ticks: ticks.clone(),
            now: Arc::new(Now {
                began: AtomicU64::new(ticks.load(Ordering::Relaxed)),
                spent: AtomicU64::new(0),
            }),
        }
    }

    pub(super) fn begin(&self) {
        let now = self.ticks.load(Ordering::Relaxed);
        self.now.began.store(now, Ordering::Relaxed);
    }

    /// The time of the ticks since it began, in nanoseconds.
    #[inline]
    pub(super) fn lasted(&self) -> u64 {
        let now = self.ticks.load(Ordering::Relaxed);
        now.wrapping_sub(self.now.began.load(Ordering::Relaxed))
    }

    /// Whether the process has computed past a tick.
    pub(super) fn is_over(&self) -> bool {
        self.ticks.load(Ordering::Relaxed) != self.now.began.load(Ordering::Relaxed)
    }

    /// The process computes from now on, on this thread.
    fn measure(&self) {
        self.now
            .spent
            .store(nanos(processor_time()), Ordering::Relaxed);
    }

    /// Spends what the process has computed, on this thread, since that was last done.
    ///
    /// # Errors
    /// If that is more than it and those before it may.
    pub(super) fn spend(&self, budget: &Budget) -> Result<(), Overrun> {
        let now = nanos(processor_time());
        let before = self.now.spent.swap(now, Ordering::Relaxed);
        Ok(budget.cpu.spend(now.saturating_sub(before))?)
    }
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
        clock: &Clock,
    ) -> Self {
        let budget = process.budget.clone();
        Self {
            turn: turn.clone(),
            measures: process.measures.clone(),
            measured: budget.cpu.is_limited(),
            budget,
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
    /// Continues with the turn of another instance of the process.
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

impl Operation {
    fn check(&mut self, context: &mut Context<'_>) -> Result<(), Overrun> {
        let Some(number) = self.process.limited_operation() else {
            self.waiting = None;
            return Ok(());
        };
        let now = self.clock.now();
        // That of a stackless process may have begun to wait before this park, among others.
        let since = self.process.oldest_operation();
        let (_, began, end) = match self.waiting.take() {
            Some(same) if same.0 == number => self.waiting.insert(same),
            _ => {
                let since = since.unwrap_or(now);
                let end = self.clock.sleep_until(since + self.allowed);
                self.waiting.insert((number, since, end))
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
        // Others may have used up what there was since it was last polled.
        meter.budget.check_time()?;
        meter.turn.begin();
        if meter.measured {
            meter.turn.measure();
        }
        let polled = inner.as_mut().poll(context);
        meter.measures.computes(meter.turn.lasted());
        if meter.measured {
            // Short lives count as well; but what is done is done.
            let spent = meter.turn.spend(&meter.budget);
            if polled.is_pending() {
                spent?;
            }
        }
        if let Poll::Ready(output) = polled {
            return Poll::Ready(Ok(output));
        }
        if let Some(operation) = &mut meter.operation {
            operation.check(context)?;
        }
        Poll::Pending
    }
}

fn overrun(limit: LimitKind, allowed: Duration, asked: Duration) -> Overrun {
    Overrun {
        limit,
        owner: LimitOwner::Process,
        allowed: nanos(allowed),
        asked: nanos(asked),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Poll, Waker};
    use std::time::{Duration, Instant};

    use super::{Meter, Metered, Turn};
    use crate::limits::Budget;

    fn meter(allowed: Duration) -> Meter {
        Meter {
            turn: Turn::new(&std::sync::Arc::default()),
            measures: std::sync::Arc::default(),
            budget: Budget::of_time(allowed),
            measured: true,
            operation: None,
        }
    }

    fn poll_once(poll: impl FnMut(&mut Context<'_>) -> Poll<()>, allowed: Duration) -> bool {
        let mut meter = meter(allowed);
        let metered = Metered::new(std::future::poll_fn(poll), &mut meter);
        let mut context = Context::from_waker(Waker::noop());
        matches!(pin!(metered).poll(&mut context), Poll::Ready(Err(_)))
    }

    /// Longer by the clock than it may compute, as where the machine runs others.
    #[test]
    fn time_in_which_the_thread_does_not_run_is_not_counted() {
        let allowed = Duration::from_millis(40);
        let (go, told) = mpsc::channel::<()>();
        let elsewhere = std::thread::spawn(move || {
            let began = Instant::now();
            while began.elapsed() < 4 * allowed {
                std::hint::spin_loop();
            }
            drop(go);
        });
        let over = poll_once(
            |_| {
                assert!(told.recv().is_err());
                Poll::Pending
            },
            allowed,
        );
        assert!(!over);
        elsewhere.join().expect("it ends");
    }

    #[test]
    fn what_it_computes_is_counted() {
        let allowed = Duration::from_millis(1);
        let over = poll_once(
            |_| {
                let began = super::processor_time();
                while super::processor_time() - began <= allowed {}
                Poll::Pending
            },
            allowed,
        );
        assert!(over);
    }
}
