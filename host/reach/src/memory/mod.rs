//! A carrier in memory, for tests: a server that loses, delays and forgets on purpose, decided by a seed.
//!
//! Under tokio's paused clock a whole run takes no time and is the same for the same seed. Nothing here is kept
//! anywhere: it is no carrier for networks.

mod client;
mod state;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::{Notify, watch};

pub use client::MemoryCarrier;
use state::State;

/// What goes wrong between hosts and the server, each as a share of 1.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Chaos {
    /// How long each way takes.
    pub delay: Range<Duration>,
    /// Requests that do not arrive.
    pub lose_requests: f64,
    /// Requests that are done, but whose answers do not arrive.
    pub lose_answers: f64,
    /// Hints that do not arrive.
    pub lose_hints: f64,
    /// Deliveries that go astray: the server takes them for delivered.
    pub astray: f64,
    /// Messages that arrive long after those that were sent behind them.
    pub late: f64,
}

impl Chaos {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self {
            delay: Duration::from_micros(10)..Duration::from_micros(100),
            lose_requests: 0.0,
            lose_answers: 0.0,
            lose_hints: 0.0,
            astray: 0.0,
            late: 0.0,
        }
    }

    /// Each thing goes wrong with this probability, and delays are long and different.
    pub fn all(share: f64) -> Self {
        Self {
            delay: Duration::from_micros(10)..Duration::from_millis(20),
            lose_requests: share,
            lose_answers: share,
            lose_hints: share * 4.0,
            astray: share,
            late: share,
        }
    }
}

/// What a server loses.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Forget {
    /// Nothing: it is only gone for a moment.
    Nothing,
    /// The messages that it stored last, so many of each log.
    Latest(u64),
    /// All messages, but not its values.
    Logs,
    /// Everything.
    Everything,
}

/// The server.
#[derive(Clone, Debug)]
pub struct MemoryServer(Arc<Server>);

#[derive(Debug)]
struct Server {
    state: Mutex<State>,
    rng: Mutex<Rng>,
    chaos: Mutex<Chaos>,
    changed: Notify,
    /// How often it was restarted; odd while it is down.
    incarnation: watch::Sender<u64>,
    lease: Duration,
}

impl MemoryServer {
    /// A server, all of whose choices are made by this seed.
    pub fn new(seed: u64, chaos: Chaos, lease: Duration) -> Self {
        Self(Arc::new(Server {
            state: Mutex::default(),
            rng: Mutex::new(Rng::with_seed(seed)),
            chaos: Mutex::new(chaos),
            changed: Notify::new(),
            incarnation: watch::Sender::new(0),
            lease,
        }))
    }

    /// Another host's way to it.
    pub fn connect(&self) -> MemoryCarrier {
        MemoryCarrier::new(self.clone())
    }

    /// Other things go wrong from now on.
    pub fn set_chaos(&self, chaos: Chaos) {
        *lock(&self.0.chaos) = chaos;
    }

    /// Goes down. What is on its way is lost.
    pub fn stop(&self) {
        self.0.incarnation.send_modify(|it| *it |= 1);
    }

    /// Comes up again, without what it forgets.
    pub fn start(&self, forget: Forget) {
        self.stop();
        lock(&self.0.state).forget(forget);
        self.0.incarnation.send_modify(|it| *it += 1);
        self.0.changed.notify_waiters();
    }

    /// How many messages are in a channel, waiting or unfinished.
    pub fn messages(&self, channel: &str) -> u64 {
        lock(&self.0.state).messages(channel)
    }

    /// Stores a message that no outlet has sent.
    pub fn put_junk(&self, channel: &str, why: &str) {
        lock(&self.0.state).put_junk(channel, why);
        self.0.changed.notify_waiters();
    }

    /// The consumers that a channel has now deliver nothing any more, and do not say so.
    pub fn mute_consumers(&self, channel: &str) {
        lock(&self.0.state).mute(channel);
    }

    /// What the present sole sender puts into a channel vanishes from now on.
    pub fn lose_all_of_the_sender(&self, channel: &str) {
        lock(&self.0.state).deafen(channel);
    }

    fn chance(&self, share: impl FnOnce(&Chaos) -> f64) -> bool {
        let share = share(&lock(&self.0.chaos));
        lock(&self.0.rng).f64() < share
    }

    fn delay(&self) -> Duration {
        let range = lock(&self.0.chaos).delay.clone();
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let span = nanos(range.start)..nanos(range.end).max(nanos(range.start) + 1);
        Duration::from_nanos(lock(&self.0.rng).u64(span))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
