//! Every step of a network, in a file: as text, or in the form that Perfetto and Chrome's `about:tracing` read.

mod perfetto;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use transputer::{Event, Host};

use crate::printable::one_line;
use perfetto::Perfetto;

/// The file that a trace is written to.
#[derive(Debug)]
pub(crate) struct Trace {
    path: PathBuf,
    /// Whose clock tells the time.
    host: Host,
    file: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    file: BufWriter<File>,
    form: Form,
    /// The first failure; nothing is written after it.
    failed: Option<std::io::Error>,
}

/// How it is written.
#[derive(Debug)]
enum Form {
    /// A line for each step.
    Text,
    /// Where the file's name ends in `.json`.
    Perfetto(Perfetto),
}

/// What a trace tells, in the words of either form.
struct Told<'e> {
    /// Nanoseconds.
    at: u64,
    process: &'e str,
    incarnation: u64,
    what: What<'e>,
}

enum What<'e> {
    Step {
        step: &'e str,
        waited_since: Option<u64>,
    },
    /// It ended for good.
    End(String),
    /// It ended, and will be restarted.
    Down(String),
    Restart,
    Replace(&'e str),
}

impl Trace {
    pub(crate) fn create(path: &Path, host: &Host) -> anyhow::Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("cannot write the trace to {}", path.display()))?;
        let json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let file = Mutex::new(Written {
            file: BufWriter::new(file),
            form: match json {
                true => Form::Perfetto(Perfetto::default()),
                false => Form::Text,
            },
            failed: None,
        });
        Ok(Trace {
            path: path.to_owned(),
            host: host.clone(),
            file,
        })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an event, if it is a step, or the end or the restart of a process.
    pub(crate) fn note(&self, event: &Event) {
        let Some(told) = told(event, || self.host.time()) else {
            return;
        };
        let mut written = self.written();
        if written.failed.is_none() {
            let Written { file, form, .. } = &mut *written;
            let done = match form {
                Form::Text => told.write_text(file),
                Form::Perfetto(perfetto) => perfetto.write(file, &told),
            };
            written.failed = done.err();
        }
    }

    /// Writes everything out.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        let mut written = self.written();
        let flushed = match written.failed.take() {
            Some(error) => Err(error),
            None => {
                let Written { file, form, .. } = &mut *written;
                let ended = match form {
                    Form::Text => Ok(()),
                    Form::Perfetto(perfetto) => perfetto.end(file),
                };
                ended.and_then(|()| file.flush())
            }
        };
        flushed.with_context(|| format!("cannot write the trace to {}", self.path.display()))
    }
}

fn told(event: &Event, now: impl Fn() -> Duration) -> Option<Told<'_>> {
    let now = || u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
    Some(match event {
        Event::Step {
            nanoseconds,
            process,
            incarnation,
            step,
            waited_since,
        } => Told {
            at: *nanoseconds,
            process,
            incarnation: *incarnation,
            what: What::Step {
                step,
                waited_since: *waited_since,
            },
        },
        Event::Ended(report) => Told {
            at: now(),
            process: &report.name,
            incarnation: report.restarts + 1,
            what: What::End(report.outcome.to_string()),
        },
        Event::Restarting(report) => Told {
            at: now(),
            process: &report.name,
            incarnation: report.incarnation,
            what: What::Down(report.outcome.to_string()),
        },
        Event::Restarted {
            process,
            incarnation,
            ..
        } => Told {
            at: now(),
            process,
            incarnation: *incarnation,
            what: What::Restart,
        },
        Event::Replaced { process, component } => Told {
            at: now(),
            process,
            incarnation: 1,
            what: What::Replace(component),
        },
        _ => return None,
    })
}

impl Told<'_> {
    fn write_text(&self, file: &mut impl Write) -> std::io::Result<()> {
        let time = seconds(self.at);
        let name = one_line(self.process);
        let nth = named(self.process, self.incarnation);
        match &self.what {
            What::Step { step, waited_since } => {
                let waited = match waited_since {
                    Some(since) => format!(" (waited {})", seconds(self.at.saturating_sub(*since))),
                    None => String::new(),
                };
                writeln!(file, "{time} {nth} {}{waited}", one_line(step))
            }
            What::End(outcome) => writeln!(file, "{time} end {name} {}", one_line(outcome)),
            What::Down(outcome) => writeln!(file, "{time} down {nth} {}", one_line(outcome)),
            What::Restart => writeln!(file, "{time} restart {nth}"),
            What::Replace(component) => {
                writeln!(file, "{time} replace {name} {}", one_line(component))
            }
        }
    }
}

fn seconds(nanoseconds: u64) -> String {
    format!(
        "{}.{:09}",
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000
    )
}

/// A process's name, and from its second incarnation on which one it is, as in `worker#2`.
fn named(process: &str, incarnation: u64) -> String {
    match incarnation {
        1 => one_line(process),
        _ => format!("{}#{incarnation}", one_line(process)),
    }
}
