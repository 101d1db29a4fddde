//! Files that are read whole, within a bound.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a file whole, if it has at most so many bytes. Nothing is read beyond that, even of a device
/// without end, a pipe, or a file that grows meanwhile. Blocks on the file system.
///
/// # Errors
///
/// Those of the file system, and [`FileTooLarge`](io::ErrorKind::FileTooLarge).
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // What is too large, and says so, is not even read.
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length <= most {
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    match length.max(bytes.len() as u64) <= most {
        true => Ok(bytes),
        false => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {most} bytes"),
        )),
    }
}

/// Reads a text whole, likewise.
///
/// # Errors
///
/// Those of [`read`], and [`InvalidData`](io::ErrorKind::InvalidData) if it is no UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, most)?);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::FileTooLarge;

    use std::path::Path;

    use super::read;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/files.rs"));
        let text = include_bytes!("files.rs");
        let length = text.len() as u64;
        assert_eq!(read(file, length).ok().as_deref(), Some(&text[..]));
        let kind = read(file, length - 1).map_err(|it| it.kind());
        assert_eq!(kind, Err(FileTooLarge));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_without_end_is_not_read_to_its_end() {
        let zeros = read("/dev/zero".as_ref(), 1 << 20);
        assert_eq!(zeros.map_err(|it| it.kind()), Err(FileTooLarge));
        let none = read("/dev/null".as_ref(), 0);
        assert_eq!(none.ok().as_deref(), Some(&b""[..]));
    }
}
