//! The thread that fires timers, ticks while tasks run, and reports when all is quiet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Hook;
use super::shared::{PollCount, Queue, Shared};
use crate::clock::coarse;

pub(super) struct Timekeeper {
    shared: Arc<Shared>,
    tick: Duration,
    on_tick: Option<Hook>,
    on_quiet: Option<Hook>,
    /// The workers' poll counts at the last tick.
    seen: Vec<u64>,
    /// Their sum at the last report of quiet.
    reported: u64,
    /// `None` while it dozes.
    tick_at: Option<Instant>,
}

impl Timekeeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        tick: Duration,
        on_tick: Option<Hook>,
        on_quiet: Option<Hook>,
    ) -> Self {
        Self {
            seen: vec![0; shared.polls.len()],
            reported: 0,
            tick_at: Some(Instant::now() + tick),
            shared,
            tick,
            on_tick,
            on_quiet,
        }
    }

    pub(super) fn run(mut self) {
        let shared = self.shared.clone();
        while !shared.is_stopping() {
            let timer = self.fire_timers();
            self.report_quiet_deterministic();
            let now = Instant::now();
            match self.tick_at {
                Some(at) if now < at => {}
                Some(_) => self.tick_at = self.tick(now),
                None if shared.parker.is_dozing() => {}
                None => self.tick_at = Some(now + self.tick),
            }
            shared
                .parker
                .wait([self.tick_at, timer].into_iter().flatten().min());
        }
        shared.clock.stop();
    }

    /// Wakes what is due; tells when the next timer is.
    fn fire_timers(&self) -> Option<Instant> {
        if matches!(self.shared.queue, Queue::Deterministic(_)) {
            return None;
        }
        let next = self.shared.clock.fire_due()?;
        // A deadline past what an `Instant` holds is as good as none.
        Instant::now().checked_add(next - self.shared.clock.now())
    }

    /// One tick: tells when the next is due, or `None` to doze.
    fn tick(&mut self, now: Instant) -> Option<Instant> {
        let stirred = self.look_at_workers();
        coarse::refresh();
        if stirred {
            if let Queue::MultiThread(multi_thread) = &self.shared.queue {
                multi_thread.tick();
            }
            if let Some(hook) = &self.on_tick {
                self.shared.call(hook.as_ref());
            }
            return Some(now + self.tick);
        }
        self.report_quiet_multi_thread();
        self.shared.parker.set_dozing(true);
        // A poll that has begun and ended since the look above must be reported as well, and so must a
        // quiet that began after the report: a worker may have been between two waits, or time was held.
        if self.shared.is_idle() && !self.has_polled() && !self.is_quiet_unreported() {
            return None;
        }
        self.shared.parker.set_dozing(false);
        Some(now + self.tick)
    }

    /// Whether any worker polls, or has polled since the last tick. A worker still in the poll of
    /// the last tick may stay there for long: its slot is given to the others.
    fn look_at_workers(&mut self) -> bool {
        let mut stirred = false;
        for (worker, (polls, seen)) in self.shared.polls.iter().zip(&mut self.seen).enumerate() {
            let count = polls.get();
            let polling = count % 2 == 1;
            if polling
                && count == *seen
                && let Queue::MultiThread(multi_thread) = &self.shared.queue
            {
                multi_thread.fair.release_slot(worker);
            }
            stirred |= polling || count != *seen;
            *seen = count;
        }
        stirred
    }

    fn has_polled(&self) -> bool {
        let counts = self.shared.polls.iter().map(PollCount::get);
        counts.ne(self.seen.iter().copied())
    }

    /// Called at a tick without a poll since the last: a pause between two messages isn't
    /// reported.
    fn report_quiet_multi_thread(&mut self) {
        if let Some(hook) = &self.on_quiet
            && self.is_quiet_unreported()
        {
            self.reported = self.polls_seen();
            self.shared.call(hook.as_ref());
        }
    }

    fn is_quiet_unreported(&self) -> bool {
        matches!(self.shared.queue, Queue::MultiThread(_))
            && self.on_quiet.is_some()
            && self.polls_seen() != self.reported
            && self.shared.is_quiet()
    }

    fn polls_seen(&self) -> u64 {
        let seen = self.seen.iter();
        seen.fold(0, |sum: u64, &count| sum.wrapping_add(count))
    }

    fn report_quiet_deterministic(&self) {
        if let (Queue::Deterministic(deterministic), Some(hook)) =
            (&self.shared.queue, &self.on_quiet)
        {
            deterministic.report_quiet(&self.shared, || self.shared.call(hook.as_ref()));
        }
    }
}
