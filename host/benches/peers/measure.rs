//! Running programs in turn, and what comes of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::case::Case;
use crate::programs::Program;

/// The name under which programs print what they computed, which must be the same in all.
const CHECK: &str = "check";

/// Whose program it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    Ours,
    Go,
    Erlang,
}

impl Language {
    /// All of them, in the table's order.
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Go, Self::Erlang];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::Ours => "Transputer",
            Language::Go => "Go",
            Language::Erlang => "Erlang",
        }
    }
}

/// What the programs measured in one case.
pub(crate) struct Results {
    /// The case's name.
    pub(crate) case: String,
    medians: BTreeMap<Language, BTreeMap<String, f64>>,
    /// What went wrong: with whose program, or between them.
    pub(crate) failures: Vec<String>,
}

impl Results {
    /// The median of a figure; nothing where the program did not run.
    pub(crate) fn median(&self, language: Language, figure: &str) -> Option<f64> {
        self.medians.get(&language)?.get(figure).copied()
    }
}

/// Everything that the runs of one program printed, by name.
type Figures = BTreeMap<String, Vec<f64>>;

/// A case that has taken longer is not repeated again.
const LONG: Duration = Duration::from_secs(60);

/// Runs all programs so many times, each in turn, and says on standard error how it goes.
pub(crate) fn take_turns(programs: &[Program], case: &Case, times: u32) -> Results {
    let began = Instant::now();
    let mut runs = BTreeMap::<Language, Figures>::new();
    let mut failed = BTreeMap::new();
    for turn in 0..times {
        if turn > 0 && began.elapsed() > LONG {
            eprint!("{turn} instead of {times} runs: ");
            break;
        }
        for program in programs {
            let language = program.language;
            if !program.does(case) || failed.contains_key(&language) {
                continue;
            }
            match program.run(case) {
                Ok(figures) => {
                    let run = runs.entry(language).or_default();
                    for (name, value) in figures {
                        run.entry(name).or_default().push(value);
                    }
                }
                Err(error) => {
                    let name = language.name();
                    failed.insert(language, format!("{}: {name}: {error:#}", case.name()));
                }
            }
        }
    }
    let mut failures: Vec<String> = failed.into_values().collect();
    if let Err(error) = agree(&runs) {
        failures.push(format!("{}: {error:#}", case.name()));
    }
    let results = Results {
        case: case.name(),
        medians: runs
            .into_iter()
            .map(|(language, run)| (language, medians(run)))
            .collect(),
        failures,
    };
    eprintln!(
        "{}  ({:.1} s)",
        told(case, &results),
        began.elapsed().as_secs_f64()
    );
    for failure in &results.failures {
        eprintln!("error: {failure}");
    }
    results
}

/// The case's first row, in a line.
fn told(case: &Case, results: &Results) -> String {
    let figures = case.rows.first().map(|row| {
        Language::ALL.map(|language| match results.median(language, row.figure) {
            Some(value) => format!("{} {}", language.name(), row.unit.shown(value)),
            None => format!("{} -", language.name()),
        })
    });
    figures.unwrap_or_default().join(", ")
}

/// That all runs of all programs computed the same.
fn agree(runs: &BTreeMap<Language, Figures>) -> anyhow::Result<()> {
    let mut checks = runs.iter().flat_map(|(language, run)| {
        let checks = run.get(CHECK).into_iter().flatten();
        checks.map(move |check| (language.name(), *check))
    });
    let Some((first, expected)) = checks.next() else {
        return Ok(());
    };
    for (language, found) in checks {
        ensure!(
            found == expected,
            "the programs computed different results: {first} {expected}, {language} {found}"
        );
    }
    Ok(())
}

fn medians(run: Figures) -> BTreeMap<String, f64> {
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

/// Figures that a program printed, each on a line: its name and its value.
pub(crate) fn printed(text: &str) -> anyhow::Result<Vec<(String, f64)>> {
    text.lines()
        .map(|line| {
            let (name, value) = line
                .split_once(' ')
                .with_context(|| format!("it printed no figure: `{line}`"))?;
            let value = value
                .parse()
                .with_context(|| format!("it printed no number: `{line}`"))?;
            Ok((name.to_owned(), value))
        })
        .collect()
}
