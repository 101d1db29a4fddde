//! A process that crashes when it is told to.

use std::time::Duration;

use transputer::{
    Backoff, HostReceiver, HostSender, Network, Report, Restart, Running, Unfinished,
};

use crate::{Events, guest, host, input, output};

/// Longer than a test takes.
pub const MINUTE: Duration = Duration::from_secs(60);

/// What `crashes` panics over.
pub const PANIC: u64 = 666;
/// What `crashes` fails over.
pub const FAIL: u64 = 667;
/// What `crashes` returns after.
pub const RETURN: u64 = 1000;

/// Restarts after failures, at once, as often as a test may need, and loses the bad message.
pub fn at_once() -> Restart {
    Restart::on_failure()
        .intensity(100, MINUTE)
        .backoff(Backoff::none())
        .unfinished(Unfinished::Drop)
}

/// A network of one process, `worker`, that crashes when it is told to.
#[derive(Debug)]
pub struct Crashing {
    /// What it is fed with.
    pub numbers: HostSender,
    /// What it passes on.
    pub out: HostReceiver,
    /// What the network tells.
    pub events: Events,
    /// The network.
    pub running: Running,
}

impl Crashing {
    /// Starts it.
    pub fn start(restart: Restart) -> Self {
        Self::wire(restart, |_| {})
    }

    /// Starts it with more wired to it.
    pub fn wire(restart: Restart, more: impl FnOnce(&mut Network)) -> Self {
        let mut network = host().network("crashing");
        network
            .process("worker", &guest("crashes"))
            .restart(restart);
        let numbers = input(&mut network, "worker.numbers");
        let out = output(&mut network, "worker.out");
        more(&mut network);
        let events = Events::of(&mut network);
        Self {
            numbers,
            out,
            events,
            running: network.start().expect("it starts"),
        }
    }

    /// Feeds it a number.
    pub fn send(&self, number: u64) {
        self.numbers.send_value(&number).expect("it is received");
    }

    /// A number goes through, so the process lives.
    pub fn passes(&self, number: u64) {
        self.send(number);
        assert_eq!(self.out.receive_value::<u64>().expect("a number"), number);
    }

    /// Feeds it no more, and waits for its end.
    pub fn end(self) -> Report {
        drop(self.numbers);
        self.running.wait()
    }
}
