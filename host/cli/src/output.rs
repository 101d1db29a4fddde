//! Standard output, for what a command was asked for.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::line::Line;

/// Prints a line. A reader that has gone away, such as `head`, is no error.
pub(crate) fn line(line: &Line) -> anyhow::Result<()> {
    let choice = anstream::AutoStream::choice(&io::stdout());
    write(&line.bytes(choice))
}

/// Prints a path for programs to read, so as it is; on a terminal it is made printable.
pub(crate) fn path(path: &Path) -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        return line(&Line::new().name(path.display()));
    }
    let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
    bytes.push(b'\n');
    write(&bytes)
}

fn write(bytes: &[u8]) -> anyhow::Result<()> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}
