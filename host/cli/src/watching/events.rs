//! The last things that happened in a network.

use std::collections::VecDeque;

use transputer::{DeadlockReport, Event, Outcome};

use super::view::{Deadlock, Happened};
use crate::printable::one_line;
use crate::running::in_words;

/// How many are kept, and how many characters of each.
const KEPT: usize = 200;
const LONGEST: usize = 600;

/// The most log lines of one second that are kept. The rest would only push each other out.
const LOGS_A_SECOND: u64 = 50;

/// The most deadlocks that are kept, and lines about each.
const DEADLOCKS: usize = 20;
const STUCK: usize = 50;

#[derive(Debug, Default)]
pub(super) struct Events {
    last: VecDeque<Happened>,
    pub(super) deadlocks: Vec<Deadlock>,
    /// A second, and the log lines in it.
    second: (u64, u64),
}

impl Events {
    /// Keeps an event that happened so many milliseconds after the start.
    pub(super) fn note(&mut self, event: &Event, at: u64) {
        let Some(level) = level(event) else { return };
        if matches!(event, Event::Log { .. }) && !self.has_room(at) {
            return;
        }
        if let Event::Deadlock(report) = event
            && self.deadlocks.len() < DEADLOCKS
        {
            self.deadlocks.push(deadlock(report, at));
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        let text = in_words(event).plain();
        self.last.push_back(Happened {
            at,
            level: level.to_owned(),
            text: cut(text.trim()),
        });
    }

    /// Whether another log line of this second is kept.
    fn has_room(&mut self, at: u64) -> bool {
        let second = at / 1000;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        self.second.1 <= LOGS_A_SECOND
    }

    pub(super) fn all(&self) -> Vec<Happened> {
        self.last.iter().cloned().collect()
    }
}

/// How serious an event is; `None` if it is not kept.
fn level(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Log { level, .. } => match level {
            transputer::Level::Error => "error",
            transputer::Level::Warn => "warn",
            transputer::Level::Info => "info",
            _ => "debug",
        },
        Event::Ended(report) => match report.outcome {
            Outcome::Finished => return None,
            Outcome::Stopped(_) => "info",
            _ => "error",
        },
        Event::Restarting(_) | Event::Unfinished(_) | Event::BadLine(_) => "warn",
        Event::Restarted { .. } | Event::Replaced { .. } => "info",
        Event::Deadlock(_) | Event::Endpoint { .. } => "error",
        _ => return None,
    })
}

fn deadlock(report: &DeadlockReport, at: u64) -> Deadlock {
    Deadlock {
        at,
        size: report.size(),
        cycle: report.cycle.iter().map(one_line).collect(),
        stuck: report.stuck.iter().take(STUCK).map(one_line).collect(),
        names: report
            .stuck
            .iter()
            .map(|stuck| one_line(&stuck.process))
            .collect(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
