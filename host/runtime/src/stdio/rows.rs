//! Rows of CSV, as messages.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::StringRecord;
use transputer_network::signature::PayloadType;
use transputer_network::value;

/// Reads rows. The first names the columns.
pub(super) struct Rows {
    reader: csv::Reader<Limited>,
    left: Arc<AtomicUsize>,
    /// What may be read for one row.
    most: usize,
    columns: Option<StringRecord>,
    row: StringRecord,
}

/// A reader that gives no more than is left. A quotation mark that is never closed would make a row of
/// all that comes.
struct Limited {
    inner: Box<dyn Read + Send>,
    left: Arc<AtomicUsize>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            let text = "a row is too long; is a quotation mark not closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let room = buffer.len().min(left);
        let read = self.inner.read(&mut buffer[..room])?;
        self.left.store(left - read, Ordering::Relaxed);
        Ok(read)
    }
}

/// A row: the number of its line, and its message or what is wrong with it.
type Row = (u64, Result<Vec<u8>, String>);

/// Bytes that the library reads ahead.
const AHEAD: usize = 64 << 10;

impl Rows {
    /// Rows whose messages have at most so many bytes.
    pub(super) fn new(inner: Box<dyn Read + Send>, longest: usize) -> Self {
        // Numbers in CSV are longer than in messages, and quotation marks are doubled.
        let most = longest.saturating_mul(4).saturating_add(2 * AHEAD);
        let left = Arc::new(AtomicUsize::new(most));
        let limited = Limited {
            inner,
            left: left.clone(),
        };
        Self {
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .buffer_capacity(AHEAD)
                .from_reader(limited),
            left,
            most,
            columns: None,
            row: StringRecord::new(),
        }
    }

    /// The next row with the number of its line, as a message or with what is wrong with it.
    ///
    /// # Errors
    /// If there can be no rows after it: the columns are not those of the type, or this is not CSV.
    pub(super) fn next(&mut self, payload: &PayloadType) -> Result<Option<Row>, String> {
        if self.columns.is_none() {
            if !self.read()? {
                return Ok(None);
            }
            let columns = self.row.clone();
            check(&columns, payload)?;
            self.columns = Some(columns);
        }
        if !self.read()? {
            return Ok(None);
        }
        let line = self.row.position().map_or(0, csv::Position::line);
        let columns = self.columns.iter().flatten();
        let encoded = value::encode_row(payload, columns.zip(&self.row));
        Ok(Some((line, encoded.map_err(|error| error.to_string()))))
    }

    fn read(&mut self) -> Result<bool, String> {
        self.left.store(self.most, Ordering::Relaxed);
        self.reader
            .read_record(&mut self.row)
            .map_err(|error| match error.position() {
                Some(position) => format!("line {}: {error}", position.line()),
                None => error.to_string(),
            })
    }
}

/// Whether the columns are fields of the type, and those that it needs are there.
fn check(columns: &StringRecord, payload: &PayloadType) -> Result<(), String> {
    let known = value::columns(payload).unwrap_or_default();
    let names = || {
        known
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (index, column) in columns.iter().enumerate() {
        if !known.iter().any(|(name, _)| name == column) {
            return Err(format!(
                "line 1: `{column}` is no column of `{payload}`; expected {}",
                names()
            ));
        }
        if columns.iter().take(index).any(|earlier| earlier == column) {
            return Err(format!("line 1: the column `{column}` is there twice"));
        }
    }
    let missing = known
        .iter()
        .find(|(name, may_lack)| !may_lack && !columns.iter().any(|column| column == name));
    match missing {
        Some((name, _)) => Err(format!(
            "line 1: the column `{name}` is missing; expected {}",
            names()
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, ty: &str) -> Result<Vec<Row>, String> {
        let payload = PayloadType::parse(ty).expect("a type");
        let mut rows = Rows::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())), 1 << 10);
        let mut all = Vec::new();
        while let Some(row) = rows.next(&payload)? {
            all.push(row);
        }
        Ok(all)
    }

    const VISIT: &str = "record { path: string, bytes: u32, agent: option<string> }";

    #[test]
    fn a_row_is_a_record_and_what_does_not_fit_is_named() {
        let text = "bytes,path,agent\n5,\"/a,b\",x\nmany,/c,\n7,/d,\n";
        let rows = rows(text, VISIT).expect("rows");
        let payload = PayloadType::parse(VISIT).expect("a type");
        let printed = |row: usize| {
            let message = rows[row].1.as_ref().expect("a message");
            value::print_row(&payload, message).expect("a row")
        };
        assert_eq!(printed(0), ["/a,b", "5", "x"]);
        assert_eq!(printed(2), ["/d", "7", ""]);
        let (line, error) = &rows[1];
        assert_eq!(*line, 3);
        let error = error.as_ref().expect_err("not a number");
        assert!(error.starts_with("at `bytes`: expected `u32`"), "{error}");
    }

    #[test]
    fn columns_must_be_those_of_the_type() {
        for (text, expected) in [
            ("path\n", "line 1: the column `bytes` is missing"),
            ("path,bytes,size\n", "line 1: `size` is no column"),
            (
                "path,bytes,path\n",
                "line 1: the column `path` is there twice",
            ),
        ] {
            let error = rows(text, VISIT).expect_err(text);
            assert!(error.starts_with(expected), "{error}");
        }
        assert_eq!(rows("", VISIT), Ok(Vec::new()));
    }

    #[test]
    fn a_row_without_end_and_one_that_is_cut_are_refused() {
        let endless = format!("path,bytes\n\"{}", "x".repeat(1 << 20));
        let error = rows(&endless, VISIT).expect_err("too long");
        assert!(error.contains("a row is too long"), "{error}");
        let error = rows("path,bytes\n/a\n", VISIT).expect_err("cut");
        assert!(error.starts_with("line 2: "), "{error}");
    }
}
