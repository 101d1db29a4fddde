//! The command's standard input, which can be made to end.
//!
//! A read blocks for as long as nobody writes. So before each read, the thread waits for two things at
//! once: something to read, and the end. Input ends only after a whole message: a message that has begun
//! is read to its end.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use transputer::plan::Format;

use super::framing::Framing;

/// Makes standard input end.
#[derive(Clone, Debug)]
pub(crate) struct Closing(Arc<State>);

#[derive(Debug)]
struct State {
    closed: AtomicBool,
    /// Dropped to end standard input, which wakes whoever waits at the other end.
    open: Mutex<Option<io::PipeWriter>>,
}

/// Standard input, until its end or until it is closed.
#[derive(Debug)]
pub(crate) struct Stdin {
    framing: Framing,
    closing: Closing,
    #[cfg_attr(not(unix), expect(dead_code))]
    closed: io::PipeReader,
}

impl Closing {
    /// Lets standard input end as soon as no message of it has begun.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        let open = self.0.open.lock();
        drop(open.unwrap_or_else(PoisonError::into_inner).take());
    }

    fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }
}

impl Stdin {
    /// Standard input with messages of this format, and what makes it end.
    pub(crate) fn new(format: Format) -> io::Result<(Stdin, Closing)> {
        let (closed, open) = io::pipe()?;
        let closing = Closing(Arc::new(State {
            closed: AtomicBool::new(false),
            open: Mutex::new(Some(open)),
        }));
        let stdin = Stdin {
            framing: Framing::new(format),
            closing: closing.clone(),
            closed,
        };
        Ok((stdin, closing))
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.framing.is_open() {
            self.wait()?;
            if self.closing.is_closed() {
                return Ok(0);
            }
        }
        let length = read(buffer)?;
        let bytes = &buffer[..length];
        if !self.closing.is_closed() {
            self.framing.follow(bytes);
            return Ok(length);
        }
        // What comes after the message that has begun was never taken in.
        Ok(self.framing.follow_to_end(bytes))
    }
}

#[cfg(unix)]
impl Stdin {
    /// Waits until there is something to read, or nothing more is to be.
    fn wait(&self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, poll};

        let stdin = io::stdin();
        let mut events = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(&self.closed, PollFlags::IN),
        ];
        poll(&mut events, None)?;
        Ok(())
    }
}

/// Reads past the buffer of the standard library, of which `poll` knows nothing.
#[cfg(unix)]
fn read(buffer: &mut [u8]) -> io::Result<usize> {
    match rustix::io::read(io::stdin(), buffer) {
        // Closed by whoever started the command.
        Err(rustix::io::Errno::BADF) => Ok(0),
        other => Ok(other?),
    }
}

#[cfg(not(unix))]
impl Stdin {
    /// A read cannot be interrupted here: standard input ends after it.
    fn wait(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
fn read(buffer: &mut [u8]) -> io::Result<usize> {
    io::stdin().read(buffer)
}
