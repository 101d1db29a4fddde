//! What a network reports while it runs, as lines on stderr.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstyle::Style;
use clap::ValueEnum;
use serde::Serialize;
use transputer::{CoreDump, DeadlockReport, Event, Level, Outcome, ProcessReport};

use super::throttle::{Kind, Throttle};
use crate::line::Line;
use crate::stderr;
use crate::terminal::{self, DIM, ERROR, GOOD, HELP, Stamped, WARNING};

/// How many traps are known to have been printed. More are not told in full at the end.
const MOST_TRAPPED: usize = 1_000;

/// How a panic begins, as guests log it.
const PANIC: &str = "panicked at ";

/// How many panics are remembered. The text of an earlier one is printed once more.
const MOST_PANICS: usize = 64;

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

/// Prints events that are serious enough, as many as people can read. Called by workers, so it never
/// waits for the reader.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    least: LogLevel,
    format: Format,
    /// The network's name.
    network: Arc<str>,
    /// Whether lines for people begin with the time and the network.
    timestamps: bool,
    shared: Arc<Shared>,
}

/// An event as programs get it.
#[derive(Serialize)]
struct Named<'e> {
    network: &'e str,
    #[serde(flatten)]
    event: &'e Event,
}

#[derive(Debug, Default)]
struct Shared {
    /// Processes that a printed deadlock names; their ends add nothing.
    stuck: Mutex<HashSet<String>>,
    /// Panics whose log lines were printed, of processes that have not ended yet.
    panics: Mutex<VecDeque<(String, String)>>,
    /// The numbers of processes whose traps were printed when they happened.
    trapped: Mutex<HashSet<u64>>,
    throttle: Throttle,
}

impl Printer {
    pub(crate) fn new(least: LogLevel, format: Format, network: &str) -> Self {
        Printer {
            least,
            format,
            network: network.into(),
            timestamps: false,
            shared: Arc::default(),
        }
    }

    /// The same, with the time and the network's name at the beginning of each line for people.
    pub(crate) fn with_timestamps(self, timestamps: bool) -> Self {
        Printer { timestamps, ..self }
    }

