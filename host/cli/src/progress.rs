//! Progress on stderr: a spinner on a terminal, plain lines anywhere else.

use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::line::Line;
use crate::printable::one_line;
use crate::{stderr, terminal};

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Whether and how progress is shown.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Progress {
    /// Only errors.
    Quiet,
    /// A line when a step begins and one when it ends.
    Lines,
    /// A spinner while a step lasts, and a line when it ends.
    Spinner,
}

impl Progress {
    /// What suits stderr.
    pub(crate) fn new(quiet: bool) -> Progress {
        if quiet {
            Progress::Quiet
        } else if std::io::stderr().is_terminal() {
            Progress::Spinner
        } else {
            Progress::Lines
        }
    }

    /// Begins something that usually does not take long: only a spinner shows it.
    pub(crate) fn unobtrusive(self, doing: impl fmt::Display) -> Step {
        match self {
            Progress::Quiet | Progress::Lines => Progress::Quiet.step(doing),
            Progress::Spinner => self.step(doing),
        }
    }

    /// Begins something that takes a while.
    pub(crate) fn step(self, doing: impl fmt::Display) -> Step {
        let bar = match self {
            Progress::Quiet => None,
            Progress::Lines => {
                terminal::note(&doing);
                None
            }
            Progress::Spinner => {
                let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner());
                let bar = ProgressBar::new_spinner().with_style(style);
                bar.set_message(one_line(doing));
                bar.enable_steady_tick(TURN);
                Some(bar)
            }
        };
        Step {
            progress: self,
            bar,
            began: Instant::now(),
        }
    }
}

/// Something in progress. If it is dropped unfinished, it leaves nothing on the screen.
#[derive(Debug)]
pub(crate) struct Step {
    progress: Progress,
    bar: Option<ProgressBar>,
    began: Instant,
}

impl Step {
    /// Says what is being done now, if there is a spinner to say it.
    pub(crate) fn now(&self, doing: impl fmt::Display) {
        if let Some(bar) = &self.bar {
            bar.set_message(one_line(doing));
        }
    }

    /// Says how far it is, if there is no spinner to say it.
    pub(crate) fn progressed(&self, line: impl fmt::Display) {
        if self.bar.is_none() {
            self.note(&line.to_string());
        }
    }

    /// A line worth keeping, such as a step of a script.
    pub(crate) fn note(&self, line: &str) {
        if !matches!(self.progress, Progress::Quiet) {
            self.above(|| terminal::note(line));
        }
    }

    /// Passes on a line of another program's errors, with its colours, even when quiet.
    pub(crate) fn pass_on(&self, line: &str) {
        self.above(|| match stderr::is_json() {
            true => terminal::note(line),
            false => stderr::print(&Line::new().coloured(line)),
        });
    }

    /// Ends the step, and says what was done and how long it took.
    pub(crate) fn finish(self, done: impl fmt::Display) {
        self.done(done);
    }

    /// Says what was done and how long it took; it ends when it is dropped.
    pub(crate) fn done(&self, done: impl fmt::Display) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.note(&format!("{done} in {seconds:.1} s"));
    }

    fn above(&self, print: impl FnOnce()) {
        match &self.bar {
            // The spinner must not come back before the line is there.
            Some(bar) => bar.suspend(|| {
                print();
                stderr::flush();
            }),
            None => print(),
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
