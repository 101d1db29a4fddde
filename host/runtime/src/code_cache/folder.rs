//! The cache's folder. Files appear in it by renaming, so that several hosts can share it; when there are
//! too many, the least recently used are removed.

use std::fs::{self, DirBuilder, DirEntry, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::entry::{Checked, Key, is_file_name};

/// The most bytes of all files together.
const MOST_BYTES: u64 = 1 << 30;

/// What files are called while they are written.
const UNFINISHED: &str = ".unfinished-";

/// After this a file that is still being written was left behind by a host that died.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    most: u64,
}

impl Folder {
    /// Makes the folder if it isn't there.
    pub(super) fn open(path: PathBuf) -> Result<Self, String> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        make(&path).map_err(|error| named(&error))?;
        let found = fs::metadata(&path).map_err(|error| named(&error))?;
        if let Err(fault) = only_ours(&found) {
            return Err(named(&format_args!(
                "the folder {fault}, and code from it would be run: take that right away, or \
                 choose another folder"
            )));
        }
        // So that it stays the same when the program changes its folder.
        let path = std::path::absolute(&path).map_err(|error| named(&error))?;
        Ok(Self {
            path,
            most: MOST_BYTES,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    #[cfg(test)]
    pub(super) fn with_room_for(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// What was kept under the key, if it is there and whole.
    pub(super) fn read(&self, key: &Key) -> Option<Checked> {
        let path = self.path.join(key.file_name());
        let checked = self
            .open_file(&path)
            .and_then(|file| Checked::check(key, file));
        let fault = match checked {
            Ok(Some(code)) => return Some(code),
            Ok(None) => "damaged, or of another version".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        let path = path.display();
        tracing::warn!("{path}: {fault}; the component is compiled again");
        None
    }

    fn open_file(&self, path: &Path) -> io::Result<File> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        only_ours(&found).map_err(io::Error::other)?;
        if !found.is_file() || found.len() > self.most {
            return Err(io::Error::other("not a file of this cache"));
        }
        // It was used just now. If that cannot be noted, it is removed sooner than it should be.
        let _ = file.set_modified(SystemTime::now());
        Ok(file)
    }

    /// Keeps code under the key, if there is room and permission.
    pub(super) fn keep(&self, key: &Key, code: &Checked) {
        let Checked::Made(file) = code else {
            return;
        };
        if file.len() as u64 > self.most {
            return;
        }
        if let Err(error) = self.write(key, file).and_then(|()| self.tidy()) {
            tracing::warn!("{}: {error}", self.path.display());
        }
    }

    fn write(&self, key: &Key, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.path)?;
        file.write_all(code)?;
        make_read_only(file.as_file())?;
        file.persist(self.path.join(key.file_name()))?;
        Ok(())
    }

    /// Removes the least recently used files if there are too many, and what hosts that died have left.
    fn tidy(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // Another host may have removed it meanwhile.
            files.extend(entry.ok().and_then(|entry| Kept::look(&entry)));
        }
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            let old = file.used.elapsed().unwrap_or_default() > LEFT_BEHIND;
            if total > self.most && file.whole || old && !file.whole {
                let _ = fs::remove_file(&file.path);
                total -= file.bytes;
            }
        }
        Ok(())
    }
}

/// A file of the cache.
struct Kept {
    path: PathBuf,
    used: SystemTime,
    bytes: u64,
    /// It is no longer being written.
    whole: bool,
}

impl Kept {
    /// `None` if it belongs to somebody else.
    fn look(entry: &DirEntry) -> Option<Self> {
        let name = entry.file_name();
        let name = name.to_str()?;
        let whole = is_file_name(name);
        let found = entry.metadata().ok()?;
        let ours = found.is_file() && (whole || name.starts_with(UNFINISHED));
        Some(Self {
            path: entry.path(),
            used: found.modified().ok()?,
            bytes: found.len(),
            whole,
        })
        .filter(|_| ours)
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Hosts map the file, so whoever changed it in place would change them: it is only ever replaced.
#[cfg(unix)]
fn make_read_only(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    file.set_permissions(fs::Permissions::from_mode(0o400))
}

/// Elsewhere a file that is read-only could not be replaced.
#[cfg(not(unix))]
fn make_read_only(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// Whether no other user, but root, could have written it.
#[cfg(unix)]
pub(crate) fn only_ours(found: &Metadata) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt as _;

    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us && found.uid() != 0 {
        return Err("belongs to another user");
    }
    match found.mode() & 0o022 {
        0 => Ok(()),
        _ => Err("can be written by other users"),
    }
}

/// Such a folder is accessible to the user alone.
#[cfg(not(unix))]
pub(crate) fn only_ours(_: &Metadata) -> Result<(), &'static str> {
    Ok(())
}
