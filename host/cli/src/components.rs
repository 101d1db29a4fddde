//! From a network's description to the files of its components.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use transputer::description::{ComponentFile, Description};
use transputer::diagnostics::{Diagnostic, Diagnostics};
use transputer::files;
use transputer::signature::Signature;
use transputer::validation::{self, ArgumentOverride, HostFile};
use transputer::{ComponentPath, Error, HostOptions, PythonFile};

use crate::guests::{self, Debugging, Package, is_rust};
use crate::progress::Progress;

/// Where a network's components are.
#[derive(Debug, Default)]
pub(crate) struct Located {
    /// The `.wasm` file of each, by its name in the description.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// The names of those whose guests have not been built yet.
    pub(crate) unbuilt: Vec<String>,
    /// Those that do not exist.
    pub(crate) diagnostics: Diagnostics,
}

impl Located {
    /// Fails if a guest has not been built yet.
    pub(crate) fn refuse_unbuilt(&self, description: &Description) -> Result<(), Diagnostics> {
        let components = description.component_files();
        let unbuilt = components.iter().filter(|c| self.unbuilt.contains(&c.name));
        let diagnostics: Diagnostics = unbuilt
            .map(|component| {
                let text = format!("the component `{}` is not built yet", component.name);
                description
                    .diagnostic_at(component.span.clone(), text)
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
    pub(crate) warnings: Diagnostics,
}

/// Whether guests are built.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Building {
    /// Those that are out of date.
    OutOfDate,
    /// The same, so that backtraces name files and lines.
    Debug,
    /// None: they are taken as they are.
    Never,
}

/// Finds the file of every component, and builds guests if asked to.
pub(crate) fn locate(
    description: &Description,
    building: Building,
    progress: Progress,
) -> anyhow::Result<Located> {
    let mut located = Located::default();
    let mut guests = Vec::new();
    for component in description.component_files() {
        match Kind::of(&component.path) {
            Some(Kind::Finished) => drop(located.files.insert(component.name, component.path)),
            Some(Kind::Source) => guests.push(component),
            None => located.diagnostics.push(missing(description, &component)),
        }
    }
    if building != Building::Never {
        let debugging = match building {
            Building::Debug => Debugging::On,
            _ => Debugging::Off,
        };
        let sources = guests.iter().map(|guest| ComponentPath::of(&guest.path));
        let sources: Vec<PathBuf> = sources.map(|source| source.file).collect();
        guests::build(&sources, debugging, progress)?;
    }
    for guest in guests {
        let source = ComponentPath::of(&guest.path);
        match Package::open(&source.file)?.last_built() {
            Some(artifacts) => {
                let file = guests::library(&source.file, &artifacts)?;
                let built = ComponentPath::new(file, source.process);
                located.files.insert(guest.name, built.joined());
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
    File(ComponentPath),
    /// A Python file or one of its processes, which the host reads with all that it imports.
    Python(PathBuf),
    /// A Cargo package or a file of Rust source, which is built.
    Source(ComponentPath),
}

impl Origin {
    /// The component's file as it was last built, and its process if that is named.
    pub(crate) fn built(&self) -> anyhow::Result<ComponentPath> {
        match self {
            Origin::File(path) => Ok(path.clone()),
            Origin::Python(file) => Ok(ComponentPath::new(file, None)),
            Origin::Source(ComponentPath { file, process, .. }) => {
                let artifacts = Package::open(file)?.last_built().unwrap_or_default();
                let built = guests::library(file, &artifacts)?;
                Ok(ComponentPath::new(built, process.clone()))
            }
        }
    }

    /// The files that it depends on; for a package those of its last build and its sources.
    pub(crate) fn inputs(&self) -> anyhow::Result<BTreeSet<PathBuf>> {
        Ok(match self {
            Origin::File(ComponentPath { file, .. }) | Origin::Python(file) => {
                BTreeSet::from([file.clone()])
            }
            Origin::Source(source) => Package::open(&source.file)?.inputs(),
        })
    }

    /// The folder in which files may appear that it will depend on, if there is one.
    pub(crate) fn sources(&self) -> Option<PathBuf> {
        let Origin::Source(source) = self else {
            return None;
        };
        let sources = Package::open(&source.file).ok()?.sources();
        sources.is_dir().then_some(sources)
    }
}

/// Where each component comes from, by its name; without those that do not exist.
pub(crate) fn origins(
    description: &Description,
    located: &Located,
) -> anyhow::Result<BTreeMap<String, Origin>> {
    let mut origins = BTreeMap::new();
    for component in description.component_files() {
        if !located.files.contains_key(&component.name) {
            continue;
        }
        if PythonFile::of(&component.path).is_some() {
            let path = std::path::absolute(&component.path)?;
            origins.insert(component.name, Origin::Python(path));
            continue;
        }
        let ComponentPath { file, process, .. } = ComponentPath::of(&component.path);
        let found = file.canonicalize();
        let found = found.with_context(|| format!("cannot resolve {}", file.display()))?;
        let path = ComponentPath::new(found, process);
        let origin = match Kind::of(&component.path) {
            Some(Kind::Source) => Origin::Source(path),
            _ => Origin::File(path),
        };
        origins.insert(component.name, origin);
    }
    Ok(origins)
}

/// The source of a network's guests: folders with Cargo packages, and files.
pub(crate) fn guest_sources(description: &Description) -> anyhow::Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    let mut diagnostics = Diagnostics::default();
    for component in description.component_files() {
        match Kind::of(&component.path) {
            Some(Kind::Source) => sources.push(ComponentPath::of(&component.path).file),
            Some(Kind::Finished) => {}
            None => diagnostics.push(missing(description, &component)),
        }
    }
    if diagnostics.is_empty() {
        Ok(sources)
    } else {
        Err(diagnostics.into())
    }
}

/// What a component's path stands for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A file that the host takes as it is.
    Finished,
    /// Source that is built first.
    Source,
}

impl Kind {
    /// Nothing if there is nothing of this name.
    fn of(path: &Path) -> Option<Kind> {
        let file = ComponentPath::of(path).file;
        match PythonFile::of(path) {
            Some(python) => python.file.is_file().then_some(Kind::Finished),
            None if is_rust(&file) || file.join("Cargo.toml").is_file() => Some(Kind::Source),
            None => file.is_file().then_some(Kind::Finished),
        }
    }
}

fn missing(description: &Description, component: &ComponentFile) -> Diagnostic {
    let file = ComponentPath::of(&component.path).file;
    let path = file.display();
    let message = if file.is_dir() {
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
        .diagnostic_at(component.span.clone(), message)
        .with_hint(
            "name a component from [components], a .wasm, .rs or .py file, or a folder with a Cargo package",
        )
}

/// Checks a network against what its components say of themselves. The wiring is left
/// out while a guest is yet to be built.
///
/// A component that could not be read has its diagnostic already, and gets no second one for
/// having no signature.
///
/// `files` are those that the command itself relies on, besides the network's; `options` say how Python files are read.
pub(crate) fn check(
    description: &Description,
    located: &Located,
    arguments: &[ArgumentOverride],
    files: &[HostFile],
    options: &HostOptions,
) -> Result<Checked, Diagnostics> {
    let (signatures, mut diagnostics) = read_signatures(description, located, options);
    if located.unbuilt.is_empty() {
        let found = match validation::check(description, &signatures, arguments) {
            Ok(plan) => plan.warnings,
            Err(diagnostics) => diagnostics,
        };
        let known: Vec<_> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.position.clone())
            .collect();
        let is_new = |diagnostic: &Diagnostic| {
            diagnostic.position.is_none() || !known.contains(&diagnostic.position)
        };
        diagnostics.extend(found.into_iter().filter(is_new));
    }
    let built = located.files.iter().map(|(name, path)| {
        let path = ComponentPath::of(path).file;
        HostFile::new(format!("the component `{name}`"), path)
    });
    let files: Vec<_> = built.chain(files.iter().cloned()).collect();
    diagnostics.extend(validation::check_grants(description, &files));
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Checked {
        signatures,
        warnings: diagnostics,
    })
}

/// The most bytes of a component that is looked at without being run.
pub(crate) const LARGEST: u64 = 1 << 30;

/// What a component says of itself, if it has a signature.
pub(crate) fn read_signature(
    file: &Path,
    options: &HostOptions,
) -> Result<Option<Signature>, String> {
    let path = ComponentPath::of(file);
    let signatures = read_signatures_in(file, options)?;
    Signature::choose(signatures, path.process.as_deref()).map_err(|error| error.to_string())
}

/// What each process of a component says of itself; of a Python file, the one that is named.
pub(crate) fn read_signatures_in(
    file: &Path,
    options: &HostOptions,
) -> Result<Vec<Signature>, String> {
    if let Some(python) = PythonFile::of(file) {
        let read = transputer::python_signature(options, &python);
        return read.map(|it| vec![it]).map_err(|error| match error {
            // The file is named by whoever asks.
            Error::Component { fault, .. } => fault.to_string(),
            error => error.to_string(),
        });
    }
    let file = ComponentPath::of(file).file;
    let bytes = files::read(&file, LARGEST).map_err(|error| error.to_string())?;
    Signature::read_all(&bytes).map_err(|error| error.to_string())
}

/// What each component says of itself, and the diagnostics of those that cannot be read.
fn read_signatures(
    description: &Description,
    located: &Located,
    options: &HostOptions,
) -> (BTreeMap<String, Signature>, Diagnostics) {
    let mut signatures = BTreeMap::new();
    let mut diagnostics = located.diagnostics.clone();
    for component in description.component_files() {
        let Some(file) = located.files.get(&component.name) else {
            continue;
        };
        match read_signature(file, options) {
            Ok(Some(signature)) => {
                signatures.insert(component.name, signature);
            }
            Ok(None) => {}
            Err(error) => {
                let file = ComponentPath::of(file).file;
                let text = format!(
                    "component `{}` ({}): {error}",
                    component.name,
                    file.display()
                );
                diagnostics.push(description.diagnostic_at(component.span, text));
            }
        }
    }
    (signatures, diagnostics)
}
