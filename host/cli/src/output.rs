//! Standard output, for what a command was asked for.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::line::Line;

/// Prints a line. It is not an error if the reader has gone away, as `head` does.
pub(crate) fn line(line: &Line) -> anyhow::Result<()> {
    let choice = anstream::AutoStream::choice(&io::stdout());
    write(&line.bytes(choice))
}

/// Prints a path as it is, for programs to read; on a terminal it is made printable.
pub(crate) fn path(path: &Path) -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        return line(&Line::new().name(path.display()));
    }
    let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
    bytes.push(b'\n');
    write(&bytes)
}

/// The width of the terminal that is written to; `None` if it is something else.
pub(crate) fn width() -> Option<u16> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(io::stdout())?;
    (width > 0).then_some(width)
}

/// Prints text of which every character was made safe where it was written.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    write(text.as_bytes())
}

fn write(bytes: &[u8]) -> anyhow::Result<()> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}
