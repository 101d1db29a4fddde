//! The network's own standard input and output, each on a thread of its own.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::sync::Arc;
use std::thread::JoinHandle;

use minicbor::{Decoder, Encoder};
use transputer_core::channel::{ChannelError, Poison, PoisonKind};

use super::event::Event;
use super::plan::{Format, PlannedEndpoint};
use super::state::NetworkState;
use crate::message::{Message, Receiver, Sender};
use crate::signature::PayloadType;
use crate::value;

/// The longest line, or CBOR item, that is taken in.
const LONGEST: usize = 16 << 20;

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;

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

/// Reads standard input until its end, or until nobody wants more of it. The thread is left
/// to itself: a read from a terminal cannot be cut short.
pub(super) fn read(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Sender>,
    reader: Option<Box<dyn Read + Send>>,
) {
    let Some(reader) = reader else { return };
    let state = state.clone();
    let name = "transputer-stdin".to_owned();
    let spawned = std::thread::Builder::new().name(name).spawn({
        let state = state.clone();
        move || {
            let mut input = Input {
                reader: BufReader::with_capacity(CHUNK, reader),
                sender: endpoint.end,
                state: &state,
                items: 0,
            };
            let result = match endpoint.format {
                Format::Lines => input.lines(&endpoint.payload),
                Format::Bytes => input.chunks(),
                Format::Cbor => input.items(&endpoint.payload),
            };
            if let Err(Stop::Fault(message)) = result {
                input.give_up(message);
            }
        }
    });
    if let Err(error) = spawned {
        fault(&state, "stdin", format!("no thread for it: {error}"));
    }
}

/// Why reading stopped before the end of the input.
enum Stop {
    /// Nobody receives any more.
    Unwanted,
    /// The input is not what it should be.
    Fault(String),
}

struct Input<'a> {
    reader: BufReader<Box<dyn Read + Send>>,
    sender: Sender,
    state: &'a NetworkState,
    /// Lines or items so far.
    items: u64,
}

impl Input<'_> {
    fn lines(&mut self, payload: &PayloadType) -> Result<(), Stop> {
        loop {
            let mut line = Vec::new();
            let hold = self.state.host.hold_virtual_time();
            let read = (&mut self.reader)
                .take(LONGEST as u64 + 1)
                .read_until(b'\n', &mut line);
            drop(hold);
            if read.map_err(|error| Stop::Fault(error.to_string()))? == 0 {
                return Ok(());
            }
            self.items += 1;
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if line.len() > LONGEST {
                return Err(self.fault(format!("longer than {LONGEST} bytes")));
            }
            let bytes = if payload.is_bytes() {
                line
            } else {
                self.cbor_text(line)?
            };
            self.send(bytes)?;
        }
    }

    fn cbor_text(&self, line: Vec<u8>) -> Result<Vec<u8>, Stop> {
        let line = String::from_utf8(line).map_err(|error| {
            self.fault(format!(
                "not UTF-8 from byte {} on; give the port the type `list<u8>` to take any bytes",
                error.utf8_error().valid_up_to() + 1
            ))
        })?;
        let mut encoder = Encoder::new(Vec::with_capacity(line.len() + 9));
        encoder
            .str(&line)
            .map_err(|error| self.fault(error.to_string()))?;
        Ok(encoder.into_writer())
    }

    fn chunks(&mut self) -> Result<(), Stop> {
        loop {
            let hold = self.state.host.hold_virtual_time();
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk.to_vec(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Fault(error.to_string())),
            };
            drop(hold);
            if chunk.is_empty() {
                return Ok(());
            }
            self.reader.consume(chunk.len());
            self.send(chunk)?;
        }
    }

    fn items(&mut self, payload: &PayloadType) -> Result<(), Stop> {
        let mut buffer = Vec::new();
        loop {
            while let Some(length) = self.whole_item(&buffer)? {
                self.items += 1;
                let rest = buffer.split_off(length);
                let item = std::mem::replace(&mut buffer, rest);
                let bytes = if payload.is_bytes() {
                    let mut decoder = Decoder::new(&item);
                    let bytes = decoder.bytes().map(<[u8]>::to_vec);
                    bytes.map_err(|_| self.fault("no byte string".to_owned()))?
                } else {
                    item
                };
                self.send(bytes)?;
            }
            if buffer.len() > LONGEST {
                self.items += 1;
                return Err(self.fault(format!("longer than {LONGEST} bytes")));
            }
            let hold = self.state.host.hold_virtual_time();
            // As much again as there is, so that a long item is scanned only a few times.
            let want = buffer.len().max(CHUNK) as u64;
            let read = (&mut self.reader).take(want).read_to_end(&mut buffer);
            drop(hold);
            if read.map_err(|error| Stop::Fault(error.to_string()))? > 0 {
                continue;
            }
            if buffer.is_empty() {
                return Ok(());
            }
            self.items += 1;
            return Err(self.fault("cut short by the end of the input".to_owned()));
        }
    }

    /// The length of the CBOR item that a buffer begins with, if it holds all of it.
    fn whole_item(&self, buffer: &[u8]) -> Result<Option<usize>, Stop> {
        if buffer.is_empty() {
            return Ok(None);
        }
        let mut decoder = Decoder::new(buffer);
        match decoder.skip() {
            Ok(()) => Ok(Some(decoder.position())),
            Err(error) if error.is_end_of_input() => Ok(None),
            Err(error) => Err(Stop::Fault(format!("item {}: {error}", self.items + 1))),
        }
    }

    fn send(&self, bytes: Vec<u8>) -> Result<(), Stop> {
        self.sender
            .send_blocking(Message::new(bytes))
            .map_err(|_| Stop::Unwanted)
    }

    fn fault(&self, what: String) -> Stop {
        Stop::Fault(format!("line or item {}: {what}", self.items))
    }

    /// Ends the stream as broken, not as complete.
    fn give_up(&self, message: String) {
        self.sender.poison(Poison {
            kind: PoisonKind::Poisoned,
            reason: format!("stdin: {message}").into(),
        });
        fault(self.state, "stdin", message);
    }
}

