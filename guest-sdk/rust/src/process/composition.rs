//! Processes in parallel, and one after the other.

use std::fmt;

use super::children::{Child, Spawn, SpawnError};
use super::outcome::Outcome;
use crate::alternation::receive_any;

/// Runs processes in parallel: starts all of them, and waits until all have ended.
///
/// ```no_run
/// use transputer_guest::{Error, channel, par, spawn};
///
/// # fn process() -> Result<(), Error> {
/// let (numbers, wire) = channel::<u64>(0)?;
/// par([
///     spawn("count").argument("limit", &10u64).output("numbers", numbers),
///     spawn("print").input("numbers", wire),
/// ])
/// .stop_on_failure()
/// .run()?;
/// # Ok(())
/// # }
/// ```
pub fn par(processes: impl IntoIterator<Item = Spawn>) -> Par {
    Par {
        processes: processes.into_iter().collect(),
        stop_on_failure: false,
    }
}

/// Runs processes one after the other: each starts when the one before it has finished. After
/// one that fails, or cannot be started, the others are not started. Returns their names.
///
/// ```no_run
/// use transputer_guest::{Error, seq, spawn};
///
/// # fn process() -> Result<(), Error> {
/// seq([spawn("fetch"), spawn("index"), spawn("publish")])?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Failures`]: the one that failed, and those that were not started.
pub fn seq(processes: impl IntoIterator<Item = Spawn>) -> Result<Vec<String>, Failures> {
    let mut result = Failures::default();
    for process in processes {
        if !result.failed.is_empty() {
            result.not_started.push(process.label().to_owned());
            continue;
        }
        let label = process.label().to_owned();
        match process.start() {
            Ok(child) => result.add(child.name(), child.wait()),
            Err(error) => result.refused(label, error),
        }
    }
    result.into_result()
}

/// Processes to be run in parallel; see [`par`].
#[derive(Debug)]
#[must_use = "nothing is started before `run`"]
pub struct Par {
    processes: Vec<Spawn>,
    stop_on_failure: bool,
}

impl Par {
    /// Stops the others when one fails, or cannot be started.
    pub fn stop_on_failure(self) -> Self {
        Par {
            stop_on_failure: true,
            ..self
        }
    }

    /// Starts all, and blocks until all have ended. Returns their names, in the order in which
    /// they were given.
    ///
    /// # Errors
    ///
    /// [`Failures`], if any did not finish.
    pub fn run(self) -> Result<Vec<String>, Failures> {
        let mut result = Failures::default();
        let mut children = Vec::new();
        for process in self.processes {
            let label = process.label().to_owned();
            if self.stop_on_failure && !result.failed.is_empty() {
                result.not_started.push(label);
                continue;
            }
            match process.start() {
                Ok(child) => children.push(child),
                Err(error) => result.refused(label, error),
            }
        }
        if self.stop_on_failure {
            match result.failed.first() {
                Some(failure) => stop(&children, &failure.process),
                None => stop_at_first_failure(&children),
            }
        }
        for child in children {
            result.add(child.name(), child.wait());
        }
        result.into_result()
    }
}

/// Waits until all have finished, or one has not; then stops the others.
fn stop_at_first_failure(children: &[Child]) {
    let mut running: Vec<&Child> = children.iter().collect();
    let mut monitors: Vec<_> = children.iter().map(Child::monitor).collect();
    // Past the limit on guards they can only be waited for in turn.
    while !running.is_empty()
        && let Ok((index, _)) = receive_any(&monitors)
    {
        monitors.swap_remove(index);
        let child = running.swap_remove(index);
        if child.wait() != Outcome::Finished {
            return stop(children, &child.name());
        }
    }
}

/// Stops whoever still runs.
fn stop(children: &[Child], culprit: &str) {
    for child in children {
        child.kill(&format!("`{culprit}`, which ran in parallel, failed"));
    }
}

/// What became of processes that were run together, if not all of them finished.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Failures {
    /// Those that finished.
    pub finished: Vec<String>,
    /// Those that failed, with the reason: first those that could not be started.
    pub failed: Vec<Failure>,
    /// Those that were not started, since another had failed.
    pub not_started: Vec<String>,
}

/// A process that did not finish.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// Its name.
    pub process: String,
    /// What became of it.
    pub cause: Cause,
}

/// What became of a process that did not finish.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// It could not be started; the ends that were to be its ports are in the error.
    NotSpawned(SpawnError),
    /// It ended like this.
    Ended(Outcome),
}

impl Failures {
    fn add(&mut self, process: String, outcome: Outcome) {
        match outcome {
            Outcome::Finished => self.finished.push(process),
            outcome => self.failed.push(Failure {
                process,
                cause: Cause::Ended(outcome),
            }),
        }
    }

    fn refused(&mut self, process: String, error: SpawnError) {
        self.failed.push(Failure {
            process,
            cause: Cause::NotSpawned(error),
        });
    }

    fn into_result(self) -> Result<Vec<String>, Failures> {
        match self.failed.is_empty() {
            true => Ok(self.finished),
            false => Err(self),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::NotSpawned(error) => write!(f, "`{}`: {error}", self.process),
            Cause::Ended(outcome) => write!(f, "`{}` {outcome}", self.process),
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.finished.len() + self.failed.len() + self.not_started.len();
        write!(f, "{} of {all} processes failed", self.failed.len())?;
        for (index, failure) in self.failed.iter().enumerate() {
            let before = if index == 0 { ": " } else { "; " };
            write!(f, "{before}{failure}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failures {}
