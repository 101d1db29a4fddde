//! Joining messages into a stream of bytes.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use minicbor::Encoder;

use transputer_network::plan::Format;
use transputer_network::signature::PayloadType;
use transputer_network::value;

/// How many bytes are collected before they are written.
const CHUNK: usize = 64 << 10;

/// A writer, and how messages are written to it.
pub(super) struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    format: Format,
    payload: PayloadType,
    /// Whether the names of CSV's columns are written.
    has_columns: bool,
}

impl Output {
    pub(super) fn new(writer: Box<dyn Write + Send>, format: Format, payload: PayloadType) -> Self {
        Self {
            writer: BufWriter::with_capacity(CHUNK, writer),
            format,
            payload,
            has_columns: false,
        }
    }

    /// Writes a message, possibly only into the buffer.
    pub(super) fn message(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.format {
            Format::Bytes => self.writer.write_all(bytes),
            Format::Lines => {
                let line: Cow<'_, [u8]> = value::print(&self.payload, bytes).map_err(invalid)?;
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
            Format::Json => {
                let line = value::print_json(&self.payload, bytes).map_err(invalid)?;
                self.writer.write_all(&line)?;
                self.writer.write_all(b"\n")
            }
            Format::Csv => self.row(bytes),
        }
    }

    /// Writes a row; before the first one, the names of the columns.
    fn row(&mut self, bytes: &[u8]) -> io::Result<()> {
        let row = value::print_row(&self.payload, bytes).map_err(invalid)?;
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        if !std::mem::replace(&mut self.has_columns, true) {
            let columns = value::columns(&self.payload).unwrap_or_default();
            writer.write_record(columns.into_iter().map(|(name, _)| name))?;
        }
        writer.write_record(row)?;
        let rows = writer.into_inner().map_err(|error| error.into_error())?;
        self.writer.write_all(&rows)
    }

    /// Whether much of what was written is still in the buffer.
    pub(super) fn is_long(&self) -> bool {
        self.writer.buffer().len() > CHUNK / 2
    }

    /// Writes everything out.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn invalid(error: value::PrintError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
