//! Cutting a stream of bytes into messages.

use std::io::{self, BufRead, BufReader, Read};

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use transputer_network::plan::Format;
use transputer_network::signature::PayloadType;

/// The longest line, or CBOR item, that is taken in.
const LONGEST: usize = 16 << 20;

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;

/// A reader, and how to cut what comes from it.
pub(super) struct Input {
    reader: BufReader<Box<dyn Read + Send>>,
    format: Format,
    payload: PayloadType,
    /// Lines or items so far, for errors.
    count: u64,
    /// The beginning of a CBOR item whose end has not come.
    begun: Vec<u8>,
}

impl Input {
    pub(super) fn new(reader: Box<dyn Read + Send>, format: Format, payload: PayloadType) -> Self {
        Self {
            reader: BufReader::with_capacity(CHUNK, reader),
            format,
            payload,
            count: 0,
            begun: Vec::new(),
        }
    }

    /// The next message, or nothing at the end of the input. Blocks as the reader does.
    ///
    /// # Errors
    /// What is wrong with the input, and where.
    pub(super) fn next_message(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.format {
            Format::Lines => self.line(),
            Format::Bytes => self.chunk(),
            Format::Cbor => self.item(),
        }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LONGEST as u64 + 1);
        let length = limited.read_until(b'\n', &mut line).map_err(text)?;
        if length == 0 {
            return Ok(None);
        }
        self.count += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > LONGEST {
            return Err(format!("line {}: longer than {LONGEST} bytes", self.count));
        }
        if self.payload.is_bytes() {
            return Ok(Some(line));
        }
        let line = String::from_utf8(line).map_err(|error| {
            format!(
                "line {}: not UTF-8 from byte {} on; a port of type `list<u8>` takes any bytes",
                self.count,
                error.utf8_error().valid_up_to() + 1
            )
        })?;
        let mut encoder = Encoder::new(Vec::with_capacity(line.len() + 9));
        encoder.str(&line).map_err(text)?;
        Ok(Some(encoder.into_writer()))
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk.to_vec(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.to_string()),
            };
            self.reader.consume(chunk.len());
            return Ok(Some(chunk).filter(|chunk| !chunk.is_empty()));
        }
    }

    fn item(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            if let Some(length) = self.whole_item()? {
                let rest = self.begun.split_off(length);
                let item = std::mem::replace(&mut self.begun, rest);
                self.count += 1;
                return self.unwrapped(item).map(Some);
            }
            let place = format!("item {}", self.count + 1);
            if self.begun.len() > LONGEST {
                return Err(format!("{place}: longer than {LONGEST} bytes"));
            }
            if !self.read_more()? {
                return if self.begun.is_empty() {
                    Ok(None)
                } else {
                    Err(format!("{place}: cut short by the end of the input"))
                };
            }
        }
    }

    /// A raw `list<u8>` stands in the sequence as a byte string.
    fn unwrapped(&self, item: Vec<u8>) -> Result<Vec<u8>, String> {
        if !self.payload.is_bytes() {
            return Ok(item);
        }
        let bytes = Decoder::new(&item).bytes().map(<[u8]>::to_vec);
        bytes.map_err(|_| format!("item {}: expected a byte string", self.count))
    }

    /// Reads what there is, and looks for at least as much as there was already, so that a
    /// long item is scanned only a few times. False at the end of the input.
    fn read_more(&mut self) -> Result<bool, String> {
        let wanted = self.begun.len() * 2;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.to_string()),
            };
            if chunk.is_empty() {
                return Ok(self.begun.len() > wanted / 2);
            }
            self.begun.extend_from_slice(chunk);
            let length = chunk.len();
            self.reader.consume(length);
            if self.begun.len() >= wanted {
                return Ok(true);
            }
        }
    }

    /// The length of the CBOR item that has begun, if its end has come.
    fn whole_item(&self) -> Result<Option<usize>, String> {
        if self.begun.is_empty() {
            return Ok(None);
        }
        let mut decoder = Decoder::new(&self.begun);
        if matches!(decoder.datatype(), Ok(Type::Break)) {
            return Err(format!(
                "item {}: the end of an item that never began",
                self.count + 1
            ));
        }
        match decoder.skip() {
            Ok(()) => Ok(Some(decoder.position())),
            Err(error) if error.is_end_of_input() => Ok(None),
            Err(error) => Err(format!("item {}: {error}", self.count + 1)),
        }
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(bytes: &[u8], format: Format, payload: &str) -> Result<Vec<Vec<u8>>, String> {
        let reader = Box::new(io::Cursor::new(bytes.to_vec()));
        let payload = PayloadType::parse(payload).expect("a type");
        let mut input = Input::new(reader, format, payload);
        let mut messages = Vec::new();
        while let Some(message) = input.next_message()? {
            messages.push(message);
        }
        Ok(messages)
    }

    #[test]
    fn lines_are_cut_at_newlines_and_the_last_needs_none() {
        let lines = messages(b"one\n\nthree", Format::Lines, "list<u8>");
        let expected = [&b"one"[..], b"", b"three"].map(<[u8]>::to_vec);
        assert_eq!(lines, Ok(expected.to_vec()));
        assert_eq!(messages(b"", Format::Lines, "string"), Ok(Vec::new()));
        assert_eq!(
            messages(b"hi\n", Format::Lines, "string"),
            Ok(vec![b"\x62hi".to_vec()])
        );
    }

    #[test]
    fn a_line_that_is_not_text_is_named() {
        let error = messages(b"fine\nb\xffd\n", Format::Lines, "string").expect_err("no text");
        assert!(
            error.starts_with("line 2: not UTF-8 from byte 2 on"),
            "{error}"
        );
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let long = vec![b'x'; LONGEST + 1];
        let error = messages(&long, Format::Lines, "string").expect_err("too long");
        assert!(error.starts_with("line 1: longer than"), "{error}");
        let whole = [&long[1..], b"\n"].concat();
        assert_eq!(
            messages(&whole, Format::Lines, "list<u8>").map(|lines| lines.len()),
            Ok(1)
        );
    }

    #[test]
    fn items_of_a_cbor_sequence_are_found_however_they_arrive() {
        let mut encoder = Encoder::new(Vec::new());
        let long = "x".repeat(3 * CHUNK);
        encoder
            .u64(7)
            .and_then(|e| e.str(&long))
            .and_then(|e| e.bytes(b"raw"))
            .expect("a Vec");
        let sequence = encoder.into_writer();
        let items = messages(&sequence, Format::Cbor, "u64").expect("three items");
        assert_eq!(items.concat(), sequence);
        assert_eq!(
            items.iter().map(Vec::len).collect::<Vec<_>>(),
            [1, long.len() + 5, 4]
        );
        assert_eq!(
            messages(&[0x43, 1, 2, 3], Format::Cbor, "list<u8>"),
            Ok(vec![vec![1, 2, 3]])
        );
    }

    #[test]
    fn a_broken_cbor_sequence_is_refused() {
        for (bytes, expected) in [
            (&[0x01, 0x62, b'x'][..], "item 2: cut short"),
            (&[0x01, 0xff], "item 2: "),
        ] {
            let error = messages(bytes, Format::Cbor, "u64").expect_err("it is broken");
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
