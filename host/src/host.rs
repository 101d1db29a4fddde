//! The host: one engine, one scheduler, any number of networks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use wasmtime::component::Linker;
use wasmtime::{Cache, Engine};

use crate::component::Component;
use crate::engine;
use crate::error::{Error, SpawnFault};
use crate::imports;
use crate::network::Network;
use crate::network::state::NetworkState;
use crate::process::{ProcessState, Seeded};
use crate::usage::Counts;

/// Where compiled components are kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheFolder {
    /// In the user's cache folder.
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
    /// Where compiled components are kept.
    pub cache: CacheFolder,
    /// With a seed, one worker runs one schedule, decided by the seed alone, in virtual time.
    pub seed: Option<u64>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            workers: None,
            max_processes: 10_000,
            cache: CacheFolder::default(),
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
    linker: Arc<Linker<ProcessState>>,
    cache: Option<Cache>,
    scheduler: Scheduler,
    networks: Networks,
    ticks: Arc<AtomicU64>,
    running: AtomicU32,
    counts: Arc<Counts>,
    max_processes: u32,
    capacity: Capacity,
    seeded: bool,
    /// Only for WASI's files, sockets and timers; processes don't run on it.
    wasi_runtime: Option<tokio::runtime::Runtime>,
}

type Networks = Arc<Mutex<Vec<Weak<NetworkState>>>>;

/// How many processes may live at once, and what says so.
struct Capacity {
    most: u32,
    reason: String,
}

/// A place among the host's processes, free again when dropped.
pub(crate) struct Place(Arc<HostState>);

impl Host {
    /// Starts the host's threads: its workers, a timekeeper, and one for WASI.
    ///
    /// # Errors
    /// [`Error::Setup`] if address space, a thread or the cache cannot be had.
    pub fn new(options: HostOptions) -> Result<Self, Error> {
        let (engine, cache) = engine::engine(&options)?;
        let linker = Arc::new(imports::linker(&engine)?);
        Self::with_engine(options, engine, linker, cache)
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
            seed: Some(seed),
            ..HostOptions::default()
        };
        let state = &self.0;
        let (engine, linker) = (state.engine.clone(), state.linker.clone());
        Self::with_engine(options, engine, linker, state.cache.clone())
    }

    fn with_engine(
        options: HostOptions,
        engine: Engine,
        linker: Arc<Linker<ProcessState>>,
        cache: Option<Cache>,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("transputer-wasi")
            .enable_all()
            .build()
            .map_err(setup("the runtime for WASI"))?;
        let networks = Networks::default();
        let ticks = Arc::new(AtomicU64::new(0));
        let scheduler = scheduler(&options, &engine, &runtime, &networks, &ticks)?;
        Ok(Self(Arc::new(HostState {
            engine,
            linker,
            cache,
            scheduler,
            networks,
            ticks,
            running: AtomicU32::new(0),
            counts: Arc::default(),
            max_processes: options.max_processes,
            seeded: options.seed.is_some(),
            capacity: Capacity::new(options.max_processes),
            wasi_runtime: Some(runtime),
        })))
    }

    /// Reads, checks and compiles a component; compiled code comes from the cache where it
    /// can.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Component`] that says what is wrong with the file.
    pub fn component(&self, path: impl AsRef<Path>) -> Result<Component, Error> {
        Component::read(&self.0.engine, &self.0.linker, path.as_ref())
    }

    /// Like [`component`](Self::component), from bytes; `name` stands for the file in errors.
    ///
    /// # Errors
    /// [`Error::Component`] that says what is wrong with the bytes.
    pub fn component_from_bytes(&self, name: &str, bytes: &[u8]) -> Result<Component, Error> {
        Component::compile(&self.0.engine, &self.0.linker, name, bytes)
    }

    /// An empty network, to be wired by the program.
    pub fn network(&self, name: &str) -> Network {
        Network::new(self.clone(), name)
    }

    /// How many components have come from the cache, and how many had to be compiled.
    pub fn cache_use(&self) -> (usize, usize) {
        match &self.0.cache {
            Some(cache) => (cache.cache_hits(), cache.cache_misses()),
            None => (0, 0),
        }
    }

    /// Processes that live now, in all networks of this host.
    pub fn running_processes(&self) -> u32 {
        self.0.running.load(Ordering::Acquire)
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
            .field("max_processes", &self.0.capacity.most)
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
            for look in network.probes().iter().map(|probe| probe.look()) {
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

    /// A place for one more process.
    pub(crate) fn place(self: &Arc<Self>) -> Result<Place, SpawnFault> {
        self.running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |running| {
                (running < self.capacity.most).then_some(running + 1)
            })
            .map(|_| Place(self.clone()))
            .map_err(|running| SpawnFault::Capacity {
                running,
                limit: self.capacity.reason.clone(),
            })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
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

impl Capacity {
    fn new(max_processes: u32) -> Self {
        let configured = format!("`max_processes` = {max_processes} allows");
        match engine::mapping_capacity(max_processes) {
            Some((fits, limit)) if fits < max_processes => Self {
                most: fits,
                reason: format!(
                    "the kernel's limit on memory mappings allows: vm.max_map_count = {limit}; \
                     for {max_processes} processes set it to {} with `sysctl -w`",
                    engine::mappings_for(max_processes)
                ),
            },
            _ => Self {
                most: max_processes,
                reason: configured,
            },
        }
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
    Scheduler::new(SchedulerOptions {
        mode: match options.seed {
            Some(seed) => Mode::Seeded { seed },
            None => Mode::Parallel {
                workers: options.workers.unwrap_or_else(cores).max(1),
            },
        },
        around_worker: Some(Arc::new(move |run| {
            let _entered = handle.enter();
            run();
        })),
        on_tick: Some(Arc::new(move || {
            ticks.fetch_add(1, Ordering::Relaxed);
            ticking.increment_epoch();
            each(&at_tick, |network| network.on_tick());
        })),
        on_quiet: Some(Arc::new(move || {
            each(&at_quiet, |network| network.on_quiet());
        })),
        ..SchedulerOptions::default()
    })
    .map_err(setup("the worker threads"))
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
