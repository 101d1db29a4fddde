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

use transputer_core::channel::{ChannelError, Poison, PoisonKind};

use super::event::Event;
use super::plan::{Format, PlannedEndpoint};
use super::state::NetworkState;
use crate::message::{Message, Receiver, Sender};
use crate::signature::PayloadType;
use input::Input;
use output::Output;

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
}

/// Passes standard input on until its end, or until nobody wants more of it. A thread that
/// does so is left to itself: a read from a terminal cannot be cut short.
pub(super) fn read(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Sender>,
    reader: Option<Box<dyn Read + Send>>,
) {
    let Some(reader) = reader else { return };
    let mut input = Input::new(reader, endpoint.format, endpoint.payload);
    let sender = endpoint.end;
    let feeding = state.clone();
    if state.host.is_seeded() {
        state.host.scheduler().spawn(async move {
            while let Some(bytes) = next(&feeding, &mut input, &sender) {
                if sender.send(Message::new(bytes)).await.is_err() {
                    break;
                }
            }
        });
        return;
    }
    let spawned = thread("transputer-stdin", move || {
        while let Some(bytes) = next(&feeding, &mut input, &sender) {
            if sender.send_blocking(Message::new(bytes)).is_err() {
                break;
            }
        }
    });
    if let Err(error) = spawned {
        fault(state, "stdin", format!("no thread for it: {error}"));
    }
}

/// The next message of the input. What is wrong with it poisons the channel: the stream is
/// broken, not complete.
fn next(state: &NetworkState, input: &mut Input, sender: &Sender) -> Option<Vec<u8>> {
    match input.next_message() {
        Ok(message) => message,
        Err(message) => {
            sender.poison(Poison {
                kind: PoisonKind::Poisoned,
                reason: format!("stdin: {message}").into(),
            });
            fault(state, "stdin", message);
            None
        }
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
) -> Option<Writing> {
    let writer = writer.unwrap_or_else(|| Box::new(io::sink()));
    let mut output = Output::new(writer, endpoint.format, endpoint.payload);
    let receiver = endpoint.end;
    let writing = state.clone();
    if state.host.is_seeded() {
        let (done, waiting) = mpsc::sync_channel(1);
        state.host.scheduler().spawn(async move {
            let mut received = receiver.receive().await;
            while write_one(&writing, &mut output, received) {
                received = receiver.receive().await;
            }
            // Nobody may be waiting for it.
            let _ = done.send(());
        });
        return Some(Writing::Task(waiting));
    }
    let spawned = thread("transputer-stdout", move || {
        let mut received = receiver.receive_blocking();
        while write_one(&writing, &mut output, received) {
            received = match receiver.try_receive() {
                // Somebody may be waiting for what has been written so far.
                Err(ChannelError::WouldBlock) if output.flush().is_ok() => {
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

/// Writes what was received; false if that was the end.
fn write_one(
    state: &NetworkState,
    output: &mut Output,
    received: Result<Message, ChannelError>,
) -> bool {
    let (result, more) = match received {
        Ok(message) => (output.message(&message.bytes), true),
        // Why the channel ended is in the outcome of whoever ended it.
        Err(_) => (output.flush(), false),
    };
    match result {
        Ok(()) => more,
        // Whoever reads the output has had enough, like `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => false,
        Err(error) => {
            fault(state, "stdout", error.to_string());
            false
        }
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

fn fault(state: &NetworkState, endpoint: &'static str, message: String) {
    state.tell(Event::Endpoint { endpoint, message });
}
