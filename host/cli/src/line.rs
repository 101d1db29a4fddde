//! What the command prints: the only way from text to the terminal.

use std::fmt;
use std::io::Write as _;

use anstyle::Style;

use crate::printable::{self, LineEnds, printable};

/// A line, or a few that belong together. Only styles can put escape sequences into it: all text
/// is made [printable] on its way in.
///
/// [printable]: crate::printable
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(String);

impl Line {
    pub(crate) fn new() -> Line {
        Line::default()
    }

    /// Text that may have several lines; those after the first are marked.
    pub(crate) fn text(mut self, text: impl fmt::Display) -> Line {
        self.0.push_str(&printable(text, LineEnds::Mark));
        self
    }

    /// Text in one line, such as a name.
    pub(crate) fn name(mut self, text: impl fmt::Display) -> Line {
        self.0.push_str(&printable::one_line(text));
        self
    }

    /// Text in one line and in a style.
    pub(crate) fn styled(mut self, style: Style, text: impl fmt::Display) -> Line {
        let text = printable::one_line(text);
        self.0.push_str(&format!("{style}{text}{style:#}"));
        self
    }

    /// Text whose ends of lines are the command's own, such as a table of cells that are one
    /// line each.
    pub(crate) fn laid_out(mut self, text: impl fmt::Display) -> Line {
        let text = text.to_string();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self = self.next();
            }
            self = self.name(line);
        }
        self
    }

    /// A line of a compiler that was asked for colours.
    pub(crate) fn coloured(mut self, text: &str) -> Line {
        self.0.push_str(&printable::coloured(text));
        self
    }

    /// A value as JSON.
    pub(crate) fn json(value: &impl serde::Serialize) -> serde_json::Result<Line> {
        Ok(Line(printable::json(&serde_json::to_string(value)?)))
    }

    /// Begins the next line.
    pub(crate) fn next(mut self) -> Line {
        self.0.push('\n');
        self
    }

    /// Other lines, as they are.
    pub(crate) fn then(mut self, other: &Line) -> Line {
        self.0.push_str(&other.0);
        self
    }

    /// Its bytes with the end of the line, and with colours only where they are wanted.
    pub(crate) fn bytes(&self, choice: anstream::ColorChoice) -> Vec<u8> {
        let mut stream = anstream::AutoStream::new(Vec::new(), choice);
        // A Vec takes everything.
        let _ = writeln!(stream, "{}", self.0);
        stream.into_inner()
    }

    /// Its text without colours.
    pub(crate) fn plain(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }
}
