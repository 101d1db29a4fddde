//! Ctrl-C: first in order, then at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use transputer::{ProcessStatus, Running};

use crate::exit::Exit;
use crate::terminal::{self, counted, printable};

/// How many processes, and how many channels, are listed.
const LISTED: usize = 20;

/// What Ctrl-C, or a request to terminate, does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    happened: AtomicBool,
    running: OnceLock<Running>,
}

impl Interrupt {
    /// Takes Ctrl-C over for the rest of the command.
    pub(crate) fn install() -> anyhow::Result<Interrupt> {
        let interrupt = Interrupt::default();
        let handler = interrupt.clone();
        ctrlc::set_handler(move || handler.handle()).context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Names the network to stop.
    pub(crate) fn watch(&self, running: Running) {
        self.0.running.get_or_init(|| running);
    }

    /// Whether there was a Ctrl-C.
    pub(crate) fn happened(&self) -> bool {
        self.0.happened.load(Ordering::SeqCst)
    }

    fn handle(&self) {
        let again = self.0.happened.swap(true, Ordering::SeqCst);
        match self.0.running.get() {
            Some(running) if !again => {
                say_what_is_in_flight(running);
                running.stop("interrupted");
            }
            _ => std::process::exit(Exit::Interrupted.code().into()),
        }
    }
}

fn say_what_is_in_flight(running: &Running) {
    let processes = running.status();
    terminal::note(format_args!(
        "interrupted, stopping {}; Ctrl-C again ends at once",
        counted(processes.len(), "process")
    ));
    let line = |process: &ProcessStatus| match process.incarnation {
        1 => format!("{} {}", process.name, process.doing),
        n => format!("{} (incarnation {n}) {}", process.name, process.doing),
    };
    list(processes.iter().map(line), "process");
    let channels = running.in_flight();
    let line = |(channel, messages): &(String, usize)| {
        format!("{} in `{channel}`", counted(*messages, "message"))
    };
    list(channels.iter().map(line), "channel");
}

fn list(lines: impl ExactSizeIterator<Item = String>, noun: &str) {
    let more = lines.len().saturating_sub(LISTED);
    for line in lines.take(LISTED) {
        anstream::eprintln!("  {}", printable(&line));
    }
    if more > 0 {
        anstream::eprintln!("  and {} more", counted(more, noun));
    }
}
