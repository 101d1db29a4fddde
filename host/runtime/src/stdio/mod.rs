//! The network's own standard input and output.
//!
//! Each has a thread of its own, because reads and writes block. In a seeded run they are tasks like
//! the processes instead. A read or a write then holds up everything else, as if it took no time, so that the schedule
//! does not depend on it.

mod input;
mod output;
mod rows;

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Poll, Waker};

use transputer_core::channel::{Poison, PoisonKind, SendError, TryReceiveError};

use crate::dead_letters::Journal;
use crate::host::lock;
use crate::message::{Carried, Message, Receiver, Sender};
use crate::network::event::Event;
use crate::network::state::{NetworkState, remember};
use input::{Input, Taken};
use output::Output;
use transputer_network::plan::{Format, PlannedEndpoint};
use transputer_network::policies::OnBadLine;
use transputer_network::signature::PayloadType;

/// The host's end of the channel of stdin or stdout.
pub(super) struct Endpoint<E> {
    end: E,
    format: Format,
    payload: PayloadType,
    /// Bytes of a message, at most.
    longest: usize,
    on_bad_line: OnBadLine,
}

impl<E> Endpoint<E> {
    pub(super) fn new(planned: &PlannedEndpoint, end: E) -> Self {
        Self {
            end,
            format: planned.format,
            payload: planned.payload.clone(),
            longest: usize::MAX,
            on_bad_line: planned.on_bad_line,
        }
    }

