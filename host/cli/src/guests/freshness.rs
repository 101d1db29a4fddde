//! Whether a component is newer than everything it was made from.
//!
//! Cargo knows, but takes a while to find out. So each build leaves a stamp, which lists what went in (from
//! cargo's dep-info) and what came out, with their times.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{Artifact, Package};

/// Where a workspace's guests are built, under its root.
pub(super) const TARGET_DIRECTORY: &str = "target/guests";

/// A package's last build.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stamp {
    folder: PathBuf,
    artifacts: Vec<Artifact>,
    /// Whether it names files and lines.
    #[serde(default)]
    debug: bool,
    /// When each file that went in or came out was last modified.
    times: BTreeMap<PathBuf, SystemTime>,
}

impl Stamp {
    /// The stamp of a build that began at `began` and made `artifacts`.
    pub(super) fn new(
        package: &Package,
        root: &Path,
        began: SystemTime,
        artifacts: Vec<Artifact>,
    ) -> anyhow::Result<Stamp> {
        let mut sources = BTreeSet::from([package.manifest()]);
        // Cargo writes the first of these itself. The second shows that a build
        // script was added, which no source mentions.
        let mut times = BTreeMap::new();
        for path in [root.join("Cargo.lock"), package.folder.clone()] {
            times.insert(path.clone(), modified(&path).unwrap_or(began));
        }
        for artifact in &artifacts {
            let dep_info = artifact.file.with_extension("d");
            let text = std::fs::read_to_string(&dep_info)
                .with_context(|| format!("cannot read cargo's {}", dep_info.display()))?;
            sources.extend(dep_info_inputs(&text));
            let made = modified(&artifact.file).with_context(|| {
                format!("cargo left no component at {}", artifact.file.display())
            })?;
            times.insert(artifact.file.clone(), made);
        }
        let manifests: Vec<PathBuf> = sources.iter().flat_map(|file| manifests(file)).collect();
        sources.extend(manifests);
        for source in sources {
            // One that changed during the build may be in or not: `began` is never
            // its time, so the next build looks again.
            let time = modified(&source).filter(|time| *time < began);
            times.insert(source, time.unwrap_or(began));
        }
        Ok(Stamp {
            folder: package.folder.clone(),
            artifacts,
            debug: false,
            times,
        })
    }

    /// Notes whether what was built names files and lines.
    pub(super) fn debug(self, debug: bool) -> Stamp {
        Stamp { debug, ..self }
    }

    pub(super) fn is_debug(&self) -> bool {
        self.debug
    }

    /// The package's stamp, in the target folder of whichever workspace built it.
    pub(super) fn load(package: &Package) -> Option<Stamp> {
        package.folder.ancestors().find_map(|root| {
            let text = std::fs::read_to_string(file(root, &package.name)).ok()?;
            let stamp: Stamp = serde_json::from_str(&text).ok()?;
            (stamp.folder == package.folder).then_some(stamp)
        })
    }

    /// Puts it where [`load`](Self::load) finds it, whole or not at all.
    pub(super) fn save(&self, package: &Package, root: &Path) -> anyhow::Result<()> {
        let file = file(root, &package.name);
        let folder = file.parent().unwrap_or(root);
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
            temporary.write_all(&serde_json::to_vec(self)?)?;
            temporary.persist(&file)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", file.display()))
    }

