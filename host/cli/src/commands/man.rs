//! `transputer man`: manual pages.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, ValueHint};

use crate::arguments::Cli;
use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  transputer man ~/.local/share/man/man1      then: man transputer-run";

/// Write the manual pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// The folder for them, which is made if it isn't there
    #[arg(value_hint = ValueHint::DirPath)]
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
        Ok(Exit::Success)
    }
}