    fn stuck(&self) -> MutexGuard<'_, HashSet<String>> {
        let stuck = self.shared.stuck.lock();
        stuck.unwrap_or_else(PoisonError::into_inner)
    }

    fn trapped(&self) -> MutexGuard<'_, HashSet<u64>> {
        let trapped = self.shared.trapped.lock();
        trapped.unwrap_or_else(PoisonError::into_inner)
    }

    fn panics(&self) -> MutexGuard<'_, VecDeque<(String, String)>> {
        let panics = self.shared.panics.lock();
        panics.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the trap of this process was printed when it happened.
    pub(super) fn has_told(&self, report: &ProcessReport) -> bool {
        self.trapped().contains(&report.id.0)
    }

    pub(crate) fn prints(&self, level: LogLevel) -> bool {
        level >= self.least
    }

    /// Whether programs read what is printed, not people.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints an event, if it is serious enough.
    pub(crate) fn print(&self, event: &Event) {
        let level = self.level(event);
        let Some(kind) = kind(event).filter(|_| self.prints(level)) else {
            return;
        };
        if !self.shared.throttle.admits(kind) {
            return;
        }
        self.remember(event);
        let line = if self.is_json() {
            let event = Stamped::now(Named {
                network: &self.network,
                event,
            });
            Line::json(&event).unwrap_or_else(|error| terminal::not_json(&error))
        } else if self.timestamps {
            let time = Line::new().styled(DIM, terminal::now()).text(" ");
            let named = time.styled(DIM, &self.network).text(" ");
            named.then(&self.line(event, level))
        } else {
            self.line(event, level)
        };
        stderr::print_event(&line);
    }

    /// Notes what is printed of a trap, so that its text is printed once.
    fn remember(&self, event: &Event) {
        match event {
            Event::Log { process, line, .. } if line.starts_with(PANIC) => {
                let mut panics = self.panics();
                if panics.len() == MOST_PANICS {
                    panics.pop_front();
                }
                panics.push_back((process.clone(), line.clone()));
            }
            Event::Ended(report) if matches!(report.outcome, Outcome::Trapped(_)) => {
                let mut trapped = self.trapped();
                if trapped.len() < MOST_TRAPPED {
                    trapped.insert(report.id.0);
                }
            }
            _ => {}
        }
    }

    /// What an event says to people: of a panic that was printed as a log line, only where it was.
    fn line(&self, event: &Event, level: LogLevel) -> Line {
        if let Event::Ended(report) = event
            && let Outcome::Trapped(trap) = &report.outcome
        {
            let mut panics = self.panics();
            let told = |(process, text): &(String, String)| {
                *process == report.name && *text == trap.reason
            };
            if let Some(index) = panics.iter().position(told) {
                panics.remove(index);
                let place = trap.reason.lines().next().unwrap_or_default();
                let place = place.trim_end_matches(':');
                return ended(report, format_args!("trapped: {place}"), level);
            }
        }
        line(event, level)
    }

    /// How serious an event is. The end of a process that a deadlock has already named is not news.
    fn level(&self, event: &Event) -> LogLevel {
        match event {
            Event::Log { level, .. } => LogLevel::of(*level),
            Event::Ended(report) if report.outcome.is_finished() => LogLevel::Debug,
            Event::Ended(report) if self.stuck().remove(&report.name) => LogLevel::Debug,
            Event::Ended(report) => match report.outcome {
                Outcome::Stopped(_) if !self.is_json() => LogLevel::Info,
                _ => LogLevel::Error,
            },
            Event::Restarting(_) | Event::Unfinished(_) | Event::BadLine(_) => LogLevel::Warn,
            Event::Restarted { .. } if !self.is_json() => LogLevel::Debug,
            Event::Restarted { .. } | Event::Replaced { .. } => LogLevel::Info,
            Event::Deadlock(deadlock) => {
                if !self.is_json() {
                    let names = deadlock.stuck.iter().map(|stuck| stuck.process.clone());
                    self.stuck().extend(names);
                }
                LogLevel::Error
            }
            _ => LogLevel::Error,
        }
    }

    /// Prints what went wrong with a component that is watched.
    pub(crate) fn watch(&self, component: &str, text: &str) {
        if self.is_json() {
            let watch = BTreeMap::from([("component", component), ("error", text)]);
            return terminal::print_json(&BTreeMap::from([("watch", watch)]));
        }
        stderr::print(&told(ERROR, "watch", component, text));
    }

    /// Says how many lines were not printed because there were too many of their kind.
    pub(crate) fn print_withheld(&self) {
        let withheld = self.shared.throttle.withheld();
        if withheld.is_empty() {
            return;
        }
        let counts = withheld.iter().map(|(kind, count)| (kind.name(), *count));
        if self.is_json() {
            let counts: BTreeMap<String, u64> = counts.collect();
            return terminal::print_json(&BTreeMap::from([("not_printed", counts)]));
        }
        let counts: Vec<String> = counts
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        terminal::note(format_args!(
            "not printed, because there were too many: {}",
            counts.join(", ")
        ));
    }
}

/// The kind of line that tells an event; `None` if it is never printed.
fn kind(event: &Event) -> Option<Kind> {
    Some(match event {
        Event::Log { level, .. } => Kind::Log(match level {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }),
        Event::Ended(report) => Kind::News(match report.outcome {
            Outcome::Finished => "processes that finished",
            Outcome::Failed(_) => "processes that failed",
            Outcome::Trapped(_) => "processes that trapped",
            Outcome::Killed(_) => "processes that were killed",
            _ => "processes that were stopped",
        }),
        Event::Restarting(_) => Kind::News("processes that went down, to be restarted"),
        Event::Restarted { .. } => Kind::News("restarts"),
        Event::Unfinished(_) => Kind::News("messages that were not finished"),
        Event::Replaced { .. } => Kind::News("replacements"),
        Event::Deadlock(_) => Kind::News("deadlocks"),
        Event::BadLine(_) => Kind::News("bad lines of stdin"),
        Event::Endpoint { .. } => Kind::News("failures of stdin or stdout"),
        _ => return None,
    })
}

