//! The command's standard streams, where a network runs in parts: at most one part reads, and one writes.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use transputer::parts::Part;
use transputer::plan::{Format, Plan};
use transputer::{Event, Network, Running};

use super::pipe::PipeWatch;
use super::stdin::{Closing, Stdin};
use crate::exit::Exit;

/// Standard input and output.
#[derive(Clone)]
pub(crate) struct Stream {
    stdin: Arc<Mutex<Option<Stdin>>>,
    pipe: PipeWatch,
    reads: bool,
    writes: bool,
}

impl Stream {
    /// The streams, with messages of this format, and what makes standard input end.
    pub(crate) fn new(format: Option<Format>) -> io::Result<(Stream, Closing)> {
        let (stdin, closing) = Stdin::new(format.unwrap_or(Format::Bytes))?;
        let stream = Stream {
            stdin: Arc::new(Mutex::new(Some(stdin))),
            pipe: PipeWatch::default(),
            reads: false,
            writes: false,
        };
        Ok((stream, closing))
    }

    /// What a part has of them.
    pub(crate) fn of(&self, plan: &Plan, part: &Part) -> Stream {
        let processes = || part.processes.iter().map(|index| &plan.processes[*index]);
        let at = |channel: usize| {
            processes().any(|process| {
                let mut ports = process.inputs.iter().chain(&process.outputs);
                ports.any(|(_, it)| *it == channel)
            })
        };
        Stream {
            reads: plan.stdin.as_ref().is_some_and(|it| at(it.channel)),
            writes: plan.stdout.as_ref().is_some_and(|it| at(it.channel)),
            ..self.clone()
        }
    }

    /// Gives a network the streams that are its own. Standard input can be given once: what an incarnation has read of it
    /// is gone with that.
    pub(crate) fn give(&self, network: &mut Network) -> io::Result<()> {
        if self.reads {
            let stdin = self.stdin.lock();
            let stdin = stdin.unwrap_or_else(PoisonError::into_inner).take();
            let gone = "standard input was read by an earlier incarnation on this host";
            network.stdin(stdin.ok_or_else(|| io::Error::other(gone))?);
        }
        if self.writes {
            network.stdout(self.pipe.stdout());
        }
        Ok(())
    }

    /// Stops the network when whoever reads its output has gone.
    pub(crate) fn watch(&self, running: &Running) {
        if self.writes {
            self.pipe.watch(running.clone());
        }
    }

    pub(crate) fn note(&self, event: &Event) {
        self.pipe.note(event);
    }

    /// How the command ends although the network succeeded, if reading or writing failed.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.pipe.exit()
    }
}
