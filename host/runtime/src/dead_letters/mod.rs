//! A file of the messages that a network has accepted and may not have handled.
//!
//! It is a journal. Every message of stdin is appended with one write before it enters the network, so
//! that it is in the file whatever happens to the program afterwards. What the network drops is appended,
//! too. When the network has ended, the journal becomes a list of what is left; if nothing is, it is
//! removed.
//!
//! A message is *accepted* once it is in the file. Then it is *undelivered* if a channel has
//! dropped it, *answered* if that is known, and *in flight* otherwise. Answers are known when
//! the network finishes, and before that only if each message of stdin is answered by one of
//! stdout, in order, as whoever runs the network may promise.

mod claim;
mod journal;
mod record;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::error::Error;
use crate::message::Message;
use crate::network::builder::Network;
use crate::network::report::{Report, Verdict};
use transputer_network::signature::PayloadType;
use transputer_network::validation::HostFile;

pub(super) use journal::Journal;
use record::Earlier;

/// How a network's dead-letter file is kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterOptions {
    /// Send what an earlier run has left in the file again, before anything from stdin. Otherwise such a
    /// file is refused.
    pub replay: bool,
    /// Each message of stdin is answered by one of stdout, in order: strike messages out as
    /// their answers are written, which also keeps the file small.
    pub one_to_one: bool,
    /// Bytes that the file may have; 1 GiB by default. When the next message of stdin could take it over
    /// that, stdin ends there as broken. Messages that other channels drop may take half of it; those
    /// that find no room are [counted](DeadLetters::unrecorded).
    pub max_bytes: u64,
    /// Also record what is dropped by channels that processes, or the program, open while the network
    /// runs; without this, only by those that it was wired with. Guests decide how much that is.
    pub opened_channels: bool,
}

impl DeadLetterOptions {
    /// Sets whether what an earlier run has left in the file is sent again.
    #[must_use]
    pub fn replay(self, replay: bool) -> Self {
        Self { replay, ..self }
    }

    /// Sets whether each message of stdin is answered by one of stdout, in order.
    #[must_use]
    pub fn one_to_one(self, one_to_one: bool) -> Self {
        Self { one_to_one, ..self }
    }

    /// Sets how many bytes the file may have.
    #[must_use]
    pub fn max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets whether to record what is dropped by channels that are opened while the network runs.
    #[must_use]
    pub fn opened_channels(self, opened_channels: bool) -> Self {
        Self {
            opened_channels,
            ..self
        }
    }
}

impl Default for DeadLetterOptions {
    fn default() -> Self {
        Self {
            replay: false,
            one_to_one: false,
            max_bytes: 1 << 30,
            opened_channels: false,
        }
    }
}

/// The dead-letter file of a network: see [`Network::dead_letter_file`].
///
/// The file is text, a JSON object a line:
///
/// ```text
/// {"dead_letters":1,"network":"audit","payload":"string","process":4711}
/// {"message":1,"text":"the first line"}
/// {"message":2,"bytes":[255,0]}
/// {"written":1}
/// {"state":"undelivered","channel":"parse.out -> count.lines","bytes":[24,42]}
/// ```
///
/// The first line says what follows. A message of stdin has a number; it is `text` if it can be,
/// else `bytes`. `written` strikes out all messages up to that number. A message that a channel has
/// dropped has the channel's name, `undelivered`, and the number of `ends` attached to it. Once the
/// network has ended, the first line says how, and every line is a message with its state,
/// `in-flight` or `undelivered`. A last line without its end was cut short, and counts for nothing.
///
/// What was written survives the death of the program. Nothing is forced to the disk: the death of the
/// machine may take the last seconds.
///
/// While the network runs, the file is locked, and its first line has the number of the process that
/// runs it.
#[derive(Clone)]
pub struct DeadLetterFile(pub(super) Arc<Journal>);

/// How many messages a dead-letter file holds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadLetters {
    /// Messages that a process had received, or may have; what became of them is not known.
    pub in_flight: u64,
    /// Messages that no process has received.
    pub undelivered: u64,
    /// Messages that channels have dropped, and that are not in the file because it was full.
    pub unrecorded: u64,
}

