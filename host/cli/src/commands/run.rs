//! `transputer run`: a network, from start to end.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use transputer::network::description::Description;
use transputer::network::validation::ArgumentOverride;
use transputer::{Error, Host, HostOptions, Network};

use crate::components::{self, Building};
use crate::exit::{self, Exit};
use crate::progress::Progress;
use crate::running::{self, LogLevel, Printer};
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer run examples/sieve --arg count=1000
  cat access.log | transputer run examples/pipeline | head
  transputer run . --arg generator.count=5 --log debug
  transputer run . --seed 7          one schedule, the same each time, in virtual time

The network's standard output is the command's; everything else goes to standard error.
Ctrl-C stops the network and says what was in flight; a second one ends at once.
";

/// Run a network, after building its guests that are out of date
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{}", exit::HELP))]
pub(crate) struct Run {
    /// A folder with a network.toml, or the file
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    /// Give every process that has such an argument this value, or only the one named, as in
    /// generator.count=5; may be repeated
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    arguments: Vec<ArgumentOverride>,

    /// Threads that run processes [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,

    /// Run one schedule, decided by this number alone, in virtual time
    #[arg(long, value_name = "N", conflicts_with = "workers")]
    seed: Option<u64>,

    /// Processes that may live at once
    #[arg(long, value_name = "N", default_value_t = HostOptions::default().max_processes,
        value_parser = clap::value_parser!(u32).range(1..))]
    max_processes: u32,

    /// The least grave log lines to print [default: info, or error with --quiet]
    #[arg(long, value_name = "LEVEL", value_enum)]
    log: Option<LogLevel>,

    /// Take guests as they were last built
    #[arg(long)]
    no_build: bool,

    /// Print only what goes wrong
    #[arg(long, short)]
    quiet: bool,
}

impl Run {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let network = self.load()?;
        let quiet_level = if self.quiet {
            LogLevel::Error
        } else {
            LogLevel::Info
        };
        let least = self.log.unwrap_or(quiet_level);
        running::run(network, Printer::new(least))
    }

    /// Builds, checks and wires the network.
    fn load(&self) -> anyhow::Result<Network> {
        let description = Description::read(&self.path)?;
        let building = if self.no_build {
            Building::Never
        } else {
            Building::OutOfDate
        };
        let progress = Progress::new(self.quiet);
        let located = components::locate(&description, building, progress)?;
        located.refuse_unbuilt(&description)?;
        let checked = components::check(&description, &located, &self.arguments)?;
        if !checked.warnings.is_empty() && !self.quiet {
            terminal::problems(&checked.warnings);
        }
        let host = Host::new(HostOptions {
            workers: self.workers.map(usize::from),
            max_processes: self.max_processes,
            seed: self.seed,
            ..HostOptions::default()
        })?;
        let step = progress.unobtrusive("compiling components");
        let loaded = host.load(&description, &located.files, &self.arguments);
        drop(step);
        loaded.map_err(|error| match error {
            Error::Problems(problems) => problems.into(),
            other => other.into(),
        })
    }
}
