//! Cutting a stream of bytes into messages.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::rows::Rows;
use crate::network::{BadLine, BadLineFate};
use transputer_network::plan::Format;
use transputer_network::policies::OnBadLine;
use transputer_network::signature::PayloadType;
use transputer_network::value;

/// How many bytes are read at a time.
const CHUNK: usize = 64 << 10;

/// A reader, and how to cut what comes from it.
pub(super) struct Input {
    reader: BufReader<Box<dyn Read + Send>>,
    format: Format,
    payload: PayloadType,
    /// The most bytes of a message.
    longest: usize,
    on_bad_line: OnBadLine,
    /// Lines or items so far, for errors.
    count: u64,
    /// The beginning of a CBOR item whose end has not arrived.
    begun: Vec<u8>,
    /// Rows of CSV, which have the reader then.
    rows: Option<Rows>,
    /// Whether reading has failed.
    failed: Arc<AtomicBool>,
}

/// A reader that notes whether reading fails.
struct Noting {
    inner: Box<dyn Read + Send>,
    failed: Arc<AtomicBool>,
}

impl Read for Noting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed.store(true, Ordering::Relaxed);
        }
        read
    }
}

/// What was next in the input.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// A message.
    Message(Vec<u8>),
    /// The beginning of a bad line.
    Cut(Vec<u8>, BadLine),
    /// A bad line that is left out.
    Skipped(BadLine),
    /// Nothing: the input has ended.
    End,
}

impl Input {
    pub(super) fn new(
        reader: Box<dyn Read + Send>,
        format: Format,
        payload: PayloadType,
        longest: usize,
        on_bad_line: OnBadLine,
    ) -> Self {
        let failed = Arc::<AtomicBool>::default();
        let reader: Box<dyn Read + Send> = Box::new(Noting {
            inner: reader,
            failed: failed.clone(),
        });
        let (reader, rows): (Box<dyn Read + Send>, _) = match format {
            Format::Csv => (Box::new(io::empty()), Some(Rows::new(reader, longest))),
            _ => (reader, None),
        };
        Self {
            rows,
            reader: BufReader::with_capacity(CHUNK, reader),
            format,
            payload,
            longest,
            on_bad_line,
            count: 0,
            begun: Vec::new(),
            failed,
        }
    }

    /// Whether reading has failed: whatever is wrong then is not what was read.
    pub(super) fn cannot_be_read(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// What is next. Blocks as the reader does.
    ///
    /// # Errors
    /// What is wrong with the input, and where, if reading cannot go on.
    pub(super) fn next(&mut self) -> Result<Taken, String> {
        let message = match self.format {
            Format::Lines => return self.line(),
            Format::Bytes => self.chunk()?,
            Format::Cbor => self.item()?,
            Format::Json => return self.json(),
            Format::Csv => return self.row(),
        };
        Ok(message.map_or(Taken::End, Taken::Message))
    }

    fn line(&mut self) -> Result<Taken, String> {
        let most = match self.payload.is_bytes() {
            true => self.longest,
            false => longest_text(self.longest),
        };
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take((most as u64).saturating_add(1));
        if limited.read_until(b'\n', &mut line).map_err(text)? == 0 {
            return Ok(Taken::End);
        }
        self.count += 1;
        let mut problem = None;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > most {
            problem = Some(format!(
                "longer than the {most} bytes that whoever receives it may have in a message"
            ));
            line.truncate(most);
            // What fails ends here, however long the line is.
            if self.on_bad_line != OnBadLine::Fail {
                self.reader.skip_until(b'\n').map_err(text)?;
            }
        }
        if !self.payload.is_bytes()
            && let Err(error) = std::str::from_utf8(&line)
        {
            let good = error.valid_up_to();
            line.truncate(good);
            let from = good + 1;
            problem.get_or_insert_with(|| format!("not UTF-8 from byte {from} on"));
        }
        match problem {
            None => self.message(line).map(Taken::Message),
            Some(problem) => self.bad_line(line, problem),
        }
    }

    /// A line of JSON; empty ones mean nothing.
    fn json(&mut self) -> Result<Taken, String> {
        let most = longest_json(self.longest);
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.reader).take((most as u64).saturating_add(1));
            if limited.read_until(b'\n', &mut line).map_err(text)? == 0 {
                return Ok(Taken::End);
            }
            self.count += 1;
            if line.last() != Some(&b'\n') && line.len() > most {
                if self.on_bad_line != OnBadLine::Fail {
                    self.reader.skip_until(b'\n').map_err(text)?;
                }
                return self.bad_line(Vec::new(), format!("longer than {most} bytes"));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let encoded = value::encode_json(&self.payload, &line);
            return self.typed(encoded);
        }
    }

    /// A row of CSV.
    fn row(&mut self) -> Result<Taken, String> {
        let Some(rows) = &mut self.rows else {
            return Ok(Taken::End);
        };
        match rows.next(&self.payload)? {
            None => Ok(Taken::End),
            Some((line, encoded)) => {
                self.count = line;
                self.typed(encoded)
            }
        }
    }

    /// A message that was made of a line by the port's type, unless it does not fit that.
    fn typed(&self, encoded: Result<Vec<u8>, String>) -> Result<Taken, String> {
        match encoded {
            Ok(message) if message.len() > self.longest => {
                let longest = self.longest;
                let problem = format!(
                    "a message of {} bytes, more than the {longest} that whoever receives it may have",
                    message.len()
                );
                self.bad_line(Vec::new(), problem)
            }
            Ok(message) => Ok(Taken::Message(message)),
            Err(problem) => self.bad_line(Vec::new(), problem),
        }
    }

