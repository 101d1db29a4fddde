//! The host and its components.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use transputer::validation::ArgumentOverride;
use transputer::{Description, HostOptions, PythonModule};

use crate::errors::host_error;
use crate::network::Network;

/// One engine and one scheduler, for any number of networks.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Host(pub(crate) transputer::Host);

/// Code that processes run.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Component(pub(crate) transputer::Component);

#[pymethods]
impl Host {
    #[new]
    #[pyo3(signature = (max_processes, workers, seed, interpreter, path))]
    fn new(
        py: Python<'_>,
        max_processes: u32,
        workers: Option<usize>,
        seed: Option<u64>,
        interpreter: Option<PathBuf>,
        path: Vec<PathBuf>,
    ) -> PyResult<Self> {
        let mut options = HostOptions::default();
        options.max_processes = max_processes;
        options.workers = workers;
        options.seed = seed;
        options.python.interpreter = interpreter;
        options.python.path = path;
        py.detach(|| transputer::Host::new(options))
            .map(Self)
            .map_err(|error| host_error(py, &error))
    }

    fn component(&self, py: Python<'_>, path: PathBuf) -> PyResult<Component> {
        py.detach(|| self.0.component(path))
            .map(Component)
            .map_err(|error| host_error(py, &error))
    }

    /// A process of a module that this program may have changed: `source` is what the module's file is called, and
    /// its text.
    fn python(
        &self,
        py: Python<'_>,
        module: &str,
        process: &str,
        root: PathBuf,
        source: Option<(String, Vec<u8>)>,
    ) -> PyResult<Component> {
        let mut wanted = PythonModule::new(module, root);
        wanted.process = Some(process.to_owned());
        wanted.source = source;
        py.detach(|| self.0.python(&wanted))
            .map(Component)
            .map_err(|error| host_error(py, &error))
    }

    fn network(&self, name: &str) -> Network {
        Network::new(self.0.network(name))
    }

    /// A network file, with values for its arguments as the command takes them.
    fn load(
        &self,
        py: Python<'_>,
        path: PathBuf,
        arguments: BTreeMap<String, String>,
    ) -> PyResult<Network> {
        let overrides: Vec<_> = arguments
            .into_iter()
            .map(|(name, value)| ArgumentOverride::new(name, value))
            .collect();
        let loaded = py.detach(|| {
            let description = Description::read(&path).map_err(|error| error.to_string())?;
            let network = self.0.load(&description, &BTreeMap::new(), &overrides);
            let mut network = network.map_err(|error| error.to_string())?;
            network.stdin(std::io::stdin());
            network.stdout(std::io::stdout());
            Ok::<_, String>(network)
        });
        loaded
            .map(Network::new)
            .map_err(|error| host_error(py, &error))
    }
}

#[pymethods]
impl Component {
    /// What it is called, and its arguments and ports: name, direction, type.
    #[allow(clippy::type_complexity)]
    fn signature(&self) -> (String, Vec<(String, String)>, Vec<(String, String, String)>) {
        let signature = self.0.signature();
        let arguments = signature.arguments.iter();
        let arguments = arguments.map(|it| (it.name.clone(), it.ty.to_string()));
        let ports = signature.ports.iter();
        let ports = ports.map(|it| (it.name.clone(), it.direction.to_string(), it.ty.to_string()));
        (
            signature.process.clone(),
            arguments.collect(),
            ports.collect(),
        )
    }
}
