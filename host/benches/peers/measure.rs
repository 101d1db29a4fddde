//! Running programs in turn, and what comes of it.

use std::collections::BTreeMap;

use anyhow::ensure;

use crate::cases::Case;
use crate::programs::Program;

/// The name under which programs print what they computed, which must be the same in all.
const CHECK: &str = "check";

/// What the programs measured in one case.
pub(crate) struct Results {
    /// For each program the median of each figure; nothing where it did not run.
    pub(crate) medians: Vec<BTreeMap<String, f64>>,
    /// Whether a program that is installed could not do it.
    pub(crate) failed: bool,
}

/// Runs all programs so many times, each in turn.
pub(crate) fn take_turns(programs: &[Program], case: &Case, times: u32) -> Results {
    eprintln!("{} ...", case.name());
    let mut runs = vec![BTreeMap::<String, Vec<f64>>::new(); programs.len()];
    let mut out = vec![false; programs.len()];
    for _ in 0..times {
        for (index, program) in programs.iter().enumerate() {
            if out[index] || !program.is_there() {
                continue;
            }
            match program.run(case) {
                Ok(figures) => {
                    for (name, value) in figures {
                        runs[index].entry(name).or_default().push(value);
                    }
                }
                Err(error) => {
                    eprintln!("{}: {}: {error:#}", case.name(), program.name());
                    out[index] = true;
                }
            }
        }
    }
    let disagreement = agree(&runs);
    if let Err(error) = &disagreement {
        eprintln!("{}: {error:#}", case.name());
    }
    Results {
        medians: runs.into_iter().map(medians).collect(),
        failed: disagreement.is_err() || out.contains(&true),
    }
}

fn agree(runs: &[BTreeMap<String, Vec<f64>>]) -> anyhow::Result<()> {
    let mut checks = runs.iter().filter_map(|run| run.get(CHECK)).flatten();
    if let Some(first) = checks.next() {
        let differs = checks.find(|check| *check != first);
        ensure!(
            differs.is_none(),
            "the programs computed different results: {first} and {differs:?}"
        );
    }
    Ok(())
}

fn medians(run: BTreeMap<String, Vec<f64>>) -> BTreeMap<String, f64> {
    run.into_iter()
        .filter_map(|(name, values)| Some((name, median(values)?)))
        .collect()
}

/// The value in the middle; of an even number, the mean of both.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}
