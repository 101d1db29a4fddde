//! The host: one engine, one scheduler, any number of networks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use wasmtime::Engine;

use crate::code_cache::Cache;
use crate::component::{Component, Linkers};
use crate::engine;
use crate::error::Error;
use crate::host_calls;
use crate::limits::{self, Allowed, Permits, Totals};
use crate::network::Network;
use crate::network::state::NetworkState;
use crate::process::{LimitOwner, Seeded};
use crate::usage::Counts;
use transputer_network::policies::AtCapacity;

/// Where compiled components are kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheFolder {
    /// In the user's cache folder; nowhere if that cannot be had, for
    /// [the reason](Host::cache_fault) that the host tells.
    #[default]
    Default,
    /// In this folder, which is made if it isn't there.
    At(PathBuf),
    /// Nowhere: every start compiles.
    Off,
}

/// How to set up a [`Host`].
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Worker threads; `None` for one per core.
    pub workers: Option<usize>,
    /// Processes that may live at once. Address space is reserved for all of them, so that
    /// fewer can have larger memories.
    pub max_processes: u32,
    /// Bytes that all processes may have together: memories, tables, and messages that wait.
    /// Nothing said: as much as there is.
    pub max_memory: Option<u64>,
    /// Channels and barriers that processes may have open at once, all together.
    pub max_channels: Option<u32>,
    /// What a network that starts, or a process that spawns, does where no place is free.
    pub at_capacity: AtCapacity,
    /// Where compiled components are kept.
    pub cache: CacheFolder,
    /// Whether the core module of a component is run directly where its form allows that, which
    /// costs less; otherwise all go through wasmtime's component model. Guests see no difference.
    pub direct: bool,
    /// With a seed, one worker runs one schedule, decided by the seed alone, in virtual time.
    pub seed: Option<u64>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            workers: None,
            max_processes: 10_000,
            max_memory: None,
            max_channels: None,
            at_capacity: AtCapacity::default(),
            cache: CacheFolder::default(),
            direct: true,
            seed: None,
        }
    }
}

/// Runs networks of processes. Cloning it is cheap; all clones are the same host.
///
/// ```no_run
/// use transputer::{Host, HostOptions};
///
/// let host = Host::new(HostOptions::default())?;
/// let filter = host.component("filter.wasm")?;
/// println!("{}", filter.signature());
/// # Ok::<(), transputer::Error>(())
/// ```
#[derive(Clone)]
pub struct Host(pub(crate) Arc<HostState>);

/// What all networks of a host share.
pub(crate) struct HostState {
    engine: Engine,
    linkers: Arc<Linkers>,
    cache: Cache,
    scheduler: Scheduler,
    networks: Networks,
    ticks: Arc<AtomicU64>,
    counts: Arc<Counts>,
    max_processes: u32,
    permits: Arc<Permits>,
    at_capacity: AtCapacity,
    /// How many networks it has had.
    numbers: AtomicU64,
    allowed: Allowed,
    /// What the processes of all networks use together.
    totals: Arc<Totals>,
    seeded: bool,
    /// Only for WASI's files, sockets and timers; processes don't run on it.
    wasi_runtime: Option<tokio::runtime::Runtime>,
}

type Networks = Arc<Mutex<Vec<Weak<NetworkState>>>>;

impl Host {
    /// Starts the host's threads: its workers, a timekeeper, and one for WASI.
    ///
    /// # Errors
    /// [`Error::Setup`] if address space, a thread or the cache cannot be had.
    pub fn new(options: HostOptions) -> Result<Self, Error> {
        // Before the engine has its own mappings, which it counts with.
        let permits = permits(options.max_processes);
        let cache = Cache::open(&options.cache)?;
        let engine = engine::engine(&options)?;
        let linkers = Arc::new(host_calls::linkers(&engine, options.direct)?);
        Self::with_engine(options, permits, engine, linkers, cache)
    }

