//! Makes text from others safe to print.
//!
//! Names, log lines, reasons and types come from guests, components and files. Printed as they are, they
//! could move the cursor, change the terminal's title, write from right to left, or end a line and begin
//! one that looks like the command's own. Everything that the command prints passes through here: see
//! [`Line`](crate::line::Line).

use std::fmt::{self, Write};

/// The mark at the beginning of every line of a text but the first.
pub(crate) const CONTINUED: &str = "\n  | ";

/// What becomes of the ends of lines inside a text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// They are escaped, for a name or anything else that is one line.
    Escape,
    /// The next line begins with a mark that no line of the command's own begins with.
    Mark,
}

/// Text that is printed as one line.
pub(crate) fn one_line(text: impl fmt::Display) -> String {
    printable(text, LineEnds::Escape)
}

/// Whether a terminal or an editor does something else with it than show it: control characters,
/// ends of lines, marks and overrides of the direction of writing, and invisible tags. Tabs are
/// shown as room, which does no harm.
pub(crate) fn acts(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' => true,
        '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// The text, in which every character that [`acts`] is escaped as in Rust: `\n`, `\u{1b}`.
pub(crate) fn printable(text: impl fmt::Display, line_ends: LineEnds) -> String {
    let mut safe = Safe {
        text: String::new(),
        line_ends,
    };
    // Writing to a String cannot fail; a Display that fails has written what it could.
    let _ = write!(safe, "{text}");
    safe.text
}

/// Takes text piece by piece, as formatting makes it.
struct Safe {
    text: String,
    line_ends: LineEnds,
}

impl Write for Safe {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\n' if self.line_ends == LineEnds::Mark => self.text.push_str(CONTINUED),
                c if acts(c) => self.text.extend(c.escape_default()),
                c => self.text.push(c),
            }
        }
        Ok(())
    }
}

/// Text of a compiler that was asked for colours: those stay, and nothing else that acts.
pub(crate) fn coloured(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        let (before, sequence) = rest.split_at(at);
        safe.push_str(&one_line(before));
        let parameters = sequence[2..].find(|c: char| !c.is_ascii_digit() && c != ';');
        let length = match parameters.map(|length| length + 2) {
            Some(end) if sequence[end..].starts_with('m') => end + 1,
            _ => 0,
        };
        safe.push_str(&sequence[..length]);
        rest = &sequence[length..];
        if length == 0 {
            safe.push_str(&one_line(&rest[..1]));
            rest = &rest[1..];
        }
    }
    safe.push_str(&one_line(rest));
    safe
}

/// A line of JSON in which everything that acts is escaped; JSON itself requires that only for some.
pub(crate) fn json(line: &str) -> String {
    if !line.contains(acts) {
        return line.to_owned();
    }
    let mut safe = String::with_capacity(line.len());
    for c in line.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORGED: &str = "fine\nerror \x1b[2J\u{9b}2J\x07\u{202e}evil\u{2028}x\ty\r";

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(
            one_line(FORGED),
            "fine\\nerror \\u{1b}[2J\\u{9b}2J\\u{7}\\u{202e}evil\\u{2028}x\ty\\r"
        );
        assert_eq!(one_line("Grüße, 日本 👩‍🚀"), "Grüße, 日本 👩‍🚀");
    }

    #[test]
    fn lines_after_the_first_are_marked() {
        let text = printable("one\ntwo\n", LineEnds::Mark);
        assert_eq!(text, "one\n  | two\n  | ");
    }

    #[test]
    fn what_is_printable_stays_as_it_is() {
        let once = one_line(FORGED);
        assert_eq!(one_line(&once), once);
    }

    #[test]
    fn a_compiler_keeps_its_colours_and_nothing_else() {
        assert_eq!(
            coloured("\x1b[1;31merror\x1b[0m: x"),
            "\x1b[1;31merror\x1b[0m: x"
        );
        assert_eq!(
            coloured("a\x1b[2Jb\x1b]0;t\x07"),
            "a\\u{1b}[2Jb\\u{1b}]0;t\\u{7}"
        );
        assert_eq!(coloured("cut \x1b["), "cut \\u{1b}[");
    }

    #[test]
    fn json_says_the_same() {
        let text = "\u{7f}\u{9b}\u{202e}\u{e0041}\n";
        let line = json(&serde_json::to_string(text).expect("it is text"));
        assert!(!line.contains(acts), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).expect("JSON"), text);
    }
}
