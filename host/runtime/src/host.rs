//! The host: one engine, one scheduler, any number of networks.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use transputer_core::scheduler::{Mode, Scheduler, SchedulerOptions};
use wasmtime::Engine;

use crate::code_cache::Cache;
use crate::compiling::Compiler;
use crate::component::Component;
use crate::core_dumps::Dumper;
use crate::engine::{self, Engines};
use crate::error::Error;
use crate::limits::{Allowed, Permits, Totals, nanos};
use crate::lookout::{Calls, Lookout};
use crate::network::Network;
use crate::network::state::NetworkState;
use crate::options::HostOptions;
use crate::process::{LimitOwner, Seeded};
use crate::profiling::{Profiled, Profiles, Profiling};
use crate::python::{Maker, PythonFile, PythonModule};
use crate::usage::Counts;
use transputer_network::ComponentPath;
use transputer_network::policies::AtCapacity;

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
    engines: Arc<Engines>,
    cache: Cache,
    compiler: Compiler,
    scheduler: Scheduler,
    networks: Networks,
    ticks: Arc<AtomicU64>,
    counts: Arc<Counts>,
    max_processes: u32,
    permits: Arc<Permits>,
    at_capacity: AtCapacity,
    /// Makes programs of Python modules.
    python: Maker,
    /// What runs them, once it has been loaded.
    interpreter: Mutex<Option<Component>>,
    /// How many networks it has had.
    numbers: AtomicU64,
    allowed: Allowed,
    /// What the processes of all networks use together.
    totals: Arc<Totals>,
    seeded: bool,
    dumper: Option<Dumper>,
    profiles: Option<Arc<Profiles>>,
    /// What looks at its networks; in a seeded run the scheduler does itself.
    lookout: Option<Lookout>,
    /// Only for WASI's files, sockets and timers; processes don't run on it.
    wasi_runtime: Option<tokio::runtime::Runtime>,
}

/// The networks that somebody holds or that run.
pub(crate) type Networks = Arc<Mutex<Vec<Weak<NetworkState>>>>;

