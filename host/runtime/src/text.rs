//! Texts of guests, cut where they enter the host.
//!
//! Guests write failures, panics, reasons, names and log lines, of any length and number, and the host
//! keeps them beyond the process, in outcomes, poisoned channels and reports. So none comes in but as a
//! [`Text`], which is short, and what is kept of one is charged to the process that made it
//! ([`MemoryLimiter::poison`](crate::process::MemoryLimiter::poison), `Process::keep`).

use std::fmt::{self, Write as _};
use std::ops::Deref;

/// The longest text of a guest that the host takes, in bytes; the end of a longer one is cut, and says so.
pub(crate) const LONGEST: usize = 4 << 10;

/// The longest name of a process, in bytes.
pub(crate) const LONGEST_NAME: usize = 128;

/// A text that has at most [`LONGEST`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// The text, or its beginning and how long it was.
    pub(crate) fn new(text: String) -> Self {
        match text.len() {
            0..=LONGEST => Self(text),
            length => Self(ended(text, LONGEST, &format!("... (cut: {length} bytes)"))),
        }
    }

    /// What is written, likewise. No more of it than that is ever in memory.
    pub(crate) fn of(written: impl fmt::Display) -> Self {
        let mut beginning = Beginning::default();
        // It takes everything.
        let _ = write!(beginning, "{written}");
        match beginning.length {
            0..=LONGEST => Self(beginning.text),
            length => {
                let end = format!("... (cut: {length} bytes)");
                Self(ended(beginning.text, LONGEST, &end))
            }
        }
    }

    /// A name, which is cut sooner.
    pub(crate) fn name(text: String) -> Self {
        match text.len() {
            0..=LONGEST_NAME => Self(text),
            _ => Self(ended(text, LONGEST_NAME, "...")),
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The beginning of a text with this end, both together no longer than `most`.
fn ended(mut text: String, most: usize, end: &str) -> String {
    text.truncate(text.floor_char_boundary(most - end.len()));
    text.push_str(end);
    // What was cut off would go on to take memory.
    text.shrink_to_fit();
    text
}

/// Takes the beginning of what is written, and counts the rest.
#[derive(Default)]
struct Beginning {
    text: String,
    length: usize,
}

impl fmt::Write for Beginning {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = LONGEST - self.text.len();
        if self.length == self.text.len() {
            self.text.push_str(&part[..part.floor_char_boundary(room)]);
        }
        self.length += part.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let long = "\u{e9}".repeat(LONGEST);
        let cut = Text::new(long.clone());
        assert!(cut.len() <= LONGEST);
        assert!(cut.ends_with("... (cut: 8192 bytes)"), "{}", &cut[4000..]);
        assert_eq!(
            Text::of(format_args!("{}{}", &long[..100], &long[100..])),
            cut
        );
    }

    #[test]
    fn a_short_text_stays_as_it_is() {
        let whole = "x".repeat(LONGEST);
        assert_eq!(&*Text::new(whole.clone()), whole);
        assert_eq!(&*Text::of(&whole), whole);
    }

    #[test]
    fn a_name_is_cut_sooner() {
        let name = Text::name("n".repeat(1_000));
        assert_eq!(name.len(), LONGEST_NAME);
        assert!(name.ends_with("n..."), "{name:?}");
    }
}
