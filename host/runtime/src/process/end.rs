//! The end of a process, and who is told of it: whoever waits for it, monitors it, or is linked
//! with it.
//!
//! Invariants:
//! - Whoever is registered in [`Listeners`] is told once. Nobody is registered after the outcome
//!   is known: whoever comes then is told at once. Monitors have been told before anybody else
//!   can see the outcome.
//! - What was registered and is no longer wanted goes away: a wait with its future, a monitor that
//!   nobody reads when the next one is registered, a link with either of its processes.
//! - A process's lock is a leaf: wakers are called and dropped, monitors sent to and dropped, and
//!   other processes ended after it is released.

use std::collections::BTreeMap;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use slab::Slab;
use transputer_core::ProcessId;

use super::Process;
use super::outcome::Outcome;
use crate::host::lock;
use crate::limits::{Charge, ENTRY, Held};
use crate::message::{Carried, Content, Sender};
use crate::text::Text;

/// Whoever wants to hear how a process ends.
#[derive(Default)]
pub(super) struct Listeners {
    waiting: Slab<Waker>,
    /// Where the outcome is to be sent: each has room for one message. What one counts for is for
    /// the text.
    monitors: Vec<Held<Sender>>,
    /// Those that its failure ends.
    linked: BTreeMap<ProcessId, Held<Weak<Process>>>,
}

impl Listeners {
    /// Has the waker called, from the place of an earlier one if it has one. Gives back a waker
    /// that is no longer needed.
    fn wait(&mut self, place: &mut Option<usize>, waker: &Waker) -> Option<Waker> {
        match place.map(|place| &mut self.waiting[place]) {
            Some(same) if same.will_wake(waker) => None,
            Some(before) => Some(mem::replace(before, waker.clone())),
            None => {
                *place = Some(self.waiting.insert(waker.clone()));
                None
            }
        }
    }

    /// Gives back the waker from this place, if the process has not ended meanwhile.
    fn stop_waiting(&mut self, place: usize) -> Option<Waker> {
        self.waiting.try_remove(place)
    }

    fn link(&mut self, other: ProcessId, process: Held<Weak<Process>>) {
        self.linked.insert(other, process);
    }

    fn unlink(&mut self, other: ProcessId) {
        self.linked.remove(&other);
    }
}

/// What a link counts for, in bytes: an entry at either process.
pub(crate) const LINK: u64 = 2 * ENTRY;

/// The future of [`Process::wait`].
pub(crate) struct WaitFuture<'a> {
    process: &'a Process,
    /// Its place among those who wait, once it has been polled.
    place: Option<usize>,
}

