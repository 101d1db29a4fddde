//! What the suites share: one host, and the guest programs of `tests/guests`.

mod churn;
mod crashing;
mod raw;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use transputer::{
    ChannelOptions, Component, Event, Host, HostOptions, HostReceiver, HostSender, Network, Report,
    Usage,
};

pub use churn::Churn;
pub use crashing::{Crashing, FAIL, MINUTE, PANIC, RETURN, at_once};
pub use raw::{
    Kit, StringEncoding, encode, guest_of_fields, guest_that_imports, raw_guest,
    raw_stackless_guest, stackless_guest_of_fields,
};

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in a folder of the repository")
}

/// The file of a guest program, which `tools/test` builds before it runs the tests.
///
/// # Panics
/// If it has not been built.
pub fn guest_file(name: &str) -> PathBuf {
    let built = repository().join("target/guests/wasm32-wasip2/guest/examples");
    let twin = built.join(format!("async_{name}.wasm"));
    if is_asynchronous() && twin.is_file() {
        return twin;
    }
    let path = built.join(format!("{name}.wasm"));
    assert!(
        path.is_file(),
        "the guest program `{name}` is not built: run `tools/test`, which builds them first"
    );
    path
}

/// Whether guests are to be async functions where there is one of the same name: with `TRANSPUTER_ASYNC=1`.
pub fn is_asynchronous() -> bool {
    std::env::var_os("TRANSPUTER_ASYNC").is_some_and(|it| it == "1")
}

/// A host that all tests of a program share.
pub fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| new_host(HostOptions::default()))
}

/// A host with as many workers as `TRANSPUTER_WORKERS` says, else two, unless the options
/// say otherwise. With `TRANSPUTER_CORE_MODULES=0` it instantiates every component as a whole.
///
/// # Panics
/// If `TRANSPUTER_WORKERS` is not a number.
pub fn new_host(options: HostOptions) -> Host {
    let as_a_whole = std::env::var_os("TRANSPUTER_CORE_MODULES").is_some_and(|it| it == "0");
    let core_modules = options.core_modules && !as_a_whole;
    let workers = options.workers.unwrap_or_else(workers);
    let options = options.workers(workers).core_modules(core_modules);
    Host::new(options).expect("a host can be set up")
}

fn workers() -> usize {
    match std::env::var("TRANSPUTER_WORKERS") {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("TRANSPUTER_WORKERS is not a number of workers: `{text}`")),
        Err(_) => 2,
    }
}

/// A guest program as a component of the shared host.
pub fn guest(name: &str) -> Component {
    guest_of(host(), name)
}

/// A guest program as a component of some host.
pub fn guest_of(host: &Host, name: &str) -> Component {
    match host.component(guest_file(name)) {
        Ok(component) => component,
        Err(error) => panic!("{error}"),
    }
}

/// The input port of a process that the test feeds, by a rendezvous.
pub fn input(network: &mut Network, port: &str) -> HostSender {
    network
        .input(port, ChannelOptions::rendezvous())
        .expect("the port can be wired")
}

/// The output port of a process that the test reads, by a rendezvous.
pub fn output(network: &mut Network, port: &str) -> HostReceiver {
    network
        .output(port, ChannelOptions::rendezvous())
        .expect("the port can be wired")
}

/// Everything that a network tells.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// Listens to a network that is being wired.
    pub fn of(network: &mut Network) -> Self {
        let events = Self::default();
        let heard = events.clone();
        network.on_event(move |event| heard.list().push(event));
        events
    }

    /// What was told so far.
    pub fn list(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a host holds what it held before, if only for a moment: a look for deadlocks keeps
/// the channels that it looks at, and a monitor outlives its child.
///
/// # Panics
/// If the host never gets back to that, which takes long to find out.
pub fn assert_comes_back(host: &Host, before: Usage) {
    let patience = Instant::now() + Duration::from_secs(20);
    while host.usage() != before && Instant::now() < patience {
        std::thread::yield_now();
    }
    assert_eq!(
        host.usage(),
        before,
        "the host holds more, or less, than before"
    );
}

/// Waits until no account of a host has anything in it, likewise.
///
/// # Panics
/// If something stays, which takes long to find out.
pub fn until_nothing_is_held(host: &Host) {
    let patience = Instant::now() + Duration::from_secs(20);
    while host.memory_in_use() > 0 && Instant::now() < patience {
        std::thread::yield_now();
    }
    assert_eq!(host.memory_in_use(), 0, "something is not given back");
}

/// Starts a network, and waits for its end.
pub fn run(network: Network) -> Report {
    network.start().expect("the network can be started").wait()
}

/// Runs one process that has no ports, and gives back how it failed, if it did.
pub fn run_alone(
    name: &str,
    settings: impl FnOnce(&mut transputer::ProcessSettings<'_>),
) -> Option<transputer::Outcome> {
    let mut network = host().network(name);
    settings(&mut network.process(name, &guest(name)));
    let report = run(network);
    assert_eq!(report.processes, 1);
    report
        .failures
        .into_iter()
        .next()
        .map(|failure| failure.outcome)
}
