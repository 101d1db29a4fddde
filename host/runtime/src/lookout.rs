//! The thread that looks at a host's networks: for deadlocks, for messages that nobody can
//! receive, and for processes whose lifetime is over.
//!
//! A look takes as long as its network is large. The timekeeper, which knows when one is due, only
//! calls for it here, so that ticks and timers go on meanwhile. Calls that come while it looks
//! are one call; none is lost. Nor do lifetimes wait until it is some task's turn, among all the
//! processes that are to be ended.
//!
//! A seeded run has no such thread: there, nothing may run while somebody looks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Instant;

use crate::host::{Networks, each, lock};
use crate::limits::Lifetime;

/// What looks at networks, until it is told to stop.
pub(crate) struct Lookout {
    pub(crate) calls: Arc<Calls>,
    thread: Option<JoinHandle<()>>,
}

/// What the timekeeper asks for. The lock is a leaf.
#[derive(Default)]
pub(crate) struct Calls {
    called: Mutex<Called>,
    changed: Condvar,
}

#[derive(Default)]
struct Called {
    /// A look at the networks that have not been looked at for a while.
    due: bool,
    /// A look at all, since nothing runs.
    quiet: bool,
    /// Lifetimes that may be over.
    over: Vec<Arc<Lifetime>>,
    stop: bool,
}

impl Calls {
    fn call(&self, what: impl FnOnce(&mut Called)) {
        what(&mut lock(&self.called));
        self.changed.notify_one();
    }

    /// Calls for a look at those networks that are due, if any is.
    pub(crate) fn on_tick(&self, networks: &Networks) {
        let now = Instant::now();
        let mut due = false;
        each(networks, |network| due |= network.is_look_due(now));
        if due {
            self.call(|called| called.due = true);
        }
    }

    /// Calls for a look at all networks.
    pub(crate) fn on_quiet(&self) {
        self.call(|called| called.quiet = true);
    }

    /// Calls for the end of all who live on a lifetime.
    pub(crate) fn on_end(&self, lifetime: Arc<Lifetime>) {
        self.call(|called| called.over.push(lifetime));
    }

    /// Waits for a call.
    fn next(&self) -> Called {
        let mut called = lock(&self.called);
        while !called.any() {
            let waited = self.changed.wait(called);
            called = waited.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut *called)
    }

    fn answer(&self, networks: &Networks) {
        loop {
            let called = self.next();
            if called.stop {
                return;
            }
            // Should a look fail, the next one is made all the same.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                called.over.iter().for_each(|lifetime| lifetime.end());
                if called.due {
                    each(networks, |network| network.on_tick());
                }
                if called.quiet {
                    each(networks, |network| network.on_quiet());
                }
            }));
        }
    }
}

impl Called {
    fn any(&self) -> bool {
        self.due || self.quiet || self.stop || !self.over.is_empty()
    }
}

impl Lookout {
    /// Starts the thread.
    pub(crate) fn start(calls: &Arc<Calls>, networks: &Networks) -> std::io::Result<Self> {
        let (called, networks) = (calls.clone(), networks.clone());
        let thread = thread::Builder::new()
            .name("transputer-look".to_owned())
            .spawn(move || called.answer(&networks))?;
        Ok(Self {
            calls: calls.clone(),
            thread: Some(thread),
        })
    }
}

impl Drop for Lookout {
    /// Waits for the look that it is at, except on its own thread, which may have held the last
    /// network, and with it the host.
    fn drop(&mut self) {
        self.calls.call(|called| called.stop = true);
        let here: ThreadId = thread::current().id();
        if let Some(thread) = self.thread.take().filter(|it| it.thread().id() != here) {
            // A panic there has been shown, and harms no process.
            let _ = thread.join();
        }
    }
}
