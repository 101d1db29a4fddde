//! Events as a stream, or in a loop.
//!
//! Workers put events into a queue and never wait for whoever reads it: what does not fit is counted.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::event::Event;
use crate::host::lock;

/// What happens in a network, one event after the other: a [`Stream`] for async programs, and for others a loop that blocks. It
/// ends with the network.
///
/// Nobody waits for whoever reads this: events that come while as many wait as there is room for are lost, and
/// [counted](Self::missed).
///
/// ```no_run
/// use transputer::{Event, Host, HostOptions};
///
/// # let host = Host::new(HostOptions::default())?;
/// # let mut network = host.network("plugins");
/// let events = network.events(1000);
/// let running = network.start()?;
/// for event in events {
///     if let Event::Log { process, level, line } = event {
///         println!("{level}: {process}: {line}");
///     }
/// }
/// println!("{:?}", running.wait().verdict());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Events(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    /// Signalled when there is an event, or there will be no more.
    changed: Condvar,
}

struct State {
    events: VecDeque<Event>,
    capacity: usize,
    missed: u64,
    /// Whether processes may still tell something.
    processes: bool,
    /// Whether standard output may.
    output: bool,
    waker: Option<Waker>,
}

impl State {
    fn is_open(&self) -> bool {
        self.processes || self.output
    }
}

/// Where a network puts its events. Dropped, it ends them.
pub(super) struct EventSource(Arc<Queue>);

/// A queue with room for so many events.
pub(super) fn events(capacity: usize) -> (EventSource, Events) {
    let queue = Arc::new(Queue {
        state: Mutex::new(State {
            events: VecDeque::new(),
            capacity: capacity.max(1),
            missed: 0,
            processes: true,
            output: true,
            waker: None,
        }),
        changed: Condvar::new(),
    });
    (EventSource(queue.clone()), Events(queue))
}

impl EventSource {
    pub(super) fn tell(&self, event: &Event) {
        self.change(|state| match state.events.len() < state.capacity {
            true => state.events.push_back(event.clone()),
            false => state.missed += 1,
        });
    }

    /// No process is left.
    pub(super) fn processes_ended(&self) {
        self.change(|state| state.processes = false);
    }

    /// Standard output is written, or there is none.
    pub(super) fn output_ended(&self) {
        self.change(|state| state.output = false);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.0.state);
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.0.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.change(|state| (state.processes, state.output) = (false, false));
    }
}

impl Events {
    /// The next event if there is one.
    pub fn try_next(&mut self) -> Option<Event> {
        lock(&self.0.state).events.pop_front()
    }

    /// How many events were lost because nobody had read those before them.
    pub fn missed(&self) -> u64 {
        lock(&self.0.state).missed
    }
}

/// Events in a loop: each step blocks until there is one, or the network has ended.
#[derive(Debug)]
pub struct EventLoop(Events);

impl IntoIterator for Events {
    type Item = Event;
    type IntoIter = EventLoop;

    fn into_iter(self) -> EventLoop {
        EventLoop(self)
    }
}

impl Iterator for EventLoop {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let Queue { state, changed } = &*self.0.0;
        let wait = |state: &mut State| state.events.is_empty() && state.is_open();
        let state = changed.wait_while(lock(state), wait);
        state
            .unwrap_or_else(PoisonError::into_inner)
            .events
            .pop_front()
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut state = lock(&self.0.state);
        if let Some(event) = state.events.pop_front() {
            return Poll::Ready(Some(event));
        }
        if !state.is_open() {
            return Poll::Ready(None);
        }
        let before = state.waker.replace(context.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.state);
        f.debug_struct("Events")
            .field("waiting", &state.events.len())
            .field("missed", &state.missed)
            .finish()
    }
}
