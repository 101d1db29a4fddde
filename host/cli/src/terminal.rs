//! How messages look on stderr: coloured on a terminal, plain anywhere else.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use transputer::diagnostics::{Problem, Problems, Severity};

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
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// A line about what the command itself does.
pub(crate) fn note(text: impl fmt::Display) {
    anstream::eprintln!("{DIM}transputer:{DIM:#} {text}");
}

/// A warning of the command's own.
pub(crate) fn warning(text: impl fmt::Display) {
    anstream::eprintln!("{WARNING}warning{WARNING:#}: {text}");
}

/// What ended the command, with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        return self::problems(problems);
    }
    anstream::eprintln!("{ERROR}error{ERROR:#}: {error}");
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  because: {cause}");
    }
}

/// Every problem in full, and how many there are.
pub(crate) fn problems(problems: &Problems) {
    for problem in problems {
        anstream::eprintln!("{}\n", paint(problem));
    }
    let errors = problems.errors().count();
    let warnings = problems.warnings().count();
    let mut summary = Vec::new();
    if errors > 0 {
        summary.push(format!("{ERROR}{}{ERROR:#}", counted(errors, "error")));
    }
    if warnings > 0 {
        summary.push(format!(
            "{WARNING}{}{WARNING:#}",
            counted(warnings, "warning")
        ));
    }
    anstream::eprintln!("{}", summary.join(", "));
}

/// Text from a guest, without what could move the cursor or change colours.
pub(crate) fn printable(text: &str) -> String {
    let printable = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(printable).collect()
}

/// `1 process`, `2 processes`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "process") => format!("{count} processes"),
        _ => format!("{count} {noun}s"),
    }
}

/// The problem's own text, with colours put in.
fn paint(problem: &Problem) -> String {
    let text = problem.to_string();
    let mut lines = text.lines();
    let severity = problem.severity;
    let style = match severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
    };
    let mut painted = String::new();
    let first = lines.next().unwrap_or_default();
    let mark = format!(" {severity}: ");
    match first.split_once(&mark) {
        Some((place, message)) => {
            // Writing to a String cannot fail.
            let _ = write!(
                painted,
                "{BOLD}{place}{BOLD:#} {style}{severity}{style:#}: {BOLD}{message}{BOLD:#}"
            );
        }
        None => painted.push_str(first),
    }
    for line in lines {
        painted.push('\n');
        let carets = line.trim_start_matches([' ', '|', '\t']);
        if let Some(help) = line.strip_prefix("help: ") {
            let _ = write!(painted, "{HELP}help{HELP:#}: {help}");
        } else if !carets.is_empty() && carets.chars().all(|c| c == '^') {
            let before = &line[..line.len() - carets.len()];
            let _ = write!(painted, "{before}{style}{carets}{style:#}");
        } else {
            painted.push_str(line);
        }
    }
    painted
}
