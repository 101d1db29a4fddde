//! `run --watch`: components that are rebuilt take the place of those that run.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;
use notify_debouncer_mini::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_mini::{DebounceEventResult, Debouncer, new_debouncer};
use transputer::{Component, Host, Replace, Running};

use super::events::{LogLevel, Printer};
use crate::components::Origin;
use crate::guests;
use crate::progress::Progress;
use crate::terminal;

/// Files that change together are looked at together, this long after the last change.
const QUIET: Duration = Duration::from_millis(200);

/// The components of a network that is about to run, and where they come from.
#[derive(Debug)]
pub(crate) struct Watch {
    host: Host,
    components: Vec<Watched>,
    progress: Progress,
}

/// A component, and the files that it depends on.
#[derive(Debug)]
struct Watched {
    name: String,
    origin: Origin,
    files: BTreeSet<PathBuf>,
    /// A hash of the bytes that run now.
    running: u64,
}

/// Watches until it is dropped.
pub(crate) struct Watching {
    _debouncer: Debouncer<RecommendedWatcher>,
}

impl Watch {
    /// What to watch of these components, by their names.
    pub(crate) fn new(
        host: &Host,
        origins: BTreeMap<String, Origin>,
        progress: Progress,
    ) -> anyhow::Result<Watch> {
        let mut components = Vec::new();
        for (name, origin) in origins {
            components.push(Watched {
                files: origin.inputs()?,
                running: hash(&origin.file()?)?,
                name,
                origin,
            });
        }
        Ok(Watch {
            host: host.clone(),
            components,
            progress,
        })
    }

    /// Watches on a thread of its own while the network runs.
    pub(crate) fn start(mut self, running: Running, printer: Printer) -> anyhow::Result<Watching> {
        let quiet = printer.is_json() || !printer.prints(LogLevel::Info);
        let (tell, changes) = mpsc::channel::<DebounceEventResult>();
        let mut debouncer = new_debouncer(QUIET, tell).context("cannot watch files")?;
        for folder in self.folders() {
            debouncer
                .watcher()
                .watch(&folder, RecursiveMode::NonRecursive)
                .with_context(|| format!("cannot watch {}", folder.display()))?;
        }
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                for change in changes {
                    match change {
                        Ok(events) => {
                            let paths = events.into_iter().map(|event| event.path).collect();
                            self.changed(&paths, &running, &printer);
                        }
                        Err(error) => printer.watch("files", &format!("cannot watch: {error}")),
                    }
                }
            })
            .context("cannot start a thread that watches files")?;
        if !quiet {
            terminal::note(
                "watching the components' files; rebuild one, and it replaces what runs",
            );
        }
        Ok(Watching {
            _debouncer: debouncer,
        })
    }

    /// The folders of all files: a file that is written anew is often another one of that name.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let files = self.components.iter().flat_map(|watched| &watched.files);
        let folders = files.filter_map(|file| file.parent());
        folders.map(Path::to_owned).collect()
    }

    fn changed(&mut self, paths: &BTreeSet<PathBuf>, running: &Running, printer: &Printer) {
        for watched in &mut self.components {
            if watched.files.is_disjoint(paths) {
                continue;
            }
            match watched.load(&self.host, self.progress) {
                Ok(None) => {}
                Ok(Some(component)) => watched.replace(&component, running, printer),
                Err(error) => {
                    let text = format!("{error:#}; the one before runs on");
                    printer.watch(&watched.name, &text);
                }
            }
        }
    }
}

impl Watched {
    /// Builds the component if it is made from source, and loads it if it is another one than
    /// that which runs.
    fn load(&mut self, host: &Host, progress: Progress) -> anyhow::Result<Option<Component>> {
        if let Origin::Package(folder) = &self.origin {
            guests::build(std::slice::from_ref(folder), progress)?;
        }
        let file = self.origin.file()?;
        let now = hash(&file)?;
        if now == self.running {
            return Ok(None);
        }
        let component = host.component(&file)?;
        self.running = now;
        Ok(Some(component))
    }

    fn replace(&self, component: &Component, running: &Running, printer: &Printer) {
        let replaced = running.replace_component(&self.name, component, Replace::default());
        for (_, result) in replaced {
            // That it was replaced is told by the network.
            if let Err(error) = result {
                printer.watch(&self.name, &format!("{error}; the one before runs on"));
            }
        }
    }
}

fn hash(file: &Path) -> anyhow::Result<u64> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Ok(hasher.finish())
}
