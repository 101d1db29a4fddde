//! Waiting without the interpreter, and with an ear for signals.

use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How long a wait may last before signals are looked for.
const SLICE: Duration = Duration::from_millis(100);

/// How long an operation may wait.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    Forever,
    Until(Instant),
}

impl Patience {
    /// From seconds as Python has them; `None` waits for ever, and so does more than a program
    /// can live.
    pub(crate) fn seconds(seconds: Option<f64>) -> Self {
        let until = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
            .and_then(|duration| Instant::now().checked_add(duration));
        until.map_or(Self::Forever, Self::Until)
    }
}

/// Calls `attempt` with a time to wait, again and again, until it has a result or patience runs
/// out; between two calls, signals are handled, whose exceptions end the wait.
pub(crate) fn in_slices<T: Send>(
    py: Python<'_>,
    patience: Patience,
    mut attempt: impl FnMut(Duration) -> Option<T> + Send,
) -> PyResult<Option<T>> {
    loop {
        let left = match patience {
            Patience::Forever => SLICE,
            Patience::Until(end) => end.saturating_duration_since(Instant::now()),
        };
        if let Some(result) = py.detach(|| attempt(left.min(SLICE))) {
            return Ok(Some(result));
        }
        py.check_signals()?;
        if left <= SLICE && matches!(patience, Patience::Until(_)) {
            return Ok(None);
        }
    }
}
