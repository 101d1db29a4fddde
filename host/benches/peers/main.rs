//! The table of peers: the same small programs as networks of ours, in Go and in Erlang.
//!
//! Every program is a process of the operating system that prints its own figures, so that
//! nothing is counted but the work itself. Runs take turns, so that a busy machine harms all
//! alike. See `../README.md`.

mod cases;
mod measure;
mod ours;
mod programs;
mod table;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use cases::Case;
use programs::Program;

/// Compare networks of processes with the same programs in Go and Erlang.
#[derive(Debug, Parser)]
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

    /// How often to run each program
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    times: Option<u32>,

    /// Print the table in Markdown
    #[arg(long)]
    markdown: bool,

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
    compare(arguments, &cases)
}

fn compare(arguments: &Arguments, cases: &[Case]) -> anyhow::Result<ExitCode> {
    let times = arguments.times.unwrap_or(match arguments.quick {
        true => 3,
        false => 5,
    });
    let programs = Program::all().context("the programs could not be made ready")?;
    let results: Vec<_> = cases
        .iter()
        .map(|case| measure::take_turns(&programs, case, times))
        .collect();
    println!("{}", table::render(cases, &results, arguments.markdown));
    let hints = programs.iter().filter_map(Program::hint);
    hints.for_each(|hint| println!("{hint}"));
    let failed = results.iter().any(|result| result.failed);
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}
