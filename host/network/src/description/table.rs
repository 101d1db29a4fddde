//! Reading a TOML table entry by entry, so that every mistake in it is found.

use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use crate::diagnostics::{Diagnostic, Diagnostics, Source, did_you_mean, one_of};
use crate::value::Value;

/// Nobody reads further than this.
const MOST_PROBLEMS: usize = 500;

/// What has gone wrong so far in a text.
pub(super) struct Report {
    pub(super) source: Source,
    diagnostics: Diagnostics,
    /// How many diagnostics came after those that are kept.
    more: usize,
}

impl Report {
    pub(super) fn new(source: Source) -> Self {
        Report {
            source,
            diagnostics: Diagnostics::default(),
            more: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Everything that was noted, in the order of the text.
    pub(super) fn into_diagnostics(self) -> Diagnostics {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort();
        if self.more > 0 {
            let message = format!("{} more diagnostics are not shown", self.more);
            diagnostics.push(Diagnostic::error(self.source.file(), message));
        }
        diagnostics
    }

    /// Notes a diagnostic, made only if it is kept.
    fn note(&mut self, diagnostic: impl FnOnce(&Source) -> Diagnostic) {
        if self.diagnostics.len() < MOST_PROBLEMS {
            self.diagnostics.push(diagnostic(&self.source));
        } else {
            self.more += 1;
        }
    }

    /// Notes an error.
    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.note(|source| source.error(span, message));
    }

    /// Notes an error with advice.
    pub(super) fn error_with_hint(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.note(|source| source.error(span, message).with_hint(hint));
    }

    /// Notes an error from the TOML parser.
    pub(super) fn syntax_error(&mut self, error: &toml::de::Error) {
        self.note(|source| syntax_error(source, error));
    }

    /// Notes that a value is of the wrong kind.
    pub(super) fn expected(&mut self, item: &Item<'_>, expected: &str) {
        let found = found(item.value.get_ref());
        let message = format!("`{}` is {expected}; found {found}", item.key);
        self.error(item.value.span(), message);
    }
}

/// A value with the key that it stands under.
#[derive(Copy, Clone)]
pub(super) struct Item<'t> {
    pub(super) key: &'t str,
    pub(super) value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Item<'t> {
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub(super) fn string(&self, report: &mut Report) -> Option<Spanned<String>> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(self.span(), text.to_string())),
            _ => {
                report.expected(self, "a string");
                None
            }
        }
    }

    pub(super) fn boolean(&self, report: &mut Report) -> Option<bool> {
        let value = self.value.get_ref().as_bool();
        if value.is_none() {
            report.expected(self, "`true` or `false`");
        }
        value
    }

    /// An integer from 0 up to `most`.
    pub(super) fn count(&self, most: u64, report: &mut Report) -> Option<u64> {
        let value = match Value::from_toml(self.value.get_ref()) {
            Some(Value::Integer(value)) => u64::try_from(value).ok(),
            _ => None,
        };
        let value = value.filter(|value| *value <= most);
        if value.is_none() {
            report.expected(self, &format!("a whole number from 0 to {most}"));
        }
        value
    }

    pub(super) fn table(&self, report: &mut Report) -> Option<&'t DeTable<'t>> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            report.expected(self, "a table");
        }
        table
    }

    pub(super) fn array(&self, expected: &str, report: &mut Report) -> Option<&'t DeArray<'t>> {
        let array = self.value.get_ref().as_array();
        if array.is_none() {
            report.expected(self, expected);
        }
        array
    }

    /// The strings in a list; anything else in it is reported and left out.
    pub(super) fn strings(&self, expected: &str, report: &mut Report) -> Vec<Spanned<String>> {
        let Some(array) = self.array(expected, report) else {
            return Vec::new();
        };
        let items = array.iter().map(|value| Item {
            key: self.key,
            value,
        });
        items
            .filter_map(|item| item.in_list(expected, report))
            .collect()
    }

    fn in_list(&self, expected: &str, report: &mut Report) -> Option<Spanned<String>> {
        if let DeValue::String(text) = self.value.get_ref() {
            return Some(Spanned::new(self.span(), text.to_string()));
        }
        report.expected(self, expected);
        None
    }

    /// Any value at all.
    pub(super) fn any(&self, report: &mut Report) -> Option<Spanned<Value>> {
        match Value::from_toml(self.value.get_ref()) {
            Some(value) => Some(Spanned::new(self.span(), value)),
            None => {
                report.error(
                    self.span(),
                    format!("`{}` has a number that is out of range", self.key),
                );
                None
            }
        }
    }
}