impl Host {
    /// The time on its clock, since it was made: that of [`Event::Step`](crate::Event::Step). With a seed
    /// it is virtual.
    pub fn time(&self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.scheduler().clock().now().as_nanos())
    }

    /// Starts the host's threads: its workers, a timekeeper, one that looks for deadlocks and ends lifetimes, and one for WASI.
    ///
    /// # Errors
    /// [`Error::Setup`] if address space, a thread, the cache, or a folder of core dumps or profiles cannot be had; or if a seeded
    /// run is to be sampled, which has no ticks.
    pub fn new(options: HostOptions) -> Result<Self, Error> {
        if options.seed.is_some() && matches!(options.profiling, Profiling::Guests(_)) {
            return Err(Error::Setup {
                message: "a seeded run is in virtual time, so that there is nothing to sample: leave the seed out"
                    .to_owned(),
            });
        }
        // Before the engine has its own mappings, which it counts with.
        let permits = permits(options.max_processes);
        let cache = Cache::open(&options.cache)?;
        let engines = Arc::new(Engines::new(&options)?);
        let compiler = Compiler::new(options.compile_limits);
        Self::with_engines(options, permits, engines, cache, compiler)
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
            python: self.0.python.options().clone(),
            seed: Some(seed),
            ..HostOptions::default()
        };
        let state = &self.0;
        let engines = state.engines.clone();
        let permits = state.permits.as_many();
        let (cache, compiler) = (state.cache.clone(), state.compiler.clone());
        Self::with_engines(options, permits, engines, cache, compiler)
    }

    fn with_engines(
        options: HostOptions,
        permits: Arc<Permits>,
        engines: Arc<Engines>,
        cache: Cache,
        compiler: Compiler,
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
        let calls = Arc::new(Calls::default());
        let scheduler = scheduler(&options, &engines, &runtime, &networks, &ticks, &calls)?;
        let lookout = match options.seed {
            Some(_) => None,
            None => {
                let started = Lookout::start(&calls, &networks);
                Some(started.map_err(setup("the thread that looks for deadlocks"))?)
            }
        };
        let python = Maker::new(&options);
        let profiles = match options.profiling {
            Profiling::Guests(folder) => Some(Profiles::new(folder)?),
            _ => None,
        };
        Ok(Self(Arc::new(HostState {
            python,
            interpreter: Mutex::default(),
            engines,
            cache,
            compiler,
            scheduler,
            networks,
            ticks,
            counts: Arc::default(),
            max_processes: options.max_processes,
            seeded: options.seed.is_some(),
            dumper: options.core_dumps.map(Dumper::new).transpose()?,
            profiles,
            permits,
            at_capacity: options.at_capacity,
            numbers: AtomicU64::new(0),
            allowed,
            totals: Arc::new(Totals::new(LimitOwner::Host, allowed, None)),
            lookout,
            wasi_runtime: Some(runtime),
        })))
    }

    /// Reads, checks and compiles a component; compiled code comes from the cache where it
    /// can. Where the file has several processes, one follows its path, as in `app.wasm:double`.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Component`], which says what is wrong with the file.
    pub fn component(&self, path: impl AsRef<Path>) -> Result<Component, Error> {
        if let Some(file) = PythonFile::of(path.as_ref()) {
            let name = path.as_ref().display().to_string();
            return self.program(&file.module()?, &name);
        }
        let state = &self.0;
        let compiler = &state.compiler.beside(self.usage().stores > 0);
        let cache = &state.cache;
        let path = ComponentPath::of(path.as_ref());
        Component::read(&state.engines, cache, compiler, &path)
    }

    /// Like [`component`](Self::component), from bytes; `name` stands for the file in errors, and where there are
    /// several processes, names one as a path does.
    ///
    /// # Errors
    /// [`Error::Component`], which says what is wrong with the bytes.
    pub fn component_from_bytes(&self, name: &str, bytes: &[u8]) -> Result<Component, Error> {
        let state = &self.0;
        let compiler = &state.compiler.beside(self.usage().stores > 0);
        let cache = &state.cache;
        Component::compile(&state.engines, cache, compiler, name, bytes)
    }

    /// A process of a module of Python, as a component; `name` stands for the module in errors.
    ///
    /// # Errors
    /// As [`component`](Self::component), and [`ComponentFault::Python`](crate::ComponentFault::Python), with what
    /// the module's import raised.
    pub fn python(&self, module: &PythonModule) -> Result<Component, Error> {
        self.program(module, &module.module)
    }

    fn program(&self, module: &PythonModule, name: &str) -> Result<Component, Error> {
        let maker = &self.0.python;
        let mut interpreter = lock(&self.0.interpreter);
        let interpreter = match &mut *interpreter {
            Some(interpreter) => interpreter,
            None => interpreter.insert(self.component(maker.interpreter(name)?)?),
        };
        let program = maker.program(module, name)?;
        Ok(interpreter.interpreting(name, program))
    }

    /// An empty network, to be wired by the program.
    pub fn network(&self, name: &str) -> Network {
        Network::new(self.clone(), name)
    }

    /// How many components came from the cache, and how many had to be compiled.
    pub fn cache_use(&self) -> (usize, usize) {
        self.0.cache.uses()
    }

    /// Why compiled components are not kept, although
    /// [`CacheFolder::Default`](crate::CacheFolder::Default) was chosen: for example, because there is no
    /// home folder, or because other users can write to the cache.
    pub fn cache_fault(&self) -> Option<&str> {
        self.0.cache.fault()
    }

    /// Why fewer processes can live at once than [were asked for](HostOptions::max_processes), how
    /// many, and what would change that; `None` where all can.
    pub fn capacity_warning(&self) -> Option<String> {
        let (can, asked) = (self.0.permits.most(), self.0.max_processes);
        let reason = self.0.permits.reason();
        (can < asked)
            .then(|| format!("{can} of {asked} processes can live at once, as many as {reason}"))
    }

    /// Processes that live now, in all networks of this host.
    pub fn running_processes(&self) -> u32 {
        self.0.permits.taken()
    }

    /// Bytes that all processes have now: memories, tables, and messages that wait in channels.
    /// Address space that is only reserved is not counted. For a moment after a process has ended, a look for
    /// deadlocks may keep something of its channels.
    pub fn memory_in_use(&self) -> u64 {
        self.0.totals.accounts.release_surplus();
        self.0.totals.memory.used()
    }

    /// Channels and barriers that have an end now, in all networks of this host that run or ran.
    pub fn open_channels(&self) -> u64 {
        self.0.totals.channels.used()
    }

    /// What became of the samples that [`Profiling::Guests`] asks for, of processes that have ended.
    pub fn profiled(&self) -> Profiled {
        let profiles = self.0.profiles.as_ref();
        profiles.map_or_else(Profiled::default, |profiles| profiles.profiled())
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
    pub(crate) fn engines(&self) -> &Engines {
        &self.engines
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Writes core dumps, if that is wanted.
    pub(crate) fn dumper(&self) -> Option<&Dumper> {
        self.dumper.as_ref()
    }

    /// Samples what processes compute, if that is wanted.
    pub(crate) fn profiles(&self) -> Option<&Arc<Profiles>> {
        self.profiles.as_ref()
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

    /// The time between ticks of the scheduler, added up, in nanoseconds: changes at each tick.
    pub(crate) fn ticks(&self) -> &Arc<AtomicU64> {
        &self.ticks
    }

    /// Calls for the thread that looks at its networks; a seeded run has none.
    pub(crate) fn calls(&self) -> Option<&Calls> {
        self.lookout.as_ref().map(|lookout| &*lookout.calls)
    }

    /// Whether a seed decides the schedule.
    pub(crate) fn is_seeded(&self) -> bool {
        self.seeded
    }

    /// Has the host look after a network: from now on its deadlocks are found.
    pub(crate) fn adopt(&self, network: &Arc<NetworkState>) {
        let mut networks = lock(&self.networks);
        networks.retain(|network| network.strong_count() > 0);
        networks.push(Arc::downgrade(network));
    }
}

impl Drop for HostState {
    fn drop(&mut self) {
        self.scheduler.shutdown();
        drop(self.lookout.take());
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

/// The most that a tick counts for, in nanoseconds: before the first one after a pause, nobody ran.
const LONGEST_TICK: u64 = 10_000_000;

fn scheduler(
    options: &HostOptions,
    engines: &Arc<Engines>,
    runtime: &tokio::runtime::Runtime,
    networks: &Networks,
    ticks: &Arc<AtomicU64>,
    calls: &Arc<Calls>,
) -> Result<Scheduler, Error> {
    let handle = runtime.handle().clone();
    let (ticking, ticks) = (engines.clone(), ticks.clone());
    let (at_tick, at_quiet) = (networks.clone(), networks.clone());
    let mode = match options.seed {
        Some(seed) => Mode::Seeded { seed },
        None => Mode::Parallel {
            workers: options.workers.unwrap_or_else(cores).max(1),
        },
    };
    let seeded = options.seed.is_some();
    let (began, last) = (Instant::now(), AtomicU64::new(0));
    let (call_at_tick, call_at_quiet) = (calls.clone(), calls.clone());
    let options = SchedulerOptions::new(mode)
        .stack_size(engine::WORKER_STACK)
        .around_worker(Arc::new(move |run| {
            let _entered = handle.enter();
            run();
        }))
        .on_tick(Arc::new(move || {
            let now = nanos(began.elapsed());
            let before = last.swap(now, Ordering::Relaxed);
            let lasted = now.saturating_sub(before).clamp(1, LONGEST_TICK);
            ticks.fetch_add(lasted, Ordering::Relaxed);
            ticking.all().for_each(Engine::increment_epoch);
            // Ticks come by the system's time, of which a seeded run must know nothing.
            if !seeded {
                call_at_tick.on_tick(&at_tick);
            }
        }))
        .on_quiet(Arc::new(move || match seeded {
            true => each(&at_quiet, |network| network.on_quiet()),
            false => call_at_quiet.on_quiet(),
        }));
    Scheduler::new(options).map_err(setup("the worker threads"))
}

/// Calls `f` on every network, with no lock held.
pub(crate) fn each(networks: &Networks, f: impl FnMut(&Arc<NetworkState>)) {
    let living: Vec<_> = lock(networks).iter().filter_map(Weak::upgrade).collect();
    living.iter().for_each(f);
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn setup(what: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::Setup {
        message: format!("{what}: {error}{}", engine::if_limited()),
    }
}

/// Locks a mutex whose contents are whole at every moment, so that a panic elsewhere
/// while it was held does no harm.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
