//! `transputer build`: guests from their source.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use clap::{Args, ValueHint};
use transputer::PythonFile;
use transputer::description::{Description, FILE_NAME};

use crate::components;
use crate::exit::{BadInput, Exit};
use crate::guests::{self, Artifact, Debugging, is_rust};
use crate::progress::Progress;
use crate::surroundings::Surroundings;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer build examples/sieve      the guests of a network
  transputer build plugins/redactor    one Cargo package that makes a component
  transputer build --out plugins a b   where a program looks for its plugins
  transputer build a b c               several networks or packages, in one go
  transputer build double.rs           a file of Rust source that needs nothing but the guest SDK
  transputer build double.py           a component with a snapshot of its own, which starts quicker;
                                       it needs componentize-py, which is on PyPI

The file of each component is printed on standard output. Where no Rust compiler for
guests (target wasm32-wasip2) is found, one is made first: with rustup, or on Debian from
Debian's packages.";

/// Build the guests that are out of date
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    /// Folders with a network.toml or a Cargo package, network files, or files of Rust or Python
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Copy the components into this folder, which is made if it isn't there
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,

    /// Build them so that backtraces of panics and traps name files and lines
    #[arg(long)]
    debug: bool,

    /// Print only errors and the components' files
    #[arg(long, short)]
    quiet: bool,
}

impl Build {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let is_python = |path: &PathBuf| PythonFile::of(path).is_some();
        let (python, paths): (Vec<_>, Vec<_>) = self.paths.iter().cloned().partition(is_python);
        for path in &python {
            build_python(path, self.out.as_deref(), &surroundings.python_command)?;
        }
        if paths.is_empty() {
            return Ok(Exit::Success);
        }
        let mut found = Vec::new();
        for path in &paths {
            found.extend(sources(path)?);
        }
        let progress = Progress::new(self.quiet);
        let debugging = match self.debug {
            true => Debugging::On,
            false => Debugging::Off,
        };
        let built = guests::build(&found, debugging, progress)?;
        if built.is_empty() && !self.quiet {
            terminal::note("no guests to build: every component is a .wasm file");
        } else if built.iter().all(|built| built.fresh) && !self.quiet {
            terminal::note("every guest is up to date");
        }
        for artifact in built.iter().flat_map(|built| &built.artifacts) {
            let file = match &self.out {
                Some(folder) => &copy(artifact, folder)?,
                None => &artifact.file,
            };
            crate::output::path(file)?;
        }
        Ok(Exit::Success)
    }
}

/// Has the Python package make a component of a file, with a snapshot of its own.
fn build_python(path: &Path, out: Option<&Path>, python: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(python);
    command.args(["-m", "transputer.build"]).arg(path);
    if let Some(out) = out {
        command.arg("--output").arg(out);
    }
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", python.display()))?;
    if status.success() {
        return Ok(());
    }
    // It has said why.
    let text = format!("{} was not built", path.display());
    Err(BadInput::new(text).into())
}

fn copy(artifact: &Artifact, folder: &Path) -> anyhow::Result<PathBuf> {
    let file = &artifact.file;
    let copy = folder.join(match &artifact.label {
        Some(label) => label.as_ref(),
        None => file.file_name().unwrap_or_default(),
    });
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::copy(file, &copy))
        .with_context(|| format!("cannot copy {} to {}", file.display(), copy.display()))?;
    Ok(copy)
}

/// The folders with Cargo packages, and files of source, that `path` stands for.
fn sources(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let package = path.join("Cargo.toml").is_file() && !path.join(FILE_NAME).is_file();
    if package || is_rust(path) {
        return Ok(vec![path.to_owned()]);
    }
    components::guest_sources(&Description::read(path)?)
}
