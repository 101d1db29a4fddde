//! A Rust compiler for guests: found, or made once.
//!
//! In this order: the compiler in use, if it has the target; one that was made
//! here before; `rustup target add`; one made from Debian's packages.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use etcetera::BaseStrategy as _;

use super::TARGET;
use crate::progress::Progress;

/// Makes a toolchain from Debian's packages in the folder that it is given.
const SCRIPT: &str = include_str!("guest-toolchain.sh");

/// Names another folder for the toolchain that the script makes.
const FOLDER_VARIABLE: &str = "TRANSPUTER_TOOLCHAIN";

/// With this at `0`, the machine's owner says that rustup installs nothing by itself.
const RUSTUP_VARIABLE: &str = "RUSTUP_AUTO_INSTALL";

/// What compiles guests.
#[derive(Debug)]
pub(super) struct Toolchain {
    rustc: Option<PathBuf>,
}

impl Toolchain {
    /// The compiler for cargo to use; `None` if its own choice is right.
    pub(super) fn rustc(&self) -> Option<&Path> {
        self.rustc.as_deref()
    }

    /// Finds a compiler for the guests of the workspace in `root`, or makes one.
    pub(super) fn find(root: &Path, progress: Progress) -> anyhow::Result<Toolchain> {
        if compiler_in_use_has_target(root) {
            return Ok(Toolchain { rustc: None });
        }
        let folder = folder()?;
        if let Some(made) = made_before(&folder) {
            return Ok(made);
        }
        let rustup = match add_with_rustup(root, progress)? {
            Attempt::Done => return Ok(Toolchain { rustc: None }),
            Attempt::NotHere(why) => why,
        };
        let debian = match make_from_debian(&folder, progress)? {
            Attempt::Done => match made_before(&folder) {
                Some(made) => return Ok(made),
                None => "it was made, but does not work".to_owned(),
            },
            Attempt::NotHere(why) => why,
        };
        bail!(
            "no Rust compiler for guests (target {TARGET}). Three ways to get one:\n  \
             1. `rustup target add {TARGET}` ({rustup})\n  \
             2. on Debian 12, `transputer build` makes one from Debian's packages in {} \
             or in the folder that {FOLDER_VARIABLE} names ({debian})\n  \
             3. set RUSTC to any rustc, 1.95 or newer, that has the target",
            folder.display()
        )
    }
}

/// What became of an attempt to get a toolchain in one way.
enum Attempt {
    Done,
    /// This way is not possible here, for this reason.
    NotHere(String),
}

fn compiler_in_use_has_target(root: &Path) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    has_target(Command::new(rustc).current_dir(root))
}

/// Whether a rustc runs and has the standard library for guests.
fn has_target(rustc: &mut Command) -> bool {
    let output = rustc
        .args(["--print", "target-libdir", "--target", TARGET])
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else { return false };
    if !output.status.success() {
        return false;
    }
    let folder = String::from_utf8_lossy(&output.stdout);
    let Ok(files) = std::fs::read_dir(folder.trim()) else {
        return false;
    };
    files
        .filter_map(Result::ok)
        .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}

/// Where the script puts its toolchain.
fn folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        return std::path::absolute(&folder)
            .with_context(|| format!("cannot resolve {FOLDER_VARIABLE}={}", folder.display()));
    }
    let strategy = etcetera::choose_base_strategy().with_context(|| {
        format!("no home folder for a guest toolchain; name a folder with {FOLDER_VARIABLE}")
    })?;
    Ok(strategy
        .data_dir()
        .join("transputer")
        .join("guest-toolchain"))
}

/// The toolchain that the script made earlier, if it still works.
fn made_before(folder: &Path) -> Option<Toolchain> {
    let rustc = folder.join("bin").join("rustc");
    if !rustc.exists() || !has_target(&mut Command::new(&rustc)) || !linker_is_there(&rustc) {
        return None;
    }
    Some(Toolchain { rustc: Some(rustc) })
}

/// The linkers are links into the ordinary toolchain, which may have gone away.
fn linker_is_there(rustc: &Path) -> bool {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let Ok(output) = output else { return false };
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let Ok(targets) = std::fs::read_dir(sysroot.join("lib").join("rustlib")) else {
        return false;
    };
    targets
        .filter_map(Result::ok)
        .any(|target| target.path().join("bin").join("wasm-component-ld").exists())
}

fn add_with_rustup(root: &Path, progress: Progress) -> anyhow::Result<Attempt> {
    if std::env::var_os(RUSTUP_VARIABLE).is_some_and(|value| value == "0") {
        let why = format!("not tried, because {RUSTUP_VARIABLE}=0 forbids it");
        return Ok(Attempt::NotHere(why));
    }
    let step = progress.step(format!("adding the target {TARGET} with rustup"));
    let output = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(root)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Attempt::NotHere("rustup is not installed".to_owned()));
        }
        Err(error) => return Err(error).context("cannot run rustup"),
    };
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().rfind(|line| !line.trim().is_empty());
        let why = format!("failed: {}", last.unwrap_or("no reason given").trim());
        return Ok(Attempt::NotHere(why));
    }
    if !compiler_in_use_has_target(root) {
        let why = "rustup added it to another toolchain than the one in use".to_owned();
        return Ok(Attempt::NotHere(why));
    }
    step.finish(format!("added the target {TARGET}"));
    Ok(Attempt::Done)
}

fn make_from_debian(folder: &Path, progress: Progress) -> anyhow::Result<Attempt> {
    if !is_debian() {
        let why = "not tried, because this system is not Debian".to_owned();
        return Ok(Attempt::NotHere(why));
    }
    let mut script = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    script
        .write_all(SCRIPT.as_bytes())
        .context("cannot write a temporary file")?;
    let step = progress.step("making a Rust compiler for guests, once, from Debian's packages");
    let child = Command::new("bash")
        .arg(script.path())
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Ok(Attempt::NotHere(format!("bash cannot be run: {error}"))),
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        if let Some(stderr) = stderr {
            scope.spawn(|| {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    step.pass_on(&line);
                }
            });
        }
        if let Some(stdout) = stdout {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                step.note(&line);
            }
        }
    });
    let status = child.wait().context("cannot wait for bash")?;
    if !status.success() {
        return Ok(Attempt::NotHere("failed, see above".to_owned()));
    }
    step.finish("made a Rust compiler for guests");
    Ok(Attempt::Done)
}

fn is_debian() -> bool {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    text.lines().any(|line| line.trim() == "ID=debian")
}
