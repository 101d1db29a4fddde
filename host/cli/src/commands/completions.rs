//! `transputer completions`: scripts that complete its commands in a shell.

use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  transputer completions bash > ~/.local/share/bash-completion/completions/transputer
  transputer completions fish > ~/.config/fish/completions/transputer.fish";

/// Print a script that completes commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "transputer", &mut script);
        std::io::stdout()
            .write_all(&script)
            .context("cannot write to standard output")?;
        Ok(Exit::Success)
    }
}
