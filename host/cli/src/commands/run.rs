//! `transputer run`: a network, from start to end.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use transputer::plan::Format as StreamFormat;
use transputer::{DeadLetterOptions, Error, Host, HostOptions};

use super::chosen::Chosen;
use crate::exit::{self, BadInput, Exit};
use crate::running::{self, Files, Format, LogLevel, Manners, Printer, RATES, Trace};
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  transputer run examples/sieve --arg count=1000
  cat access.log | transputer run examples/pipeline | head
  transputer run . --arg generator.count=5 --log debug
  transputer run . --seed 7          one schedule, the same each time, in virtual time
  transputer run . --seed 7 --trace steps.txt
  transputer run . --watch           processes go on with what is built while they run
  producer | transputer run . --dead-letter left.jsonl
                                     keep what a kill or a failure would lose

The network's standard output is the command's; everything else goes to standard error.
Ctrl-C (SIGINT) stops the network and says what was in flight. SIGTERM and SIGHUP drain it:
its standard input ends behind a whole message, its processes finish what they have, and
after --grace it is stopped. A second signal ends the command at once. Signals that are
ignored, as under nohup, stay ignored.
";

/// Run a network, after building its guests that are out of date
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{RATES}\n\n{}", exit::HELP))]
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

    /// Print log lines of this level and above [default: info, or error with --quiet]
    #[arg(long, value_name = "LEVEL", value_enum)]
    log: Option<LogLevel>,

    /// Write every step of every process to this file: what it sends, receives, chooses, opens
    /// and spawns; with --seed, the same each time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,

    /// How long processes have to finish after SIGTERM or SIGHUP, such as 30s
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    grace: Duration,

    /// Record messages from stdin that the network may not have handled, and messages that its
    /// channels drop, one JSON object a line; the file is removed when none are left
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    dead_letter: Option<PathBuf>,

    /// First send again what an earlier run left in the dead-letter file, then read stdin
    #[arg(long, requires = "dead_letter")]
    replay: bool,

    /// Every message from stdin is answered by one on stdout, in order: answered messages leave the
    /// dead-letter file at once
    #[arg(long, requires = "dead_letter")]
    one_to_one: bool,

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
        if self.format == Format::Json {
            self.network.quiet = true;
            stderr::only_json();
        }
        let chosen = self.network.prepare()?;
        let host = Host::new(HostOptions {
            workers: self.workers.map(usize::from),
            seed: self.seed,
            ..self.network.host_options()
        })?;
        self.network.say_without_cache(&host);
        let components = chosen.components(&host)?;
        let mut network = host.wire(&chosen.description, &components, &self.network.arguments)?;
        let trace = self.trace.as_deref().map(Trace::create).transpose()?;
        let watch = self.watch.then(|| chosen.watch(&host)).transpose()?;
        let options = DeadLetterOptions {
            replay: self.replay,
            one_to_one: self.one_to_one,
        };
        let dead_letters = self
            .dead_letter
            .map(|path| network.dead_letter_file(path, options))
            .transpose()
            .map_err(hinted)?;
        let stdin = chosen.description.stdin.as_ref();
        let manners = Manners {
            printer: Printer::new(least, self.format),
            stdin: stdin.map_or(StreamFormat::Bytes, |stdin| *stdin.format.get_ref()),
            grace: self.grace,
        };
        running::run(
            network,
            manners,
            Files {
                trace,
                dead_letters,
            },
            watch,
        )
    }
}

/// Says which options help.
fn hinted(error: Error) -> anyhow::Error {
    match error {
        Error::Undelivered {
            path,
            network,
            letters,
        } => BadInput::new(format!(
            "{} holds messages of an earlier run of the network `{network}`: {letters}; send them \
             again with --replay, or move the file away",
            path.display()
        ))
        .into(),
        error => error.into(),
    }
}
