//! Guest programs: from folders with Cargo packages to components.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::exit::BadInput;
use crate::progress::Progress;

mod cargo;
mod freshness;
mod toolchain;

use freshness::Stamp;

/// The target that guests are built for.
const TARGET: &str = "wasm32-wasip2";

/// A folder with a Cargo package that makes one or more components.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    folder: PathBuf,
    name: String,
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
    /// The package in a folder.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Package> {
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
        })
    }

    /// Its manifest.
    fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }

    /// The files that went into its last build, and its sources, which may go into the next one.
    pub(crate) fn inputs(&self) -> BTreeSet<PathBuf> {
        let mut files = Stamp::load(self).map_or_else(BTreeSet::new, |stamp| stamp.inputs());
        add_files(&self.sources(), &mut files);
        files
    }

    /// The folder that its sources lie in, unless its manifest says otherwise.
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

/// Builds what is out of date among the packages in `folders`. The result is in
/// the order of `folders`, without repetitions.
pub(crate) fn build(folders: &[PathBuf], progress: Progress) -> anyhow::Result<Vec<Built>> {
    let mut packages: Vec<Package> = Vec::new();
    for folder in folders {
        let package = Package::open(folder)?;
        if packages.iter().all(|known| known.folder != package.folder) {
            packages.push(package);
        }
    }
    let mut stale = Vec::new();
    let mut built: Vec<Option<Built>> = Vec::new();
    for package in &packages {
        let stamp = Stamp::load(package).filter(Stamp::is_fresh);
        if stamp.is_none() {
            stale.push(package.clone());
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
fn compile(packages: Vec<Package>, progress: Progress) -> anyhow::Result<Vec<Built>> {
    let mut members = Vec::new();
    for package in packages {
        members.push(cargo::Member::find(package)?);
    }
    let mut roots: Vec<PathBuf> = members.iter().map(|member| member.root.clone()).collect();
    roots.sort();
    roots.dedup();
    let mut stamps = Vec::new();
    for root in roots {
        let toolchain = toolchain::Toolchain::find(&root, progress)?;
        let here: Vec<&cargo::Member> = members.iter().filter(|m| m.root == root).collect();
        stamps.extend(cargo::build(&root, &here, &toolchain, progress)?);
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
