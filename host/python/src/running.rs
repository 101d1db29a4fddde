//! Networks that run.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use transputer::{Event, Report};

use crate::errors::{host_error, limit};
use crate::waiting::{Patience, in_slices};

/// Names, outcomes, and the limits that processes were killed for.
type Failures = Vec<(String, String, Option<&'static str>)>;

/// A network that runs, or has ended.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Running {
    network: Arc<transputer::Running>,
    ended: Arc<Ended>,
    events: Mutex<Receiver<Event>>,
}

/// The report, once there is one.
#[derive(Default)]
struct Ended {
    report: Mutex<Option<Report>>,
    told: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    /// The library's own wait has no time-out, in which a signal could be noticed; so a thread waits.
    pub(crate) fn new(network: transputer::Running, events: Receiver<Event>) -> io::Result<Self> {
        let (network, ended) = (Arc::new(network), Arc::<Ended>::default());
        let (waited, told) = (Arc::clone(&network), Arc::clone(&ended));
        std::thread::Builder::new()
            .name("transputer-report".to_owned())
            .spawn(move || {
                let report = waited.wait();
                *lock(&told.report) = Some(report);
                told.told.notify_all();
            })?;
        Ok(Self {
            network,
            ended,
            events: Mutex::new(events),
        })
    }
}

#[pymethods]
impl Running {
    /// Waits until every process has ended; the names and outcomes of those that did not finish, or
    /// `None` if time ran out first.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Failures>> {
        let ended = &self.ended;
        in_slices(py, Patience::seconds(timeout), |slice| {
            let report = lock(&ended.report);
            let waited = ended
                .told
                .wait_timeout_while(report, slice, |it| it.is_none());
            let (report, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let failures = report.as_ref()?.failures.iter();
            let told = failures.map(|it| {
                let limit = limit(&it.outcome);
                (it.name.clone(), it.outcome.to_string(), limit)
            });
            Some(told.collect())
        })
    }

    fn stop(&self, py: Python<'_>, reason: &str) {
        py.detach(|| self.network.stop(reason));
    }

    fn has_ended(&self) -> bool {
        lock(&self.ended.report).is_some()
    }

    /// The next thing that happened, in JSON; `None` after `timeout` seconds without one.
    ///
    /// Raises `StopIteration` when nothing will happen any more.
    fn next_event(&self, py: Python<'_>, timeout: f64) -> PyResult<Option<String>> {
        let timeout = Duration::try_from_secs_f64(timeout).unwrap_or_default();
        let event = py.detach(|| lock(&self.events).recv_timeout(timeout));
        match event {
            Ok(event) => serde_json::to_string(&event)
                .map(Some)
                .map_err(|error| host_error(py, &error)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(pyo3::exceptions::PyStopIteration::new_err(()))
            }
        }
    }
}
