//! The network's standard output, and what happens when its reader goes away.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use transputer::{Event, Running};

use crate::exit::Exit;
use crate::stderr;

/// Notices that whoever read the network's output, such as `head`, has gone. Then the
/// network is stopped and the command ends quietly, as any filter does.
#[derive(Clone, Debug, Default)]
pub(crate) struct PipeWatch(Arc<State>);

#[derive(Debug, Default)]
struct State {
    broken: AtomicBool,
    failed: AtomicBool,
    bad_content: AtomicBool,
    running: OnceLock<Running>,
}

impl PipeWatch {
    /// The command's standard output, watched.
    pub(crate) fn stdout(&self) -> impl Write + Send + 'static {
        WatchedStdout {
            stdout: io::stdout(),
            watch: self.clone(),
        }
    }

    /// Names the network to stop.
    pub(crate) fn watch(&self, running: Running) {
        let running = self.0.running.get_or_init(|| running);
        // The reader may have gone before there was anything to stop.
        if self.is_broken() {
            running.stop(GONE);
        }
    }

    /// Whether the reader has gone.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::SeqCst)
    }

    /// Remembers failures of the network's own input and output.
    pub(crate) fn note(&self, event: &Event) {
        if let Event::Endpoint { bad_content, .. } = event {
            let noted = match bad_content {
                true => &self.0.bad_content,
                false => &self.0.failed,
            };
            noted.store(true, Ordering::SeqCst);
        }
    }

    /// How the command ends although the network succeeded, if its own input or output failed.
    pub(crate) fn exit(&self) -> Option<Exit> {
        if self.0.failed.load(Ordering::SeqCst) {
            return Some(Exit::HostTrouble);
        }
        let bad_content = self.0.bad_content.load(Ordering::SeqCst);
        bad_content.then_some(Exit::ProcessFailed)
    }

    fn look(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.0.broken.store(true, Ordering::SeqCst);
            if let Some(running) = self.0.running.get() {
                running.stop(GONE);
            }
        }
        error
    }
}

const GONE: &str = "the reader of its standard output has gone";

struct WatchedStdout {
    stdout: io::Stdout,
    watch: PipeWatch,
}

impl Write for WatchedStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _held = stderr::hold();
        self.stdout
            .write(bytes)
            .map_err(|error| self.watch.look(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let _held = stderr::hold();
        self.stdout.flush().map_err(|error| self.watch.look(error))
    }
}