    /// Another host with the same components, which runs the schedule of this seed. It is
    /// quick to make: nothing is compiled again.
    ///
    /// # Errors
    /// [`Error::Setup`] if this host has no seed, or if a thread cannot be had.
    pub fn reseeded(&self, seed: u64) -> Result<Self, Error> {
        if !self.0.seeded {
            return Err(Error::Setup {
                message: "only a host with a seed can get another one".to_owned(),
            });
        }
        let options = HostOptions {
            max_processes: self.0.max_processes,
            max_memory: self.0.allowed.memory,
            max_channels: self.0.allowed.channels,
            at_capacity: self.0.at_capacity,
            seed: Some(seed),
            ..HostOptions::default()
        };
        let state = &self.0;
        let (engine, linkers) = (state.engine.clone(), state.linkers.clone());
        let permits = state.permits.as_many();
        Self::with_engine(options, permits, engine, linkers, state.cache.clone())
    }

    fn with_engine(
        options: HostOptions,
        permits: Arc<Permits>,
        engine: Engine,
        linkers: Arc<Linkers>,
        cache: Cache,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("transputer-wasi")
            .enable_all()
            .build()
            .map_err(setup("the runtime for WASI"))?;
        let allowed = Allowed {
            memory: options.max_memory,
            channels: options.max_channels,
            cpu: None,
        };
        let networks = Networks::default();
        let ticks = Arc::new(AtomicU64::new(0));
        let scheduler = scheduler(&options, &engine, &runtime, &networks, &ticks)?;
        Ok(Self(Arc::new(HostState {
            engine,
            linkers,
            cache,
            scheduler,
            networks,
            ticks,
            counts: Arc::default(),
            max_processes: options.max_processes,
            seeded: options.seed.is_some(),
            permits,
            at_capacity: options.at_capacity,
            numbers: AtomicU64::new(0),
            allowed,
            totals: Arc::new(Totals::new(LimitOwner::Host, allowed, None)),
            wasi_runtime: Some(runtime),
        })))
    }

    /// Reads, checks and compiles a component; compiled code comes from the cache where it
    /// can.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Component`] that says what is wrong with the file.
    pub fn component(&self, path: impl AsRef<Path>) -> Result<Component, Error> {
        let state = &self.0;
        Component::read(&state.engine, &state.linkers, &state.cache, path.as_ref())
    }

    /// Like [`component`](Self::component), from bytes; `name` stands for the file in errors.
    ///
    /// # Errors
    /// [`Error::Component`] that says what is wrong with the bytes.
    pub fn component_from_bytes(&self, name: &str, bytes: &[u8]) -> Result<Component, Error> {
        let state = &self.0;
        Component::compile(&state.engine, &state.linkers, &state.cache, name, bytes)
    }

    /// An empty network, to be wired by the program.
    pub fn network(&self, name: &str) -> Network {
        Network::new(self.clone(), name)
    }

    /// How many components have come from the cache, and how many it had to have compiled.
    pub fn cache_use(&self) -> (usize, usize) {
        self.0.cache.uses()
    }

    /// Why compiled components are not kept, although [`CacheFolder::Default`] was chosen: there is
    /// no home folder, say, or other users can write the cache.
    pub fn cache_fault(&self) -> Option<&str> {
        self.0.cache.fault()
    }

    /// Processes that live now, in all networks of this host.
    pub fn running_processes(&self) -> u32 {
        self.0.permits.taken()
    }

    /// Bytes that all processes have now: memories, tables, and messages that wait in channels.
    /// Address space that is only reserved is not counted.
    pub fn memory_in_use(&self) -> u64 {
        limits::settle();
        self.0.totals.memory.used()
    }

    /// Channels and barriers that have an end now, in all networks of this host that run or ran.
    pub fn open_channels(&self) -> u64 {
        self.0.totals.channels.used()
    }

    /// Worker threads.
    pub fn workers(&self) -> usize {
        self.0.scheduler.workers()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("workers", &self.workers())
            .field("running_processes", &self.running_processes())
            .field("max_processes", &self.0.permits.most())
            .finish_non_exhaustive()
    }
}

