//! `run --watch`: components that are rebuilt replace those that run.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use notify_debouncer_mini::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_mini::{DebounceEventResult, Debouncer, new_debouncer};
use transputer::files;
use transputer::{Component, Host, Replace, Running};

use super::events::{LogLevel, Printer};
use crate::components::{LARGEST, Origin};
use crate::guests::{self, Debugging};
use crate::progress::Progress;
use crate::terminal;

/// Files that change together are examined together, this long after the last change.
const QUIET: Duration = Duration::from_millis(200);

/// The components of a network that is about to run, and where they come from.
#[derive(Debug)]
pub(crate) struct Watch {
    host: Host,
    components: Vec<Watched>,
    progress: Progress,
    /// The network's file as it was when it was last looked at. It is read at the start only.
    description: BTreeMap<PathBuf, Option<State>>,
    /// The folders that are watched.
    folders: BTreeSet<PathBuf>,
}

/// A component, and the files that it depends on.
#[derive(Debug)]
struct Watched {
    name: String,
    origin: Origin,
    /// As they were when they were last looked at; nothing for one that was gone.
    files: BTreeMap<PathBuf, Option<State>>,
    /// What runs now.
    running: Code,
}

/// What tells that another component would run now.
#[derive(Debug)]
enum Code {
    /// A hash of the file's bytes.
    File(u64),
    /// A program in Python.
    Program(Component),
}

/// What changes when a file is written: its time and its length.
type State = (SystemTime, u64);

type FileWatcher = Mutex<Debouncer<RecommendedWatcher>>;

/// Watches until it is dropped.
pub(crate) struct Watching {
    _watcher: Arc<FileWatcher>,
}

impl Watch {
    /// What to watch of these components, by their names.
    pub(crate) fn new(
        host: &Host,
        description: &Path,
        origins: BTreeMap<String, Origin>,
        progress: Progress,
    ) -> anyhow::Result<Watch> {
        let mut components = Vec::new();
        for (name, origin) in origins {
            let running = Code::of(&origin, host)?;
            components.push(Watched {
                files: look(running.inputs(&origin)?),
                running,
                name,
                origin,
            });
        }
        Ok(Watch {
            host: host.clone(),
            components,
            progress,
            description: look(std::path::absolute(description).into_iter().collect()),
            folders: BTreeSet::new(),
        })
    }

    /// Watches on a thread of its own while the network runs.
    pub(crate) fn start(mut self, running: Running, printer: Printer) -> anyhow::Result<Watching> {
        let quiet = printer.is_json() || !printer.prints(LogLevel::Info);
        let (tell, changes) = mpsc::channel::<DebounceEventResult>();
        let watcher = new_debouncer(QUIET, tell).context("cannot watch files")?;
        let watcher = Arc::new(Mutex::new(watcher));
        self.watch_folders(&watcher)?;
        // The thread ends when nobody else holds the watcher.
        let weak = Arc::downgrade(&watcher);
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                for change in changes {
                    let Some(watcher) = weak.upgrade() else {
                        break;
                    };
                    let result = change
                        .context("cannot watch")
                        .and_then(|_| self.changed(&watcher, &running, &printer));
                    if let Err(error) = result {
                        printer.watch("files", &format!("{error:#}"));
                    }
                }
            })
            .context("cannot start a thread that watches files")?;
        if !quiet {
            terminal::note(
                "watching the components' files; a component that is rebuilt replaces the one that runs; the network's file is read at the start only",
            );
        }
        Ok(Watching { _watcher: watcher })
    }

    /// Watches the folders of all files, because a file that is rewritten is often a new file of the same
    /// name. Whether there is a new folder, in which something may have changed already.
    fn watch_folders(&mut self, watcher: &FileWatcher) -> anyhow::Result<bool> {
        let mut added = false;
        let description = self.description.keys().filter_map(|file| file.parent());
        let description =
            description.map(|folder| (folder.to_owned(), RecursiveMode::NonRecursive));
        let folders = self.components.iter().flat_map(Watched::folders);
        for (folder, mode) in folders.chain(description.collect::<Vec<_>>()) {
            if self.folders.contains(&folder) {
                continue;
            }
            let mut watcher = watcher.lock().unwrap_or_else(PoisonError::into_inner);
            watcher
                .watcher()
                .watch(&folder, mode)
                .with_context(|| format!("cannot watch {}", folder.display()))?;
            self.folders.insert(folder);
            added = true;
        }
        Ok(added)
    }

    /// Something happened to a file: it was changed, or only read.
    fn changed(
        &mut self,
        watcher: &FileWatcher,
        running: &Running,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        let now = look(self.description.keys().cloned().collect());
        if std::mem::replace(&mut self.description, now) != self.description {
            let text =
                "it has changed, but is read at the start only; what runs is wired as before";
            printer.watch("the network's file", text);
        }
        loop {
            for watched in &mut self.components {
                // Again, if it has come to depend on others, or if one changed meanwhile.
                while watched.has_changed() {
                    watched.renew(&self.host, self.progress, running, printer);
                }
            }
            if !self.watch_folders(watcher)? {
                return Ok(());
            }
        }
    }
}

