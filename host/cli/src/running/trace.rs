//! Every step of a network, in a file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use transputer::Event;

use crate::printable::one_line;

/// The file that a trace is written to.
#[derive(Debug)]
pub(crate) struct Trace {
    path: PathBuf,
    file: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    file: BufWriter<File>,
    /// The first failure; nothing is written after it.
    failed: Option<std::io::Error>,
}

impl Trace {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("cannot write the trace to {}", path.display()))?;
        let file = Mutex::new(Written {
            file: BufWriter::new(file),
            failed: None,
        });
        let path = path.to_owned();
        Ok(Trace { path, file })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an event, if it is a step, or the end or the restart of a process.
    pub(crate) fn note(&self, event: &Event) {
        let line = match event {
            Event::Step {
                nanoseconds,
                process,
                incarnation,
                step,
            } => {
                let seconds = nanoseconds / 1_000_000_000;
                let rest = nanoseconds % 1_000_000_000;
                format!(
                    "{seconds}.{rest:09} {} {}",
                    named(process, *incarnation),
                    one_line(step)
                )
            }
            Event::Ended(report) => {
                let outcome = report.outcome.to_string();
                format!("end {} {}", one_line(&report.name), one_line(&outcome))
            }
            Event::Restarting(report) => {
                let outcome = report.outcome.to_string();
                let process = named(&report.name, report.incarnation);
                format!("down {process} {}", one_line(&outcome))
            }
            Event::Restarted {
                process,
                incarnation,
                ..
            } => format!("restart {}", named(process, *incarnation)),
            Event::Replaced { process, component } => {
                format!("replace {} {}", one_line(process), one_line(component))
            }
            _ => return,
        };
        let mut written = self.written();
        if written.failed.is_none() {
            written.failed = writeln!(written.file, "{line}").err();
        }
    }

    /// Writes everything out.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        let mut written = self.written();
        let flushed = match written.failed.take() {
            Some(error) => Err(error),
            None => written.file.flush(),
        };
        flushed.with_context(|| format!("cannot write the trace to {}", self.path.display()))
    }
}

/// A process's name, and from its second incarnation on which one it is, as in `worker#2`.
fn named(process: &str, incarnation: u64) -> String {
    match incarnation {
        1 => one_line(process),
        _ => format!("{}#{incarnation}", one_line(process)),
    }
}