/// Writes standard output until its channel ends.
pub(super) fn write(
    state: &Arc<NetworkState>,
    endpoint: Endpoint<Receiver>,
    writer: Option<Box<dyn Write + Send>>,
) -> Option<JoinHandle<()>> {
    let writer = writer.unwrap_or_else(|| Box::new(io::sink()));
    let spawned = std::thread::Builder::new()
        .name("transputer-stdout".to_owned())
        .spawn({
            let state = state.clone();
            move || {
                let mut output = Output {
                    writer: BufWriter::with_capacity(CHUNK, writer),
                    endpoint,
                };
                match output.run() {
                    // Whoever reads the output has had enough, like `head`.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                    Err(error) => fault(&state, "stdout", error.to_string()),
                    Ok(()) => {}
                }
            }
        });
    match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            fault(state, "stdout", format!("no thread for it: {error}"));
            None
        }
    }
}

struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    endpoint: Endpoint<Receiver>,
}

impl Output {
    fn run(&mut self) -> io::Result<()> {
        loop {
            let received = match self.endpoint.end.try_receive() {
                // Somebody may be waiting for what has been written so far.
                Err(ChannelError::WouldBlock) => {
                    self.writer.flush()?;
                    self.endpoint.end.receive_blocking()
                }
                other => other,
            };
            match received {
                Ok(message) => self.message(&message.bytes)?,
                // Why it ended is in the outcome of whoever ended it.
                Err(_) => return self.writer.flush(),
            }
        }
    }

    fn message(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.endpoint.format {
            Format::Bytes => self.writer.write_all(bytes),
            Format::Lines => {
                let line: Cow<'_, [u8]> = value::print(&self.endpoint.payload, bytes)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                self.writer.write_all(&line)?;
                self.writer.write_all(b"\n")
            }
            Format::Cbor if self.endpoint.payload.is_bytes() => {
                let mut encoder = Encoder::new(Vec::with_capacity(bytes.len() + 9));
                encoder.bytes(bytes).map_err(io::Error::other)?;
                self.writer.write_all(encoder.writer())
            }
            Format::Cbor => self.writer.write_all(bytes),
        }
    }
}

fn fault(state: &NetworkState, endpoint: &'static str, message: String) {
    state.tell(Event::Endpoint { endpoint, message });
}
