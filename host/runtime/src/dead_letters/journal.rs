//! Writing a dead-letter file.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use super::claim::{in_use, lock as claim};
use super::record::{Content, Earlier, Header, LetterState, Marks, Record, Records, STDIN};
use super::{DeadLetterOptions, DeadLetters};
use crate::host::lock;

/// A journal is written anew, without what was struck out, when it has grown by so many bytes
/// and doubled, or is full; provided that at least a quarter of its lines go.
const GROWTH: u64 = 1 << 20;

/// What a line that tells of a message's end has besides the message, at most.
const ENDING: u64 = 64;

/// The journal of a running network. Its lock is a leaf: nothing else is locked under it.
pub(crate) struct Journal {
    path: PathBuf,
    /// What the channel of stdin is called.
    stdin: Option<String>,
    one_to_one: bool,
    /// Bytes that the file may have.
    max_bytes: u64,
    inner: Mutex<Inner>,
    /// Signalled when it is known what became of the message that was accepted last.
    settled: Condvar,
}

struct Inner {
    header: Header,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    /// Write anew at this length.
    compact_at: u64,
    /// How many lines it has, and how many of them need not be written again.
    lines: u64,
    spent: u64,
    /// Bytes set aside for telling the end of messages whose end is not known.
    reserved: u64,
    /// Bytes of what channels other than that of stdin have dropped.
    dropped_bytes: u64,
    accepted: u64,
    written: u64,
    /// Drops that stand in the file.
    drops: u64,
    /// Drops that there was no room for.
    unrecorded: u64,
    /// Messages of an earlier run that are to be sent again; they stand in the file already.
    again: VecDeque<Vec<u8>>,
    /// A message has been accepted, and is on its way into the network.
    unsettled: bool,
    /// The network's output may lack something, whatever its processes say.
    spoiled: bool,
    closed: bool,
    /// The first failure.
    failed: Option<String>,
}