    /// What becomes of a bad line, of which the beginning is good.
    fn bad_line(&self, beginning: Vec<u8>, problem: String) -> Result<Taken, String> {
        let bad = |fate| BadLine {
            line: self.count,
            problem: problem.clone(),
            fate,
        };
        match self.on_bad_line {
            OnBadLine::Fail => Err(format!(
                "line {}: {problem}; `on-bad-line` in [stdin] can skip or cut such lines",
                self.count
            )),
            OnBadLine::Skip => Ok(Taken::Skipped(bad(BadLineFate::Skipped))),
            OnBadLine::Cut => Ok(Taken::Cut(self.message(beginning)?, bad(BadLineFate::Cut))),
        }
    }

    /// A line, which is UTF-8 if it is to be text, as a message.
    fn message(&self, line: Vec<u8>) -> Result<Vec<u8>, String> {
        if self.payload.is_bytes() {
            return Ok(line);
        }
        let line = std::str::from_utf8(&line).map_err(text)?;
        let mut encoder = Encoder::new(Vec::with_capacity(line.len() + HEAD));
        encoder.str(line).map_err(text)?;
        Ok(encoder.into_writer())
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk[..chunk.len().min(self.longest)].to_vec(),
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
                if length > self.longest {
                    return Err(self.too_long(&format!("item {}", self.count + 1)));
                }
                let rest = self.begun.split_off(length);
                let item = std::mem::replace(&mut self.begun, rest);
                self.count += 1;
                return self.unwrapped(item).map(Some);
            }
            let place = format!("item {}", self.count + 1);
            if self.begun.len() > self.longest {
                return Err(self.too_long(&place));
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

    fn too_long(&self, place: &str) -> String {
        let longest = self.longest;
        format!("{place}: longer than the {longest} bytes that whoever receives it may have")
    }

    /// A raw `list<u8>` stands in the sequence as a byte string.
    fn unwrapped(&self, item: Vec<u8>) -> Result<Vec<u8>, String> {
        if !self.payload.is_bytes() {
            return Ok(item);
        }
        let bytes = Decoder::new(&item).bytes().map(<[u8]>::to_vec);
        bytes.map_err(|_| format!("item {}: expected a byte string", self.count))
    }

    /// Reads what there is, but at least as much as is there already, so that a long item is scanned only a
    /// few times. False at the end of the input.
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

    /// The length of the CBOR item at the front, if it is complete.
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

/// The longest line of JSON that is read: each byte of a message may be written as `\u0000`, with more around
/// it.
fn longest_json(bytes: usize) -> usize {
    bytes.saturating_mul(6).saturating_add(64 << 10)
}

/// Bytes in front of a text in CBOR, at most.
const HEAD: usize = 5;

/// The longest text that is at most so many bytes in CBOR.
fn longest_text(bytes: usize) -> usize {
    let heads = [(1, 23), (2, 0xff), (3, 0xffff), (HEAD, u32::MAX as usize)];
    let fitting = heads.map(|(head, most)| bytes.saturating_sub(head).min(most));
    fitting.into_iter().max().unwrap_or(0)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a message in these tests.
    const LONGEST: usize = 1 << 20;

    fn input(bytes: &[u8], format: Format, payload: &str, on_bad_line: OnBadLine) -> Input {
        let reader = Box::new(io::Cursor::new(bytes.to_vec()));
        let payload = PayloadType::parse(payload).expect("a type");
        Input::new(reader, format, payload, LONGEST, on_bad_line)
    }

    fn messages(bytes: &[u8], format: Format, payload: &str) -> Result<Vec<Vec<u8>>, String> {
        let mut input = input(bytes, format, payload, OnBadLine::Fail);
        let mut messages = Vec::new();
        while let Taken::Message(message) = input.next()? {
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
    fn what_fits_a_message_as_text_is_told_exactly() {
        for text in [0, 1, 23, 24, 255, 256, 65_535, 65_536] {
            let mut encoder = Encoder::new(Vec::new());
            encoder.str(&"x".repeat(text)).expect("a Vec");
            let bytes = encoder.into_writer().len();
            assert_eq!(longest_text(bytes), text);
        }
        assert_eq!(longest_text(25), 23, "24 would need a head of two bytes");
    }

    #[test]
    fn bad_lines_are_left_out_or_cut_and_the_next_one_is_whole() {
        let long = "x".repeat(3 * LONGEST);
        let bytes = [b"b\xffd\n", long.as_bytes(), b"\nfine"].concat();
        let bad = |line, problem: &str, fate| BadLine {
            line,
            problem: problem.to_owned(),
            fate,
        };
        let too_long = format!(
            "longer than the {} bytes that whoever receives it may have in a message",
            LONGEST - HEAD
        );
        let utf8 = "not UTF-8 from byte 2 on";
        let fine = Taken::Message(b"\x64fine".to_vec());

        let mut skipping = input(&bytes, Format::Lines, "string", OnBadLine::Skip);
        let skipped = |line, problem| Taken::Skipped(bad(line, problem, BadLineFate::Skipped));
        assert_eq!(skipping.next(), Ok(skipped(1, utf8)));
        assert_eq!(skipping.next(), Ok(skipped(2, &too_long)));
        assert_eq!(skipping.next(), Ok(fine));
        assert_eq!(skipping.next(), Ok(Taken::End));

        let mut cutting = input(&bytes, Format::Lines, "string", OnBadLine::Cut);
        let cut = Taken::Cut(b"\x61b".to_vec(), bad(1, utf8, BadLineFate::Cut));
        assert_eq!(cutting.next(), Ok(cut));
        match cutting.next() {
            Ok(Taken::Cut(message, line)) => {
                assert_eq!((message.len(), line.problem), (LONGEST, too_long));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(cutting.next(), Ok(Taken::Message(b"\x64fine".to_vec())));
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
