//! One run at a time writes a dead-letter file.
//!
//! Whoever writes the file holds a lock on it, which the system releases when the program ends, however
//! that happens. A file that replaces another is locked before it does, so that the file is never
//! unlocked while a network runs.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::record::Records;

/// A file that an earlier run has left; locked while this lives.
pub(super) struct Claimed(#[expect(dead_code, reason = "it is kept for its lock")] File);

/// Claims the file for this run; `None` if there is no such file.
pub(super) fn claim(path: &Path) -> Result<Option<Claimed>, String> {
    loop {
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                return Err("it is there, but is not a regular file".to_owned());
            }
            _ => {}
        }
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        if !lock(&file) {
            return Err(in_use(path));
        }
        // Whoever held the lock may have replaced or removed the file meanwhile.
        if is_at(path, &file).map_err(|error| error.to_string())? {
            return Ok(Some(Claimed(file)));
        }
    }
}

/// Locks a file; false if somebody else has locked it. Always true where the file system has no locks.
#[cfg(unix)]
pub(super) fn lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

/// A lock would keep even this program from reading the file.
#[cfg(not(unix))]
pub(super) fn lock(_: &File) -> bool {
    true
}

#[cfg(unix)]
fn is_at(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_: &Path, _: &File) -> io::Result<bool> {
    Ok(true)
}

/// Who uses the file, as far as the file says.
pub(super) fn in_use(path: &Path) -> String {
    let header = Records::open(path).ok().flatten().map(|(header, _)| header);
    let advice = "wait until that has ended, or give another name";
    match header.and_then(|header| Some((header.process?, header.network))) {
        Some((process, network)) => format!(
            "it is in use by process {process}, which runs the network `{network}`; {advice}"
        ),
        None => format!("it is in use by another run; {advice}"),
    }
}
