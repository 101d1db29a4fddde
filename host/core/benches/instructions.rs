//! How many instructions the parts of the core take, counted by valgrind: the guard against
//! changes that make them slower. Unlike time, the count does not depend on the machine's load.
//!
//! `cargo bench` has every case counted and compared with `instructions.toml` beside this file;
//! with `-- --renew` it writes that file instead. Each case runs twice, the second time with twice the
//! rounds: the difference is free of what starting a program costs.

use std::process::ExitCode;

#[path = "instructions/baseline.rs"]
mod baseline;
#[path = "instructions/cases.rs"]
mod cases;
#[path = "instructions/count.rs"]
mod count;

use baseline::{Baseline, Toolchain};
use cases::CASES;

/// What a test harness returns that could not do its work.
const NOT_CHECKED: u8 = 77;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["--case", name, rounds] => run_case(name, rounds),
        ["--bench"] => compare(),
        // `cargo test --all-targets` runs it too.
        [] => {
            println!("nothing is counted without `--bench`, which `cargo bench` adds");
            Ok(ExitCode::SUCCESS)
        }
        ["--bench", "--renew"] | ["--renew", "--bench"] => renew(),
        _ => Err("run it with `tools/instructions [--renew]`".to_owned()),
    };
    result.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}

/// What valgrind runs and counts.
fn run_case(name: &str, rounds: &str) -> Result<ExitCode, String> {
    let case = CASES.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| format!("no case is called `{name}`"))?;
    let rounds = rounds
        .parse()
        .map_err(|error| format!("`{rounds}` is not a number of rounds: {error}"))?;
    (case.run)(rounds);
    Ok(ExitCode::SUCCESS)
}

fn renew() -> Result<ExitCode, String> {
    let mut baseline = Baseline::read()?;
    let counts = count::all()?;
    for (name, count) in &counts {
        println!("{count:>10}  {name}");
    }
    baseline.renew(&Toolchain::current()?, counts);
    baseline.write()?;
    Ok(ExitCode::SUCCESS)
}

fn compare() -> Result<ExitCode, String> {
    let toolchain = Toolchain::current()?;
    let baseline = Baseline::read()?;
    let Some(expected) = baseline.of(&toolchain.target) else {
        println!(
            "not checked: instructions.toml has no counts for {}; `tools/instructions --renew` adds them",
            toolchain.target
        );
        return Ok(ExitCode::from(NOT_CHECKED));
    };
    let failures = expected.compare(&count::all()?);
    let same_compiler = expected.rustc == toolchain.rustc;
    if failures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if !same_compiler {
        println!(
            "not judged: the counts in instructions.toml are of rustc {}, these of {}; renew \
             them with `tools/instructions --renew`",
            expected.rustc, toolchain.rustc
        );
        return Ok(ExitCode::from(NOT_CHECKED));
    }
    Err(format!(
        "{}\nif that is the price of something worth it, renew the counts with \
         `tools/instructions --renew` and say why in the commit",
        failures.join("\n")
    ))
}
