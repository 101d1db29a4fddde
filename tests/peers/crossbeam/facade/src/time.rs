//! Channels that the clock sends to, and one to which nobody does.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use transputer_core::{Clock, Mode, Scheduler, SchedulerOptions};

use crate::{Receiver, TrySendError, bounded};

fn scheduler() -> &'static Scheduler {
    static SCHEDULER: OnceLock<Scheduler> = OnceLock::new();
    SCHEDULER.get_or_init(|| {
        let mode = Mode::Parallel { workers: 1 };
        Scheduler::new(SchedulerOptions::new(mode)).expect("a thread can be started")
    })
}

pub(crate) fn clock() -> &'static Clock {
    scheduler().clock()
}

/// A channel to which nobody sends.
pub fn never<T>() -> Receiver<T> {
    let (sender, receiver) = bounded(0);
    receiver.kept_open(sender.core)
}

/// A channel that carries one message, after `duration`.
pub fn after(duration: Duration) -> Receiver<Instant> {
    let (sender, receiver) = bounded(1);
    let receiver = receiver.kept_open(sender.core.clone());
    if duration.is_zero() {
        // The tests want it at once, not as soon as a worker comes to it.
        let _ = sender.try_send(Instant::now());
        return receiver;
    }
    let sleep = clock().sleep(duration);
    scheduler().spawn(async move {
        sleep.await;
        // Nobody may be left to hear of it.
        let _ = sender.try_send(Instant::now());
    });
    receiver
}

/// A channel that carries a message every `period`; those for which there is no room are left out.
pub fn tick(period: Duration) -> Receiver<Instant> {
    let (sender, receiver) = bounded(1);
    let receiver = receiver.kept_open(sender.core.clone());
    if period.is_zero() {
        let _ = sender.try_send(Instant::now());
    }
    // The worker has other channels to serve.
    let period = period.max(Duration::from_micros(1));
    let mut next = clock().now();
    scheduler().spawn(async move {
        loop {
            // A tick that comes late moves those after it.
            next = clock().now().max(next) + period;
            clock().sleep_until(next).await;
            if let Err(TrySendError::Disconnected(_)) = sender.try_send(Instant::now()) {
                return;
            }
        }
    });
    receiver
}