    /// The same endpoint, with this limit on the size of messages.
    pub(super) fn within(self, longest: usize) -> Self {
        Self { longest, ..self }
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

/// Passes standard input on until it ends, or until nobody wants more of it. The thread that does so is never
/// joined, because a read from a terminal cannot be interrupted.
pub(super) fn read(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Sender>,
    reader: Option<Box<dyn Read + Send>>,
    journal: Option<Arc<Journal>>,
) {
    let reader = reader.unwrap_or_else(|| Box::new(io::empty()));
    let input = Input::new(
        reader,
        endpoint.format,
        endpoint.payload,
        endpoint.longest,
        endpoint.on_bad_line,
    );
    let mut feed = Feed {
        state: state.clone(),
        input,
        sender: endpoint.end,
        journal,
        cannot_record: false,
    };
    if state.host.is_seeded() {
        state.host.scheduler().spawn(async move {
            while let Some(message) = feed.next() {
                let sent = feed.sender.send(message).await;
                if !feed.note_sent(sent) {
                    break;
                }
            }
        });
        return;
    }
    let spawned = thread("transputer-stdin", move || {
        while let Some(message) = feed.next() {
            let sent = feed.sender.send_blocking(message);
            if !feed.note_sent(sent) {
                break;
            }
        }
    });
    if let Err(error) = spawned {
        fault(state, "stdin", format!("no thread for it: {error}"), false);
    }
}

/// What passes standard input on.
struct Feed {
    state: Arc<NetworkState>,
    input: Input,
    sender: Sender,
    journal: Option<Arc<Journal>>,
    /// Whether that has failed.
    cannot_record: bool,
}

impl Feed {
    /// The next message to send. If something is wrong with the input, the channel is poisoned
    /// behind what was sent before: the stream is broken, not complete.
    fn next(&mut self) -> Option<Message> {
        if let Some(message) = self.journal.as_ref().and_then(|journal| journal.again()) {
            return Some(Message::of_program(message, Carried::default()));
        }
        let problem = match self.next_of_input() {
            Ok(message) => return message,
            Err(problem) => problem,
        };
        let reason = format!("stdin: {problem}");
        if let Some(journal) = &self.journal {
            journal.spoil();
        }
        let bad_content = !self.cannot_record && !self.input.cannot_be_read();
        fault(&self.state, "stdin", problem, bad_content);
        // Last, because the network may end with it, and whoever waits for that must have heard why.
        self.sender
            .poison(Poison::new(PoisonKind::Poisoned, reason));
        None
    }

    /// The next message of the input, once it is in the journal.
    fn next_of_input(&mut self) -> Result<Option<Message>, String> {
        let bytes = loop {
            match self.input.next()? {
                Taken::Message(bytes) => break bytes,
                Taken::Cut(bytes, line) => {
                    self.state.bad_line(line);
                    break bytes;
                }
                Taken::Skipped(line) => self.state.bad_line(line),
                Taken::End => return Ok(None),
            }
        };
        let accepted = match &self.journal {
            Some(journal) => journal
                .accept(&bytes)
                .inspect_err(|_| self.cannot_record = true)?,
            None => true,
        };
        Ok(accepted.then(|| Message::of_program(bytes, Carried::default())))
    }

    /// Notes what became of a message; false if nobody wants more.
    fn note_sent(&self, sent: Result<(), SendError<Message>>) -> bool {
        if let Some(journal) = &self.journal {
            let refused = sent.as_ref().err();
            journal.note_sent(refused.map(|refused| &*refused.message().bytes));
        }
        sent.is_ok()
    }
}

/// Whether everything of standard output has been written. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Written(Arc<(Mutex<Progress>, Condvar)>);

#[derive(Default)]
struct Progress {
    is_written: bool,
    waiting: Vec<Waker>,
}

impl Written {
    /// Blocks until everything has been written.
    pub(super) fn wait(&self) {
        let (progress, changed) = &*self.0;
        let waits = changed.wait_while(lock(progress), |progress| !progress.is_written);
        drop(waits.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until everything has been written.
    pub(super) async fn wait_async(&self) {
        poll_fn(|context| {
            let mut progress = lock(&self.0.0);
            if progress.is_written {
                return Poll::Ready(());
            }
            remember(&mut progress.waiting, context.waker());
            Poll::Pending
        })
        .await;
    }
}

/// Held by the writer, and dropped last, even in a panic: after that there is nothing more to
/// wait for.
struct Writing(Written, Arc<NetworkState>);

impl Drop for Writing {
    fn drop(&mut self) {
        let (progress, changed) = &*self.0.0;
        let mut progress = lock(progress);
        progress.is_written = true;
        let waiting = std::mem::take(&mut progress.waiting);
        drop(progress);
        changed.notify_all();
        waiting.into_iter().for_each(Waker::wake);
        self.1.output_ended();
    }
}

/// Writes standard output until its channel ends.
pub(super) fn write(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Receiver>,
    writer: Option<Box<dyn Write + Send>>,
    journal: Option<Arc<Journal>>,
) -> Written {
    let written = Written::default();
    let writing = Writing(written.clone(), state.clone());
    let writer = writer.unwrap_or_else(|| Box::new(io::sink()));
    let receiver = endpoint.end;
    let drain = Drain {
        state: state.clone(),
        output: Output::new(writer, endpoint.format, endpoint.payload),
        taken: 0,
        journal,
    };
    if state.host.is_seeded() {
        state.host.scheduler().spawn(async move {
            let _writing = writing;
            let (receiver, mut drain) = (receiver, drain);
            let mut received = receiver.receive().await.ok();
            while drain.write(received) {
                received = receiver.receive().await.ok();
            }
        });
        return written;
    }
    let spawned = thread("transputer-stdout", move || {
        let _writing = writing;
        let (receiver, mut drain) = (receiver, drain);
        let mut received = receiver.receive_blocking().ok();
        while drain.write(received) {
            received = match receiver.try_receive() {
                // Somebody may be waiting for what has been written so far.
                Err(TryReceiveError::Empty) if drain.flush().is_ok() => {
                    receiver.receive_blocking().ok()
                }
                other => other.ok(),
            };
        }
    });
    if let Err(error) = spawned {
        fault(state, "stdout", format!("no thread for it: {error}"), false);
    }
    written
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
    /// Writes what was received; false if that was the end. (Why the channel ended is in the outcome of
    /// whoever ended it.)
    fn write(&mut self, received: Option<Message>) -> bool {
        let (result, more) = match received {
            Some(message) => (self.message(&message.bytes), true),
            None => (self.flush(), false),
        };
        let Err(error) = result else {
            return more;
        };
        if let Some(journal) = &self.journal {
            journal.spoil();
        }
        // The reader of the output has had enough, as `head` has.
        if error.kind() != io::ErrorKind::BrokenPipe {
            let bad_content = error.kind() == io::ErrorKind::InvalidData;
            fault(&self.state, "stdout", error.to_string(), bad_content);
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

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}

fn fault(state: &NetworkState, endpoint: &'static str, message: String, bad_content: bool) {
    state.tell(Event::Endpoint {
        endpoint,
        message,
        bad_content,
    });
}
