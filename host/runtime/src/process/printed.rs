//! What a process prints without a grant: its log.
//!
//! `println!` makes lines of level info, `eprintln!` and `dbg!` of level debug. Processes have no standard output
//! of their own, and what they print for somebody to read would otherwise be lost.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::{Overrun, Process};
use crate::host::lock;
use crate::network::state::NetworkState;
use crate::network::{Event, Level};
use crate::text::{LONGEST, Text};

/// Standard output, or standard error, of a process that may not write to the host's.
#[derive(Clone)]
pub(crate) struct Printed(Arc<Inner>);

struct Inner {
    network: Arc<NetworkState>,
    process: Arc<Process>,
    level: Level,
    /// The beginning of a line: no more than a line of the log may have.
    begun: Mutex<Vec<u8>>,
}

impl Printed {
    pub(crate) fn new(network: &Arc<NetworkState>, process: &Arc<Process>, level: Level) -> Self {
        Self(Arc::new(Inner {
            network: network.clone(),
            process: process.clone(),
            level,
            begun: Mutex::default(),
        }))
    }

    /// Logs the lines that end in these bytes, and keeps what begins.
    fn print(&self, bytes: &[u8]) -> Result<(), Overrun> {
        let mut begun = lock(&self.0.begun);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            // A longer line becomes several.
            for piece in piece.chunks(LONGEST) {
                if begun.len() + piece.len() > LONGEST {
                    self.log(&std::mem::take(&mut *begun))?;
                }
                begun.extend_from_slice(piece);
            }
            if begun.ends_with(b"\n") {
                let line = std::mem::take(&mut *begun);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                self.log(line.strip_suffix(b"\r").unwrap_or(line))?;
            }
        }
        Ok(())
    }

    /// A line, which counts as one of the log.
    fn log(&self, line: &[u8]) -> Result<(), Overrun> {
        let Inner {
            network, process, ..
        } = &*self.0;
        if let Some(rate) = &process.budget.log {
            rate.line(network.host.scheduler().clock().now())?;
        }
        network.tell(Event::Log {
            process: process.name.to_string(),
            level: self.0.level,
            line: Text::new(String::from_utf8_lossy(line).into_owned()).into_string(),
        });
        Ok(())
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes)
            .map_err(|overrun| StreamError::Trap(overrun.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LONGEST)
    }
}

#[async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Printed {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let printed = self.print(bytes).map_err(io::Error::other);
        Poll::Ready(printed.map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
