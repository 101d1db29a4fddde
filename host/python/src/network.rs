//! Networks that are being wired.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use transputer::plan::{Directory, Variable};
use transputer::{ChannelOptions, Event, Grants, Limits, Overflow};

use crate::ends::{Receiver, Sender};
use crate::errors::host_error;
use crate::host::Component;
use crate::running::Running;
use crate::values;

/// A network that has not started.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Network(Mutex<Option<transputer::Network>>);

/// Limits as Python gives them: bytes, seconds, numbers.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct GivenLimits {
    memory: Option<u64>,
    message: Option<u64>,
    cpu: Option<f64>,
    wall: Option<f64>,
    operation: Option<f64>,
    children: Option<u32>,
    channels: Option<u32>,
    log: Option<u32>,
}

/// Grants as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct GivenGrants {
    stdio: bool,
    clocks: bool,
    /// A variable without a value is the host's own.
    env: Vec<(String, Option<String>)>,
    /// Where it is, what the process calls it, and whether it may write.
    directories: Vec<(PathBuf, String, bool)>,
    network: Vec<Address>,
}

/// An address such as `127.0.0.1:8080`.
struct Address(SocketAddr);

impl<'py> FromPyObject<'_, 'py> for Address {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text: String = object.extract()?;
        let parsed = text.parse().map(Self);
        parsed.map_err(|_| PyValueError::new_err(format!("{text:?} is no address with a port")))
    }
}

impl From<GivenLimits> for Limits {
    fn from(given: GivenLimits) -> Self {
        let time = |seconds: Option<f64>| {
            seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
        };
        Self::default()
            .memory(given.memory)
            .message(given.message)
            .cpu(time(given.cpu))
            .wall(time(given.wall))
            .operation(time(given.operation))
            .children(given.children)
            .channels(given.channels)
            .log(given.log)
    }
}

impl From<GivenGrants> for Grants {
    fn from(given: GivenGrants) -> Self {
        let variable = |(name, value)| match value {
            Some(value) => Variable::Fixed { name, value },
            None => Variable::Inherited(name),
        };
        let mut grants = Self::default().stdio(given.stdio).clocks(given.clocks);
        grants.env = given.env.into_iter().map(variable).collect();
        for (host, guest, write) in given.directories {
            grants = grants.directory(Directory::new(host, guest).write(write));
        }
        grants.network = given.network.into_iter().map(|address| address.0).collect();
        grants
    }
}

/// Channels as Python describes them; overflow is 0 to block, 1 to drop the oldest, else the newest.
fn options(capacity: usize, overflow: u8) -> ChannelOptions {
    let overflow = match overflow {
        0 => Overflow::Block,
        1 => Overflow::DropOldest,
        _ => Overflow::DropNewest,
    };
    ChannelOptions::bounded(capacity).overflow(overflow)
}

impl Network {
    pub(crate) fn new(network: transputer::Network) -> Self {
        Self(Mutex::new(Some(network)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<transputer::Network>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the network, unless it has started.
    fn wiring<T>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut transputer::Network) -> Result<T, transputer::Error>,
    ) -> PyResult<T> {
        match &mut *self.lock() {
            Some(network) => act(network).map_err(|error| host_error(py, &error)),
            None => Err(host_error(py, &"the network has started already")),
        }
    }
}

#[pymethods]
impl Network {
    #[pyo3(signature = (name, component, arguments, limits, grants, spawnable))]
    #[allow(clippy::too_many_arguments)]
    fn process(
        &self,
        py: Python<'_>,
        name: &str,
        component: &Bound<'_, Component>,
        arguments: BTreeMap<String, Bound<'_, PyAny>>,
        limits: Option<GivenLimits>,
        grants: Option<GivenGrants>,
        spawnable: BTreeMap<String, Bound<'_, Component>>,
    ) -> PyResult<()> {
        let mut given = Vec::new();
        for (name, object) in &arguments {
            given.push((name, values::value(object)?));
        }
        self.wiring(py, |network| {
            let mut settings = network.process(name, &component.get().0);
            for (name, value) in given {
                settings.argument(name, value);
            }
            if let Some(limits) = limits {
                settings.limits(limits.into());
            }
            if let Some(grants) = grants {
                settings.grants(grants.into());
            }
            for (name, component) in &spawnable {
                settings.may_spawn(name, &component.get().0);
            }
            Ok(())
        })
    }

    fn connect(
        &self,
        py: Python<'_>,
        from: Vec<String>,
        to: Vec<String>,
        capacity: usize,
        overflow: u8,
    ) -> PyResult<()> {
        let from: Vec<&str> = from.iter().map(String::as_str).collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        self.wiring(py, |network| {
            network.connect_many(&from, &to, options(capacity, overflow))
        })
    }

    fn input(&self, py: Python<'_>, port: &str, capacity: usize, overflow: u8) -> PyResult<Sender> {
        self.wiring(py, |network| {
            network.input(port, options(capacity, overflow))
        })
        .map(Sender::new)
    }

    fn output(
        &self,
        py: Python<'_>,
        port: &str,
        capacity: usize,
        overflow: u8,
    ) -> PyResult<Receiver> {
        self.wiring(py, |network| {
            network.output(port, options(capacity, overflow))
        })
        .map(Receiver::new)
    }

    fn start(&self, py: Python<'_>) -> PyResult<Running> {
        let network = self.lock().take();
        let Some(mut network) = network else {
            return Err(host_error(py, &"the network has started already"));
        };
        // Workers must not wait for the interpreter: events wait here until Python asks for them.
        let (told, events) = mpsc::channel::<Event>();
        network.on_event(move |event| {
            let _nobody_listens = told.send(event);
        });
        let started = py.detach(|| network.start());
        let running = started.map_err(|error| host_error(py, &error))?;
        Running::new(running, events).map_err(|error| host_error(py, &error))
    }
}
