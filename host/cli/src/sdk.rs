//! The guest SDK for Rust, which the command carries: its sources, unpacked where guests can depend on them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use etcetera::BaseStrategy as _;

use crate::exit::BadInput;

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// Names another folder for the SDK.
const FOLDER_VARIABLE: &str = "TRANSPUTER_SDK";

/// The crate that guests depend on, in the SDK's folder.
const CRATE: &str = "guest";

/// The right-hand side of `transputer-guest = ...` in a manifest: the crate in this folder, or the one that
/// the command carries, unpacked now unless it was before.
pub(crate) fn dependency(given: Option<&Path>) -> anyhow::Result<String> {
    let folder = match given {
        Some(folder) if !folder.join("Cargo.toml").is_file() => {
            let text = format!(
                "{} is not a guest SDK: there is no Cargo.toml in it",
                folder.display()
            );
            return Err(BadInput::new(text).into());
        }
        Some(folder) => folder
            .canonicalize()
            .with_context(|| format!("cannot resolve {}", folder.display()))?,
        None => unpacked()?.join(CRATE),
    };
    let path = toml::Value::from(folder.to_string_lossy().into_owned());
    Ok(format!("{{ path = {path} }}"))
}

/// Versions of crates with which the SDK is known to work, for packages that have no lock file yet. Cargo takes
/// out what they don't need.
pub(crate) fn lock_file() -> &'static [u8] {
    let found = FILES.iter().find(|(name, _)| *name == "Cargo.lock");
    found.map_or(&[], |(_, bytes)| bytes)
}

/// The folder of the SDK, whole.
fn unpacked() -> anyhow::Result<PathBuf> {
    let parent = match std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => std::path::absolute(&folder)
            .with_context(|| format!("cannot resolve {FOLDER_VARIABLE}={}", folder.display()))?,
        None => {
            let strategy = etcetera::choose_base_strategy().with_context(|| {
                format!(
                    "no home folder for the guest SDK; name a folder with {FOLDER_VARIABLE}, or the \
                     SDK itself with --sdk"
                )
            })?;
            strategy.data_dir().join("transputer").join("sdk")
        }
    };
    // A command with other sources has another folder, so that what was built with these stays as it is.
    let folder = parent.join(format!("{}-{DIGEST}", env!("CARGO_PKG_VERSION")));
    if !folder.join("Cargo.toml").is_file() {
        unpack(&parent, &folder)
            .with_context(|| format!("cannot unpack the guest SDK into {}", folder.display()))?;
    }
    Ok(folder)
}

/// Unpacks the SDK: the folder is there whole or not at all, whoever else does the same.
fn unpack(parent: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(parent)?;
    let temporary = tempfile::Builder::new()
        .prefix(".unpacking")
        .tempdir_in(parent)?;
    for (name, bytes) in FILES {
        let file = temporary.path().join(name);
        fs::create_dir_all(file.parent().unwrap_or(parent))?;
        fs::write(file, bytes)?;
    }
    // Temporary folders are their owner's alone.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755))?;
    }
    match fs::rename(temporary.path(), folder) {
        Ok(()) => {
            // It is not there any more under this name.
            let _ = temporary.keep();
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(_) if folder.join("Cargo.toml").is_file() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_whole_and_is_unpacked_once() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("sdk");
        unpack(parent.path(), &folder).expect("there is room");
        for file in [
            "Cargo.toml",
            "guest/Cargo.toml",
            "guest/src/lib.rs",
            "Cargo.lock",
            "macros/Cargo.toml",
            "core/src/lib.rs",
        ] {
            assert!(folder.join(file).is_file(), "{file}");
        }
        unpack(parent.path(), &folder).expect("it is there already");
        let left: Vec<_> = fs::read_dir(parent.path()).expect("it is there").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    /// The versions of what the SDK depends on are the repository's.
    #[test]
    fn the_workspace_of_the_sdk_agrees_with_this_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let Ok(root) = fs::read_to_string(root) else {
            // Packed: there is nothing to agree with.
            return;
        };
        let root: toml::Table = root.parse().expect("it is TOML");
        let (_, own) = FILES
            .iter()
            .find(|(name, _)| *name == "Cargo.toml")
            .expect("it is there");
        let own = std::str::from_utf8(own).expect("it is text");
        let own: toml::Table = own.parse().expect("it is TOML");
        assert_eq!(own["workspace"]["package"], root["workspace"]["package"]);
        for (name, own) in own["workspace"]["dependencies"]
            .as_table()
            .expect("a table")
        {
            let theirs = &root["workspace"]["dependencies"][name];
            let version = |value: &toml::Value| value.get("version").unwrap_or(value).clone();
            assert_eq!(version(own), version(theirs), "{name}");
        }
    }
}
