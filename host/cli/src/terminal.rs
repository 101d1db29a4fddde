//! How messages look on stderr: coloured on a terminal, plain anywhere else.

use std::fmt;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde_json::{Value, json};
use transputer::diagnostics::{Diagnostic, Diagnostics, Severity};

use crate::line::Line;
use crate::printable::{LineEnds, one_line, printable};
use crate::stderr;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// When to colour what is printed.
#[derive(Copy, Clone, Debug, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the variable NO_COLOR is set.
    #[default]
    Auto,
    /// Even into a file or a pipe.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Makes this hold for everything that the command prints.
    pub(crate) fn apply(self) {
        let choice = match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// Whether stderr gets colours.
pub(crate) fn stderr_is_coloured() -> bool {
    stderr::choice() != anstream::ColorChoice::Never
}

/// A line about what the command itself does.
pub(crate) fn note(text: impl fmt::Display) {
    note_line(&Line::new().text(text));
}

/// The same, of more than text.
pub(crate) fn note_line(line: &Line) {
    if stderr::is_json() {
        return print_json(&json!({ "note": line.plain() }));
    }
    let mark = Line::new().styled(DIM, "transputer:");
    stderr::print(&mark.text(" ").then(line));
}

/// A warning of the command's own.
pub(crate) fn warning(text: impl fmt::Display) {
    if stderr::is_json() {
        return print_json(&json!({ "warning": text.to_string() }));
    }
    stderr::print(&Line::new().styled(WARNING, "warning").text(": ").text(text));
}

/// What ended the command, with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    if let Some(found) = error.downcast_ref::<Diagnostics>() {
        return diagnostics(found);
    }
    if stderr::is_json() {
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        return print_json(&json!({ "error": error.to_string(), "causes": causes }));
    }
    let mut line = Line::new().styled(ERROR, "error").text(": ").text(error);
    for cause in error.chain().skip(1) {
        line = line.next().text("  because: ").text(cause);
    }
    stderr::print(&line);
}

/// Everything that is wrong with what a user wrote, in full, and how much it is.
pub(crate) fn diagnostics(diagnostics: &Diagnostics) {
    if stderr::is_json() {
        return diagnostics.iter().for_each(|one| print_json(&as_json(one)));
    }
    for diagnostic in diagnostics {
        stderr::print(&paint(diagnostic).next());
    }
    let mut summary = Line::new();
    let errors = diagnostics.errors().count();
    let warnings = diagnostics.warnings().count();
    if errors > 0 {
        summary = summary.styled(ERROR, counted(errors, "error"));
    }
    if errors > 0 && warnings > 0 {
        summary = summary.text(", ");
    }
    if warnings > 0 {
        summary = summary.styled(WARNING, counted(warnings, "warning"));
    }
    stderr::print(&summary);
}

/// Prints a value as a line of JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    match Line::json(&Stamped::now(value)) {
        Ok(line) => stderr::print(&line),
        Err(error) => stderr::print(&not_json(&error)),
    }
}

/// Something that is printed as JSON, with the time at which it is.
#[derive(serde::Serialize)]
pub(crate) struct Stamped<T> {
    time: String,
    #[serde(flatten)]
    value: T,
}

impl<T> Stamped<T> {
    pub(crate) fn now(value: T) -> Self {
        Stamped { time: now(), value }
    }
}

/// The time by RFC 3339, in UTC.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string()
}

/// What stands for a value that JSON cannot express.
pub(crate) fn not_json(error: &serde_json::Error) -> Line {
    Line::json(&json!({ "warning": format!("a line is missing: {error}") })).unwrap_or_default()
}

/// `1 process`, `2 processes`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "process") => format!("{count} processes"),
        _ => format!("{count} {noun}s"),
    }
}

/// The diagnostic's own text, with colours put in.
fn paint(diagnostic: &Diagnostic) -> Line {
    // The lines of its Display are its own once no text in it has lines that it could be
    // mistaken about.
    let mut safe = diagnostic.clone();
    safe.file = one_line(&safe.file);
    safe.message = printable(&safe.message, LineEnds::Mark);
    safe.hint = safe.hint.map(|hint| printable(hint, LineEnds::Mark));
    if let Some(position) = &mut safe.position {
        position.text = one_line(&position.text);
    }
    let text = safe.to_string();
    let mut lines = text.lines();
    let severity = safe.severity;
    let style = match severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
    };
    let first = lines.next().unwrap_or_default();
    let mut painted = match first.split_once(&format!(" {severity}: ")) {
        Some((place, message)) => Line::new()
            .styled(BOLD, place)
            .text(" ")
            .styled(style, severity)
            .text(": ")
            .styled(BOLD, message),
        None => Line::new().name(first),
    };
    for line in lines {
        painted = painted.next();
        let carets = line.trim_start_matches([' ', '|', '\t']);
        painted = if let Some(help) = line.strip_prefix("help: ") {
            painted.styled(HELP, "help").text(": ").name(help)
        } else if !carets.is_empty() && carets.chars().all(|c| c == '^') {
            let before = &line[..line.len() - carets.len()];
            painted.name(before).styled(style, carets)
        } else {
            painted.name(line)
        };
    }
    painted
}

fn as_json(diagnostic: &Diagnostic) -> Value {
    let key = diagnostic.severity.to_string();
    json!({
        key: diagnostic.message,
        "file": diagnostic.file,
        "line": diagnostic.line(),
        "column": diagnostic.column(),
        "help": diagnostic.hint,
    })
}
