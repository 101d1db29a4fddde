//! Counting, with valgrind's callgrind.

use std::collections::BTreeMap;
use std::process::Command;

use super::cases::{CASES, Case};

/// Instructions of one round of every case.
pub(crate) fn all() -> Result<BTreeMap<String, u64>, String> {
    CASES
        .iter()
        .map(|case| Ok((case.name.to_owned(), of_a_round(case)?)))
        .collect()
}

fn of_a_round(case: &Case) -> Result<u64, String> {
    let (fewer, more) = (case.rounds, 2 * case.rounds);
    let difference = instructions(case.name, more)?.saturating_sub(instructions(case.name, fewer)?);
    Ok(difference / (more - fewer))
}

/// Instructions of this program when it runs so many rounds of a case.
fn instructions(name: &str, rounds: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--case", name, &rounds.to_string()])
        .output()
        .map_err(|error| {
            format!("valgrind cannot be started: {error}; `apt-get install valgrind` gets it")
        })?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!(
            "case `{name}` under valgrind: {}\n{told}",
            output.status
        )),
    }
}
