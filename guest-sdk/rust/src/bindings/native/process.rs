//! `transputer:csp/process`, in memory.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;

use transputer_core::{Holder, ProcessId};

pub use super::super::generated::transputer::csp::process::{Level, SpawnError};
use super::channel::{Envelope, Outcome, Patience, Receiver, Sender, open_for};
use super::state::{self, Killed, Process, close_abandoned, current};
use super::wait::{self, deadline, until};
use crate::process::run_here;

/// A spawn that failed, and what was to be given away.
#[derive(Debug)]
pub struct SpawnRefused {
    pub error: SpawnError,
    pub inputs: Vec<(String, Receiver)>,
    pub outputs: Vec<(String, Sender)>,
}

/// A process that this one has spawned.
pub struct Child(Arc<Process>);

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Child").field(&self.0.name).finish()
    }
}

impl Child {
    pub fn name(&self) -> String {
        self.0.name.clone()
    }

    pub fn id(&self) -> u64 {
        self.0.id
    }

    pub fn wait(&self, patience: Patience) -> Option<Outcome> {
        if !self.0.wake_at_end() {
            return self.0.outcome();
        }
        let me = current();
        let deadline = deadline(patience);
        if deadline.is_none() {
            me.set_awaits(Some((self.0.id, state::number())));
        }
        let outcome = until(deadline, || self.0.outcome());
        me.set_awaits(None);
        outcome
    }

    pub fn kill(&self, reason: &str) {
        self.0.kill(reason);
        let _ = self.wait(Patience::Forever);
    }

    pub fn link(&self) {
        current().link(&self.0);
    }

    pub fn monitor(&self) -> Receiver {
        let child = Holder::Process(ProcessId(self.0.id));
        let (sender, receiver) = open_for(child);
        let last = sender.clone();
        if !self.0.monitor(sender) {
            let outcome = self.0.outcome().unwrap_or(Outcome::Finished);
            // It has room for one.
            let _ = last.try_send(Envelope::of_outcome(&outcome));
        }
        receiver
    }
}

/// This process's name: that of its thread, unless it was spawned.
pub fn name() -> String {
    current().name.clone()
}

/// This process's number.
pub fn id() -> u64 {
    current().id
}

/// Spawns the `#[process]` function of this name, in a thread of its own.
pub fn spawn(
    component: &str,
    name: Option<&str>,
    args: &[u8],
    inputs: Vec<(String, Receiver)>,
    outputs: Vec<(String, Sender)>,
) -> Result<Child, SpawnRefused> {
    let run = match run_here(component) {
        Ok(run) => run,
        Err(text) => {
            return Err(SpawnRefused {
                error: SpawnError::UnknownComponent(text),
                inputs,
                outputs,
            });
        }
    };
    let wanted = name.unwrap_or(component).to_owned();
    let arguments = args.to_vec();
    let (tell, told) = mpsc::channel();
    let (hand_over, handed_over) = mpsc::channel::<Ends>();
    let started = thread::Builder::new().name(wanted.clone()).spawn(move || {
        let process = Process::begin(&wanted);
        // Whoever spawned it waits for this.
        let _ = tell.send(process.clone());
        let Ok((inputs, outputs)) = handed_over.recv() else {
            return process.finish(Outcome::Finished);
        };
        let ran = catch_unwind(AssertUnwindSafe(|| run(&arguments, inputs, outputs)));
        process.finish(outcome(ran, &process));
        close_abandoned();
        crate::channel::drop_deferred();
    });
    let process = match (started, told.recv()) {
        (Ok(_), Ok(process)) => process,
        (started, _) => {
            let why = started.err().map(|error| error.to_string());
            return Err(SpawnRefused {
                error: SpawnError::Capacity(why.unwrap_or_default()),
                inputs,
                outputs,
            });
        }
    };
    let holder = Holder::Process(ProcessId(process.id));
    inputs.iter().for_each(|(_, end)| end.set_holder(holder));
    outputs.iter().for_each(|(_, end)| end.set_holder(holder));
    // It waits for them.
    let _ = hand_over.send((inputs, outputs));
    Ok(Child(process))
}

type Ends = (Vec<(String, Receiver)>, Vec<(String, Sender)>);

/// The same: there is no limit on processes for which it could wait.
pub fn spawn_patiently(
    component: &str,
    name: Option<&str>,
    args: &[u8],
    inputs: Vec<(String, Receiver)>,
    outputs: Vec<(String, Sender)>,
    _patience: Patience,
) -> Result<Child, SpawnRefused> {
    spawn(component, name, args, inputs, outputs)
}

/// How a process has ended.
fn outcome(ran: Result<Result<(), String>, Box<dyn Any + Send>>, process: &Process) -> Outcome {
    let thrown = match ran {
        Ok(Ok(())) => return Outcome::Finished,
        Ok(Err(text)) => return Outcome::Failed(text),
        Err(thrown) => thrown,
    };
    if thrown.is::<Killed>() {
        return Outcome::Stopped(process.killed().unwrap_or_default());
    }
    let text = thrown.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| thrown.downcast_ref::<String>().cloned());
    Outcome::Trapped(text.unwrap_or_else(|| "it panicked".to_owned()))
}

/// Nanoseconds on a clock that all processes share.
pub fn now() -> u64 {
    wait::now()
}

/// Blocks until the clock has reached `deadline`.
pub fn sleep_until(deadline: u64) {
    let _ = until(Some(deadline), || None::<()>);
}

/// Lets others run.
pub fn yield_now() {
    thread::yield_now();
}

/// Writes a line to the test's standard error.
pub fn log(level: Level, line: &str) {
    let level = match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    eprintln!("{level}: {}: {line}", name());
}
