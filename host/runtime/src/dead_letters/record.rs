//! The lines of a dead-letter file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;

use minicbor::{Decoder, Encoder};
use serde::{Deserialize, Serialize};

use super::DeadLetters;
use transputer_network::signature::PayloadType;

/// The version of the format.
const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    dead_letters: u32,
    pub(super) network: String,
    payload: String,
    /// The number of the program's process; nothing once the network has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) process: Option<u32>,
    /// How the network ended; nothing while the file is a journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<String>,
}

impl Header {
    pub(super) fn new(network: &str, payload: &PayloadType) -> Self {
        Self {
            dead_letters: VERSION,
            network: network.to_owned(),
            payload: payload.to_string(),
            process: Some(std::process::id()),
            ended: None,
        }
    }

    /// Whether messages of a file with that header can be sent into this network.
    pub(super) fn fits(&self, earlier: &Self) -> Result<(), String> {
        if self.network == earlier.network && self.payload == earlier.payload {
            return Ok(());
        }
        Err(format!(
            "it holds messages of type {} for the network `{}`; this is `{}`, which takes {}",
            earlier.payload, earlier.network, self.network, self.payload
        ))
    }

    /// Messages are CBOR strings, and stand in the file as their text.
    fn of_strings(&self) -> bool {
        self.payload == "string"
    }
}

/// What became of a message, once that is known.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LetterState {
    InFlight,
    Undelivered,
}

/// Every other line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record<'a> {
    /// The number of a message of stdin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<LetterState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ends: Option<usize>,
    #[serde(flatten)]
    pub(super) content: Content<'a>,
}

/// What a message is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Content<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<Cow<'a, [u8]>>,
}

impl<'a> Content<'a> {
    /// Any bytes.
    pub(super) fn of_bytes(bytes: &'a [u8]) -> Self {
        Self {
            text: None,
            bytes: Some(Cow::Borrowed(bytes)),
        }
    }

    /// A message of stdin, readable if it can be.
    pub(super) fn of_message(header: &Header, bytes: &'a [u8]) -> Self {
        let text = if header.of_strings() {
            Decoder::new(bytes).str().ok()
        } else {
            std::str::from_utf8(bytes).ok()
        };
        match text {
            Some(text) => Self {
                text: Some(Cow::Borrowed(text)),
                bytes: None,
            },
            None => Self::of_bytes(bytes),
        }
    }

    /// The message again.
    pub(super) fn into_message(self, header: &Header) -> Vec<u8> {
        match (self.text, self.bytes) {
            (Some(text), _) if header.of_strings() => {
                let mut encoder = Encoder::new(Vec::with_capacity(text.len() + 9));
                // A Vec takes everything.
                let _ = encoder.str(&text);
                encoder.into_writer()
            }
            (Some(text), _) => text.into_owned().into_bytes(),
            (None, bytes) => bytes.unwrap_or_default().into_owned(),
        }
    }
}

/// The lines of a file, one after the other.
pub(super) struct Records {
    reader: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

impl Records {
    /// Opens a file, and reads its first line; nothing if there is no file, or nothing in it.
    pub(super) fn open(path: &Path) -> Result<Option<(Header, Self)>, String> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut records = Self {
            reader: BufReader::new(file),
            line: Vec::new(),
            number: 0,
        };
        if !records.advance()? {
            return if records.line.is_empty() {
                Ok(None)
            } else {
                Err(NOT_OURS.to_owned())
            };
        }
        let header: Header =
            serde_json::from_slice(&records.line).map_err(|_| NOT_OURS.to_owned())?;
        if header.dead_letters != VERSION {
            return Err(format!(
                "it is of version {}; this host knows version {VERSION}",
                header.dead_letters
            ));
        }
        Ok(Some((header, records)))
    }

