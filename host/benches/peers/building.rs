//! Building the programs, each with its language's own tools.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::measure::Language;
use crate::ours;
use crate::programs::Program;

/// Where cargo puts what it builds with the bench's profile, and what it calls that.
pub(crate) struct Profile {
    folder: PathBuf,
    /// Its name.
    pub(crate) name: String,
}

impl Profile {
    /// The one that this bench was built with.
    pub(crate) fn current() -> anyhow::Result<Self> {
        let bench = std::env::current_exe()?;
        let folder = bench.parent().and_then(Path::parent);
        let folder = folder.context("the bench lies in no folder")?.to_owned();
        let name = folder.file_name().context("the bench lies in no folder")?;
        let name = match name.to_string_lossy().as_ref() {
            "debug" => "dev".to_owned(),
            name => name.to_owned(),
        };
        Ok(Self { folder, name })
    }

    /// The command that runs our networks.
    fn command(&self) -> PathBuf {
        self.folder.join("transputer")
    }
}

/// Ours, Go's and Erlang's, built; ours as they are if `build` is off.
pub(crate) fn all(profile: &Profile, build: bool) -> anyhow::Result<Vec<Program>> {
    if build {
        ours(profile).context("ours could not be built")?;
    }
    ours::check_guests()?;
    let folder = profile.folder.join("bench-peers");
    std::fs::create_dir_all(&folder)?;
    Ok(vec![
        Program {
            language: Language::Ours,
            file: Some(std::env::current_exe()?),
            command: Some(profile.command()).filter(|file| file.is_file()),
        },
        Program {
            language: Language::Go,
            file: go(&folder).context("Go's could not be built")?,
            command: None,
        },
        Program {
            language: Language::Erlang,
            file: erlang(&folder).context("Erlang's could not be built")?,
            command: None,
        },
    ])
}

/// The command, and with it the guests.
fn ours(profile: &Profile) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(ours::repository());
    command.args(["build", "--quiet", "--package", "transputer-cli"]);
    command.args(["--profile", &profile.name]);
    compile(&mut command)?;
    let mut guests = Command::new(profile.command());
    guests.current_dir(ours::repository()).arg("build");
    guests.args(["host/benches/guests", "examples/hello"]);
    // The files that it made.
    compile(guests.stdout(Stdio::null()))
}

fn go(built: &Path) -> anyhow::Result<Option<PathBuf>> {
    let file = built.join("go");
    let mut build = Command::new("go");
    build.current_dir(source("go")).args(["build", "-o"]);
    build.arg(&file).arg(".");
    Ok(compile_if_installed(build)?.then_some(file))
}

fn erlang(built: &Path) -> anyhow::Result<Option<PathBuf>> {
    let folder = built.join("erlang");
    std::fs::create_dir_all(&folder)?;
    let mut build = Command::new("erlc");
    build.arg("-o").arg(&folder);
    for entry in std::fs::read_dir(source("erlang"))? {
        build.arg(entry?.path());
    }
    Ok(compile_if_installed(build)?.then_some(folder))
}

fn source(language: &str) -> PathBuf {
    ours::repository().join("host/benches/peers").join(language)
}

fn compile(compiler: &mut Command) -> anyhow::Result<()> {
    let status = compiler.status().with_context(|| format!("{compiler:?}"))?;
    ensure!(status.success(), "{compiler:?}: {status}");
    Ok(())
}

/// `false` if the compiler is not installed.
fn compile_if_installed(mut compiler: Command) -> anyhow::Result<bool> {
    match compiler.status() {
        Ok(status) => {
            ensure!(status.success(), "{compiler:?}: {status}");
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{compiler:?}")),
    }
}