impl Process {
    /// Waits for the end. Dropping the future stops waiting.
    pub(crate) fn wait(&self) -> WaitFuture<'_> {
        WaitFuture {
            process: self,
            place: None,
        }
    }

    /// Sends the text of the outcome to this sender of a channel with room for one message. Whoever
    /// monitors pays for the text.
    pub(crate) fn monitored(&self, monitor: Held<Sender>) {
        let mut monitors = mem::take(&mut lock(&self.life).listeners.monitors);
        // Looking at all of them whenever the list would grow costs a constant share.
        if monitors.len() == monitors.capacity() {
            monitors.retain(|monitor| !monitor.is_ended());
        }
        monitors.push(monitor);
        let mut life = lock(&self.life);
        let Some(outcome) = life.ending.clone() else {
            life.listeners.monitors.append(&mut monitors);
            return;
        };
        drop(life);
        tell(monitors, &outcome);
    }

    /// Records the end, and tells whoever waits for it: monitors first, so that the message is there
    /// for whoever has waited.
    pub(crate) fn ended(&self, outcome: Outcome) {
        let mut life = lock(&self.life);
        debug_assert!(life.ending.is_none(), "a process ends once");
        life.ending = Some(outcome.clone());
        let monitors = mem::take(&mut life.listeners.monitors);
        drop(life);
        tell(monitors, &outcome);
        let mut life = lock(&self.life);
        life.outcome = Some(outcome.clone());
        life.task = None;
        let waiting = mem::take(&mut life.listeners.waiting);
        drop(life);
        self.in_flight.end();
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
        self.end_linked(&outcome);
    }

    /// If the process did not finish, ends those that it is linked with. Comes before its ends are
    /// poisoned: what they end with must not depend on which of the two they hear of first.
    pub(crate) fn end_linked(&self, outcome: &Outcome) {
        let linked = mem::take(&mut lock(&self.life).listeners.linked);
        for other in linked.values().filter_map(|other| other.upgrade()) {
            other.unlink(self.id);
            if !outcome.is_finished() {
                other.end_with(&self.name, outcome);
            }
        }
    }

    /// Has the failure of each of two processes end the other. If one has failed already, the
    /// other is ended now. Whoever links them is charged a [`LINK`].
    pub(crate) fn link(self: &Arc<Self>, other: &Arc<Self>, mut charge: Charge) {
        let half = charge.split(LINK / 2);
        for (one, other, charge) in [(self, other, half), (other, self, charge)] {
            let link = Held::by_process(Arc::downgrade(other), charge);
            lock(&one.life).listeners.link(other.id, link);
        }
        for (one, other) in [(self, other), (other, self)] {
            let Some(outcome) = one.outcome() else {
                continue;
            };
            one.unlink(other.id);
            other.unlink(one.id);
            if !outcome.is_finished() {
                other.end_with(&one.name, &outcome);
            }
        }
    }

    fn unlink(&self, other: ProcessId) {
        lock(&self.life).listeners.unlink(other);
    }

    /// Ends the process because one that it is linked with has failed.
    pub(crate) fn end_with(&self, name: &str, outcome: &Outcome) {
        let why = Text::of(format_args!("linked process `{name}` {outcome}"));
        self.end(Outcome::Stopped(why.into_string()));
    }
}

/// Sends the text of an outcome to each monitor: nothing if it finished.
fn tell(monitors: Vec<Held<Sender>>, outcome: &Outcome) {
    if monitors.is_empty() {
        return;
    }
    let text = match outcome {
        Outcome::Finished => String::new(),
        other => Text::of(other).into_string(),
    };
    for monitor in monitors {
        let bytes = text.clone().into_bytes().into();
        let ends = Carried::default();
        let (monitor, message) = monitor.trade(Content { bytes, ends });
        // Nobody may be listening any more.
        let _ = monitor.try_send(message);
    }
}

impl Future for WaitFuture<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        let mut life = lock(&this.process.life);
        if let Some(outcome) = life.outcome.clone() {
            this.place = None;
            return Poll::Ready(outcome);
        }
        let unneeded = life.listeners.wait(&mut this.place, context.waker());
        drop(life);
        drop(unneeded);
        Poll::Pending
    }
}

impl Drop for WaitFuture<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let unneeded = lock(&self.process.life).listeners.stop_waiting(place);
            drop(unneeded);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};
    use std::task::{Wake, Waker};

    use transputer_core::ProcessId;

    use super::Listeners;
    use crate::limits::Held;

    struct Quiet;

    impl Wake for Quiet {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_wait_that_is_dropped_leaves_no_waker_behind() {
        let mut listeners = Listeners::default();
        let (one, other) = (Arc::new(Quiet), Arc::new(Quiet));
        let mut places = [None, None, None];
        for place in &mut places {
            listeners.wait(place, &Waker::from(one.clone()));
            listeners.wait(place, &Waker::from(one.clone()));
            listeners.wait(place, &Waker::from(other.clone()));
        }
        assert_eq!((Arc::strong_count(&one), Arc::strong_count(&other)), (1, 4));
        for place in places.into_iter().flatten() {
            listeners.stop_waiting(place);
        }
        assert_eq!(Arc::strong_count(&other), 1);
        assert!(listeners.waiting.is_empty());
    }

    #[test]
    fn a_link_that_is_made_again_is_one_link() {
        let mut listeners = Listeners::default();
        for _ in 0..1_000 {
            listeners.link(ProcessId(1), Held::by_program(Weak::new()));
            listeners.link(ProcessId(2), Held::by_program(Weak::new()));
        }
        assert_eq!(listeners.linked.len(), 2);
        listeners.unlink(ProcessId(1));
        assert_eq!(listeners.linked.len(), 1);
    }
}