    /// The next line; nothing at the end, or at a line that was cut short.
    pub(super) fn next(&mut self) -> Result<Option<Record<'static>>, String> {
        if !self.advance()? {
            return Ok(None);
        }
        let record = serde_json::from_slice::<Record<'_>>(&self.line);
        record
            .map(|record| Some(record.into_owned()))
            .map_err(|error| format!("line {}: {error}", self.number))
    }

    fn advance(&mut self) -> Result<bool, String> {
        self.line.clear();
        self.number += 1;
        let read = self.reader.read_until(b'\n', &mut self.line);
        read.map_err(|error| error.to_string())?;
        Ok(self.line.last() == Some(&b'\n'))
    }
}

const NOT_OURS: &str = "it is not a dead-letter file, and is left as it is; give another name";

impl Record<'_> {
    fn into_owned(self) -> Record<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Record {
            message: self.message,
            written: self.written,
            state: self.state,
            channel: self.channel.map(owned),
            ends: self.ends,
            content: Content {
                text: self.content.text.map(owned),
                bytes: self.content.bytes.map(|bytes| bytes.into_owned().into()),
            },
        }
    }
}

/// What the marks of a journal say of its messages.
#[derive(Default)]
pub(super) struct Marks {
    /// Messages up to this number have been answered.
    written: u64,
    /// Messages that the channel of stdin has dropped. It may have carried equal ones: which of
    /// them were dropped makes no difference.
    dropped: HashMap<Content<'static>, u64>,
}

impl Marks {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let mut marks = Self::default();
        let Some((_, mut records)) = Records::open(path)? else {
            return Ok(marks);
        };
        while let Some(record) = records.next()? {
            marks.written = marks.written.max(record.written.unwrap_or(0));
            if record.is_drop_at_stdin() {
                *marks.dropped.entry(record.content).or_default() += 1;
            }
        }
        Ok(marks)
    }

    /// What became of a message of stdin; nothing if it was answered.
    pub(super) fn judge(&mut self, record: &Record<'static>) -> Option<LetterState> {
        if record.state.is_some() {
            return record.state;
        }
        if record.message? <= self.written {
            return None;
        }
        match self.dropped.get_mut(&record.content) {
            Some(count) if *count > 0 => {
                *count -= 1;
                Some(LetterState::Undelivered)
            }
            _ => Some(LetterState::InFlight),
        }
    }
}

/// The name in the file of the channel of stdin.
pub(super) const STDIN: &str = "stdin";

impl Record<'_> {
    /// Whether this says that the channel of stdin has dropped a message.
    pub(super) fn is_drop_at_stdin(&self) -> bool {
        self.message.is_none() && self.channel.as_deref() == Some(STDIN)
    }
}

/// What an earlier run has left.
pub(super) struct Earlier {
    pub(super) header: Header,
    /// Messages of stdin, to be sent again.
    pub(super) messages: Vec<(LetterState, Content<'static>)>,
    /// Messages that were dropped elsewhere, which nobody can send again.
    pub(super) others: Vec<Record<'static>>,
}

impl Earlier {
    /// Reads a file, whether its network has ended or was cut short.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, String> {
        let mut marks = Marks::read(path)?;
        let Some((header, mut records)) = Records::open(path)? else {
            return Ok(None);
        };
        let mut earlier = Self {
            header,
            messages: Vec::new(),
            others: Vec::new(),
        };
        while let Some(record) = records.next()? {
            if record.message.is_some() {
                if let Some(state) = marks.judge(&record) {
                    earlier.messages.push((state, record.content));
                }
            } else if record.state.is_some() && !record.is_drop_at_stdin() {
                earlier.others.push(record);
            }
        }
        Ok(Some(earlier))
    }

    pub(super) fn count(&self) -> DeadLetters {
        let of_state = |wanted: LetterState| {
            let states = self.messages.iter();
            states.filter(|(state, _)| *state == wanted).count() as u64
        };
        DeadLetters {
            in_flight: of_state(LetterState::InFlight),
            undelivered: of_state(LetterState::Undelivered) + self.others.len() as u64,
            unrecorded: 0,
        }
    }
}
