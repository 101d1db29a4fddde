//! The network's own standard input and output.
//!
//! Each has a thread of its own, for reads and writes block. In a seeded run they are tasks
//! like the processes instead: then a read or a write holds everything up, as if it took no
//! time, and the schedule does not depend on it.

mod input;
mod output;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use transputer_core::channel::{ChannelError, Poison, PoisonKind, SendError};

use crate::dead_letters::Journal;
use crate::message::{Message, Receiver, Sender};
use crate::network::event::Event;
use crate::network::state::NetworkState;
use input::Input;
use output::Output;
use transputer_network::plan::{Format, PlannedEndpoint};
use transputer_network::signature::PayloadType;

/// The host's end of the channel of stdin or stdout.
pub(super) struct Endpoint<E> {
    end: E,
    format: Format,
    payload: PayloadType,
}

impl<E> Endpoint<E> {
    pub(super) fn new(planned: &PlannedEndpoint, end: E) -> Self {
        Self {
            end,
            format: planned.format,
            payload: planned.payload.clone(),
        }
    }

    /// What its channel carries.
    pub(super) fn payload(&self) -> PayloadType {
        self.payload.clone()
    }
}

impl Endpoint<Sender> {
    /// What its channel is called.
    pub(super) fn label(&self) -> Option<String> {
        self.end.label().map(|label| label.to_string())
    }
}

/// Passes standard input on until its end, or until nobody wants more of it. A thread that
/// does so is left to itself: a read from a terminal cannot be cut short.
pub(super) fn read(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Sender>,
    reader: Option<Box<dyn Read + Send>>,
    journal: Option<Arc<Journal>>,
) {
    let reader = reader.unwrap_or_else(|| Box::new(io::empty()));
    let mut feed = Feed {
        state: state.clone(),
        input: Input::new(reader, endpoint.format, endpoint.payload),
        sender: endpoint.end,
        journal,
    };
    if state.host.is_seeded() {
        state.host.scheduler().spawn(async move {
            while let Some(message) = feed.next() {
                let sent = feed.sender.send(message).await;
                if !feed.settle(sent) {
                    break;
                }
            }
        });
        return;
    }
    let spawned = thread("transputer-stdin", move || {
        while let Some(message) = feed.next() {
            let sent = feed.sender.send_blocking(message);
            if !feed.settle(sent) {
                break;
            }
        }
    });
    if let Err(error) = spawned {
        fault(state, "stdin", format!("no thread for it: {error}"));
    }
}

/// What passes standard input on.
struct Feed {
    state: Arc<NetworkState>,
    input: Input,
    sender: Sender,
    journal: Option<Arc<Journal>>,
}

impl Feed {
    /// The next message to send. What is wrong with the input poisons the channel: the stream is
    /// broken, not complete.
    fn next(&mut self) -> Option<Message> {
        if let Some(message) = self.journal.as_ref().and_then(|journal| journal.again()) {
            return Some(Message::new(message));
        }
        let problem = match (self.input.next_message(), &self.journal) {
            (Ok(None), _) => return None,
            (Ok(Some(bytes)), None) => return Some(Message::new(bytes)),
            (Ok(Some(bytes)), Some(journal)) => match journal.accept(&bytes) {
                Ok(true) => return Some(Message::new(bytes)),
                Ok(false) => return None,
                Err(problem) => problem,
            },
            (Err(problem), _) => problem,
        };
        let reason = format!("stdin: {problem}");
        self.sender
            .poison(Poison::new(PoisonKind::Poisoned, reason));
        if let Some(journal) = &self.journal {
            journal.spoil();
        }
        fault(&self.state, "stdin", problem);
        None
    }

    /// Notes what became of a message; false if nobody wants more.
    fn settle(&self, sent: Result<(), SendError<Message>>) -> bool {
        if let Some(journal) = &self.journal {
            let refused = sent.as_ref().err();
            journal.settle(refused.map(|refused| &*refused.message.bytes));
        }
        sent.is_ok()
    }
}

/// The end of standard output can be waited for.
pub(super) enum Writing {
    Thread(JoinHandle<()>),
    Task(mpsc::Receiver<()>),
}

impl Writing {
    /// Blocks until everything has been written.
    pub(super) fn wait(self) {
        // A panic in the writer has been printed; there is nothing more to wait for.
        match self {
            Self::Thread(thread) => drop(thread.join()),
            Self::Task(done) => drop(done.recv()),
        }
    }
}

/// Writes standard output until its channel ends.
pub(super) fn write(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Receiver>,
    writer: Option<Box<dyn Write + Send>>,
    journal: Option<Arc<Journal>>,
) -> Option<Writing> {
    let writer = writer.unwrap_or_else(|| Box::new(io::sink()));
    let receiver = endpoint.end;
    let mut drain = Drain {
        state: state.clone(),
        output: Output::new(writer, endpoint.format, endpoint.payload),
        taken: 0,
        journal,
    };
    if state.host.is_seeded() {
        let (done, waiting) = mpsc::sync_channel(1);
        state.host.scheduler().spawn(async move {
            let mut received = receiver.receive().await;
            while drain.write(received) {
                received = receiver.receive().await;
            }
            // Nobody may be waiting for it.
            let _ = done.send(());
        });
        return Some(Writing::Task(waiting));
    }
    let spawned = thread("transputer-stdout", move || {
        let mut received = receiver.receive_blocking();
        while drain.write(received) {
            received = match receiver.try_receive() {
                // Somebody may be waiting for what has been written so far.
                Err(ChannelError::WouldBlock) if drain.flush().is_ok() => {
                    receiver.receive_blocking()
                }
                other => other,
            };
        }
    });
    match spawned {
        Ok(thread) => Some(Writing::Thread(thread)),
        Err(error) => {
            fault(state, "stdout", format!("no thread for it: {error}"));
            None
        }
    }
}

/// What writes standard output.
struct Drain {
    state: Arc<NetworkState>,
    output: Output,
    /// Messages so far.
    taken: u64,
    journal: Option<Arc<Journal>>,
}

impl Drain {
    /// Writes what was received; false if that was the end.
    fn write(&mut self, received: Result<Message, ChannelError>) -> bool {
        let (result, more) = match received {
            Ok(message) => (self.message(&message.bytes), true),
            // Why the channel ended is in the outcome of whoever ended it.
            Err(_) => (self.flush(), false),
        };
        let Err(error) = result else {
            return more;
        };
        if let Some(journal) = &self.journal {
            journal.spoil();
        }
        // Whoever reads the output has had enough, like `head`.
        if error.kind() != io::ErrorKind::BrokenPipe {
            fault(&self.state, "stdout", error.to_string());
        }
        false
    }

    fn message(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.message(bytes)?;
        self.taken += 1;
        // Messages count as written only when none of them is left in the buffer.
        if self.journal.is_some() && self.output.is_long() {
            return self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()?;
        if let Some(journal) = &self.journal {
            journal.written(self.taken);
        }
        Ok(())
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

fn fault(state: &NetworkState, endpoint: &'static str, message: String) {
    state.tell(Event::Endpoint { endpoint, message });
}
