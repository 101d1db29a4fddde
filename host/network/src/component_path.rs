//! Paths of components, as network files write them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::signature::in_name;

/// A file or folder, and which of its processes is meant: `filter.wasm`, or `app.wasm:filter` where there
/// are several.
///
/// ```
/// use transputer_network::ComponentPath;
///
/// let path = ComponentPath::of("plugins/lib.rs:double".as_ref());
/// assert_eq!(path.file, std::path::Path::new("plugins/lib.rs"));
/// assert_eq!(path.process.as_deref(), Some("double"));
/// assert_eq!(ComponentPath::of("double.wasm".as_ref()).process, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ComponentPath {
    /// The file or folder.
    pub file: PathBuf,
    /// The process, if it is named.
    pub process: Option<String>,
}

impl ComponentPath {
    /// This process of a file or folder; its only one if none is named.
    pub fn new(file: impl Into<PathBuf>, process: Option<String>) -> Self {
        Self {
            file: file.into(),
            process,
        }
    }

    /// Takes a path apart. Nothing is looked up: neither need exist.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str());
        let parts = name.and_then(|name| name.rsplit_once(':'));
        let is_process = |name: &str| !name.is_empty() && name.chars().all(in_name);
        match parts {
            Some((file, process)) if !file.is_empty() && is_process(process) => {
                Self::new(path.with_file_name(file), Some(process.to_owned()))
            }
            _ => Self::new(path, None),
        }
    }

    /// The path as it is written; what [`of`](Self::of) takes apart.
    pub fn joined(&self) -> PathBuf {
        let Some(process) = &self.process else {
            return self.file.clone();
        };
        let mut path = self.file.clone().into_os_string();
        path.push(":");
        path.push(process);
        path.into()
    }
}

impl fmt::Display for ComponentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.joined().display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::ComponentPath;

    fn parts(path: &str) -> (String, Option<String>) {
        let path = ComponentPath::of(Path::new(path));
        (path.file.display().to_string(), path.process)
    }

    #[test]
    fn a_process_is_what_follows_the_last_colon_of_the_name() {
        let one = |file: &str, process: &str| (file.to_owned(), Some(process.to_owned()));
        assert_eq!(parts("app.wasm:double"), one("app.wasm", "double"));
        assert_eq!(parts("a/b:drop-bots"), one("a/b", "drop-bots"));
        assert_eq!(parts("a:b:c"), one("a:b", "c"));
        for path in ["app.wasm", "a:b/c.wasm", "a:b.wasm", ":a", "a:", ""] {
            assert_eq!(parts(path), (path.to_owned(), None));
        }
    }

    #[test]
    fn what_was_taken_apart_is_joined_again() {
        for path in ["app.wasm:double", "app.wasm", "a/b:c", "a:b.wasm"] {
            assert_eq!(ComponentPath::of(path.as_ref()).joined(), Path::new(path));
        }
    }
}
