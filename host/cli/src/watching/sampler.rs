//! The thread that looks at the network.
//!
//! With the page it looks all the time: every half second while somebody has asked within the last
//! seconds, every second otherwise, and never for more than one part in 200 of the time. Without the
//! page it sleeps until somebody asks.
//!
//! The lock is a leaf but for the network's own, which a look takes one after the other. It is not
//! held during a look, nor by whoever tells of an event for longer than it takes to keep it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use transputer::{Event, Report, Running, Verdict};

use super::boxes::Painter;
use super::events::Events;
use super::history::{Frame, History, Summary};
use super::rates::{Rates, milliseconds};
use super::view::Look;

/// The time between two looks while somebody watches, and while nobody does.
const WATCHED: Duration = Duration::from_millis(500);
const UNWATCHED: Duration = Duration::from_secs(1);

/// A look may take one part in so many of the time.
const SHARE: u32 = 200;

/// How long somebody who has asked counts as watching.
const ATTENTION: Duration = Duration::from_secs(6);

/// The most deadlocks at which a look is made.
const DEADLOCKS: usize = 3;

pub(super) struct Sampler {
    /// Looks are made although nobody asks, so that the last minutes are known.
    always: bool,
    running: OnceLock<Running>,
    began: Instant,
    state: Mutex<State>,
    /// Signalled when somebody asks, and at the end.
    changed: Condvar,
    /// Held while one looks and until it is kept, so that looks come one after the other.
    looking: Mutex<Painter>,
}

#[derive(Default)]
struct State {
    rates: Rates,
    events: Events,
    history: History,
    last: Option<Look>,
    /// What was seen at the last deadlock.
    deadlocked: Option<Look>,
    asked: Option<Instant>,
    asked_for_each: Option<Instant>,
    ended: Option<String>,
    /// Somebody has been given the end.
    seen: bool,
}

