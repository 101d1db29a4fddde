//! `transputer run`: a network, from start to end.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use transputer::{Host, HostOptions};

use super::chosen::Chosen;
use crate::exit::{self, Exit};
use crate::running::{self, Format, LogLevel, Printer, Trace};

const EXAMPLES: &str = "\
Examples:
  transputer run examples/sieve --arg count=1000
  cat access.log | transputer run examples/pipeline | head
  transputer run . --arg generator.count=5 --log debug
  transputer run . --seed 7          one schedule, the same each time, in virtual time
  transputer run . --seed 7 --trace steps.txt
  transputer run . --watch           processes go on with what is built while they run

The network's standard output is the command's; everything else goes to standard error.
Ctrl-C stops the network and says what was in flight; a second one ends at once.
";

/// Run a network, after building its guests that are out of date
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{}", exit::HELP))]
pub(crate) struct Run {
    #[command(flatten)]
    network: Chosen,

    /// Threads that run processes [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,

    /// Run one schedule, decided by this number alone, in virtual time
    #[arg(long, value_name = "N", conflicts_with = "workers")]
    seed: Option<u64>,

    /// Replace running processes when their components are built anew; guests given as source are
    /// built when that changes. Messages in flight keep their order, and none is lost
    #[arg(long, conflicts_with = "seed")]
    watch: bool,

    /// The least grave log lines to print [default: info, or error with --quiet]
    #[arg(long, value_name = "LEVEL", value_enum)]
    log: Option<LogLevel>,

    /// Write every step of every process to this file: what it sends, receives, chooses, opens
    /// and spawns; with --seed, the same each time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,

    /// How log lines, ends of processes, deadlocks and the report at the end are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Run {
    pub(crate) fn run(mut self) -> anyhow::Result<Exit> {
        let quiet_level = if self.network.quiet {
            LogLevel::Error
        } else {
            LogLevel::Info
        };
        let least = self.log.unwrap_or(quiet_level);
        // Nothing but objects, for whoever reads them.
        self.network.quiet |= self.format == Format::Json;
        let chosen = self.network.prepare()?;
        let host = Host::new(HostOptions {
            workers: self.workers.map(usize::from),
            seed: self.seed,
            ..self.network.host_options()
        })?;
        let components = chosen.components(&host)?;
        let network = host.wire(&chosen.description, &components, &self.network.arguments)?;
        let trace = self.trace.as_deref().map(Trace::create).transpose()?;
        let watch = self.watch.then(|| chosen.watch(&host)).transpose()?;
        running::run(network, Printer::new(least, self.format), trace, watch)
    }
}
