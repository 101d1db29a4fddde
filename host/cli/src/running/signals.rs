//! Ctrl-C, and requests to terminate: first in order, then at once.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use transputer::{ProcessStatus, Running};

use super::stdin::Closing;
use crate::exit::Exit;
use crate::line::Line;
use crate::stderr;
use crate::terminal::{self, counted};

/// The most processes, and the most channels, that are listed.
const LISTED: usize = 20;

/// A signal that ends the command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C: stop now.
    Interrupt,
    /// Somebody asks the network to end in an orderly way.
    Terminate,
    /// The terminal is gone.
    HangUp,
}

impl Signal {
    /// Its number, which is the same on every Unix.
    pub(crate) fn number(self) -> u8 {
        match self {
            Signal::HangUp => 1,
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
        }
    }

    /// What the network is told as the reason of its stop.
    fn reason(self) -> &'static str {
        match self {
            Signal::HangUp => "its terminal hung up",
            Signal::Interrupt => "interrupted",
            Signal::Terminate => "asked to terminate",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::HangUp => "SIGHUP",
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        })
    }
}

/// What signals do while a network runs.
///
/// A first Ctrl-C stops the network. A first SIGTERM or SIGHUP *drains* it: its standard input
/// ends, and its processes have some time to finish what is in it. A second signal of any kind
/// ends the command at once. Signals that the parent ignores, as `nohup` does, stay ignored.
#[derive(Clone, Debug)]
pub(crate) struct Signals(Arc<State>);

#[derive(Debug)]
struct State {
    first: Mutex<Option<Signal>>,
    came: Condvar,
    running: OnceLock<Running>,
    stdin: Closing,
    grace: Duration,
    /// Whether the network runs in virtual time, and stands still while it reads standard input.
    seeded: bool,
}

impl Signals {
    /// Takes the signals over for the rest of the command. `stdin` is closed to drain the network,
    /// which is stopped if it has not ended `grace` later.
    pub(crate) fn install(
        stdin: Closing,
        grace: Duration,
        seeded: bool,
    ) -> anyhow::Result<Signals> {
        let signals = Signals(Arc::new(State {
            first: Mutex::new(None),
            came: Condvar::new(),
            running: OnceLock::new(),
            stdin,
            grace,
            seeded,
        }));
        let handler = signals.clone();
        listen(move |signal| handler.handle(signal)).context("cannot listen for signals")?;
        Ok(signals)
    }

    /// Names the network to stop.
    pub(crate) fn watch(&self, running: Running) {
        self.0.running.get_or_init(|| running);
    }

    /// The first signal, if there was one.
    pub(crate) fn first(&self) -> Option<Signal> {
        *self.0.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the first signal.
    pub(crate) fn wait(&self) {
        let first = self.0.first.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.came.wait_while(first, |first| first.is_none()));
    }

    fn handle(&self, signal: Signal) {
        let earlier = {
            let mut first = self.0.first.lock().unwrap_or_else(PoisonError::into_inner);
            let earlier = *first;
            first.get_or_insert(signal);
            self.0.came.notify_all();
            earlier
        };
        stderr::hurry();
        match (self.0.running.get(), earlier) {
            (Some(running), None) => match signal {
                Signal::Interrupt => self.stop(running, signal, "interrupted"),
                Signal::Terminate | Signal::HangUp => self.drain(running, signal),
            },
            _ => std::process::exit(Exit::Signalled(signal).code().into()),
        }
    }

    /// Lets the network finish what it has accepted.
    fn drain(&self, running: &Running, signal: Signal) {
        self.0.stdin.close();
        let grace = self.0.grace;
        let text = format!(
            "{signal}: standard input ends; what is in the network has {} to finish, a second \
             signal ends at once",
            humantime::format_duration(grace)
        );
        let drains = json!({ "drains": {
            "signal": signal.to_string(),
            "grace_milliseconds": u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
        }});
        match stderr::is_json() {
            true => terminal::print_json(&drains),
            false => terminal::note(text),
        }
        let (signals, network) = (self.clone(), running.clone());
        let stop_later = move || {
            std::thread::sleep(grace);
            if !network.has_ended() {
                signals.stop(&network, signal, &format!("{signal}: not done in time"));
            }
        };
        let timer = std::thread::Builder::new().name("grace".to_owned());
        if timer.spawn(stop_later).is_err() {
            self.stop(
                running,
                signal,
                &format!("{signal}: no thread to wait with"),
            );
        }
    }

