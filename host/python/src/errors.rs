//! Errors as exceptions.

use std::fmt::Display;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use transputer::{ChannelError, Outcome, Peer, PoisonKind};

/// An exception of `transputer.errors`.
pub(crate) fn exception(py: Python<'_>, class: &str, reason: Option<&str>) -> PyErr {
    made(py, class, |class| class.call1((reason,)))
}

/// As `exception`, with what else the class takes.
fn made<'py>(
    py: Python<'py>,
    class: &str,
    make: impl FnOnce(Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> PyErr {
    let made = py
        .import("transputer.errors")
        .and_then(|module| module.getattr(class))
        .and_then(make);
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The key of the limit that a process was killed for, if it was.
pub(crate) fn limit(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Killed(overrun) => Some(overrun.limit.key()),
        _ => None,
    }
}

/// What the host could not do.
pub(crate) fn host_error(py: Python<'_>, error: &impl Display) -> PyErr {
    let text = error.to_string();
    match py
        .import("transputer.host.errors")
        .and_then(|module| module.getattr("HostError"))
        .and_then(|class| class.call1((&text,)))
    {
        Ok(exception) => PyErr::from_value(exception),
        Err(_) => PyRuntimeError::new_err(text),
    }
}

/// Why an operation on a channel did not happen.
pub(crate) fn channel_error(py: Python<'_>, error: &ChannelError) -> PyErr {
    let (class, reason) = match error {
        ChannelError::Poisoned(poison) if poison.kind == PoisonKind::PeerKilled => {
            let limit = poison.cause::<Peer>().and_then(|peer| limit(&peer.outcome));
            return made(py, "PeerKilled", |class| {
                class.call1((&*poison.reason, limit))
            });
        }
        ChannelError::Poisoned(poison) => {
            let class = match poison.kind {
                PoisonKind::Poisoned => "Poisoned",
                PoisonKind::PeerTrapped => "PeerTrapped",
                PoisonKind::PeerFailed => "PeerFailed",
                PoisonKind::Deadlock => "Deadlock",
                _ => "Poisoned",
            };
            (class, Some(&*poison.reason))
        }
        ChannelError::Closed => ("Closed", None),
        ChannelError::TimedOut => ("TimedOut", None),
        ChannelError::WouldBlock => ("WouldBlock", None),
        ChannelError::TooLarge { .. } => ("TooLarge", None),
        ChannelError::Overloaded { .. } => ("Overloaded", None),
        _ => return exception(py, "ChannelError", Some(&error.to_string())),
    };
    exception(py, class, reason)
}
