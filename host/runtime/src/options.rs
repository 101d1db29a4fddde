//! How to set up a host.

use std::path::PathBuf;

use crate::compiling::CompileLimits;
use crate::core_dumps::CoreDumps;
use crate::engine;
use crate::profiling::Profiling;
use crate::python::PythonOptions;
use transputer_network::policies::AtCapacity;

/// Where compiled components are kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheFolder {
    /// In the user's cache folder. If that cannot be had, nowhere:
    /// [`Host::cache_fault`](crate::Host::cache_fault) says why.
    #[default]
    Default,
    /// In this folder, which is made if it isn't there.
    At(PathBuf),
    /// Nowhere: every start compiles.
    Off,
}

/// How to set up a [`Host`](crate::Host).
///
/// ```
/// use transputer::{AtCapacity, CacheFolder, HostOptions};
///
/// let options = HostOptions::default()
///     .workers(4)
///     .max_processes(1_000)
///     .max_memory(2 << 30)
///     .at_capacity(AtCapacity::Wait)
///     .cache(CacheFolder::Off);
/// assert_eq!(options.workers, Some(4));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostOptions {
    /// Worker threads; `None`, as by default, for one per core.
    pub workers: Option<usize>,
    /// Processes that may live at once; by default 10,000, or as many as the kernel allows to live
    /// together. Address space is reserved for all of them, so fewer can have larger memories.
    pub max_processes: u32,
    /// Bytes that all processes may have together: memories, tables, and messages that wait.
    /// `None`, as by default: as much as there is.
    pub max_memory: Option<u64>,
    /// Channels and barriers that processes may have open at once, all together. `None`, as by
    /// default: no limit.
    pub max_channels: Option<u32>,
    /// What a network that starts, or a process that spawns, does where there is no permit for
    /// another process. By default it fails.
    pub at_capacity: AtCapacity,
    /// Where compiled components are kept.
    pub cache: CacheFolder,
    /// Whether a component's core module is run by itself where its form allows that, as by
    /// default. It costs less than instantiating the component as a whole; guests see no
    /// difference.
    pub core_modules: bool,
    /// What may be compiled of one component.
    pub compile_limits: CompileLimits,
    /// What processes in Python need.
    pub python: PythonOptions,
    /// Where core dumps of processes that trap are written. `None`, as by default: nowhere.
    pub core_dumps: Option<CoreDumps>,
    /// What is done for a profiler; by default nothing.
    pub profiling: Profiling,
    /// With a seed, one worker runs one schedule in virtual time, decided by the seed alone.
    pub seed: Option<u64>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            workers: None,
            max_processes: engine::usual_processes(),
            max_memory: None,
            max_channels: None,
            at_capacity: AtCapacity::default(),
            cache: CacheFolder::default(),
            core_modules: true,
            compile_limits: CompileLimits::default(),
            python: PythonOptions::default(),
            core_dumps: None,
            profiling: Profiling::Off,
            seed: None,
        }
    }
}

impl HostOptions {
    /// Sets the number of worker threads; `None` for one per core.
    #[must_use]
    pub fn workers(mut self, workers: impl Into<Option<usize>>) -> Self {
        self.workers = workers.into();
        self
    }

    /// Sets how many processes may live at once.
    #[must_use]
    pub fn max_processes(mut self, processes: u32) -> Self {
        self.max_processes = processes;
        self
    }

    /// Sets how many bytes all processes may have together; `None` for as many as there are.
    #[must_use]
    pub fn max_memory(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.max_memory = bytes.into();
        self
    }

    /// Sets how many channels and barriers may be open at once; `None` for no limit.
    #[must_use]
    pub fn max_channels(mut self, channels: impl Into<Option<u32>>) -> Self {
        self.max_channels = channels.into();
        self
    }

    /// Sets what to do where there is no permit for another process.
    #[must_use]
    pub fn at_capacity(mut self, at_capacity: AtCapacity) -> Self {
        self.at_capacity = at_capacity;
        self
    }

    /// Sets where compiled components are kept.
    #[must_use]
    pub fn cache(mut self, cache: CacheFolder) -> Self {
        self.cache = cache;
        self
    }

    /// Sets whether core modules are run by themselves where they can be.
    #[must_use]
    pub fn core_modules(mut self, core_modules: bool) -> Self {
        self.core_modules = core_modules;
        self
    }

    /// Sets what may be compiled of one component.
    #[must_use]
    pub fn compile_limits(mut self, limits: CompileLimits) -> Self {
        self.compile_limits = limits;
        self
    }

    /// Sets where processes in Python find what they need.
    #[must_use]
    pub fn python(mut self, python: PythonOptions) -> Self {
        self.python = python;
        self
    }

    /// Sets where core dumps of processes that trap are written; `None` for nowhere.
    #[must_use]
    pub fn core_dumps(mut self, dumps: impl Into<Option<CoreDumps>>) -> Self {
        self.core_dumps = dumps.into();
        self
    }

    /// Sets what is done for a profiler.
    #[must_use]
    pub fn profiling(mut self, profiling: Profiling) -> Self {
        self.profiling = profiling;
        self
    }

    /// Has one worker run the schedule of this seed, in virtual time; `None` for the ordinary way.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Option<u64>>) -> Self {
        self.seed = seed.into();
        self
    }
}
