//! Packs that were pulled, kept by their digests. What is read from here is checked like what a registry sends.

use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use transputer::CacheFolder;

use crate::packs::Image;
use crate::terminal;

/// The most bytes of all of them together.
const MOST_BYTES: u64 = 2 << 30;

/// The folder in that of compiled components.
const FOLDER: &str = "packs";

const EXTENSION: &str = "pack";

pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// `None` if nothing is to be kept.
    pub(super) fn open(cache: &CacheFolder) -> Option<Self> {
        let folder = cache.path()?.join(FOLDER);
        Some(Self { folder })
    }

    /// What has this digest, if it is there and whole.
    pub(super) fn read(&self, digest: &str) -> Option<Image> {
        let path = self.path(digest);
        let file = File::open(&path).ok()?;
        // It was used just now. If that cannot be noted, it is removed sooner than it should be.
        let _ = file.set_modified(SystemTime::now());
        match Image::read(BufReader::new(file)) {
            Ok(image) if image.digest() == digest => Some(image),
            _ => {
                terminal::warning(format_args!(
                    "{} is damaged, and is pulled again",
                    path.display()
                ));
                None
            }
        }
    }

    /// Keeps it, if there is room and permission.
    pub(super) fn keep(&self, image: &Image) {
        if let Err(error) = self.write(image).and_then(|()| self.tidy(MOST_BYTES)) {
            terminal::warning(format_args!(
                "the pack is not kept for the next time: {}: {error}",
                self.folder.display()
            ));
        }
    }

    fn path(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.folder.join(hex).with_extension(EXTENSION)
    }

    fn write(&self, image: &Image) -> io::Result<()> {
        make(&self.folder)?;
        // Whoever reads meanwhile finds all of it, or nothing.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        image.write(io::BufWriter::new(&mut file))?;
        file.flush()?;
        file.persist(self.path(&image.digest()))?;
        Ok(())
    }

    /// Removes those that were used least recently, if there are too many.
    fn tidy(&self, most: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if found.is_file() {
                files.push((found.modified()?, found.len(), entry.path()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if total <= most {
                break;
            }
            // Another command may have removed it meanwhile.
            let _ = fs::remove_file(path);
            total -= bytes;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_was_used_least_recently_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept {
            folder: folder.path().to_owned(),
        };
        let now = SystemTime::now();
        for (name, age) in [("old", 3), ("older", 4), ("new", 1)] {
            let path = folder.path().join(name);
            fs::write(&path, [0; 10]).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        kept.tidy(20).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["new", "old"]);
    }
}
