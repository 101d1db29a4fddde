//! The threads that compile.

use std::sync::{Arc, Mutex};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::host::lock;

/// How much lower than others the kernel ranks a thread that compiles, in its own measure: beside a worker it gets
/// a tenth of the time.
const NICE: i32 = 10;

/// Threads of low priority, made when something is compiled for the first time. A host without workers to spare compiles
/// on the caller's thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Background(Arc<Mutex<Option<Arc<ThreadPool>>>>);

impl Background {
    /// Does what takes long, and blocks meanwhile. What it does in parallel is done by these threads, too.
    pub(crate) fn run<R: Send>(&self, task: impl FnOnce() -> R + Send) -> R {
        match self.threads() {
            Some(threads) => threads.install(task),
            None => task(),
        }
    }

    fn threads(&self) -> Option<Arc<ThreadPool>> {
        let mut threads = lock(&self.0);
        if threads.is_none() {
            let built = ThreadPoolBuilder::new()
                .thread_name(|number| format!("transputer-compile-{number}"))
                .start_handler(|_| be_nice())
                .build();
            *threads = built.ok().map(Arc::new);
        }
        threads.clone()
    }
}

/// Lowers the priority of this thread.
#[cfg(target_os = "linux")]
fn be_nice() {
    // It only matters beside networks that run.
    let _ = rustix::process::nice(NICE);
}

/// Elsewhere, a whole process has a priority.
#[cfg(not(target_os = "linux"))]
fn be_nice() {
    let _ = NICE;
}
