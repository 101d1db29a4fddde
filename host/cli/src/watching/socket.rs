//! One look for whoever connects to the socket in the runtime folder: a line of JSON. Nothing is read.

use std::io::Write as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::runtime;
use super::sampler::Sampler;

/// How long somebody who does not read is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The socket of a running network; gone when dropped.
pub(super) struct Socket {
    path: PathBuf,
    over: Arc<AtomicBool>,
}

impl Socket {
    /// Opens the socket. `None` if there can be none: then `top` and `ps` do not see this network.
    pub(super) fn open(sampler: &Arc<Sampler>) -> Option<Socket> {
        let path = runtime::own(&runtime::make().ok()?);
        // Of an earlier process that had this number and was killed.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let socket = Socket {
            path,
            over: over.clone(),
        };
        let sampler = sampler.clone();
        let thread = std::thread::Builder::new().name("socket".to_owned());
        let serve = move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                if let Ok(stream) = stream {
                    // Whoever has gone does not want it any more.
                    let _ = answer(stream, &sampler);
                }
            }
        };
        thread.spawn(serve).ok()?;
        Some(socket)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the thread, which waits for somebody to connect.
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
    }
}

fn answer(mut stream: UnixStream, sampler: &Sampler) -> std::io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(look) = sampler.last() else {
        return Ok(());
    };
    let mut line = serde_json::to_vec(&look)?;
    line.push(b'\n');
    stream.write_all(&line)
}