impl DeadLetters {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            in_flight,
            undelivered,
            unrecorded,
        } = self;
        write!(f, "{in_flight} in flight, {undelivered} not delivered")?;
        match unrecorded {
            0 => Ok(()),
            _ => write!(
                f,
                "; it was full, and lacks {unrecorded} that channels dropped"
            ),
        }
    }
}

impl DeadLetterFile {
    /// What is in the file that an earlier run has left; `None` if there is no such file.
    ///
    /// # Errors
    /// [`Error::DeadLetters`] if the file cannot be read, or is not a dead-letter file.
    pub fn look(path: impl AsRef<Path>) -> Result<DeadLetters, Error> {
        let path = path.as_ref();
        let earlier = Earlier::read(path).map_err(|message| fault(path, message))?;
        Ok(earlier.map(|earlier| earlier.count()).unwrap_or_default())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes the file a list of what is left, now that the network has ended, and says how much that
    /// is; without anything left the file is removed. Blocks until the reader of stdin knows what
    /// became of its last message.
    ///
    /// If the network succeeded and its output was written, what was in flight counts as handled.
    ///
    /// # Errors
    /// [`Error::DeadLetters`] if the file could not be written, now or before. It is a journal
    /// still then, with everything in it that could be written.
    pub fn close(&self, report: &Report) -> Result<DeadLetters, Error> {
        let (word, succeeded) = match report.verdict() {
            Verdict::Succeeded => ("succeeded", true),
            Verdict::Failed => ("failed", false),
            Verdict::Deadlocked => ("deadlocked", false),
            Verdict::Stopped => ("stopped", false),
        };
        let closed = self.0.close(word, succeeded);
        closed.map_err(|message| fault(self.path(), message))
    }
}

impl fmt::Debug for DeadLetterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeadLetterFile").field(&self.path()).finish()
    }
}

impl Network {
    /// Keeps a file of the messages that the network accepts from stdin and may not deal with, and of
    /// those that its channels drop; see [`DeadLetterOptions`] for how much that may be.
    /// [`DeadLetterFile::close`] it when the network has ended.
    ///
    /// # Errors
    /// [`Error::Undelivered`] if the file holds messages of an earlier run, unless they are to be
    /// sent again; [`Error::DeadLetters`] if it cannot be written, is of another network, or is in use
    /// by another run; [`Error::Wiring`] if a process is granted a directory that it lies in.
    pub fn dead_letter_file(
        &mut self,
        path: impl Into<PathBuf>,
        options: DeadLetterOptions,
    ) -> Result<DeadLetterFile, Error> {
        let path = path.into();
        self.check_reach(&[HostFile::new("the dead-letter file", &path)])?;
        let (payload, stdin) = match &self.stdin {
            Some(stdin) => (stdin.payload(), stdin.label()),
            None => (PayloadType::bytes(), None),
        };
        let header = record::Header::new(&self.name, &payload);
        let claimed = claim::claim(&path).map_err(|message| fault(&path, message))?;
        let earlier = Earlier::read(&path).map_err(|message| fault(&path, message))?;
        let earlier = earlier.filter(|earlier| !earlier.count().is_empty());
        if let Some(earlier) = &earlier {
            if !options.replay {
                return Err(Error::Undelivered {
                    path,
                    network: earlier.header.network.clone(),
                    letters: earlier.count(),
                });
            }
            header
                .fits(&earlier.header)
                .map_err(|message| fault(&path, message))?;
        }
        let journal = Journal::create(
            path.clone(),
            header,
            stdin,
            options,
            earlier,
            claimed.is_some(),
        );
        let journal = journal.map_err(|error| fault(&path, error.to_string()))?;
        let journal = Arc::new(journal);
        let mut listened_to = vec![&self.channel_totals];
        if options.opened_channels {
            listened_to.push(&self.opened_totals);
        }
        for totals in listened_to {
            let listening = journal.clone();
            totals.on_drop(move |label, message| {
                if let Some(message) = message.downcast_ref::<Message>() {
                    listening.dropped(label, &message.bytes, message.ends.len());
                }
            });
        }
        self.journal = Some(journal.clone());
        Ok(DeadLetterFile(journal))
    }
}

fn fault(path: &Path, message: String) -> Error {
    Error::DeadLetters {
        path: path.to_owned(),
        message,
    }
}
