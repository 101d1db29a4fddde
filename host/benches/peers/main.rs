//! The table of peers: the same small programs as networks of ours, in Go and in Erlang.
//!
//! Every program is a process of the operating system that prints its own figures, so that
//! nothing is counted but the work itself. Runs take turns, so that a busy machine harms all
//! alike. See `../README.md`.

mod about;
mod building;
mod case;
mod cases;
mod measure;
mod ours;
mod programs;
mod readme;
mod table;
mod targets;

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser;

use about::About;
use building::Profile;
use case::Case;
use measure::Results;
use programs::Program;

const EXAMPLES: &str = "\
Examples:
  cargo bench --locked -p transputer --bench peers -- --quick
  cargo bench --locked -p transputer --bench peers -- ping-pong stream-128
  cargo bench --locked -p transputer --bench peers --profile dist -- --many --readme

How to read the tables: host/benches/README.md";

/// Compare networks of processes with the same programs in Go and Erlang
#[derive(Debug, Parser)]
#[command(name = "cargo bench --locked -p transputer --bench peers --", after_help = EXAMPLES)]
struct Arguments {
    /// Only cases whose name contains one of these
    #[arg(value_name = "CASE")]
    cases: Vec<String>,

    /// A tenth of the work, three times each: for a first look
    #[arg(long)]
    quick: bool,

    /// Also 100,000 parked processes; see the README for what that needs
    #[arg(long)]
    many: bool,

    /// How often to run each program; 5, or 3 if it has to be quick, without this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    times: Option<u32>,

    /// Take the command and the guests as they are, instead of building what is out of date
    #[arg(long)]
    no_build: bool,

    /// Print the tables in Markdown, with what they were made with
    #[arg(long)]
    markdown: bool,

    /// Put the tables into host/benches/README.md, in place of the last run's
    #[arg(long)]
    readme: bool,

    /// List the cases and stop
    #[arg(long)]
    list: bool,

    /// Run one of our own programs: what the bench starts for itself
    #[arg(long, hide = true)]
    ours: bool,

    /// Cargo's sign that this is a bench and no test
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.ours {
        ours::run(&arguments.cases)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.bench {
        eprintln!("these are benchmarks: run them with `cargo bench`");
        return Ok(ExitCode::SUCCESS);
    }
    let cases: Vec<Case> = cases::all(arguments.quick, arguments.many)
        .into_iter()
        .filter(|case| arguments.cases.is_empty() || case.is_among(&arguments.cases))
        .collect();
    if arguments.list {
        cases.iter().for_each(|case| println!("{}", case.name()));
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        !cases.is_empty(),
        "no case has such a name; `--list` lists them"
    );
    if arguments.many {
        check_mappings()?;
    }
    compare(arguments, &cases)
}

fn compare(arguments: &Arguments, cases: &[Case]) -> anyhow::Result<ExitCode> {
    let times = arguments.times.unwrap_or(match arguments.quick {
        true => 3,
        false => 5,
    });
    let profile = Profile::current()?;
    eprintln!("making the programs ready (profile {})", profile.name);
    let programs = building::all(&profile, !arguments.no_build)?;
    let before = About::now(&profile, arguments.quick, times)?;
    let results = measure_all(&programs, cases, times);
    let about = before.until_now();
    if arguments.readme {
        readme::replace_last_run(&table::markdown(&about, cases, &results))?;
    }
    match arguments.markdown {
        true => println!("{}", table::markdown(&about, cases, &results)),
        false => println!("{}", table::plain(&about, cases, &results)),
    }
    for hint in programs.iter().filter_map(Program::hint) {
        eprintln!("{hint}");
    }
    let failures: Vec<&String> = results.iter().flat_map(|result| &result.failures).collect();
    for failure in &failures {
        eprintln!("error: {failure}");
    }
    Ok(match failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Measures every case, and says on standard error how far it is.
fn measure_all(programs: &[Program], cases: &[Case], times: u32) -> Vec<Results> {
    let measured = cases.iter().enumerate().map(|(index, case)| {
        eprint!("[{:2}/{}] {}: ", index + 1, cases.len(), case.name());
        measure::take_turns(programs, case, times)
    });
    measured.collect()
}

/// That the kernel allows as many mappings as 100,000 processes take.
fn check_mappings() -> anyhow::Result<()> {
    const NEEDED: u64 = 700_000;
    let file = "/proc/sys/vm/max_map_count";
    let text = std::fs::read_to_string(file).context(file)?;
    let allowed: u64 = text.trim().parse().context(file)?;
    ensure!(
        allowed >= NEEDED,
        "100,000 processes take more memory mappings than the kernel allows ({allowed}); \
         raise it with `sysctl -w vm.max_map_count={NEEDED}`"
    );
    Ok(())
}