impl HostState {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// What the host counts as it goes.
    pub(crate) fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Messages that wait in channels, and their bytes.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        let (mut messages, mut bytes) = (0, 0);
        each(&self.networks, |network| {
            for look in network.probes().iter().map(|probe| probe.snapshot()) {
                messages += look.buffered as u64;
                bytes += look.bytes as u64;
            }
        });
        (messages, bytes)
    }

    /// What the host's address space was divided by.
    pub(crate) fn max_processes(&self) -> u32 {
        self.max_processes
    }

    /// What a new process gets instead of the system's clocks and randomness, in a seeded run.
    pub(crate) fn seeded(&self) -> Option<Seeded> {
        self.seeded.then(|| Seeded {
            clock: self.scheduler.clock().clone(),
            seed: self.scheduler.random_seed(),
        })
    }

    /// What the processes of all networks use together.
    pub(crate) fn totals(&self) -> &Arc<Totals> {
        &self.totals
    }

    /// The networks that somebody still holds or that run.
    pub(crate) fn networks(&self) -> Vec<Arc<NetworkState>> {
        lock(&self.networks)
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    pub(crate) fn permits(&self) -> &Arc<Permits> {
        &self.permits
    }

    pub(crate) fn at_capacity(&self) -> AtCapacity {
        self.at_capacity
    }

    /// A number for a network.
    pub(crate) fn next_network(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts the scheduler's ticks.
    pub(crate) fn ticks(&self) -> &Arc<AtomicU64> {
        &self.ticks
    }

    /// Whether one schedule is run, decided by a seed.
    pub(crate) fn is_seeded(&self) -> bool {
        self.seeded
    }

    /// Has the host look after a network: its deadlocks are noticed from now on.
    pub(crate) fn adopt(&self, network: &Arc<NetworkState>) {
        let mut networks = lock(&self.networks);
        networks.retain(|network| network.strong_count() > 0);
        networks.push(Arc::downgrade(network));
    }
}

impl Drop for HostState {
    fn drop(&mut self) {
        self.scheduler.shutdown();
        // The last clone of a host may be dropped by a worker, which must not block on it.
        if let Some(runtime) = self.wasi_runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn permits(max_processes: u32) -> Arc<Permits> {
    match engine::mapping_capacity(max_processes) {
        Some((fits, limit)) if fits < max_processes => Permits::new(
            fits,
            format!(
                "the kernel's limit on memory mappings allows: vm.max_map_count = {limit}; for \
                 {max_processes} processes set it to {} with `sysctl -w`",
                engine::mappings_for(max_processes)
            ),
        ),
        _ => Permits::new(
            max_processes,
            format!("`max_processes` = {max_processes} allows"),
        ),
    }
}

fn scheduler(
    options: &HostOptions,
    engine: &Engine,
    runtime: &tokio::runtime::Runtime,
    networks: &Networks,
    ticks: &Arc<AtomicU64>,
) -> Result<Scheduler, Error> {
    let handle = runtime.handle().clone();
    let (ticking, ticks) = (engine.clone(), ticks.clone());
    let (at_tick, at_quiet) = (networks.clone(), networks.clone());
    let mode = match options.seed {
        Some(seed) => Mode::Seeded { seed },
        None => Mode::Parallel {
            workers: options.workers.unwrap_or_else(cores).max(1),
        },
    };
    let options = SchedulerOptions::new(mode)
        .around_worker(Arc::new(move |run| {
            let _entered = handle.enter();
            run();
        }))
        .on_tick(Arc::new(move || {
            ticks.fetch_add(1, Ordering::Relaxed);
            ticking.increment_epoch();
            each(&at_tick, |network| network.on_tick());
        }))
        .on_quiet(Arc::new(move || {
            each(&at_quiet, |network| network.on_quiet());
        }));
    Scheduler::new(options).map_err(setup("the worker threads"))
}

/// Calls `f` on every network, with no lock held.
fn each(networks: &Networks, f: impl FnMut(&Arc<NetworkState>)) {
    let living: Vec<_> = lock(networks).iter().filter_map(Weak::upgrade).collect();
    living.iter().for_each(f);
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn setup(what: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::Setup {
        message: format!("{what}: {error}"),
    }
}

/// Locks a mutex whose contents are whole at every moment, so that a panic elsewhere
/// while it was held does no harm.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
