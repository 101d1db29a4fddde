//! `transputer run`: a network, from start to end.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use transputer::plan::Format as StreamFormat;
use transputer::validation::HostFile;
use transputer::{DeadLetterOptions, Error, Host};

use super::chosen::{Chosen, size};
use crate::cluster::{Hosting, Parted, Placed};
use crate::exit::{self, BadInput, Exit};
use crate::otlp::{self, Otlp};
use crate::running::{self, Debugging, Files, Format, LogLevel, Manners, Printer, RATES, Trace};
use crate::surroundings::Surroundings;
use crate::watching;

const EXAMPLES: &str = "\
Examples:
  transputer run examples/sieve --arg count=1000
  cat access.log | transputer run examples/pipeline | head
  transputer run . --arg generator.count=5 --log debug
  cat lines.json | transputer run plugin.wasm    one component by itself
  transputer run oci://registry.example.org/team/sieve:1.0 --verify public.pem
                                     a pack out of a registry, if its owner signed it
  transputer run . --seed 7          one schedule, the same each time, in virtual time
  transputer run . --seed 7 --trace steps.txt
  transputer run . --trace steps.json    waits and steps on a time line, in Perfetto
  transputer run . --core-dump dumps     what a process that traps had in its memory
  transputer run . --profile guest       what each process computes, for Firefox' profiler
  transputer run . --watch           running processes switch to code that is rebuilt
  transputer run . --http 8080       see it run, in a browser; `transputer top` in a terminal
  transputer run . --otlp            a span for each process, to an OpenTelemetry collector
  producer | transputer run . --dead-letter left.jsonl
                                     keep what a kill or a failure would lose
  transputer run . --on parsing --nats nats://localhost:4222
                                     run the processes of this place, and meet other hosts

