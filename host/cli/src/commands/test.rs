//! `transputer test`: a network against the outputs that are expected of it.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use clap::Args;
use transputer::validation::ArgumentOverride;
use transputer::{Host, TestNetwork, TestOutput};

use super::chosen::Chosen;
use crate::exit::{BadInput, Exit};
use crate::line::Line;
use crate::output;
use crate::surroundings::Surroundings;

const EXAMPLES: &str = "\
Examples:
  transputer test hello              every case in the folder hello/tests
  transputer test hello polite       those whose name has `polite` in it
  transputer test hello --update     write down what the network says now
  transputer test hello --seed 7     one schedule, the same each time, in virtual time

A case is made of files of one name in the folder `tests`, beside the network's file:
  NAME.out    the standard output that is expected
  NAME.in     its standard input, if it is to have one
  NAME.args   arguments, one a line, as `--arg` takes them
  NAME.exit   the exit code that is expected, as `run` has it, if that is not 0

The exit code is 1 if a case fails. For tests of a single process, see `cargo test`: the
network that `transputer new` makes has one of each.";

/// Run a network's test cases: inputs, and the outputs expected of them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Test {
    #[command(flatten)]
    network: Chosen,

    /// Only cases whose name contains this
    filter: Option<String>,

    /// Write what the network says now to the files of expected outputs
    #[arg(long)]
    update: bool,

    /// Run one schedule, decided by this number alone, in virtual time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Stop a case that takes longer, which fails it
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// A case: its files, by their name without an extension.
#[derive(Debug)]
struct Case {
    name: String,
    folder: PathBuf,
}

/// What a case has come to.
enum Outcome {
    Passed,
    Updated,
    Failed(Line),
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Lines of the log that are shown of a case that failed.
const LOG_SHOWN: usize = 20;

impl Test {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let chosen = self.network.prepare(&[], surroundings)?;
        let folder = chosen.description.base.join("tests");
        let cases = self.cases(&folder)?;
        let options = self.network.host_options(surroundings);
        let host = Host::new(options.seed(self.seed))?;
        let components = chosen.components(&host)?;
        let network = TestNetwork::new(&host, chosen.description, components);
        let mut failed = 0;
        for case in &cases {
            let outcome = self.outcome(case, &network)?;
            let (word, style) = match &outcome {
                Outcome::Passed => ("ok", GOOD),
                Outcome::Updated => ("updated", GOOD),
                Outcome::Failed(_) => ("FAILED", BAD),
            };
            if !self.network.quiet || style == BAD {
                let line = Line::new().text("test ").name(&case.name).text(" ... ");
                output::line(&line.styled(style, word))?;
            }
            if let Outcome::Failed(why) = outcome {
                failed += 1;
                output::line(&why)?;
            }
        }
        let passed = cases.len() - failed;
        if !self.network.quiet || failed > 0 {
            let text = format_args!("{passed} passed, {failed} failed");
            output::line(&Line::new().text(text))?;
        }
        Ok(match failed {
            0 => Exit::Success,
            _ => Exit::ProcessFailed,
        })
    }

    /// The cases in a folder, by their names.
    fn cases(&self, folder: &Path) -> anyhow::Result<Vec<Case>> {
        let entries = std::fs::read_dir(folder).map_err(|error| {
            let hint = "put a case into it: NAME.out with the output that is expected, and NAME.in \
                        with an input";
            BadInput::new(format!(
                "no tests: cannot read {}: {error}; {hint}",
                folder.display()
            ))
        })?;
        let mut names = std::collections::BTreeSet::new();
        for entry in entries {
            let path = entry.context("cannot read the folder of tests")?.path();
            let kind = path.extension().and_then(|extension| extension.to_str());
            // With --update, an input alone becomes a case.
            if kind == Some("out") || (self.update && kind == Some("in")) {
                let name = path.file_stem().unwrap_or_default();
                names.insert(name.to_string_lossy().into_owned());
            }
        }
        let wanted = |name: &String| self.filter.as_ref().is_none_or(|it| name.contains(it));
        let found = names.into_iter().filter(wanted);
        let cases: Vec<Case> = found
            .map(|name| Case {
                name,
                folder: folder.to_owned(),
            })
            .collect();
        if cases.is_empty() {
            let text = match &self.filter {
                Some(filter) => {
                    format!("no test in {} has `{filter}` in its name", folder.display())
                }
                None => format!("there is no test in {}: no file NAME.out", folder.display()),
            };
            return Err(BadInput::new(text).into());
        }
        Ok(cases)
    }

