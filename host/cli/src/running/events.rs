//! What a network tells while it runs, as lines on stderr.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;
use serde::Serialize;
use transputer::{Event, Level, Outcome, ProcessReport};

use crate::terminal::{self, DIM, ERROR, GOOD, HELP, WARNING, printable};

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

/// How events and the report are printed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Prints events that are grave enough. Each is one write, so lines of different
/// processes don't mix.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    least: LogLevel,
    format: Format,
    /// Processes that a printed deadlock names; their ends say nothing more.
    stuck: Arc<Mutex<HashSet<String>>>,
}

impl Printer {
    pub(crate) fn new(least: LogLevel, format: Format) -> Self {
        Printer {
            least,
            format,
            stuck: Arc::default(),
        }
    }

    fn stuck(&self) -> MutexGuard<'_, HashSet<String>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn prints(&self, level: LogLevel) -> bool {
        level >= self.least
    }

    /// Whether programs read what is printed, not people.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints an event, if it is grave enough.
    pub(crate) fn print(&self, event: &Event) {
        if self.is_json() {
            let level = match event {
                Event::Log { level, .. } => LogLevel::of(*level),
                Event::Ended(report) if report.outcome.is_finished() => LogLevel::Debug,
                Event::Restarting(_) | Event::Unfinished(_) => LogLevel::Warn,
                Event::Restarted { .. } | Event::Replaced { .. } => LogLevel::Info,
                _ => LogLevel::Error,
            };
            if self.prints(level) {
                print_json(event);
            }
            return;
        }
        match event {
            Event::Log {
                process,
                level,
                line,
            } => self.log(process, *level, line),
            Event::Ended(report) => self.ended(report),
            Event::Restarting(restart) => self.supervisor(LogLevel::Warn, restart),
            Event::Unfinished(message) => self.supervisor(LogLevel::Warn, message),
            Event::Restarted {
                process,
                incarnation,
                ..
            } => {
                let text = format!("`{process}` runs again, for the {}", nth(*incarnation));
                self.supervisor(LogLevel::Debug, &text);
            }
            Event::Replaced { process, component } => {
                let text = format!("`{process}` runs {component} now");
                self.supervisor(LogLevel::Info, &text);
            }
            Event::Deadlock(deadlock) => {
                let names = deadlock.stuck.iter().map(|stuck| stuck.process.clone());
                self.stuck().extend(names);
                anstream::eprintln!(
                    "{ERROR}error{ERROR:#}: {}",
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

    /// Prints what went wrong with a component that is watched.
    pub(crate) fn watch(&self, component: &str, text: &str) {
        if self.is_json() {
            let watch = BTreeMap::from([("component", component), ("error", text)]);
            return print_json(&BTreeMap::from([("watch", watch)]));
        }
        let (component, text) = (printable(component), printable(text));
        anstream::eprintln!("{ERROR}watch{ERROR:#} {HELP}{component}{HELP:#}: {text}");
    }

    /// Prints what a supervisor did.
    fn supervisor(&self, level: LogLevel, text: &dyn fmt::Display) {
        if self.prints(level) {
            let style = if level == LogLevel::Warn {
                WARNING
            } else {
                GOOD
            };
            let text = text.to_string();
            anstream::eprintln!("{style}supervisor{style:#}: {}", printable(&text));
        }
    }

    fn ended(&self, report: &ProcessReport) {
        let (level, style) = match report.outcome {
            Outcome::Finished => (LogLevel::Debug, DIM),
            Outcome::Stopped(_) => (LogLevel::Info, WARNING),
            _ if self.stuck().contains(&report.name) => (LogLevel::Debug, DIM),
            _ => (LogLevel::Error, ERROR),
        };
        if self.prints(level) {
            let process = printable(&report.name);
            let outcome = printable(&report.outcome.to_string());
            let gave_up = match &report.gave_up {
                Some(why) => format!("; not restarted: {}", printable(why)),
                None => String::new(),
            };
            anstream::eprintln!(
                "{style}ended{style:#} {HELP}{process}{HELP:#}: {outcome}{gave_up}"
            );
        }
    }
}

/// How often a process has been started; at least twice.
fn nth(incarnation: u64) -> String {
    match incarnation {
        2 => "second time".to_owned(),
        3 => "third time".to_owned(),
        n => format!("{n}th time"),
    }
}

/// Prints a line of JSON on stderr.
pub(crate) fn print_json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => anstream::eprintln!("{line}"),
        Err(error) => terminal::warning(format_args!("not to be had as JSON: {error}")),
    }
}
