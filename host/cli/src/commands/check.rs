//! `transputer check`: whether a network fits together, without running it.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use transputer::description::Description;
use transputer::validation::{self, ArgumentOverride, check_on};
use transputer::{CacheFolder, HostOptions};

use super::chosen::cache_folder;
use crate::cluster;
use crate::components::{self, Building};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::surroundings::Surroundings;
use crate::tables;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer check examples/sieve            what the guests built last say
  transputer check examples/sieve --build    build those that are out of date first

All mistakes are reported at once, and the exit code is 2. The wiring of components that are
not built yet cannot be checked; they are named.";

/// Check a network, and show its processes and channels
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// A folder with a network.toml, or the file
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    /// Give an argument, as `run` does; may be repeated
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    arguments: Vec<ArgumentOverride>,

    /// Build the guests that are out of date first
    #[arg(long)]
    build: bool,

    /// Check it for a host that runs only processes of this place, and show what would run there; may be repeated
    #[arg(long = "on", value_name = "LABEL")]
    on: Vec<String>,

    /// Print only what is wrong
    #[arg(long, short)]
    quiet: bool,
}

impl Check {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let description = Description::read(&self.path)?.expanded(&self.arguments)?;
        if !self.on.is_empty() {
            check_on(&description, &self.on)?;
        }
        let building = match self.build {
            true => Building::OutOfDate,
            false => Building::Never,
        };
        let located = components::locate(&description, building, Progress::new(self.quiet))?;
        let options = HostOptions::default().python(surroundings.python.clone());
        let files: Vec<_> = cache_folder(&CacheFolder::Default).into_iter().collect();
        let checked = components::check(&description, &located, &self.arguments, &files, &options)?;
        if !self.quiet {
            tables::print(&description, &checked.signatures, &self.arguments)?;
        }
        if !self.on.is_empty() && !self.quiet && located.unbuilt.is_empty() {
            self.here(&description, &checked.signatures)?;
        }
        if !checked.warnings.is_empty() {
            terminal::diagnostics(&checked.warnings);
        }
        if !located.unbuilt.is_empty() {
            terminal::warning(format_args!(
                "not built yet, so the wiring was not checked: {}; `--build` builds what is out of date",
                located.unbuilt.join(", ")
            ));
        } else if !self.quiet {
            terminal::note(format_args!("network `{}` fits together", description.name));
        }
        Ok(Exit::Success)
    }

    /// What would run on this host, and what it would use there.
    fn here(
        &self,
        description: &Description,
        signatures: &tables::Signatures,
    ) -> anyhow::Result<()> {
        let plan = validation::check(description, signatures, &self.arguments)?;
        cluster::print_here(&plan, &self.on)
    }
}
