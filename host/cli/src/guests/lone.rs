//! Rust source in one file: it belongs to the package whose library it is, else to one that is made for it.
//!
//! The packages that are made lie in the user's cache folder and are built there together, so that the SDK is
//! compiled once for all of them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use etcetera::BaseStrategy as _;

use crate::sdk;

/// Where the packages are, in the folder that they are built in.
const PACKAGES: &str = "packages";

/// Whether a path names a file of Rust source.
pub(crate) fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs") && path.is_file()
}

/// The folder of the Cargo package that has this file as its library, by the usual layouts.
pub(super) fn package_with(file: &Path) -> Option<PathBuf> {
    if file.file_name()? != "lib.rs" {
        return None;
    }
    let folder = file.parent()?;
    let above = folder.parent().filter(|_| folder.ends_with("src"));
    [Some(folder), above]
        .into_iter()
        .flatten()
        .find(|folder| folder.join("Cargo.toml").is_file())
        .map(Path::to_owned)
}

/// A file that needs a package of its own.
#[derive(Clone, Debug)]
pub(super) struct LoneFile {
    /// The source.
    pub(super) file: PathBuf,
    /// The name that people know it by.
    pub(super) label: String,
    /// The package's name, which no other file has.
    pub(super) name: String,
    /// The folder in which all of them are built.
    pub(super) root: PathBuf,
}

impl LoneFile {
    pub(super) fn of(file: &Path) -> anyhow::Result<Self> {
        let file = file
            .canonicalize()
            .with_context(|| format!("cannot resolve {}", file.display()))?;
        let mut hasher = DefaultHasher::new();
        file.hash(&mut hasher);
        let label = label(&file);
        let name = format!("{label}-{:016x}", hasher.finish());
        let root = match etcetera::choose_base_strategy() {
            Ok(strategy) => strategy.cache_dir().join("transputer-guests"),
            Err(_) => file.with_file_name("target"),
        };
        Ok(Self {
            file,
            label,
            name,
            root,
        })
    }

    /// The package's folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.root.join(PACKAGES).join(&self.name)
    }

    /// Writes the package's manifest, unless it is as it should be.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let folder = self.folder();
        let manifest = folder.join("Cargo.toml");
        let text = self.manifest()?;
        if std::fs::read_to_string(&manifest).is_ok_and(|there| there == text) {
            return Ok(());
        }
        let write = |name: &str, bytes: &[u8]| -> std::io::Result<()> {
            std::fs::create_dir_all(&folder)?;
            let mut temporary = tempfile::NamedTempFile::new_in(&folder)?;
            temporary.write_all(bytes)?;
            temporary.persist(folder.join(name))?;
            Ok(())
        };
        // The manifest comes last: what has one is whole.
        write("Cargo.lock", sdk::lock_file())
            .and_then(|()| write("Cargo.toml", text.as_bytes()))
            .with_context(|| format!("cannot write {}", manifest.display()))
    }

    fn manifest(&self) -> anyhow::Result<String> {
        let path = toml::Value::from(self.file.to_string_lossy().into_owned());
        let sdk = sdk::dependency(None)?;
        let name = &self.name;
        Ok(format!(
            "# Made by `transputer` for one file of source.\n\n\
             [package]\nname = \"{name}\"\nedition = \"2024\"\npublish = false\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\npath = {path}\n\n\
             [dependencies]\ntransputer-guest = {sdk}\n\n\
             [workspace]\n"
        ))
    }
}

/// The name of a file, or for `lib.rs` of its folder, as a package can have it.
fn label(file: &Path) -> String {
    let named = match file.file_stem() {
        Some(stem) if stem != "lib" => Some(stem),
        _ => file.parent().and_then(Path::file_name),
    };
    let named = named.unwrap_or_default().to_string_lossy();
    let letters = named.chars().map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
        _ => '_',
    });
    let name: String = letters.collect();
    match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => name,
        false => format!("p{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_or_its_folders() {
        for (file, expected) in [
            ("/a/hello/lib.rs", "hello"),
            ("/a/hello/double.rs", "double"),
            ("/a/2 words/lib.rs", "p2_words"),
            ("/lib.rs", "p"),
        ] {
            assert_eq!(label(Path::new(file)), expected);
        }
    }

    #[test]
    fn a_library_of_a_package_is_not_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (inner, outer) = (
            folder.path().join("src/lib.rs"),
            folder.path().join("lib.rs"),
        );
        assert_eq!(package_with(&inner), None);
        std::fs::write(folder.path().join("Cargo.toml"), "").expect("there is room");
        for file in [&inner, &outer] {
            assert_eq!(package_with(file).as_deref(), Some(folder.path()));
        }
        assert_eq!(package_with(&folder.path().join("other.rs")), None);
    }
}
