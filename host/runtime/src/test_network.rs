//! Networks in tests: what goes in, and what comes out.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

use crate::component::Component;
use crate::error::Error;
use crate::host::{Host, lock};
use crate::network::{Event, Level, Report, Running, Verdict};
use transputer_network::description::Description;
use transputer_network::validation::ArgumentOverride;

/// A network to be run in tests, with an input of its own each time.
///
/// ```no_run
/// use transputer::{Host, HostOptions, TestNetwork};
///
/// // With a seed, the schedule is the same each time, and no time passes while processes sleep.
/// let host = Host::new(HostOptions::default().seed(1))?;
/// let network = TestNetwork::load(&host, "examples/pipeline", &[("parse", "parse.wasm")])?;
/// let ran = network.run().input("a line\n").start()?.finish()?;
/// assert_eq!(ran.lines(), ["visits  failed  bytes  path"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Folders of source are not built: `transputer test` does that, and runs the cases in the folder `tests`.
#[derive(Clone, Debug)]
pub struct TestNetwork {
    host: Host,
    description: Description,
    components: BTreeMap<String, Component>,
}

/// A run of a network to be: its arguments and its input.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct TestRun<'n> {
    network: &'n TestNetwork,
    arguments: Vec<ArgumentOverride>,
    input: Vec<u8>,
    timeout: Option<Duration>,
}

/// A network that runs in a test.
#[derive(Debug)]
pub struct StartedTest {
    running: Running,
    output: Shared,
    log: Arc<Mutex<Vec<(String, Level, String)>>>,
    timeout: Option<Duration>,
}

/// What came of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestOutput {
    /// What the network has written.
    pub output: Vec<u8>,
    /// What its processes have logged: who, how serious, and the line.
    pub log: Vec<(String, Level, String)>,
    /// What became of it.
    pub report: Report,
}

/// Bytes that somebody writes, and somebody else takes in the end.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl TestNetwork {
    /// The network that a file describes, or the file in this folder. `built` says which file stands for a
    /// component that it gives as source, by the component's name there.
    ///
    /// # Errors
    /// [`Error::Diagnostics`] with everything that is wrong with the description and the components.
    pub fn load(
        host: &Host,
        path: impl AsRef<Path>,
        built: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let description = Description::read(path.as_ref())?;
        let built = built.iter();
        let built: BTreeMap<String, PathBuf> = built
            .map(|(name, file)| ((*name).to_owned(), PathBuf::from(file)))
            .collect();
        let components = host.components(&description, &built)?;
        Ok(Self::new(host, description, components))
    }

    /// A network of components that are loaded already.
    pub fn new(
        host: &Host,
        description: Description,
        components: BTreeMap<String, Component>,
    ) -> Self {
        Self {
            host: host.clone(),
            description,
            components,
        }
    }

    /// A run without arguments of its own, with an empty input.
    pub fn run(&self) -> TestRun<'_> {
        TestRun {
            network: self,
            arguments: Vec::new(),
            input: Vec::new(),
            timeout: None,
        }
    }
}

impl TestRun<'_> {
    /// Gives an argument, as the option `--arg` of the command does.
    pub fn argument(mut self, argument: ArgumentOverride) -> Self {
        self.arguments.push(argument);
        self
    }

    /// Sets what it reads as its standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Stops it after so much time, which makes its verdict [`Verdict::Stopped`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`Error::Diagnostics`] if something doesn't fit; otherwise those of
    /// [`Network::start`](crate::Network::start).
    pub fn start(self) -> Result<StartedTest, Error> {
        let TestNetwork {
            host,
            description,
            components,
        } = self.network;
        let mut network = host.wire(description, components, &self.arguments)?;
        let output = Shared::default();
        let log: Arc<Mutex<Vec<_>>> = Arc::default();
        let lines = log.clone();
        network
            .stdin(Cursor::new(self.input))
            .stdout(output.clone())
            .on_event(move |event| {
                if let Event::Log {
                    process,
                    level,
                    line,
                } = event
                {
                    lock(&lines).push((process, level, line));
                }
            });
        Ok(StartedTest {
            running: network.start()?,
            output,
            log,
            timeout: self.timeout,
        })
    }
}

impl StartedTest {
    /// The network while it runs.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`Error::Setup`] if there is a timeout, and no thread can be had to watch it.
    pub fn finish(self) -> Result<TestOutput, Error> {
        let report = match self.timeout {
            None => self.running.wait(),
            Some(timeout) => wait_within(&self.running, timeout)?,
        };
        let output = std::mem::take(&mut *lock(&self.output.0));
        let log = std::mem::take(&mut *lock(&self.log));
        Ok(TestOutput {
            output,
            log,
            report,
        })
    }
}

/// Waits for a network, which is stopped if it takes longer.
fn wait_within(running: &Running, timeout: Duration) -> Result<Report, Error> {
    let (ended, end) = bounded::<()>(0);
    let watched = running.clone();
    let watch = std::thread::Builder::new()
        .name("test-timeout".to_owned())
        .spawn(move || {
            if end.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                watched.stop(&format!("it took longer than {timeout:?}"));
            }
        })
        .map_err(|error| Error::Setup {
            message: format!("a thread that watches the time: {error}"),
        })?;
    let report = running.wait();
    drop(ended);
    // It does not panic.
    let _ = watch.join();
    Ok(report)
}

impl TestOutput {
    /// What the network has written, as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// The lines of that.
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Whether every process has finished.
    pub fn succeeded(&self) -> bool {
        self.report.verdict() == Verdict::Succeeded
    }
}
