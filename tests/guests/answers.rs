//! Answers line by line, until it is told otherwise.

use transputer_guest::{Bytes, Error, Receiver, Sender};

/// Answers each line with itself, one at a time; but traps at `trap`, fails at `fail`, and has
/// finished at `finish`.
#[transputer_guest::process]
fn answers(lines: Receiver<Bytes>, out: Sender<Bytes>) -> Result<(), Error> {
    loop {
        let line = match lines.receive() {
            Err(Error::Closed) => return Ok(()),
            line => line?,
        };
        match &*line.0 {
            b"trap" => std::process::abort(),
            b"fail" => return Err("told to fail".into()),
            b"finish" => return Ok(()),
            _ => out.send(&line)?,
        }
    }
}