/// What a value is, for `found ...`.
fn found(value: &DeValue<'_>) -> String {
    match Value::from_toml(value) {
        Some(value @ (Value::List(_) | Value::Table(_))) => value.kind().to_owned(),
        Some(value) => format!("`{value}`"),
        None => format!("{} {}", article(value.type_str()), value.type_str()),
    }
}

fn article(word: &str) -> &'static str {
    match word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    }
}

/// A table with fixed keys; those that nobody asks for are reported as unknown.
pub(super) struct Fields<'t> {
    /// What the table is called in errors, such as `[network]`.
    what: String,
    table: &'t DeTable<'t>,
    asked: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(what: impl Into<String>, table: &'t DeTable<'t>) -> Self {
        Fields {
            what: what.into(),
            table,
            asked: Vec::new(),
        }
    }

    /// The value under a key, which counts as known from now on.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        Some(Item { key, value })
    }

    /// Like `get`, and notes an error at `span` if there is nothing.
    pub(super) fn require(
        &mut self,
        key: &'static str,
        example: &str,
        span: Range<usize>,
        report: &mut Report,
    ) -> Option<Item<'t>> {
        let item = self.get(key);
        if item.is_none() {
            let message = format!("{} has no `{key}`", self.what);
            report.error_with_hint(span, message, format!("add one, such as `{example}`"));
        }
        item
    }

    /// Reports every key that was never asked for.
    pub(super) fn finish(self, report: &mut Report) {
        for (key, _) in entries(self.table) {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let known = self.asked.iter().copied();
            let hint = did_you_mean(name, known.clone()).unwrap_or_else(|| {
                format!(
                    "the keys here are {}",
                    one_of(known).replace(" or ", " and ")
                )
            });
            let message = format!("{} has no key `{name}`", self.what);
            report.error_with_hint(key.span(), message, hint);
        }
    }
}

/// A key and its value.
pub(super) type Entry<'t> = (&'t Spanned<DeString<'t>>, &'t Spanned<DeValue<'t>>);

/// A table's entries in the order of the file; the table itself is sorted by key.
pub(super) fn entries<'t>(table: &'t DeTable<'t>) -> Vec<Entry<'t>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// Whether a name is fit for a process, component or channel, which must be
/// writable in `process.port`.
pub(super) fn check_name(what: &str, name: &str, span: Range<usize>, report: &mut Report) {
    let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        report.error_with_hint(
            span,
            format!("{name:?} is not a valid name for {what}"),
            "use letters, digits, `_` and `-`",
        );
    }
}

/// Whether a name that is only displayed can be displayed.
pub(super) fn check_label(what: &str, name: &Spanned<String>, report: &mut Report) {
    let text = name.get_ref();
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        let message = format!("{text:?} is not a valid name for {what}");
        report.error_with_hint(name.span(), message, "use a few printable characters");
    }
}

/// An error from the TOML parser, in the words of this project.
fn syntax_error(source: &Source, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    if is_duplicate(error) {
        let key = source.text(span.clone());
        return source
            .error(span, format!("`{key}` is given twice"))
            .with_hint("remove or rename one of the two");
    }
    source.error(span, format!("this is not TOML: {}", error.message()))
}

/// Whether a document with this error can still be read as a whole.
pub(super) fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message() == "duplicate key"
}