    /// Stops the network, and says what was in flight.
    fn stop(&self, running: &Running, signal: Signal, why: &str) {
        // Its end wakes processes, and what is told is where they waited. But a seeded run tells nothing while it reads.
        if self.0.seeded {
            self.0.stdin.close();
        }
        say_what_is_in_flight(running, signal, why);
        self.0.stdin.close();
        running.stop(signal.reason());
    }
}

/// Calls `leave` at the first signal; a second one ends the command at once. What the first one was.
pub(crate) fn on_signal(
    leave: impl Fn(Signal) + Send + Sync + 'static,
) -> anyhow::Result<Arc<OnceLock<Signal>>> {
    let first: Arc<OnceLock<Signal>> = Arc::default();
    let noted = first.clone();
    listen(move |signal| {
        stderr::hurry();
        if noted.set(signal).is_err() {
            std::process::exit(Exit::Signalled(signal).code().into());
        }
        terminal::note(format_args!(
            "{signal}: this host hands over and leaves; a second signal ends at once"
        ));
        leave(signal);
    })
    .context("cannot listen for signals")?;
    Ok(first)
}

fn say_what_is_in_flight(running: &Running, signal: Signal, why: &str) {
    let processes = running.status();
    let channels = running.in_flight();
    let process = |process: &ProcessStatus| match process.incarnation {
        1 => format!("{} {}", process.name, process.doing),
        n => format!("{} (incarnation {n}) {}", process.name, process.doing),
    };
    let channel = |(channel, messages): &(String, usize)| {
        format!("{} in `{channel}`", counted(*messages, "message"))
    };
    if stderr::is_json() {
        terminal::print_json(&json!({ "stops": {
            "signal": signal.to_string(),
            "processes": processes.iter().take(LISTED).map(process).collect::<Vec<_>>(),
            "in_flight": channels.iter().take(LISTED).map(channel).collect::<Vec<_>>(),
        }}));
    } else {
        terminal::note(format_args!(
            "{why}, stopping {}; a second signal ends at once",
            counted(processes.len(), "process")
        ));
        list(processes.iter().map(process), "process");
        list(channels.iter().map(channel), "channel");
    }
}

fn list(lines: impl ExactSizeIterator<Item = String>, noun: &str) {
    let more = lines.len().saturating_sub(LISTED);
    for line in lines.take(LISTED) {
        stderr::print(&Line::new().text("  ").name(line));
    }
    if more > 0 {
        let text = format_args!("  and {} more", counted(more, noun));
        stderr::print(&Line::new().text(text));
    }
}

/// Calls `handle` for each of the signals, on a thread of its own.
#[cfg(unix)]
fn listen(handle: impl Fn(Signal) + Send + 'static) -> anyhow::Result<()> {
    let all = [Signal::HangUp, Signal::Interrupt, Signal::Terminate];
    let heeded: Vec<Signal> = all
        .into_iter()
        .filter(|signal| !is_ignored(*signal))
        .collect();
    let numbers = heeded.iter().map(|signal| i32::from(signal.number()));
    let mut arriving = signal_hook::iterator::Signals::new(numbers)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for number in arriving.forever() {
                let signal = heeded.iter().find(|s| i32::from(s.number()) == number);
                signal.copied().into_iter().for_each(&handle);
            }
        })?;
    Ok(())
}

/// Whether the parent ignores this signal for the command, as `nohup` does, and shells do for commands in
/// the background.
#[cfg(unix)]
#[allow(unsafe_code)]
fn is_ignored(signal: Signal) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with a null pointer for the new action `sigaction` changes nothing; it writes the
    // present one to `now`, which is valid for that, and for which zeroes are a valid value.
    let now = unsafe {
        libc::sigaction(signal.number().into(), std::ptr::null(), now.as_mut_ptr());
        now.assume_init()
    };
    now.sa_sigaction == libc::SIG_IGN
}

#[cfg(not(unix))]
fn listen(handle: impl Fn(Signal) + Send + 'static) -> anyhow::Result<()> {
    ctrlc::set_handler(move || handle(Signal::Interrupt))?;
    Ok(())
}
