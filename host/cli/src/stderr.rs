//! Standard error, written by a thread of its own.
//!
//! Invariants:
//!
//! - Only the writer writes, and only whole lines: each of them in one call, and, where standard
//!   output is the same file, never while that is written to. So nothing lands inside a line.
//! - Whoever queues a line never waits for whoever reads them. The queue's lock is a leaf, and is
//!   never held during a write.
//! - Lines about the network's events are dropped when [`ROOM`] bytes wait already. How many were
//!   dropped is told where they are missing, as soon as there is room again. Lines of the command's
//!   own are few, and never dropped.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstream::ColorChoice;
use serde_json::json;

use crate::line::Line;
use crate::terminal;

/// How many bytes may wait before lines about events are dropped.
const ROOM: usize = 1 << 20;

/// Lines that wait together are written together up to this length, which pipes take whole.
const TOGETHER: usize = 4096;

/// After a signal the command ends even if nobody reads; this long after the last write.
const PATIENCE: Duration = Duration::from_secs(1);

static QUEUE: LazyLock<Queue> = LazyLock::new(Queue::default);

/// Held while standard output or standard error is written, where both are the same file.
static BOTH: Mutex<()> = Mutex::new(());

/// Whether only JSON is printed.
static JSON: AtomicBool = AtomicBool::new(false);

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// Signalled when there is something to write, and when something was written.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    /// The length of all of them.
    bytes: usize,
    /// Events that are missing behind the last line.
    dropped: u64,
    /// The writer has something in hand.
    writing: bool,
    /// How often the writer has written.
    writes: u64,
    /// The writer runs.
    started: bool,
    /// Nobody will ever read.
    gone: bool,
    /// A signal has asked the command to end.
    hurried: bool,
}

/// From now on everything printed is one JSON object a line, should the host itself panic, too.
pub(crate) fn only_json() {
    JSON.store(true, Ordering::Relaxed);
    std::panic::set_hook(Box::new(|panic| {
        terminal::print_json(&json!({ "error": panic.to_string() }));
    }));
}

/// Whether everything printed is JSON.
pub(crate) fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// How colours are printed.
pub(crate) fn choice() -> ColorChoice {
    anstream::AutoStream::choice(&io::stderr())
}

/// Prints a line of the command's own.
pub(crate) fn print(line: &Line) {
    QUEUE.add(line, false);
}

/// Prints a line about an event, or drops it if too many wait already.
pub(crate) fn print_event(line: &Line) {
    QUEUE.add(line, true);
}

/// Don't wait for whoever reads when the command ends.
pub(crate) fn hurry() {
    QUEUE.waiting().hurried = true;
    QUEUE.changed.notify_all();
}

/// Waits until everything is written; after [`hurry`] only as long as somebody reads.
pub(crate) fn flush() {
    QUEUE.flush();
}

/// Keeps standard error out of what is written to standard output meanwhile, where both are one
/// file.
pub(crate) fn hold() -> Option<MutexGuard<'static, ()>> {
    static SAME: LazyLock<bool> = LazyLock::new(same_file);
    SAME.then(|| BOTH.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(unix)]
fn same_file() -> bool {
    let file = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    match (
        rustix::fs::fstat(io::stdout()),
        rustix::fs::fstat(io::stderr()),
    ) {
        (Ok(out), Ok(err)) => file(out) == file(err),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file() -> bool {
    true
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&'static self, line: &Line, event: bool) {
        let bytes = line.bytes(choice());
        let mut waiting = self.waiting();
        if waiting.gone {
            return;
        }
        if event && waiting.bytes + bytes.len() > ROOM {
            waiting.dropped += 1;
            return;
        }
        waiting.tell_dropped();
        waiting.push(bytes);
        if !waiting.started {
            waiting.started = true;
            let writer = std::thread::Builder::new().name("stderr".to_owned());
            if writer.spawn(|| self.write_all()).is_err() {
                // Without a thread lines are written here, and whoever prints may wait.
                waiting.started = false;
                drop(waiting);
                return self.write_waiting();
            }
        }
        drop(waiting);
        self.changed.notify_all();
    }

    /// Writes for ever.
    fn write_all(&self) {
        loop {
            self.write_waiting();
            let waiting = self.waiting();
            drop(
                self.changed
                    .wait_while(waiting, |waiting| waiting.lines.is_empty()),
            );
        }
    }

    /// Writes what waits.
    fn write_waiting(&self) {
        while let Some(bytes) = self.take() {
            let written = {
                let _held = hold();
                write(&bytes)
            };
            let mut waiting = self.waiting();
            waiting.writing = false;
            waiting.writes += 1;
            if written.is_err() {
                waiting.gone = true;
                waiting.lines.clear();
                waiting.bytes = 0;
            }
            drop(waiting);
            self.changed.notify_all();
        }
    }

    /// The lines to write next.
    fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.waiting();
        let mut bytes = waiting.lines.pop_front()?;
        while let Some(next) = waiting.lines.front()
            && bytes.len() + next.len() <= TOGETHER
        {
            bytes.extend_from_slice(next);
            waiting.lines.pop_front();
        }
        waiting.bytes -= bytes.len();
        waiting.writing = true;
        Some(bytes)
    }

    fn flush(&self) {
        let mut waiting = self.waiting();
        waiting.tell_dropped();
        self.changed.notify_all();
        while waiting.started && !waiting.gone && (waiting.writing || !waiting.lines.is_empty()) {
            let writes = waiting.writes;
            let unchanged = |waiting: &mut Waiting| waiting.writes == writes && !waiting.hurried;
            if !waiting.hurried {
                let waited = self.changed.wait_while(waiting, unchanged);
                waiting = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let unwritten = |waiting: &mut Waiting| waiting.writes == writes;
            let waited = self
                .changed
                .wait_timeout_while(waiting, PATIENCE, unwritten);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            waiting = now;
            if timeout.timed_out() {
                break;
            }
        }
    }
}

impl Waiting {
    fn push(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.lines.push_back(bytes);
    }

    /// Says that lines are missing here.
    fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped == 0 {
            return;
        }
        let line = match is_json() {
            true => Line::json(&json!({ "dropped_lines": dropped })).unwrap_or_default(),
            false => Line::new().text(format_args!(
                "warning: {dropped} lines are missing here, because nobody read standard error"
            )),
        };
        self.push(line.bytes(choice()));
    }
}

/// Writes all bytes with as few calls as the system allows, which is one for a line that fits
/// into a pipe.
fn write(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match io::stderr().write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for_room()?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Somebody who shares the terminal has made it non-blocking.
#[cfg(unix)]
fn wait_for_room() -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};

    let stderr = io::stderr();
    match poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None) {
        // A signal; whoever writes tries again.
        Err(rustix::io::Errno::INTR) => Ok(()),
        other => other.map(drop).map_err(io::Error::from),
    }
}

#[cfg(not(unix))]
fn wait_for_room() -> io::Result<()> {
    std::thread::yield_now();
    Ok(())
}