/// What an event says.
pub(crate) fn in_words(event: &Event) -> Line {
    line(event, LogLevel::Info)
}

fn line(event: &Event, level: LogLevel) -> Line {
    match event {
        Event::Log {
            process,
            level,
            line,
        } => {
            let style = match level {
                Level::Trace | Level::Debug => DIM,
                Level::Info => GOOD,
                Level::Warn => WARNING,
                Level::Error => ERROR,
            };
            told(style, format_args!("{level:<5}"), process, line)
        }
        Event::Ended(report) => ended(report, &report.outcome, level),
        Event::Restarting(restart) => {
            let line = supervisor(WARNING, restart);
            with_core_dump(line, &restart.outcome)
        }
        Event::Unfinished(message) => supervisor(WARNING, message),
        Event::Restarted {
            process,
            incarnation,
            ..
        } => {
            let text = format!("`{process}` runs again, for the {}", nth(*incarnation));
            supervisor(GOOD, text)
        }
        Event::Replaced { process, component } => {
            supervisor(GOOD, format_args!("`{process}` runs {component} now"))
        }
        Event::Deadlock(deadlock) => stuck(deadlock),
        Event::BadLine(bad) => {
            let line = Line::new().styled(WARNING, "warning").text(": ");
            line.name("stdin").text(": ").text(bad)
        }
        Event::Endpoint {
            endpoint, message, ..
        } => {
            let line = Line::new().styled(ERROR, "error").text(": ");
            line.name(endpoint).text(": ").text(message)
        }
        _ => Line::new(),
    }
}

/// The same, and what became of the core dump, if there was to be one.
pub(super) fn with_core_dump(line: Line, outcome: &Outcome) -> Line {
    let Outcome::Trapped(trap) = outcome else {
        return line;
    };
    match &trap.core_dump {
        Some(CoreDump::Written(path)) => line.next().text("  core dump: ").name(path.display()),
        Some(CoreDump::NotWritten(why)) => line.next().text("  no core dump: ").text(why),
        _ => line,
    }
}

/// What somebody reports about a process or a component.
fn told(style: Style, what: impl fmt::Display, name: &str, text: impl fmt::Display) -> Line {
    let line = Line::new().styled(style, what).text(" ").styled(HELP, name);
    line.text(": ").text(text)
}

/// What a supervisor did.
fn supervisor(style: Style, text: impl fmt::Display) -> Line {
    Line::new()
        .styled(style, "supervisor")
        .text(": ")
        .text(text)
}

/// How a process ended, in these words.
fn ended(report: &ProcessReport, outcome: impl fmt::Display, level: LogLevel) -> Line {
    let style = match level {
        LogLevel::Debug => DIM,
        LogLevel::Info => WARNING,
        _ => ERROR,
    };
    let line = told(style, "ended", &report.name, outcome);
    match &report.gave_up {
        Some(why) => line.text("; not restarted: ").text(why),
        None => line,
    }
}

fn stuck(deadlock: &DeadlockReport) -> Line {
    let mut line = Line::new().styled(ERROR, "error").text(format_args!(
        ": deadlock of {}:",
        terminal::counted(
            usize::try_from(deadlock.size()).unwrap_or(usize::MAX),
            "process"
        )
    ));
    for stuck in &deadlock.stuck {
        line = line.next().text("  ").name(stuck);
    }
    if deadlock.more_stuck > 0 {
        let more = format_args!("  and {} more", deadlock.more_stuck);
        line = line.next().text(more);
    }
    if !deadlock.elsewhere.is_empty() {
        line = line.next().text("  together with other hosts:");
        for wait in &deadlock.elsewhere {
            line = line.next().text("  ").name(wait);
        }
        return line;
    }
    line = line.next().text("  cycle: ");
    for name in &deadlock.cycle {
        line = line.name(name).text(" -> ");
    }
    if deadlock.more_in_cycle > 0 {
        let more = format_args!("({} more) -> ", deadlock.more_in_cycle);
        line = line.text(more);
    }
    match deadlock.cycle.first() {
        Some(first) => line.name(first),
        None => line,
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
