//! A choice among host ends.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use transputer::{HostAlternation, HostGuard, HostOutcome, HostReceiver, HostSender, Order};

use crate::ends::{Receiver, Sender};
use crate::errors::channel_error;
use crate::host::Host;
use crate::waiting::{Patience, in_slices};

/// A guard as Python gives it: a receiver, or a sender and its message.
#[derive(FromPyObject)]
pub(crate) enum Given<'py> {
    Receive(Bound<'py, Receiver>),
    Send(Bound<'py, Sender>, Vec<u8>),
}

enum Owned {
    Receive(HostReceiver),
    Send(HostSender, Vec<u8>),
}

/// Lets exactly one guard go, waiting at most so long; its place, what was received, and how its
/// channel has ended. `None` if time ran out.
#[pyfunction]
#[pyo3(signature = (host, guards, fair, timeout = None))]
#[allow(clippy::type_complexity)]
pub(crate) fn select<'py>(
    py: Python<'py>,
    host: &Bound<'py, Host>,
    guards: Vec<Given<'py>>,
    fair: bool,
    timeout: Option<f64>,
) -> PyResult<Option<(usize, Option<Bound<'py, PyBytes>>, Option<Py<PyAny>>)>> {
    if guards.is_empty() {
        return Err(PyValueError::new_err("an alternation needs a guard"));
    }
    let ends = guards.into_iter().map(|guard| match guard {
        Given::Receive(receiver) => receiver.get().end().map(Owned::Receive),
        Given::Send(sender, message) => Ok(Owned::Send(sender.get().end()?, message)),
    });
    let ends = ends
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| channel_error(py, &error))?;
    let order = if fair { Order::Fair } else { Order::Priority };
    let mut alternation = HostAlternation::new(&host.get().0, order);
    let chosen = in_slices(py, Patience::seconds(timeout), move |slice: Duration| {
        let guards = ends.iter().map(|end| match end {
            Owned::Receive(receiver) => HostGuard::Receive(receiver),
            Owned::Send(sender, message) => HostGuard::Send(sender, message.clone()),
        });
        let pause = match slice.is_zero() {
            true => HostGuard::Skip,
            false => HostGuard::After(slice),
        };
        let chosen = alternation.wait(guards.chain([pause]).collect());
        (chosen.guard < ends.len()).then_some(chosen)
    })?;
    let Some(chosen) = chosen else {
        return Ok(None);
    };
    let (message, error) = match chosen.outcome {
        HostOutcome::Received(message) => (Some(PyBytes::new(py, &message)), None),
        HostOutcome::Failed(error) => (
            None,
            Some(channel_error(py, &error.into()).into_value(py).into()),
        ),
        _ => (None, None),
    };
    Ok(Some((chosen.guard, message, error)))
}
