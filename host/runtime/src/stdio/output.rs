//! Joining messages into a stream of bytes.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use minicbor::Encoder;

use transputer_network::plan::Format;
use transputer_network::signature::PayloadType;
use transputer_network::value;

/// Bytes gathered before they are written.
const CHUNK: usize = 64 << 10;

/// A writer, and how messages are written to it.
pub(super) struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    format: Format,
    payload: PayloadType,
}

impl Output {
    pub(super) fn new(writer: Box<dyn Write + Send>, format: Format, payload: PayloadType) -> Self {
        Self {
            writer: BufWriter::with_capacity(CHUNK, writer),
            format,
            payload,
        }
    }

    /// Writes a message, perhaps only into the buffer.
    pub(super) fn message(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.format {
            Format::Bytes => self.writer.write_all(bytes),
            Format::Lines => {
                let line: Cow<'_, [u8]> = value::print(&self.payload, bytes)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                self.writer.write_all(&line)?;
                self.writer.write_all(b"\n")
            }
            // A raw `list<u8>` stands in the sequence as a byte string.
            Format::Cbor if self.payload.is_bytes() => {
                let mut encoder = Encoder::new(Vec::with_capacity(bytes.len() + 9));
                encoder.bytes(bytes).map_err(io::Error::other)?;
                self.writer.write_all(encoder.writer())
            }
            Format::Cbor => self.writer.write_all(bytes),
        }
    }

    /// Whether much of what was written is in the buffer still.
    pub(super) fn is_long(&self) -> bool {
        self.writer.buffer().len() > CHUNK / 2
    }

    /// Writes everything out.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
