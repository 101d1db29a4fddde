//! Standard output, for what a command was asked for.

use std::fmt;
use std::io::{self, Write as _};

use anyhow::Context as _;

/// Prints a line. A reader that has gone away, such as `head`, is no error.
pub(crate) fn line(text: impl fmt::Display) -> anyhow::Result<()> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}