The network's standard output is the command's; everything else goes to standard error.
Ctrl-C (SIGINT) stops the network and says what was in flight. SIGTERM and SIGHUP drain it:
its standard input ends after a whole message, its processes finish what they have, and
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

    /// Replace running processes when their components are rebuilt; guests given as source are rebuilt
    /// when it changes. Messages in flight keep their order, and none is lost. The network's file is read
    /// at the start only: a change to it is told, and takes a restart
    #[arg(long, conflicts_with = "seed")]
    watch: bool,

    /// Print log lines of this level and above [default: info, or error with --quiet]
    #[arg(long, value_name = "LEVEL", value_enum)]
    log: Option<LogLevel>,

    /// Write every step of every process to this file: what it sends, receives, chooses, opens
    /// and spawns, when, and how long it waited; with --seed, the same each time. A file whose name
    /// ends in .json is for Perfetto (https://ui.perfetto.dev) and Chrome, with a track a process
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,

    /// How long processes have to finish after SIGTERM or SIGHUP, such as 30s
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    grace: Duration,

    /// Record messages from stdin that the network may not have handled, and messages that the
    /// channels of its file drop, one JSON object a line; the file is removed when none are left
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    dead_letter: Option<PathBuf>,

    /// First send again what an earlier run left in the dead-letter file, then read stdin
    #[arg(long, requires = "dead_letter")]
    replay: bool,

    /// Every message from stdin is answered by one on stdout, in order: answered messages leave the
    /// dead-letter file at once
    #[arg(long, requires = "dead_letter")]
    one_to_one: bool,

    /// How large the dead-letter file may become, such as 100MiB. Where the next message from stdin
    /// might not fit, stdin ends as broken; messages that channels drop may take half of it
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size, requires = "dead_letter")]
    dead_letter_max: u64,

    /// Also record what is dropped by channels that processes open themselves: processes decide how
    /// much that is
    #[arg(long, requires = "dead_letter")]
    dead_letter_opened: bool,

    /// Serve a live page of the network at this address, such as 8080 or 127.0.0.1:8080, and its numbers
    /// for Prometheus at /metrics. A port by itself is open to this machine only; any other address
    /// needs the token that is printed, or the one in $TRANSPUTER_TOKEN. Port 0 is any that is free
    #[arg(long, value_name = "ADDRESS")]
    http: Option<watching::Address>,

    /// Go on serving the page when the network has ended, until Ctrl-C
    #[arg(long, requires = "http")]
    stay: bool,

    /// Send a span for each process to an OpenTelemetry collector, by OTLP over HTTP. Without a URL the
    /// variables of OpenTelemetry tell where it is, such as OTEL_EXPORTER_OTLP_ENDPOINT, or else it is
    /// http://localhost:4318
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    otlp: Option<String>,

    /// Link each span with those of the processes whose messages it received: then messages cross
    /// one at a time
    #[arg(long, requires = "otlp")]
    otlp_links: bool,

    #[command(flatten)]
    debugging: Debugging,

    /// Open no socket for `transputer top` and `transputer ps`
    #[arg(long)]
    no_socket: bool,

    /// Begin lines about processes with the time (RFC 3339, UTC) and the network's name; JSON always has both
    #[arg(long)]
    timestamps: bool,

    #[command(flatten)]
    placed: Placed,

    /// How log lines, ends of processes, deadlocks and the report at the end are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Run {
    /// Whether everything that is printed on standard error is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn run(mut self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let quiet_level = if self.network.quiet {
            LogLevel::Error
        } else {
            LogLevel::Info
        };
        let least = self.log.unwrap_or(quiet_level);
        // Nothing but objects, for whoever reads them.
        if self.is_json() {
            self.network.quiet = true;
        }
        self.placed.refuse_without_labels()?;
        let chosen = self.network.prepare(&self.files(), surroundings)?;
        if self.placed.is_some() {
            self.placed.check(&chosen.description)?;
        }
        let options = self.network.host_options(surroundings);
        let host = Host::new(
            self.debugging
                .options(options)
                .workers(self.workers.map(usize::from))
                .seed(self.seed),
        )?;
        if !self.network.quiet {
            self.debugging.say_begin();
        }
        self.network.say_capacity(&host);
        self.network.say_without_cache(&host);
        let components = chosen.components(&host)?;
        if self.placed.is_some() {
            let description = chosen.description;
            let printer = Printer::new(least, self.format, &description.name)
                .with_timestamps(self.timestamps);
            let parted = Parted::new(host, description, components, self.network.arguments)?;
            let hosting = Hosting {
                placed: self.placed,
                parted,
                printer,
                grace: self.grace,
            };
            return hosting.run();
        }
        let mut network = host.wire(&chosen.description, &components, &self.network.arguments)?;
        let trace = (self.trace.as_deref())
            .map(|path| Trace::create(path, &host))
            .transpose()?;
        let otlp = otlp::Options {
            collector: self.otlp,
            links: self.otlp_links,
        };
        if otlp.links {
            network.note_senders();
        }
        let otlp = Otlp::open(&otlp, &chosen.description.name, &host)?;
        let watch = self.watch.then(|| chosen.watch(&host)).transpose()?;
        let options = DeadLetterOptions::default()
            .replay(self.replay)
            .one_to_one(self.one_to_one)
            .max_bytes(self.dead_letter_max)
            .opened_channels(self.dead_letter_opened);
        let dead_letters = self
            .dead_letter
            .map(|path| network.dead_letter_file(path, options))
            .transpose()
            .map_err(hinted)?;
        let stdin = chosen.description.stdin.as_ref();
        let manners = Manners {
            printer: Printer::new(least, self.format, &chosen.description.name)
                .with_timestamps(self.timestamps),
            stdin: stdin.map_or(StreamFormat::Bytes, |stdin| *stdin.format.get_ref()),
            grace: self.grace,
            seeded: self.seed.is_some(),
            watching: watching::Options {
                http: self.http,
                stay: self.stay,
                socket: !self.no_socket,
            },
        };
        let files = Files {
            trace,
            dead_letters,
            otlp,
        };
        let exit = running::run(network, manners, files, watch)?;
        self.debugging.say_end(&host, self.network.quiet);
        Ok(exit)
    }
}

impl Run {
    /// What the command itself writes, and no process may reach.
    fn files(&self) -> Vec<HostFile> {
        let files = [
            ("the dead-letter file", &self.dead_letter),
            ("the trace", &self.trace),
        ];
        let named = files.into_iter().filter_map(|(what, path)| {
            let path = path.as_ref()?;
            Some(HostFile::new(what, path))
        });
        named.chain(self.debugging.files()).collect()
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
