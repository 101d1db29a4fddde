//! What a network tells while it runs, as lines on stderr.

use clap::ValueEnum;
use transputer::{Event, Level, Outcome, ProcessReport};

use crate::terminal::{DIM, ERROR, GOOD, HELP, WARNING, printable};

/// Which log lines are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum LogLevel {
    Trace,
    /// Also every process that finishes.
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    fn of(level: Level) -> LogLevel {
        match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        }
    }
}

/// Prints events that are grave enough. Each is one write, so lines of different
/// processes don't mix.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    pub(crate) least: LogLevel,
}

impl Printer {
    pub(crate) fn prints(&self, level: LogLevel) -> bool {
        level >= self.least
    }

    /// Prints an event, if it is grave enough.
    pub(crate) fn print(&self, event: &Event) {
        match event {
            Event::Log {
                process,
                level,
                line,
            } => self.log(process, *level, line),
            Event::Ended(report) => self.ended(report),
            Event::Deadlock(deadlock) => {
                anstream::eprintln!(
                    "{ERROR}deadlock{ERROR:#}: {}",
                    printable(&deadlock.to_string())
                );
            }
            Event::Endpoint { endpoint, message } => {
                anstream::eprintln!("{ERROR}error{ERROR:#}: {endpoint}: {message}");
            }
            _ => {}
        }
    }

    fn log(&self, process: &str, level: Level, line: &str) {
        if !self.prints(LogLevel::of(level)) {
            return;
        }
        let style = match level {
            Level::Trace | Level::Debug => DIM,
            Level::Info => GOOD,
            Level::Warn => WARNING,
            Level::Error => ERROR,
        };
        anstream::eprintln!(
            "{style}{level:<5}{style:#} {HELP}{}{HELP:#}: {}",
            printable(process),
            printable(line)
        );
    }

    fn ended(&self, report: &ProcessReport) {
        let (level, style) = match report.outcome {
            Outcome::Finished => (LogLevel::Debug, DIM),
            Outcome::Stopped(_) => (LogLevel::Info, WARNING),
            _ => (LogLevel::Error, ERROR),
        };
        if self.prints(level) {
            let process = printable(&report.name);
            let outcome = printable(&report.outcome.to_string());
            anstream::eprintln!("{style}ended{style:#} {HELP}{process}{HELP:#}: {outcome}");
        }
    }
}