    fn outcome(&self, case: &Case, network: &TestNetwork) -> anyhow::Result<Outcome> {
        let mut run = network.run().timeout(self.timeout);
        for argument in &self.network.arguments {
            run = run.argument(argument.clone());
        }
        for argument in case.arguments()? {
            run = run.argument(argument);
        }
        let ran = run
            .input(case.read("in")?.unwrap_or_default())
            .start()?
            .finish()?;
        let expected_exit = case.expected_exit()?;
        let exit = Exit::of_verdict(ran.report.verdict()).code();
        let expected = case.read("out")?.unwrap_or_default();
        if exit != expected_exit {
            let text = format!("the exit code is {exit}, expected {expected_exit}");
            return Ok(Outcome::Failed(explained(&text, &ran)));
        }
        if ran.output == expected {
            return Ok(Outcome::Passed);
        }
        if self.update {
            let file = case.file("out");
            std::fs::write(&file, &ran.output)
                .with_context(|| format!("cannot write {}", file.display()))?;
            return Ok(Outcome::Updated);
        }
        let text = difference(&expected, &ran.output);
        Ok(Outcome::Failed(explained(&text, &ran)))
    }
}

impl Case {
    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }

    /// What is in one of its files, if that is there.
    fn read(&self, extension: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let file = self.file(extension);
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    fn text(&self, extension: &str) -> anyhow::Result<String> {
        let bytes = self.read(extension)?.unwrap_or_default();
        String::from_utf8(bytes).map_err(|_| {
            let file = self.file(extension);
            BadInput::new(format!("{} is not UTF-8", file.display())).into()
        })
    }

    fn arguments(&self) -> anyhow::Result<Vec<ArgumentOverride>> {
        let text = self.text("args")?;
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(number, line)| {
                ArgumentOverride::from_str(line.trim()).map_err(|error| {
                    let file = self.file("args");
                    let place = format!("{}:{}", file.display(), number + 1);
                    BadInput::new(format!("{place}: {error}")).into()
                })
            })
            .collect()
    }

    fn expected_exit(&self) -> anyhow::Result<u8> {
        let text = self.text("exit")?;
        match text.trim() {
            "" => Ok(0),
            code => code.parse().map_err(|_| {
                let file = self.file("exit");
                let text = format!("{}: `{code}` is not an exit code", file.display());
                BadInput::new(text).into()
            }),
        }
    }
}

/// Where the output is another than the one that is expected: the first line.
fn difference(expected: &[u8], found: &[u8]) -> String {
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split_inclusive('\n').map(str::to_owned).collect()
    };
    let (expected, found) = (lines(expected), lines(found));
    let differs = |index: &usize| expected.get(*index) != found.get(*index);
    let longest = expected.len().max(found.len());
    let index = (0..longest).find(differs).unwrap_or_default();
    let line = |lines: &[String]| match lines.get(index) {
        Some(line) => format!("{line:?}"),
        None => "the end".to_owned(),
    };
    format!(
        "line {} of the output:\n  expected {}\n  found    {}",
        index + 1,
        line(&expected),
        line(&found)
    )
}

/// Why a case failed, with what its processes have said.
fn explained(text: &str, ran: &TestOutput) -> Line {
    let mut line = Line::new().laid_out(text);
    for failure in ran.report.failures.iter().take(LOG_SHOWN) {
        let text = format!("`{}` {}", failure.name, failure.outcome);
        line = line.next().text("  ").name(text);
    }
    for (process, level, text) in ran.log.iter().take(LOG_SHOWN) {
        line = line
            .next()
            .text("  ")
            .name(format_args!("{level} {process}: {text}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        let shown = |expected: &str, found: &str| difference(expected.as_bytes(), found.as_bytes());
        assert_eq!(
            shown("a\nb\n", "a\nc\n"),
            "line 2 of the output:\n  expected \"b\\n\"\n  found    \"c\\n\""
        );
        assert_eq!(
            shown("a\n", "a\nb"),
            "line 2 of the output:\n  expected the end\n  found    \"b\""
        );
        assert_eq!(
            shown("a\n", "a"),
            "line 1 of the output:\n  expected \"a\\n\"\n  found    \"a\""
        );
    }
}
