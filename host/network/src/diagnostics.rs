//! What is wrong in what users wrote: where, what was expected, what was found, what to do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How serious a diagnostic is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The network cannot run.
    Error,
    /// The network can run, but probably not as its author meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A position in a text file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The first character of interest in the line, counted from 1.
    pub column: usize,
    /// How many characters of the line are of interest, at least 1.
    pub width: usize,
    /// The line without its end; of a very long one, only the part around `column`.
    pub text: String,
    /// How many characters of the line precede `text`.
    skipped: usize,
}

/// One thing that is wrong with a file or with the command line.
///
/// Its `Display` looks like a compiler's message, without colour:
///
/// ```text
/// network.toml:7:8: error: there is no process `generater`
///   |
/// 7 | from = "generater.numbers"
///   |        ^^^^^^^^^^^^^^^^^^^
/// help: did you mean `generator`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// The file as its user named it, or what else holds the mistake, such as `--arg`.
    pub file: String,
    /// Where in the file; `None` if it concerns no particular line.
    pub position: Option<Position>,
    /// What is wrong: what was expected and what was found.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error that concerns no particular line.
    pub fn error(file: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            file: file.into(),
            position: None,
            message: message.into(),
            hint: None,
        }
    }

    /// The same diagnostic with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same diagnostic as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The line, counted from 1, if it concerns one.
    pub fn line(&self) -> Option<usize> {
        self.position.as_ref().map(|position| position.line)
    }

    /// The column, counted in characters from 1, if it concerns a line.
    pub fn column(&self) -> Option<usize> {
        self.position.as_ref().map(|position| position.column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(Position { line, column, .. }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}: {}", self.severity, self.message)?;
        if let Some(position) = &self.position {
            let number = position.line.to_string();
            let gutter = " ".repeat(number.len());
            let text = &position.text;
            write!(f, "\n{gutter} |\n{number} | {text}\n{gutter} | ")?;
            // Tabs are kept, so that the caret is under its character.
            let before = position.column - 1 - position.skipped;
            for character in text.chars().take(before) {
                f.write_str(if character == '\t' { "\t" } else { " " })?;
            }
            let room = text.chars().count().saturating_sub(before).max(1);
            f.write_str(&"^".repeat(position.width.min(room)))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhelp: {hint}")?;
        }
        Ok(())
    }
}

/// The longest part of a line that is shown, in characters.
const LONGEST_EXCERPT: usize = 160;

/// The part of a line around a column that is worth showing, and how many
/// characters precede it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let skipped = match column {
        0..=LONGEST_EXCERPT => 0,
        _ => column - 1 - LONGEST_EXCERPT / 2,
    };
    let shown = line.chars().skip(skipped).take(LONGEST_EXCERPT);
    // Control characters would move the cursor of the terminal.
    let shown = shown.map(|c| if c.is_control() && c != '\t' { '?' } else { c });
    (shown.collect(), skipped)
}

/// Everything that is wrong, in the order of the file.
///
/// Its `Display` prints each diagnostic, with an empty line in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are, warnings included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether any of them keeps the network from running.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Those that keep the network from running.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|p| p.severity == Severity::Error)
    }

    /// Those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|p| p.severity == Severity::Warning)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Puts them in the order of the file and leaves out repetitions. Those
    /// without a line come last.
    pub(crate) fn sort(&mut self) {
        let order = |diagnostic: &Diagnostic| {
            diagnostic
                .position
                .as_ref()
                .map_or((usize::MAX, 0), |p| (p.line, p.column))
        };
        self.0.sort_by_key(order);
        self.0.dedup();
    }

    /// Leaves one of those at one place that differ in nothing but an index, and says how many there were.
    pub(crate) fn join_similar(&mut self) {
        let mut joined: Vec<(Diagnostic, String, usize)> = Vec::new();
        for diagnostic in std::mem::take(&mut self.0) {
            let pattern = without_indices(&diagnostic.message);
            let alike = joined.iter_mut().rev().find(|(other, known, _)| {
                other.position.is_some()
                    && other.position == diagnostic.position
                    && other.severity == diagnostic.severity
                    && *known == pattern
            });
            match alike {
                Some((_, _, more)) => *more += 1,
                None => joined.push((diagnostic, pattern, 0)),
            }
        }
        let finished = joined.into_iter().map(|(mut diagnostic, _, more)| {
            if more > 0 {
                diagnostic
                    .message
                    .push_str(&format!(" (and {more} more like this)"));
            }
            diagnostic
        });
        self.0 = finished.collect();
    }
}

/// `worker[]` for `worker[3]`.
fn without_indices(message: &str) -> String {
    let mut inside = false;
    let outside = message.chars().filter(|char| {
        match char {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        !inside || *char == '['
    });
    outside.collect()
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Diagnostics(diagnostics.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A text with its name, from which diagnostics take their lines.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    file: Arc<str>,
    text: Arc<str>,
    /// Where each line starts.
    lines: Arc<[usize]>,
}

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Source {
            file: file.into(),
            text: text.into(),
            lines: std::iter::once(0)
                .chain(text.match_indices('\n').map(|(newline, _)| newline + 1))
                .collect(),
        }
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The text in a range of bytes.
    pub(crate) fn text(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// An error at a range of bytes of this text.
    pub(crate) fn error(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            position: Some(self.position(span)),
            ..Diagnostic::error(&*self.file, message)
        }
    }

    fn position(&self, span: Range<usize>) -> Position {
        let start = self
            .text
            .floor_char_boundary(span.start.min(self.text.len()));
        let line = self.lines.partition_point(|&first| first <= start);
        let line_start = self.lines[line - 1];
        let next = self.lines.get(line).map(|next| next - 1);
        let line_end = next.unwrap_or(self.text.len());
        let end = self
            .text
            .floor_char_boundary(span.end.clamp(start, line_end));
        let column = self.text[line_start..start].chars().count() + 1;
        let (text, skipped) = excerpt(self.text[line_start..line_end].trim_end(), column);
        Position {
            line,
            column,
            width: self.text[start..end].chars().count().max(1),
            text,
            skipped,
        }
    }
}

/// The candidate that was probably meant by `name`, as a question.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    // Jaro-Winkler finds swapped and missing letters in long names, but hardly in short ones.
    let likeness = |candidate: &str| match strsim::damerau_levenshtein(name, candidate) {
        1 if candidate.len() > 1 => 1.0,
        _ => strsim::jaro_winkler(name, candidate),
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// `a`, `b` or `c`, each in backquotes.
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.pop() {
        Some(last) if !quoted.is_empty() => format!("{} or {last}", quoted.join(", ")),
        Some(last) => last,
        None => String::new(),
    }
}
