//! `transputer explore`: many schedules of one network, until one goes wrong.

use std::collections::BTreeSet;
use std::io::{self, Cursor, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use transputer::{Event, Host, Report, Verdict};

use super::chosen::Chosen;
use crate::exit::{self, BadInput, Exit};
use crate::line::Line;
use crate::running::{Format, LogLevel, Printer, summarise};
use crate::surroundings::Surroundings;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer explore examples/philosophers --arg polite=false
  transputer explore . --schedules 10000 --seed 5000
  transputer explore . < input.txt       the same input for every schedule

Each schedule is decided by its seed alone, and runs in virtual time: a schedule that goes
wrong goes wrong again with `transputer run --seed`.
";

/// Run many schedules of a network, and stop at the first that fails or deadlocks
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{}", exit::HELP))]
pub(crate) struct Explore {
    #[command(flatten)]
    network: Chosen,

    /// How many schedules to run
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    schedules: u64,

    /// The seed of the first schedule; the others follow
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Schedules are explored on one host: without this
    #[arg(long, value_name = "LABEL", hide = true)]
    on: Vec<String>,
}

/// The result of one schedule.
struct Run {
    report: Report,
    output: Vec<u8>,
}

impl Explore {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        if !self.on.is_empty() {
            return Err(BadInput::new(
                "`explore` runs a network on one host, in virtual time: leave `--on` out",
            )
            .into());
        }
        let chosen = self.network.prepare(&[], surroundings)?;
        let first = Host::new(self.network.host_options(surroundings).seed(self.seed))?;
        self.network.say_capacity(&first);
        self.network.say_without_cache(&first);
        let components = chosen.components(&first)?;
        let input = match chosen.description.stdin {
            Some(_) => whole_input()?,
            None => Vec::new(),
        };
        let bar = progress(self.schedules, self.network.quiet);
        let mut outputs = BTreeSet::new();
        for seed in self.seed..self.seed.saturating_add(self.schedules) {
            let host = first.reseeded(seed)?;
            let arguments = &self.network.arguments;
            let network = host.wire(&chosen.description, &components, arguments)?;
            let run = run(network, &input)?;
            if run.report.verdict() != Verdict::Succeeded {
                bar.finish_and_clear();
                return Ok(self.failure(seed, &run.report));
            }
            outputs.insert(run.output);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let (schedules, outputs) = (self.schedules, outputs.len());
        let text = match outputs {
            0 | 1 => format!("{schedules} schedules succeeded, all with the same output"),
            _ => format!("{schedules} schedules succeeded, with {outputs} different outputs"),
        };
        crate::output::line(&Line::new().text(text))?;
        Ok(Exit::Success)
    }

    /// Says what went wrong, and how to reproduce it.
    fn failure(&self, seed: u64, report: &Report) -> Exit {
        let printer = Printer::new(LogLevel::Info, Format::Text, &report.network);
        for deadlock in &report.deadlocks {
            printer.print(&Event::Deadlock(deadlock.clone()));
        }
        for failure in &report.failures {
            printer.print(&Event::Ended(failure.clone()));
        }
        summarise(report, &printer);
        let tried = seed - self.seed;
        terminal::note(format_args!(
            "seed {seed} fails, after {tried} schedules that succeeded; repeat it with \
             `transputer run --seed {seed}` and the same arguments"
        ));
        Exit::of_verdict(report.verdict())
    }
}

fn run(mut network: transputer::Network, input: &[u8]) -> anyhow::Result<Run> {
    let output = Gathered::default();
    network
        .stdin(Cursor::new(input.to_vec()))
        .stdout(output.clone());
    let report = network.start()?.wait();
    Ok(Run {
        report,
        output: output.take(),
    })
}

fn whole_input() -> anyhow::Result<Vec<u8>> {
    let mut input = Vec::new();
    io::stdin()
        .read_to_end(&mut input)
        .context("cannot read standard input")?;
    Ok(input)
}

fn progress(schedules: u64, quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} schedules ({eta} left)");
    ProgressBar::new(schedules).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What a network wrote.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<Vec<u8>>>);

impl Gathered {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
