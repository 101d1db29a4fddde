//! What processes compute, for profilers.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use transputer_abi::Code;
use wasmtime::{AsContext, Engine, GuestProfiler};

use crate::core_dumps::{create, file_name, make_folder};
use crate::error::Error;
use crate::host::lock;
use crate::process::{Process, ProcessState};

/// The time between two samples of a process that computes: the scheduler's tick.
const INTERVAL: Duration = Duration::from_millis(2);

/// How many processes are sampled, at most, and how often each.
const MOST_PROFILES: u32 = 64;
const MOST_SAMPLES: u32 = 50_000;

/// What a host does for a profiler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profiling {
    /// Nothing.
    #[default]
    Off,
    /// Tells `perf` the names of all compiled functions, in `/tmp/perf-PID.map`. Not on Windows.
    Perf,
    /// Samples what each process computes at each tick (2 ms), and writes a file for each into this folder, which is made if it
    /// isn't there: a profile for [the one of Firefox](https://profiler.firefox.com). The first 64 processes are sampled, each
    /// 50,000 times at most; what they wait for is not in it. Their stacks are kept in the host's own memory and are not charged
    /// to anybody: sample only processes that you trust.
    Guests(PathBuf),
}

/// What became of the samples that [`Profiling::Guests`] asks for: see [`Host::profiled`](crate::Host::profiled).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profiled {
    /// Files that were written.
    pub files: u32,
    /// Processes that were not sampled because there were too many, or whose samples are incomplete.
    pub incomplete: u32,
    /// Why a file could not be written, for the last one that could not.
    pub fault: Option<String>,
}

/// The samples of a host's processes.
pub(crate) struct Profiles {
    folder: PathBuf,
    begun: AtomicU32,
    profiled: Mutex<Profiled>,
}

impl Profiles {
    /// # Errors
    /// If there is no such folder, and none can be made.
    pub(crate) fn new(folder: PathBuf) -> Result<Arc<Self>, Error> {
        make_folder(&folder, "the folder of profiles")?;
        Ok(Arc::new(Self {
            folder,
            begun: AtomicU32::new(0),
            profiled: Mutex::default(),
        }))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn profiled(&self) -> Profiled {
        lock(&self.profiled).clone()
    }

    /// Begins to sample a process, unless there are too many.
    pub(crate) fn begin(
        self: &Arc<Self>,
        process: &Process,
        engine: &Engine,
        code: &Code<ProcessState>,
    ) -> Option<Box<Sampling>> {
        if self.begun.fetch_add(1, Ordering::Relaxed) >= MOST_PROFILES {
            // It must not wrap around.
            self.begun.store(MOST_PROFILES, Ordering::Relaxed);
            lock(&self.profiled).incomplete += 1;
            return None;
        }
        let profiler = code.profiler(engine, &process.name, INTERVAL).ok()?;
        Some(Box::new(Sampling {
            profiler,
            samples: 0,
            profiles: self.clone(),
        }))
    }
}

/// The samples of one process.
pub(crate) struct Sampling {
    profiler: GuestProfiler,
    samples: u32,
    profiles: Arc<Profiles>,
}

impl Sampling {
    /// Takes a sample of a process that has computed for a tick.
    pub(crate) fn sample(&mut self, store: impl AsContext) {
        if self.samples < MOST_SAMPLES {
            self.profiler.sample(store, INTERVAL);
        } else if self.samples == MOST_SAMPLES {
            lock(&self.profiles.profiled).incomplete += 1;
        } else {
            return;
        }
        self.samples += 1;
    }

    /// Writes what was sampled of a process.
    pub(crate) fn finish(self: Box<Self>, process: &Process) {
        let Self {
            profiler, profiles, ..
        } = *self;
        let path = profiles.folder.join(file_name(process, "profile.json"));
        let written = create(&path).map(BufWriter::new).and_then(|mut file| {
            profiler.finish(&mut file).map_err(std::io::Error::other)?;
            file.flush()
        });
        let mut profiled = lock(&profiles.profiled);
        match written {
            Ok(()) => profiled.files += 1,
            Err(error) => profiled.fault = Some(format!("{}: {error}", path.display())),
        }
    }
}