impl Watched {
    fn folders(&self) -> impl Iterator<Item = (PathBuf, RecursiveMode)> {
        let parents = self.files.keys().filter_map(|file| file.parent());
        let parents = parents.map(|folder| (folder.to_owned(), RecursiveMode::NonRecursive));
        let sources = self.origin.sources();
        let sources = sources.map(|folder| (folder, RecursiveMode::Recursive));
        // In this order, as the folder of the sources may be among the others.
        sources.into_iter().chain(parents)
    }

    /// Whether a file that it depends on is another one than when this was asked last.
    fn has_changed(&mut self) -> bool {
        let known = || self.files.keys().cloned().collect();
        let inputs = self.running.inputs(&self.origin);
        let files = look(inputs.unwrap_or_else(|_| known()));
        let before = std::mem::replace(&mut self.files, files);
        before != self.files
    }

    /// Has what its files make now take the place of what runs.
    fn renew(&mut self, host: &Host, progress: Progress, running: &Running, printer: &Printer) {
        match self.load(host, progress) {
            Ok(None) => {}
            Ok(Some(component)) => self.replace(&component, running, printer),
            Err(error) => {
                let text = format!("{error:#}; the old component goes on");
                printer.watch(&self.name, &text);
            }
        }
    }

    /// Builds the component if it is made from source, and loads it if it is another one than
    /// that which runs.
    fn load(&mut self, host: &Host, progress: Progress) -> anyhow::Result<Option<Component>> {
        if let Origin::Source(source) = &self.origin {
            guests::build(
                std::slice::from_ref(&source.file),
                Debugging::AsBefore,
                progress,
            )?;
        }
        let now = Code::of(&self.origin, host)?;
        if now == self.running {
            return Ok(None);
        }
        let component = match &now {
            Code::Program(component) => component.clone(),
            Code::File(_) => host.component(self.origin.built()?.joined())?,
        };
        self.running = now;
        Ok(Some(component))
    }

    fn replace(&self, component: &Component, running: &Running, printer: &Printer) {
        let replaced = running.replace_component(&self.name, component, Replace::default());
        for (_, result) in replaced {
            // That it was replaced is told by the network.
            if let Err(error) = result {
                printer.watch(&self.name, &format!("{error}; the old component goes on"));
            }
        }
    }
}

impl Code {
    /// What a component's files make now.
    fn of(origin: &Origin, host: &Host) -> anyhow::Result<Code> {
        Ok(match origin {
            Origin::Python(file) => Code::Program(host.component(file)?),
            origin => Code::File(hash(&origin.built()?.file)?),
        })
    }

    /// The files that it depends on; of a program, those that it was made of.
    fn inputs(&self, origin: &Origin) -> anyhow::Result<BTreeSet<PathBuf>> {
        match self {
            Code::Program(component) => Ok(component.sources().iter().cloned().collect()),
            Code::File(_) => origin.inputs(),
        }
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        match (self, other) {
            (Code::File(one), Code::File(other)) => one == other,
            (Code::Program(one), Code::Program(other)) => one.runs_the_same_as(other),
            _ => false,
        }
    }
}

fn look(files: BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Option<State>> {
    let state = |file: &Path| {
        let found = std::fs::metadata(file).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    let looked = files.into_iter().map(|file| (state(&file), file));
    looked.map(|(state, file)| (file, state)).collect()
}

fn hash(file: &Path) -> anyhow::Result<u64> {
    let bytes =
        files::read(file, LARGEST).with_context(|| format!("cannot read {}", file.display()))?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use transputer::ComponentPath;

    use super::*;

    /// Files are opened whenever they are compiled, which is told like a change.
    #[test]
    fn a_file_that_was_only_read_has_not_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("guest.wasm");
        fs::write(&file, "one").expect("there is room");
        let origin = Origin::File(ComponentPath::new(&file, None));
        let mut watched = Watched {
            name: "guest".to_owned(),
            files: look(origin.inputs().expect("it is a file")),
            origin,
            running: Code::File(0),
        };
        fs::read(&file).expect("it is there");
        assert!(!watched.has_changed());
        fs::write(&file, "another").expect("there is room");
        assert!(watched.has_changed());
        assert!(!watched.has_changed());
        fs::remove_file(&file).expect("it is there");
        assert!(watched.has_changed());
        assert!(!watched.has_changed());
    }
}
