//! What the command's exit code means.

use std::fmt;

use transputer::diagnostics::Diagnostics;
use transputer::{Error, Verdict};

use crate::running::Signal;

/// How a command ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked; for `run`, every process finished.
    Success,
    /// A process failed, trapped or was killed; or the content of stdin or stdout was bad.
    ProcessFailed,
    /// The command line, a file or a component is wrong.
    BadInput,
    /// Processes waited for each other for ever.
    Deadlock,
    /// The host itself failed: files, memory, a missing toolchain.
    HostTrouble,
    /// Ctrl-C, or a request to terminate, however far the network got after it.
    Signalled(Signal),
}

/// What `--help` says about them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    the network succeeded: every process finished
  1    a process failed, trapped, or went over a limit; or something is wrong with what came from
       stdin, or was to go to stdout
  2    bad input: the command line, a file, a component, guest source that does not compile, or a
       registry that refuses, or has no such pack
  3    deadlock: processes waited for each other forever
  4    the host itself failed: a file that cannot be written or that another run is using,
       no toolchain for guests, a registry that does not answer, ...
  129  the terminal hung up (SIGHUP)
  130  interrupted (SIGINT, Ctrl-C)
  143  asked to terminate (SIGTERM)";

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::ProcessFailed => 1,
            Exit::BadInput => 2,
            Exit::Deadlock => 3,
            Exit::HostTrouble => 4,
            Exit::Signalled(signal) => 128 + signal.number(),
        }
    }

    /// How a command that ran a network ends.
    pub(crate) fn of_verdict(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Succeeded => Exit::Success,
            Verdict::Deadlocked => Exit::Deadlock,
            Verdict::Failed | Verdict::Stopped => Exit::ProcessFailed,
        }
    }

    /// The exit code for an error that ended a command.
    pub(crate) fn of(error: &anyhow::Error) -> Exit {
        if error.is::<BadInput>() || error.is::<Diagnostics>() {
            return Exit::BadInput;
        }
        match error.downcast_ref::<Error>() {
            Some(Error::Diagnostics(_) | Error::Component { .. } | Error::Wiring { .. }) => {
                Exit::BadInput
            }
            _ => Exit::HostTrouble,
        }
    }
}

/// An error that the user has to correct.
#[derive(Debug)]
pub(crate) struct BadInput(String);

impl BadInput {
    pub(crate) fn new(message: impl Into<String>) -> BadInput {
        BadInput(message.into())
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}