impl Journal {
    /// Starts a journal in place of whatever an earlier run has left, which goes into it. With
    /// `claimed` there is such a file, and it is locked.
    pub(super) fn create(
        path: PathBuf,
        header: Header,
        stdin: Option<String>,
        options: DeadLetterOptions,
        earlier: Option<Earlier>,
        claimed: bool,
    ) -> io::Result<Self> {
        let mut again = VecDeque::new();
        let mut drops = 0;
        let mut reserved = 0;
        let mut dropped_bytes = 0;
        let file = replace(&path, claimed, |file| {
            write_line(file, &header)?;
            let Some(earlier) = earlier else {
                return Ok(());
            };
            for ((_, content), number) in earlier.messages.into_iter().zip(1..) {
                let record = Record {
                    message: Some(number),
                    content,
                    ..Record::default()
                };
                reserved += reserve(write_line(file, &record)?);
                again.push_back(record.content.into_message(&header));
            }
            drops = earlier.others.len() as u64;
            for other in &earlier.others {
                dropped_bytes += write_line(file, other)?;
            }
            Ok(())
        })?;
        let length = file.metadata()?.len();
        Ok(Self {
            path,
            stdin,
            one_to_one: options.one_to_one,
            max_bytes: options.max_bytes,
            inner: Mutex::new(Inner {
                header,
                file,
                length,
                compact_at: 2 * length + GROWTH,
                lines: 1 + again.len() as u64 + drops,
                spent: 0,
                reserved,
                dropped_bytes,
                accepted: again.len() as u64,
                written: 0,
                drops,
                unrecorded: 0,
                again,
                unsettled: false,
                spoiled: false,
                closed: false,
                failed: None,
            }),
            settled: Condvar::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next message of an earlier run, to be sent again.
    pub(crate) fn again(&self) -> Option<Vec<u8>> {
        let mut inner = lock(&self.inner);
        let message = inner.again.pop_front()?;
        inner.unsettled = true;
        Some(message)
    }

    /// Accepts a message of stdin: it is in the file when this returns. False if the network has
    /// ended, and accepts nothing more.
    ///
    /// # Errors
    /// Why the message is not in the file.
    pub(crate) fn accept(&self, message: &[u8]) -> Result<bool, String> {
        let mut inner = lock(&self.inner);
        if inner.closed {
            return Ok(false);
        }
        let record = Record {
            message: Some(inner.accepted + 1),
            content: Content::of_message(&inner.header, message),
            ..Record::default()
        };
        let line = line(&record);
        let reserved = reserve(line.len() as u64);
        if !self.has_room(&mut inner, line.len() as u64 + reserved) {
            return Err(format!(
                "the dead-letter file {} is full: with one message more it could have more than its \
                 limit of {} bytes; raise that",
                self.path.display(),
                self.max_bytes
            ));
        }
        inner
            .append(&line)
            .map_err(|error| format!("the dead-letter file {}: {error}", self.path.display()))?;
        inner.reserved += reserved;
        inner.accepted += 1;
        inner.unsettled = true;
        Ok(true)
    }

    /// The message that was accepted last has entered the network or, if it is given back, has
    /// not.
    pub(crate) fn note_sent(&self, refused: Option<&[u8]>) {
        if let Some(message) = refused {
            self.dropped(self.stdin.as_deref(), message, 0);
        }
        lock(&self.inner).unsettled = false;
        self.settled.notify_all();
    }

    /// A channel has dropped a message.
    pub(super) fn dropped(&self, label: Option<&str>, message: &[u8], ends: usize) {
        let of_stdin = label.is_some() && label == self.stdin.as_deref();
        let mut inner = lock(&self.inner);
        let record = Record {
            state: Some(LetterState::Undelivered),
            channel: Some(Cow::Borrowed(match label {
                _ if of_stdin => STDIN,
                Some(label) => label,
                None => "",
            })),
            ends: Some(ends).filter(|ends| *ends > 0),
            content: if of_stdin {
                Content::of_message(&inner.header, message)
            } else {
                Content::of_bytes(message)
            },
            ..Record::default()
        };
        let line = line(&record);
        let length = line.len() as u64;
        if of_stdin {
            // There is room, which was set aside when it was accepted.
            inner.reserved = inner.reserved.saturating_sub(length);
            inner.spent += 1;
        } else if inner.dropped_bytes + length > self.max_bytes / 2
            || !self.has_room(&mut inner, length)
        {
            inner.unrecorded += 1;
            return;
        } else {
            inner.dropped_bytes += length;
        }
        // A failure is told when the file is closed.
        if inner.append(&line).is_ok() {
            inner.drops += 1;
        }
    }

    /// Whether so many bytes more leave the file within its limit. What was struck out goes, if
    /// that is worth it.
    fn has_room(&self, inner: &mut Inner, bytes: u64) -> bool {
        let grown = |inner: &Inner| inner.length + inner.reserved + bytes;
        let much = inner.length + bytes > inner.compact_at || grown(inner) > self.max_bytes;
        if much && inner.spent >= inner.lines / 4 {
            let compacted = inner.compact(&self.path);
            inner.note(compacted);
        }
        grown(inner) <= self.max_bytes
    }

    /// So many messages of stdout have been written.
    pub(crate) fn written(&self, count: u64) {
        let mut inner = lock(&self.inner);
        if !self.one_to_one || count <= inner.written {
            return;
        }
        let count = count.min(inner.accepted);
        inner.spent += count - inner.written + 1;
        inner.written = count;
        let record = Record {
            written: Some(inner.written),
            ..Record::default()
        };
        let line = line(&record);
        self.has_room(&mut inner, line.len() as u64);
        // What is not struck out stays: that is safe. The failure is told in the end.
        let _ = inner.append(&line);
    }

    /// Something went wrong with the network's own input or output.
    pub(crate) fn spoil(&self) {
        lock(&self.inner).spoiled = true;
    }

    /// Ends the journal.
    pub(super) fn close(&self, ended: &str, succeeded: bool) -> Result<DeadLetters, String> {
        let mut inner = lock(&self.inner);
        inner.closed = true;
        while inner.unsettled {
            let waited = self.settled.wait(inner);
            inner = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(failure) = inner.failed.take() {
            return Err(failure);
        }
        let dealt_with = succeeded && !inner.spoiled && inner.again.is_empty();
        let mut left = DeadLetters::default();
        if inner.drops > 0 || !(dealt_with || inner.written == inner.accepted) {
            inner.header.ended = Some(ended.to_owned());
            inner.header.process = None;
            left = inner.list(&self.path, dealt_with)?;
        }
        if left.is_empty() {
            fs::remove_file(&self.path).map_err(|error| error.to_string())?;
        }
        left.unrecorded = inner.unrecorded;
        Ok(left)
    }
}

impl Inner {
    /// Appends a line, whole or not at all.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(line);
        match &written {
            Ok(()) => {
                self.length += line.len() as u64;
                self.lines += 1;
            }
            // The next line must not stand behind half of this one.
            Err(_) => drop(self.file.set_len(self.length)),
        }
        if let Err(error) = &written {
            self.note(Err(error.to_string()));
        }
        written
    }

    fn note(&mut self, result: Result<(), String>) {
        if let Err(failure) = result {
            self.failed.get_or_insert(failure);
        }
    }

    /// Writes the journal anew, without what was struck out. A message that the channel of stdin has
    /// dropped is marked as undelivered instead of being there twice.
    fn compact(&mut self, path: &Path) -> Result<(), String> {
        let mut marks = Marks::read(path)?;
        let (mut lines, mut reserved) = (2, 0);
        let mark = Record {
            written: Some(self.written),
            ..Record::default()
        };
        let file = self.rewrite(
            path,
            |file, mut record| {
                if record.written.is_some() || record.is_drop_at_stdin() {
                    return Ok(());
                }
                if record.message.is_some() {
                    record.state = match marks.judge(&record) {
                        None => return Ok(()),
                        Some(LetterState::InFlight) => None,
                        Some(LetterState::Undelivered) => Some(LetterState::Undelivered),
                    };
                }
                let length = write_line(file, &record)?;
                lines += 1;
                if record.state.is_none() {
                    reserved += reserve(length);
                }
                Ok(())
            },
            Some(&mark),
        )?;
        (self.lines, self.spent, self.reserved) = (lines, 0, reserved);
        self.length = file.metadata().map_err(|error| error.to_string())?.len();
        self.compact_at = 2 * self.length + GROWTH;
        self.file = file;
        Ok(())
    }

    /// Makes the journal a list of what is left.
    fn list(&mut self, path: &Path, dealt_with: bool) -> Result<DeadLetters, String> {
        let mut marks = Marks::read(path)?;
        let mut left = DeadLetters::default();
        self.rewrite(
            path,
            |file, mut record| {
                if record.is_drop_at_stdin() || record.written.is_some() {
                    return Ok(());
                }
                record.state = match record.message {
                    Some(_) => marks.judge(&record),
                    None => record.state,
                };
                match record.state {
                    None => return Ok(()),
                    Some(LetterState::InFlight) if dealt_with => return Ok(()),
                    Some(LetterState::InFlight) => left.in_flight += 1,
                    Some(LetterState::Undelivered) => left.undelivered += 1,
                }
                write_line(file, &record).map(drop)
            },
            None,
        )?;
        Ok(left)
    }

    /// Passes every line through `keep` into a new file, which takes the old one's place.
    fn rewrite(
        &self,
        path: &Path,
        mut keep: impl FnMut(&mut BufWriter<File>, Record<'static>) -> io::Result<()>,
        last: Option<&Record<'_>>,
    ) -> Result<File, String> {
        let Some((_, mut records)) = Records::open(path)? else {
            return Err("it has gone".to_owned());
        };
        let replaced = replace(path, true, |file| {
            write_line(file, &self.header)?;
            while let Some(record) = records.next().map_err(io::Error::other)? {
                keep(file, record)?;
            }
            last.map_or(Ok(()), |last| write_line(file, last).map(drop))
        });
        replaced.map_err(|error| error.to_string())
    }
}

/// Writes a file that takes the place of another at once, when it is whole; of none unless there
/// `may_be` one. The new one is locked, and open for more.
fn replace(
    path: &Path,
    may_be: bool,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<File> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(path.file_name().unwrap_or_default())
        .append(true);
    as_any_file(&mut builder);
    let (file, new) = builder.tempfile_in(folder)?.into_parts();
    // Nobody else knows of it.
    claim(&file);
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    if may_be {
        new.persist(path)?;
    } else {
        new.persist_noclobber(path)
            .map_err(|refused| match refused.error.kind() {
                // Another run was faster.
                io::ErrorKind::AlreadyExists => io::Error::other(in_use(path)),
                _ => refused.error,
            })?;
    }
    Ok(file)
}

/// Whoever may read the user's other files may read this one.
#[cfg(unix)]
fn as_any_file(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;

    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn as_any_file(_: &mut tempfile::Builder<'_, '_>) {}

/// A record as a line.
fn line(record: &Record<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(128);
    // Nothing here can fail to be JSON, and a Vec takes everything.
    let _ = write_line(&mut line, record);
    line
}

/// Writes a value as a line, and returns its length in bytes.
fn write_line(file: &mut impl io::Write, value: &impl serde::Serialize) -> io::Result<u64> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)?;
    Ok(line.len() as u64)
}

/// What is set aside for telling the end of a message that takes a line of so many bytes.
fn reserve(line: u64) -> u64 {
    line + ENDING
}
