//! The crates that a guest is made of, for its bill of materials.

use std::collections::BTreeSet;
use std::process::Stdio;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand, PackageId};

use super::cargo::cargo;
use super::{Package, TARGET};
use crate::exit::BadInput;

/// A crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Library {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As SPDX writes it, if the crate says.
    pub(crate) licence: Option<String>,
}

impl Package {
    /// The crates that go into its components, its own included, by name and version. Those that only build scripts and
    /// tests use do not count.
    pub(crate) fn libraries(&self) -> anyhow::Result<Vec<Library>> {
        let manifest = self.manifest();
        let arguments = MetadataCommand::new()
            .manifest_path(&manifest)
            .other_options(["--filter-platform".to_owned(), TARGET.to_owned()])
            .cargo_command();
        let output = cargo()
            .args(arguments.get_args())
            .stdin(Stdio::null())
            .output()
            .context("cannot run cargo, which knows the crates of a guest; is Rust installed?")?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let text = format!(
                "cargo cannot tell the crates of {}:\n{}",
                manifest.display(),
                errors.trim_end()
            );
            return Err(BadInput::new(text).into());
        }
        let text = String::from_utf8(output.stdout).context("cargo metadata is not UTF-8")?;
        let metadata =
            MetadataCommand::parse(text).context("cannot read what cargo metadata says")?;
        let own = metadata.packages.iter();
        let own = own.filter(|package| package.manifest_path == manifest);
        let nodes = metadata.resolve.map(|resolve| resolve.nodes);
        let nodes = nodes.unwrap_or_default();
        let mut reached: BTreeSet<PackageId> = BTreeSet::new();
        let mut next: Vec<PackageId> = own.map(|package| package.id.clone()).collect();
        while let Some(id) = next.pop() {
            if !reached.insert(id.clone()) {
                continue;
            }
            let node = nodes.iter().find(|node| node.id == id);
            let dependencies = node.into_iter().flat_map(|node| &node.deps);
            let linked = dependencies.filter(|dependency| {
                let mut kinds = dependency.dep_kinds.iter();
                kinds.any(|kind| kind.kind == DependencyKind::Normal)
            });
            next.extend(linked.map(|dependency| dependency.pkg.clone()));
        }
        let packages = metadata.packages.into_iter();
        let mut libraries: Vec<Library> = packages
            .filter(|package| reached.contains(&package.id))
            .map(|package| Library {
                name: package.name.to_string(),
                version: package.version.to_string(),
                licence: package.license,
            })
            .collect();
        libraries.sort();
        Ok(libraries)
    }
}
