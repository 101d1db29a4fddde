//! Host ends: bytes in, bytes out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use transputer::{
    ChannelError, HostReceiver, HostSender, ReceiveTimeoutError, SendTimeoutError, Statistics,
    TryReceiveError, TrySendError,
};

use crate::errors::channel_error;
use crate::waiting::{Patience, in_slices};

/// What has been sent, received, dropped, and waits.
type Numbers = (u64, u64, u64, u64);

/// A sender to a process.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Sender(Mutex<Option<HostSender>>);

/// A receiver from a process.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Receiver(Mutex<Option<HostReceiver>>);

fn lock<T>(end: &Mutex<T>) -> MutexGuard<'_, T> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

fn numbers(seen: &Statistics) -> Numbers {
    let waiting = u64::try_from(seen.waiting).unwrap_or(u64::MAX);
    (seen.sent, seen.received, seen.dropped, waiting)
}

impl Sender {
    pub(crate) fn new(sender: HostSender) -> Self {
        Self(Mutex::new(Some(sender)))
    }

    /// The end, for an operation; it stays open while that is under way. `Closed` if it was
    /// closed, since the Python side knows which it has closed itself.
    pub(crate) fn end(&self) -> Result<HostSender, ChannelError> {
        lock(&self.0).clone().ok_or(ChannelError::Closed)
    }
}

#[pymethods]
impl Sender {
    /// Sends if that needs no waiting, with the interpreter held, which costs less than letting it go.
    fn try_send(&self, py: Python<'_>, message: &[u8]) -> PyResult<()> {
        let sent = match &*lock(&self.0) {
            Some(sender) => sender.try_send(message).map_err(ChannelError::from),
            None => Err(ChannelError::Closed),
        };
        sent.map_err(|error| channel_error(py, &error))
    }

    #[pyo3(signature = (message, timeout = None))]
    fn send(&self, py: Python<'_>, message: Vec<u8>, timeout: Option<f64>) -> PyResult<()> {
        let fail = |error| Err(channel_error(py, &error));
        let sender = match self.end() {
            Ok(sender) => sender,
            Err(error) => return fail(error),
        };
        let mut unsent = match sender.try_send(message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(message)) => Some(message),
            Err(refused) => return fail(refused.into()),
        };
        let sent = in_slices(py, Patience::seconds(timeout), |slice: Duration| {
            let message = unsent.take().unwrap_or_default();
            match sender.send_timeout(message, slice) {
                Err(SendTimeoutError::TimedOut(message)) => {
                    unsent = Some(message);
                    None
                }
                sent => Some(sent.map_err(ChannelError::from)),
            }
        })?;
        match sent.unwrap_or(Err(ChannelError::TimedOut)) {
            Ok(()) => Ok(()),
            Err(error) => fail(error),
        }
    }

    fn duplicate(&self, py: Python<'_>) -> PyResult<Self> {
        let sender = self.end().map_err(|error| channel_error(py, &error))?;
        Ok(Self::new(sender))
    }

    fn close(&self, py: Python<'_>) {
        let end = lock(&self.0).take();
        py.detach(|| drop(end));
    }

    fn poison(&self, py: Python<'_>, reason: &str) {
        if let Ok(sender) = self.end() {
            py.detach(|| sender.poison(reason));
        }
    }

    fn statistics(&self) -> Numbers {
        self.end()
            .map_or((0, 0, 0, 0), |end| numbers(&end.statistics()))
    }

    /// What the port carries, in WIT's syntax.
    fn payload_type(&self) -> String {
        self.end()
            .map_or_else(|_| String::new(), |end| end.payload_type().to_string())
    }
}

impl Receiver {
    pub(crate) fn new(receiver: HostReceiver) -> Self {
        Self(Mutex::new(Some(receiver)))
    }

    /// As [`Sender::end`].
    pub(crate) fn end(&self) -> Result<HostReceiver, ChannelError> {
        lock(&self.0).clone().ok_or(ChannelError::Closed)
    }

    fn try_once(&self) -> Result<Vec<u8>, TryReceiveError> {
        match &*lock(&self.0) {
            Some(receiver) => receiver.try_receive(),
            None => Err(TryReceiveError::Closed),
        }
    }

    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<u8>> {
        let receiver = self.end().map_err(|error| channel_error(py, &error))?;
        let got = in_slices(py, Patience::seconds(timeout), move |slice| match receiver
            .receive_timeout(slice)
        {
            Err(ReceiveTimeoutError::TimedOut) => None,
            got => Some(got),
        })?;
        got.unwrap_or(Err(ReceiveTimeoutError::TimedOut))
            .map_err(|error| channel_error(py, &error.into()))
    }
}

#[pymethods]
impl Receiver {
    /// Receives if that needs no waiting, with the interpreter held.
    fn try_receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.try_once()
            .map(|message| PyBytes::new(py, &message))
            .map_err(|error| channel_error(py, &error.into()))
    }

    #[pyo3(signature = (timeout = None))]
    fn receive<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        let message = match self.try_once() {
            Err(TryReceiveError::Empty) => self.wait(py, timeout)?,
            got => got.map_err(|error| channel_error(py, &error.into()))?,
        };
        Ok(PyBytes::new(py, &message))
    }

    /// Waits for one message, then takes what else is there, at most `most` in all.
    fn receive_some<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyList>> {
        let messages = PyList::new(py, [self.receive(py, None)?])?;
        while messages.len() < most {
            match self.try_once() {
                Ok(message) => messages.append(PyBytes::new(py, &message))?,
                // What ended the channel is told next time.
                Err(_) => break,
            }
        }
        Ok(messages)
    }

    fn duplicate(&self, py: Python<'_>) -> PyResult<Self> {
        let receiver = self.end().map_err(|error| channel_error(py, &error))?;
        Ok(Self::new(receiver))
    }

    fn close(&self, py: Python<'_>) {
        let end = lock(&self.0).take();
        py.detach(|| drop(end));
    }

    fn poison(&self, py: Python<'_>, reason: &str) {
        if let Ok(receiver) = self.end() {
            py.detach(move || receiver.poison(reason));
        }
    }

    fn statistics(&self) -> Numbers {
        self.end()
            .map_or((0, 0, 0, 0), |end| numbers(&end.statistics()))
    }

    /// What the port carries, in WIT's syntax.
    fn payload_type(&self) -> String {
        self.end()
            .map_or_else(|_| String::new(), |end| end.payload_type().to_string())
    }
}
