//! Guest programs: from Cargo packages, and files of Rust source, to components.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::exit::BadInput;
use crate::progress::Progress;

mod cargo;
mod freshness;
mod libraries;
mod lone;
mod toolchain;

pub(crate) use libraries::Library;
use lone::LoneFile;
pub(crate) use lone::is_rust;

use freshness::Stamp;

/// The target that guests are built for.
const TARGET: &str = "wasm32-wasip2";

/// Whether guests are built with what names the files and lines of their code.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Debugging {
    Off,
    On,
    /// As at the last build.
    AsBefore,
}

/// A Cargo package that makes one or more components.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    folder: PathBuf,
    name: String,
    /// The file that it was made for.
    lone: Option<LoneFile>,
}

/// A component that a package makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Artifact {
    /// The name of the Cargo target, which is `lib` or one of the `examples`.
    pub(crate) name: String,
    /// Whether it is the package's library, what networks mean by the folder.
    pub(crate) library: bool,
    /// The component.
    pub(crate) file: PathBuf,
    /// What its file is called where it is copied to; as it is if there is nothing.
    #[serde(default)]
    pub(crate) label: Option<String>,
}

/// A package with its components.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// Whether the components were there already and up to date.
    pub(crate) fresh: bool,
    /// What it makes.
    pub(crate) artifacts: Vec<Artifact>,
}

impl Package {
    /// The package in a folder, or that of a file of Rust source.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Package> {
        if !is_rust(path) {
            return Self::in_folder(path);
        }
        if let Some(folder) = lone::package_with(&std::path::absolute(path)?) {
            return Self::in_folder(&folder);
        }
        let lone = LoneFile::of(path)?;
        Ok(Package {
            folder: lone.folder(),
            name: lone.name.clone(),
            lone: Some(lone),
        })
    }

    fn in_folder(folder: &Path) -> anyhow::Result<Package> {
        #[derive(Deserialize)]
        struct Manifest {
            package: Option<Name>,
        }
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        let manifest = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).map_err(|error| {
            BadInput::new(format!(
                "{} is not a Cargo package: cannot read {}: {error}",
                folder.display(),
                manifest.display()
            ))
        })?;
        let parsed: Manifest = toml::from_str(&text)
            .map_err(|error| BadInput::new(format!("{}: {error}", manifest.display())))?;
        let Some(package) = parsed.package else {
            let text = format!("{} has no [package]", manifest.display());
            return Err(BadInput::new(text).into());
        };
        let folder = folder
            .canonicalize()
            .with_context(|| format!("cannot resolve {}", folder.display()))?;
        Ok(Package {
            folder,
            name: package.name,
            lone: None,
        })
    }

    /// The name that people know it by.
    fn label(&self) -> &str {
        match &self.lone {
            Some(lone) => &lone.label,
            None => &self.name,
        }
    }

    /// The folder in which it is built, if that is not its workspace's.
    fn built_in(&self) -> Option<&Path> {
        self.lone.as_ref().map(|lone| lone.root.as_path())
    }

    /// Its manifest.
    fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }

    /// The files that went into its last build, and its sources, which may go into the next one.
    pub(crate) fn inputs(&self) -> BTreeSet<PathBuf> {
        let mut files = Stamp::load(self).map_or_else(BTreeSet::new, |stamp| stamp.inputs());
        match &self.lone {
            Some(lone) => drop(files.insert(lone.file.clone())),
            None => add_files(&self.sources(), &mut files),
        }
        files
    }

    /// The folder that its sources lie in, unless its manifest says otherwise. Of a lone file there is none.
    pub(crate) fn sources(&self) -> PathBuf {
        self.folder.join("src")
    }

    /// Its components as they were last built, up to date or not.
    pub(crate) fn last_built(&self) -> Option<Vec<Artifact>> {
        let stamp = Stamp::load(self)?;
        let artifacts = stamp.artifacts();
        artifacts
            .iter()
            .all(|a| a.file.exists())
            .then(|| artifacts.to_vec())
    }
}

/// The component among `artifacts` that networks mean by `folder`.
pub(crate) fn library<'a>(folder: &Path, artifacts: &'a [Artifact]) -> anyhow::Result<&'a Path> {
    let found = artifacts.iter().find(|artifact| artifact.library);
    let found = found.ok_or_else(|| {
        BadInput::new(format!(
            "{} has no library that makes a component; put `crate-type = [\"cdylib\"]` \
             under [lib] in its Cargo.toml",
            folder.display()
        ))
    })?;
    Ok(&found.file)
}

/// Adds all files in a folder, if it is there, and in those below it.
fn add_files(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => add_files(&entry.path(), files),
            Ok(_) => drop(files.insert(entry.path())),
            Err(_) => {}
        }
    }
}

/// Builds what is out of date among these packages: folders, or files of Rust source. The result is in
/// their order, without repetitions.
pub(crate) fn build(
    paths: &[PathBuf],
    debugging: Debugging,
    progress: Progress,
) -> anyhow::Result<Vec<Built>> {
    let mut packages: Vec<Package> = Vec::new();
    for path in paths {
        let package = Package::open(path)?;
        if let Some(lone) = &package.lone {
            lone.prepare()?;
        }
        if packages.iter().all(|known| known.folder != package.folder) {
            packages.push(package);
        }
    }
    let mut stale = Vec::new();
    let mut built: Vec<Option<Built>> = Vec::new();
    for package in &packages {
        let stamp = Stamp::load(package);
        let debug = match debugging {
            Debugging::Off => false,
            Debugging::On => true,
            Debugging::AsBefore => stamp.as_ref().is_some_and(Stamp::is_debug),
        };
        let stamp = stamp.filter(|stamp| stamp.is_debug() == debug && stamp.is_fresh());
        if stamp.is_none() {
            stale.push((package.clone(), debug));
        }
        built.push(stamp.map(|stamp| Built {
            fresh: true,
            artifacts: stamp.artifacts().to_vec(),
        }));
    }
    let mut compiled = compile(stale, progress)?.into_iter();
    Ok(built
        .into_iter()
        .filter_map(|done| done.or_else(|| compiled.next()))
        .collect())
}

/// Has cargo build packages, those of one workspace in one go; the result is in
/// their order.
fn compile(packages: Vec<(Package, bool)>, progress: Progress) -> anyhow::Result<Vec<Built>> {
    let mut members = Vec::new();
    for (package, debug) in packages {
        members.push(cargo::Member::find(package, debug)?);
    }
    let of = |member: &cargo::Member| (member.root.clone(), member.debug);
    let mut roots: Vec<(PathBuf, bool)> = members.iter().map(of).collect();
    roots.sort();
    roots.dedup();
    let mut stamps = Vec::new();
    for root in roots {
        let toolchain = toolchain::Toolchain::find(&root.0, progress)?;
        let here: Vec<&cargo::Member> = members.iter().filter(|m| of(m) == root).collect();
        stamps.extend(cargo::build(&root.0, &here, &toolchain, progress)?);
    }
    let find = |member: &cargo::Member| {
        let stamp = stamps
            .iter()
            .find(|stamp| stamp.folder() == member.package.folder);
        stamp.map(|stamp| Built {
            fresh: false,
            artifacts: stamp.artifacts().to_vec(),
        })
    };
    Ok(members.iter().filter_map(find).collect())
}
