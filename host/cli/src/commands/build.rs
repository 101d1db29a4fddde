//! `transputer build`: guests from their source.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueHint};
use transputer::description::{Description, FILE_NAME};

use crate::components;
use crate::exit::Exit;
use crate::guests;
use crate::progress::Progress;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer build examples/sieve      the guests of a network
  transputer build plugins/redactor    one Cargo package that makes a component
  transputer build --out plugins a b   where a program looks for its plugins
  transputer build a b c               several networks or packages, in one go

The file of each component is printed on standard output. Where no Rust compiler for
guests (target wasm32-wasip2) is found, one is made first: with rustup, or on Debian from
Debian's packages.";

/// Build the guests that are out of date
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    /// Folders with a network.toml or a Cargo package, or network files
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Copy the components into this folder, which is made if it isn't there
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,

    /// Print only errors and the components' files
    #[arg(long, short)]
    quiet: bool,
}

impl Build {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut folders = Vec::new();
        for path in &self.paths {
            folders.extend(guest_folders(path)?);
        }
        let progress = Progress::new(self.quiet);
        let built = guests::build(&folders, progress)?;
        if built.is_empty() && !self.quiet {
            terminal::note("no guests to build: every component is a .wasm file");
        } else if built.iter().all(|built| built.fresh) && !self.quiet {
            terminal::note("every guest is up to date");
        }
        for artifact in built.iter().flat_map(|built| &built.artifacts) {
            let file = match &self.out {
                Some(folder) => &copy(&artifact.file, folder)?,
                None => &artifact.file,
            };
            crate::output::path(file)?;
        }
        Ok(Exit::Success)
    }
}

fn copy(file: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.join(file.file_name().unwrap_or_default());
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::copy(file, &copy))
        .with_context(|| format!("cannot copy {} to {}", file.display(), copy.display()))?;
    Ok(copy)
}

/// The folders with Cargo packages that `path` stands for.
fn guest_folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let package = path.join("Cargo.toml").is_file() && !path.join(FILE_NAME).is_file();
    if package {
        return Ok(vec![path.to_owned()]);
    }
    components::guest_folders(&Description::read(path)?)
}
