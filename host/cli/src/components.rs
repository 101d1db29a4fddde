//! From a network's description to the files of its components.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use transputer::description::{ComponentFile, Description};
use transputer::diagnostics::{Problem, Problems};
use transputer::signature::Signature;
use transputer::validation::{self, ArgumentOverride};

use crate::guests::{self, Package};
use crate::progress::Progress;

/// Where a network's components are.
#[derive(Debug, Default)]
pub(crate) struct Located {
    /// The `.wasm` file of each, by its name in the description.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// The names of those whose guests are yet to be built.
    pub(crate) unbuilt: Vec<String>,
    /// Those that are not there at all.
    pub(crate) diagnostics: Problems,
}

impl Located {
    /// Fails if a guest is yet to be built.
    pub(crate) fn refuse_unbuilt(&self, description: &Description) -> Result<(), Problems> {
        let components = description.component_files();
        let unbuilt = components.iter().filter(|c| self.unbuilt.contains(&c.name));
        let diagnostics: Problems = unbuilt
            .map(|component| {
                let text = format!("the component `{}` is not built yet", component.name);
                description
                    .problem_at(component.span.clone(), text)
                    .with_hint("build it with `transputer build`, or run without `--no-build`")
            })
            .collect();
        if diagnostics.is_empty() {
            Ok(())
        } else {
            Err(diagnostics)
        }
    }
}

/// A network without errors.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What each component says of itself, by its name in the description.
    pub(crate) signatures: BTreeMap<String, Signature>,
    /// What is merely odd.
    pub(crate) warnings: Problems,
}

/// Whether guests are built on the way.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Building {
    /// Those that are out of date.
    OutOfDate,
    /// None: they are taken as they are.
    Never,
}

/// Finds the file of every component, building guests if so asked.
pub(crate) fn locate(
    description: &Description,
    building: Building,
    progress: Progress,
) -> anyhow::Result<Located> {
    let mut located = Located::default();
    let mut guests = Vec::new();
    for component in description.component_files() {
        if component.path.is_file() {
            located.files.insert(component.name, component.path);
        } else if is_package(&component.path) {
            guests.push(component);
        } else {
            located.diagnostics.push(missing(description, &component));
        }
    }
    if building == Building::OutOfDate {
        let folders: Vec<PathBuf> = guests.iter().map(|guest| guest.path.clone()).collect();
        guests::build(&folders, progress)?;
    }
    for guest in guests {
        match Package::open(&guest.path)?.last_built() {
            Some(artifacts) => {
                let file = guests::library(&guest.path, &artifacts)?.to_owned();
                located.files.insert(guest.name, file);
            }
            None => located.unbuilt.push(guest.name),
        }
    }
    Ok(located)
}

/// Where a component comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A file that somebody else makes.
    File(PathBuf),
    /// A folder with a Cargo package, which is built.
    Package(PathBuf),
}

impl Origin {
    /// The component's file, as it was last built.
    pub(crate) fn file(&self) -> anyhow::Result<PathBuf> {
        match self {
            Origin::File(file) => Ok(file.clone()),
            Origin::Package(folder) => {
                let artifacts = Package::open(folder)?.last_built().unwrap_or_default();
                Ok(guests::library(folder, &artifacts)?.to_owned())
            }
        }
    }

    /// The files that it depends on; for a package those of its last build and its sources.
    pub(crate) fn inputs(&self) -> anyhow::Result<BTreeSet<PathBuf>> {
        Ok(match self {
            Origin::File(file) => BTreeSet::from([file.clone()]),
            Origin::Package(folder) => Package::open(folder)?.inputs(),
        })
    }

    /// The folder in which files may come up that it will depend on, if there is one.
    pub(crate) fn sources(&self) -> Option<PathBuf> {
        let Origin::Package(folder) = self else {
            return None;
        };
        let sources = Package::open(folder).ok()?.sources();
        sources.is_dir().then_some(sources)
    }
}

/// Where each component comes from, by its name; without those that are not to be had.
pub(crate) fn origins(
    description: &Description,
    located: &Located,
) -> anyhow::Result<BTreeMap<String, Origin>> {
    let mut origins = BTreeMap::new();
    for component in description.component_files() {
        if !located.files.contains_key(&component.name) {
            continue;
        }
        let path = component.path.canonicalize();
        let path = path.with_context(|| format!("cannot resolve {}", component.path.display()))?;
        let origin = match path.is_file() {
            true => Origin::File(path),
            false => Origin::Package(path),
        };
        origins.insert(component.name, origin);
    }
    Ok(origins)
}

/// The folders with the Cargo packages of a network's guests.
pub(crate) fn guest_folders(description: &Description) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    let mut diagnostics = Problems::default();
    for component in description.component_files() {
        if is_package(&component.path) {
            folders.push(component.path);
        } else if !component.path.is_file() {
            diagnostics.push(missing(description, &component));
        }
    }
    if diagnostics.is_empty() {
        Ok(folders)
    } else {
        Err(diagnostics.into())
    }
}

fn is_package(path: &Path) -> bool {
    path.join("Cargo.toml").is_file()
}

fn missing(description: &Description, component: &ComponentFile) -> Problem {
    let path = component.path.display();
    let message = if component.path.is_dir() {
        format!("the folder {path} holds no Cargo package (there is no Cargo.toml in it)")
    } else if component.direct {
        format!(
            "there is no component `{}`, nor a file or folder {path}",
            component.name
        )
    } else {
        format!("there is no file or folder {path}")
    };
    description
        .problem_at(component.span.clone(), message)
        .with_hint(
            "name a component from [components], a .wasm file, or a folder with a Cargo package",
        )
}

/// Checks a network against what its components say of themselves. The wiring is left
/// out while a guest is yet to be built.
///
/// A component that could not be read has its diagnostic already, and gets no second one for
/// having no signature.
pub(crate) fn check(
    description: &Description,
    located: &Located,
    arguments: &[ArgumentOverride],
) -> Result<Checked, Problems> {
    let (signatures, mut diagnostics) = read_signatures(description, located);
    if located.unbuilt.is_empty() {
        let found = match validation::check(description, &signatures, arguments) {
            Ok(plan) => plan.warnings,
            Err(diagnostics) => diagnostics,
        };
        let known: Vec<_> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.position.clone())
            .collect();
        let is_new =
            |problem: &Problem| problem.position.is_none() || !known.contains(&problem.position);
        diagnostics.extend(found.into_iter().filter(is_new));
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Checked {
        signatures,
        warnings: diagnostics,
    })
}

/// What each component says of itself, and the diagnostics of those that cannot be read.
fn read_signatures(
    description: &Description,
    located: &Located,
) -> (BTreeMap<String, Signature>, Problems) {
    let mut signatures = BTreeMap::new();
    let mut diagnostics = located.diagnostics.clone();
    for component in description.component_files() {
        let Some(file) = located.files.get(&component.name) else {
            continue;
        };
        let read = std::fs::read(file)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Signature::read(&bytes).map_err(|error| error.to_string()));
        match read {
            Ok(Some(signature)) => {
                signatures.insert(component.name, signature);
            }
            Ok(None) => {}
            Err(error) => {
                let text = format!(
                    "component `{}` ({}): {error}",
                    component.name,
                    file.display()
                );
                diagnostics.push(description.problem_at(component.span, text));
            }
        }
    }
    (signatures, diagnostics)
}
