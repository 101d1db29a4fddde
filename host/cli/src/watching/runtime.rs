//! Where the sockets of running networks lie, so that `top` and `ps` find them.
//!
//! The folder belongs to the user and is closed to everybody else; so nobody else can put a socket there, or
//! connect to one. A socket is called by the number of its process.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// The variable with the folder that is to be used.
const VARIABLE: &str = "TRANSPUTER_RUNTIME";

/// The folder: the one that the variable names, else in the user's own runtime folder, else in the
/// folder for temporary files.
pub(crate) fn folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set(VARIABLE) {
        return folder.into();
    }
    match set("XDG_RUNTIME_DIR") {
        Some(runtime) => Path::new(&runtime).join("transputer"),
        None => std::env::temp_dir().join(format!("transputer-{}", geteuid().as_raw())),
    }
}

/// Makes the folder, and makes sure that nobody else can get in.
pub(super) fn make() -> io::Result<PathBuf> {
    let folder = folder();
    match fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    check(&folder)?;
    Ok(folder)
}

/// Refuses a folder that is a link, somebody else's, or open to others.
pub(crate) fn check(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let own = metadata.is_dir() && metadata.uid() == geteuid().as_raw();
    if own && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "{} is not a folder that is this user's alone",
            folder.display()
        ),
    ))
}

/// The sockets in the folder, by the numbers of their processes.
pub(crate) fn sockets() -> io::Result<Vec<(u32, PathBuf)>> {
    let folder = folder();
    match check(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    }
    let mut sockets = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_suffix(".sock"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            sockets.push((number, path));
        }
    }
    sockets.sort();
    Ok(sockets)
}

/// The socket of this process.
pub(super) fn own(folder: &Path) -> PathBuf {
    folder.join(format!("{}.sock", std::process::id()))
}