impl Sampler {
    pub(super) fn new(always: bool) -> Self {
        Self {
            always,
            running: OnceLock::new(),
            began: Instant::now(),
            state: Mutex::default(),
            changed: Condvar::new(),
            looking: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        milliseconds(self.began.elapsed())
    }

    /// Begins to look. Without a thread looks are only made when somebody asks.
    pub(super) fn start(self: &Arc<Self>, running: &Running) {
        self.running.get_or_init(|| running.clone());
        let sampler = self.clone();
        let thread = std::thread::Builder::new().name("watching".to_owned());
        // It ends with the network.
        let _ = thread.spawn(move || sampler.look_all_the_time());
    }

    /// Keeps an event; at a deadlock looks at who waits, before the channels are poisoned.
    pub(super) fn note(&self, event: &Event) {
        let mut state = self.state();
        state.events.note(event, self.now());
        let first = state.events.deadlocks.len() <= DEADLOCKS;
        drop(state);
        if matches!(event, Event::Deadlock(_)) && first {
            self.look();
            let mut state = self.state();
            state.deadlocked = state.last.clone();
        }
    }

    fn look_all_the_time(&self) {
        loop {
            let began = Instant::now();
            if self.is_over() {
                return;
            }
            if self.always || self.state().asked.is_some() {
                self.look();
            }
            let pause = began.elapsed() * SHARE;
            let mut state = self.state();
            loop {
                if state.ended.is_some() {
                    return;
                }
                let watched = state.asked.is_some_and(|asked| asked.elapsed() < ATTENTION);
                let pause = match (watched, self.always) {
                    (true, _) => Some(pause.max(WATCHED)),
                    (false, true) => Some(pause.max(UNWATCHED)),
                    // Somebody has to ask first.
                    (false, false) => None,
                };
                let left = pause.map(|pause| pause.saturating_sub(began.elapsed()));
                state = match left {
                    Some(Duration::ZERO) => break,
                    Some(left) => {
                        let waited = self.changed.wait_timeout(state, left);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => {
                        let waited = self.changed.wait(state);
                        waited.unwrap_or_else(PoisonError::into_inner)
                    }
                };
            }
        }
    }

    fn is_over(&self) -> bool {
        self.state().ended.is_some() || self.running.get().is_none_or(Running::has_ended)
    }

    /// Looks at the network, and keeps what it sees.
    fn look(&self) {
        let Some(running) = self.running.get() else {
            return;
        };
        let mut painter = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let status = running.look();
        let at = self.began.elapsed();
        let mut state = self.state();
        if state.ended.is_some() || status.processes.is_empty() {
            return;
        }
        let mut look = state.rates.look(&status, at);
        look.events = state.events.all();
        look.deadlocks = state.events.deadlocks.clone();
        look.stuck = stuck(&look);
        let each = state
            .asked_for_each
            .is_some_and(|asked| asked.elapsed() < ATTENTION);
        drop(state);
        self.keep(look, &mut painter, each);
    }

    fn keep(&self, look: Look, painter: &mut Painter, each: bool) {
        let pictures = painter.paint(&look, each);
        let mut state = self.state();
        // A look is text and numbers, which JSON can always say.
        let _ = state.history.push(&look, pictures);
        state.last = Some(look);
    }

    /// The network has ended: that is what is seen from now on.
    pub(super) fn end(&self, report: &Report) {
        let mut painter = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        let mut look = state.last.clone().unwrap_or_default();
        look.at = self.now();
        look.network = crate::printable::one_line(&report.network);
        let ended = verdict(report);
        look.ended = Some(ended.clone());
        look.events = state.events.all();
        look.deadlocks = state.events.deadlocks.clone();
        look.bottlenecks.clear();
        look.totals.born = report.processes;
        look.totals.failed = report.failed;
        look.totals.restarts = report.restarts;
        look.totals.deadlocks = report.deadlocked;
        look.totals.sent = report.sent;
        look.totals.dropped = report.dropped;
        look.totals.rate = 0.0;
        look.totals.cpu_share = 0.0;
        look.totals.living = 0;
        look.totals.running = 0;
        look.totals.memory = 0;
        // Who was stuck is what one wants to see; of the others there is nothing left.
        let then = state.deadlocked.take().unwrap_or_default();
        look.processes = then.processes;
        look.channels = then.channels;
        look.stuck = then.stuck;
        state.ended = Some(ended);
        drop(state);
        self.keep(look, &mut painter, false);
        self.changed.notify_all();
    }

    /// Notes that somebody asks.
    fn asked(&self, each: bool) {
        let mut state = self.state();
        let now = Instant::now();
        let was_idle = state.asked.is_none_or(|asked| asked.elapsed() >= ATTENTION);
        state.asked = Some(now);
        let first_each = each && state.asked_for_each.is_none();
        if each {
            state.asked_for_each = Some(now);
        }
        let ended = state.ended.is_some();
        drop(state);
        self.changed.notify_all();
        // What was seen last may be old.
        if !ended && (was_idle && !self.always || first_each) {
            self.look();
        }
    }

    /// What is seen now, for somebody who asks. `None` before the first look.
    pub(super) fn now_json(&self, each: bool) -> Option<String> {
        self.asked(each);
        let mut state = self.state();
        state.seen |= state.ended.is_some();
        let frame: Frame = state.history.last()?.clone();
        drop(state);
        self.changed.notify_all();
        Some(frame.json(each))
    }

    /// The same for programs: without the picture.
    pub(super) fn last(&self) -> Option<Look> {
        self.asked(false);
        self.state().last.clone()
    }

    /// What was seen so many milliseconds after the start.
    pub(super) fn then_json(&self, at: u64, each: bool) -> Option<String> {
        self.asked(each);
        let frame = self.state().history.at(at)?.clone();
        Some(frame.json(each))
    }

    pub(super) fn summaries_json(&self) -> String {
        let state = self.state();
        let summaries: Vec<&Summary> = state.history.summaries();
        serde_json::to_string(&summaries).unwrap_or_default()
    }

    /// Waits until those who watch have been given the end; not at all if nobody watches.
    pub(super) fn wait_until_seen(&self, most: Duration) {
        let state = self.state();
        if state.asked.is_none_or(|asked| asked.elapsed() >= ATTENTION) {
            return;
        }
        // Whether they have been, or the time is over.
        let _ = self
            .changed
            .wait_timeout_while(state, most, |state| !state.seen);
    }
}

/// The numbers of the processes that a deadlock names.
fn stuck(look: &Look) -> Vec<u64> {
    let named: std::collections::HashSet<&str> = (look.deadlocks.iter())
        .flat_map(|deadlock| deadlock.names.iter().map(String::as_str))
        .collect();
    let stuck = look
        .processes
        .iter()
        .filter(|process| named.contains(process.name.as_str()));
    stuck.map(|process| process.id).collect()
}

fn verdict(report: &Report) -> String {
    match report.verdict() {
        Verdict::Succeeded => "succeeded".to_owned(),
        Verdict::Failed => format!(
            "failed: {} of {} processes",
            report.failed, report.processes
        ),
        Verdict::Deadlocked => "ended in a deadlock".to_owned(),
        Verdict::Stopped => match &report.stopped {
            Some(reason) => format!("stopped: {}", crate::printable::one_line(reason)),
            None => "stopped".to_owned(),
        },
    }
}
