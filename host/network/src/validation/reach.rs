//! Grants of directories that reach too far.
//!
//! A path is worth what those make it who may change what lies along it. So a granted directory must not
//! lie beneath one that processes may write: they could put a link to anywhere in its place, and the next
//! start would grant that. And no process may reach the files by which the host knows what to run and to grant.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::ComponentPath;
use crate::description::{Description, FILE_NAME};
use crate::diagnostics::Diagnostics;
use crate::plan::Directory;

/// Links that are followed before a path counts as leading nowhere, as in Linux.
const MOST_LINKS: usize = 40;

/// A file or folder that the host relies on, and that no process may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostFile {
    /// What it is, as in "the network file".
    pub what: String,
    /// Where it is.
    pub path: PathBuf,
}

impl HostFile {
    /// The file or folder at `path`, which is `what`, as in "the network file".
    pub fn new(what: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            what: what.into(),
            path: path.into(),
        }
    }
}

/// A directory, and the process that it is granted to.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct Granted<'a> {
    /// The process's name.
    pub process: &'a str,
    /// The directory.
    pub directory: &'a Directory,
}

impl<'a> Granted<'a> {
    /// The grant of this directory to the process of this name.
    pub fn new(process: &'a str, directory: &'a Directory) -> Self {
        Self { process, directory }
    }
}

/// A granted directory that reaches too far.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Overreach<'a> {
    /// Its place among all that were looked at.
    pub index: usize,
    /// What is granted.
    pub granted: Granted<'a>,
    /// Why it must not be.
    pub why: Reason<'a>,
}

/// Why a directory must not be granted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reason<'a> {
    /// It lies beneath this one, which may be written.
    Beneath(Granted<'a>),
    /// It holds this file, lies in this folder, or is on the way to either.
    Covers(&'a HostFile),
}

impl Overreach<'_> {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.why {
            Reason::Beneath(_) => {
                "grant folders beside each other, or the upper one without `write`"
            }
            Reason::Covers(_) => "grant a folder that holds nothing else, such as `data`",
        }
    }
}

impl fmt::Display for Overreach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Granted { process, directory } = self.granted;
        let path = directory.host.display();
        write!(f, "process `{process}` is granted the directory {path}, ")?;
        match &self.why {
            Reason::Beneath(upper) => write!(
                f,
                "which lies beneath {}; process `{}` may write there, and could put a link to \
                 anywhere in its place",
                upper.directory.host.display(),
                upper.process
            ),
            Reason::Covers(file) => {
                let (what, path) = (&file.what, file.path.display());
                write!(f, "through which it would reach {what}: {path}")
            }
        }
    }
}

/// The directories that reach too far. Looks at the file system, if anything is granted; what is not
/// there yet counts by its path.
pub fn overreaching<'a>(granted: &[Granted<'a>], files: &'a [HostFile]) -> Vec<Overreach<'a>> {
    if granted.is_empty() {
        return Vec::new();
    }
    let trails: Vec<Trail> = granted
        .iter()
        .map(|granted| Trail::of(&granted.directory.host))
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|file| (file, Trail::of(&file.path)))
        .collect();
    let mut found = Vec::new();
    for (index, (lower, trail)) in granted.iter().zip(&trails).enumerate() {
        let mut uppers = granted.iter().zip(&trails);
        let beneath = uppers
            .find(|(upper, end)| upper.directory.write && trail.passes(&end.end))
            .map(|(upper, _)| Reason::Beneath(*upper));
        let covers = files.iter().find(|(_, file)| {
            file.passes(&trail.end)
                || file.end.starts_with(&trail.end)
                || trail.end.starts_with(&file.end)
        });
        let covers = covers.map(|(file, _)| Reason::Covers(file));
        found.extend(
            [beneath, covers]
                .into_iter()
                .flatten()
                .map(|why| Overreach {
                    index,
                    granted: *lower,
                    why,
                }),
        );
    }
    found
}

/// The directories granted in a description that reach too far: for each other, for the network's own
/// file, for its components, or for these files of the host's. Looks at the file system, unlike
/// [`check`](super::check).
pub fn check_grants(description: &Description, files: &[HostFile]) -> Diagnostics {
    let mut granted = Vec::new();
    let mut spans = Vec::new();
    for process in &description.processes {
        let directories = process.grants.directories.iter();
        granted.extend(directories.map(|directory| Granted {
            process: process.name.get_ref(),
            directory,
        }));
        spans.extend(process.directory_spans.iter().cloned());
    }
    let files: Vec<HostFile> = own_files(description)
        .chain(files.iter().cloned())
        .collect();
    let found = overreaching(&granted, &files);
    found
        .iter()
        .map(|found| {
            let span = spans.get(found.index).cloned().unwrap_or_default();
            description
                .diagnostic_at(span, found.to_string())
                .with_hint(found.hint())
        })
        .collect()
}

/// The network's file, and its components: of one given as source, what building it would run.
fn own_files(description: &Description) -> impl Iterator<Item = HostFile> {
    let name = Path::new(description.file_name()).file_name();
    let network = HostFile {
        what: "the network file".to_owned(),
        path: description
            .base
            .join(name.unwrap_or_else(|| FILE_NAME.as_ref())),
    };
    let components = description.component_files().into_iter().flat_map(|file| {
        let path = ComponentPath::of(&file.path).file;
        let paths = match path.is_dir() {
            true => ["Cargo.toml", "build.rs", "src"]
                .map(|part| path.join(part))
                .to_vec(),
            false => vec![path],
        };
        let what = format!("the component `{}`", file.name);
        paths.into_iter().map(move |path| HostFile {
            what: what.clone(),
            path,
        })
    });
    std::iter::once(network).chain(components)
}

/// The way along a path, links followed.
struct Trail {
    /// The folders whose entries decide where it leads.
    through: Vec<PathBuf>,
    /// Where it leads.
    end: PathBuf,
}

impl Trail {
    fn of(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut ahead = steps(&path);
        let mut through = Vec::new();
        let mut at = PathBuf::new();
        let mut links = 0;
        while let Some(step) = ahead.pop() {
            if step == *".." {
                at.pop();
                continue;
            }
            let next = at.join(&step);
            // A root or a prefix replaces what was before, and is not an entry of a folder.
            if next.parent() == Some(&*at) {
                through.push(at.clone());
            }
            match fs::read_link(&next) {
                Ok(target) if links < MOST_LINKS => {
                    links += 1;
                    ahead.extend(steps(&target));
                }
                _ => at = next,
            }
        }
        Self { through, end: at }
    }

    /// Whether an entry of this folder, or of one beneath it, decides where the path leads.
    fn passes(&self, folder: &Path) -> bool {
        self.through.iter().any(|entry| entry.starts_with(folder))
    }
}

/// What a path is made of, the last first.
fn steps(path: &Path) -> Vec<OsString> {
    let steps = path.components().rev();
    steps
        .filter(|step| *step != Component::CurDir)
        .map(|step| step.as_os_str().to_owned())
        .collect()
}
