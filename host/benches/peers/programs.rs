//! Running the programs: ours, Go's and Erlang's.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use crate::case::{ASYNC, Case, Figures, TIME};
use crate::measure::{self, Language};
use crate::ours;

/// All programs of one language.
pub(crate) struct Program {
    pub(crate) language: Language,
    /// What is run: a program, or for Erlang the folder of the compiled modules. Nothing
    /// where the language is not installed.
    pub(crate) file: Option<PathBuf>,
    /// The command that runs our networks, for the case that measures its start.
    pub(crate) command: Option<PathBuf>,
}

impl Program {
    /// Whether it has a program for this case.
    pub(crate) fn does(&self, case: &Case) -> bool {
        self.file.is_some() && (self.language == Language::Ours || !case.only_ours)
    }

    /// What to do about a language that is not installed.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match (&self.file, self.language) {
            (None, Language::Go) => Some("Go is not installed; in Debian: apt install golang-go"),
            (None, Language::Erlang) => {
                Some("Erlang is not installed; in Debian: apt install erlang-base")
            }
            _ => None,
        }
    }

    /// Runs the program of a case once, and gives its figures by name.
    pub(crate) fn run(&self, case: &Case) -> anyhow::Result<Vec<(String, f64)>> {
        match case.figures {
            Figures::Printed => {
                let output = self.invocation(case)?.output()?;
                let complaint = String::from_utf8_lossy(&output.stderr);
                ensure!(
                    output.status.success(),
                    "{}: {}",
                    output.status,
                    complaint.trim()
                );
                measure::printed(&String::from_utf8(output.stdout)?)
            }
            Figures::FirstOutput => {
                // The first time warms the caches.
                first_output(self.invocation(case)?)?;
                let time = first_output(self.invocation(case)?)?;
                Ok(vec![(TIME.to_owned(), time)])
            }
        }
    }

    fn invocation(&self, case: &Case) -> anyhow::Result<Command> {
        let file = self.file.as_deref().context("it is not installed")?;
        let mut invocation = match self.language {
            Language::Ours if case.figures == Figures::FirstOutput => return self.hello(),
            Language::Ours => {
                let mut ours = Command::new(file);
                ours.arg("--ours");
                ours
            }
            Language::Go => Command::new(file),
            Language::Erlang => {
                let mut erl = Command::new("erl");
                erl.args(["+P", "1000000", "-noshell", "-pa"]).arg(file);
                erl.args(["-run", "peers", "main"]);
                erl
            }
        };
        match (self.language, case.asynchronous) {
            (Language::Ours, true) => invocation.arg(format!("{}{ASYNC}", case.program)),
            _ => invocation.arg(case.program),
        };
        invocation.args(case.arguments.iter().map(u64::to_string));
        Ok(invocation)
    }

    /// The command with a network of one process.
    fn hello(&self) -> anyhow::Result<Command> {
        let Some(file) = &self.command else {
            bail!("the command is not built");
        };
        let mut command = Command::new(file);
        command.args(["run", "--quiet", "--no-build"]);
        command.arg(ours::repository().join("examples/hello"));
        Ok(command)
    }
}

/// Nanoseconds from the start of a command to the first byte that it prints.
fn first_output(mut command: Command) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut output = child.stdout.take().context("it has no output")?;
    let mut first = [0];
    let read = output.read(&mut first)?;
    let elapsed = start.elapsed();
    output.read_to_end(&mut Vec::new())?;
    let status = child.wait()?;
    ensure!(
        status.success() && read == 1,
        "it printed nothing: {status}"
    );
    Ok(elapsed.as_nanos() as f64)
}