    pub(super) fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    /// The files that went in.
    pub(super) fn inputs(&self) -> BTreeSet<PathBuf> {
        let made = |file: &Path| self.artifacts.iter().any(|artifact| artifact.file == file);
        let files = self
            .times
            .keys()
            .filter(|file| file.is_file() && !made(file));
        files.cloned().collect()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether everything that went in and came out is still as it was.
    pub(super) fn is_fresh(&self) -> bool {
        self.times
            .iter()
            .all(|(path, time)| modified(path) == Some(*time))
    }
}

fn file(root: &Path, package: &str) -> PathBuf {
    root.join(TARGET_DIRECTORY)
        .join("stamps")
        .join(format!("{package}.json"))
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// The files that a dep-info file lists: after `artifact:`, separated by blanks, a
/// blank in a name written `\ `.
fn dep_info_inputs(text: &str) -> Vec<PathBuf> {
    const ESCAPED: &str = "\0";
    let rules = text.lines().filter_map(|line| line.split_once(": "));
    rules
        .flat_map(|(_, inputs)| {
            let inputs = inputs.replace("\\ ", ESCAPED);
            let names = inputs.split_ascii_whitespace();
            names
                .map(|name| PathBuf::from(name.replace(ESCAPED, " ")))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The manifests in the folders above a file, which decide how it is compiled.
fn manifests(input: &Path) -> Vec<PathBuf> {
    let folders = input.ancestors().skip(1);
    folders
        .map(|folder| folder.join("Cargo.toml"))
        .filter(|manifest| manifest.exists())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

    #[test]
    fn dep_info_names_may_hold_blanks() {
        let text = "/t/a.wasm: /src/my\\ guest/lib.rs /src/b.rs\n\n/src/b.rs:\n";
        let expected = [
            PathBuf::from("/src/my guest/lib.rs"),
            PathBuf::from("/src/b.rs"),
        ];
        assert_eq!(dep_info_inputs(text), expected);
    }

    fn stamp_in(folder: &Path) -> (Package, Stamp) {
        let source = folder.join("lib.rs");
        let component = folder.join("guest.wasm");
        for file in [&source, &component] {
            std::fs::write(file, "").unwrap();
        }
        for file in ["Cargo.toml", "Cargo.lock"] {
            std::fs::write(folder.join(file), "").unwrap();
        }
        let dep_info = format!("{}: {}\n", component.display(), source.display());
        std::fs::write(folder.join("guest.d"), dep_info).unwrap();
        let package = Package {
            folder: folder.to_owned(),
            name: "guest".to_owned(),
            lone: None,
        };
        let artifact = Artifact {
            name: "guest".to_owned(),
            library: true,
            label: None,
            file: component,
        };
        let began = SystemTime::now() + HOUR;
        let stamp = Stamp::new(&package, folder, began, vec![artifact]).unwrap();
        (package, stamp)
    }

    fn set_time(file: &Path, time: SystemTime) {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        file.set_modified(time).unwrap();
    }

    #[test]
    fn a_stamp_is_fresh_until_a_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (_, stamp) = stamp_in(folder.path());
        assert!(stamp.is_fresh());
        for name in ["lib.rs", "Cargo.toml", "Cargo.lock", "guest.wasm"] {
            let file = folder.path().join(name);
            let before = modified(&file).unwrap();
            for change in [SystemTime::UNIX_EPOCH, SystemTime::now() + HOUR] {
                set_time(&file, change);
                assert!(!stamp.is_fresh(), "{name} changed");
            }
            set_time(&file, before);
            assert!(stamp.is_fresh());
        }
        std::fs::remove_file(folder.path().join("lib.rs")).unwrap();
        assert!(!stamp.is_fresh());
    }

    #[test]
    fn a_source_that_changed_during_the_build_makes_it_stale() {
        let folder = tempfile::tempdir().unwrap();
        let (package, stamp) = stamp_in(folder.path());
        let began = SystemTime::now() - HOUR;
        let during = Stamp::new(&package, folder.path(), began, stamp.artifacts).unwrap();
        assert!(!during.is_fresh());
    }

    #[test]
    fn a_stamp_is_found_by_its_package_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (package, stamp) = stamp_in(folder.path());
        stamp.save(&package, folder.path()).unwrap();
        let found = Stamp::load(&package).expect("it was just saved");
        assert_eq!(found.artifacts(), stamp.artifacts());
        let elsewhere = Package {
            folder: folder.path().join("other"),
            ..package
        };
        assert!(Stamp::load(&elsewhere).is_none());
    }
}
