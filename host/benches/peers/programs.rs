//! The programs to compare: ours, Go's and Erlang's.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::cases::{Case, Figures, TIME};
use crate::ours;

/// All programs of one language.
pub(crate) struct Program {
    language: Language,
    /// What is run; nothing where the language is not installed.
    file: Option<PathBuf>,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Language {
    Ours,
    Go,
    Erlang,
}

impl Program {
    /// Ours, Go's and Erlang's, built.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        ours::check_guests()?;
        let built = profile_folder()?.join("bench-peers");
        std::fs::create_dir_all(&built)?;
        Ok(vec![
            Self {
                language: Language::Ours,
                file: Some(std::env::current_exe()?),
            },
            Self {
                language: Language::Go,
                file: go(&built)?,
            },
            Self {
                language: Language::Erlang,
                file: erlang(&built)?,
            },
        ])
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.language {
            Language::Ours => "Transputer",
            Language::Go => "Go",
            Language::Erlang => "Erlang",
        }
    }

    /// Whether the language is installed.
    pub(crate) fn is_there(&self) -> bool {
        self.file.is_some()
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
                let output = self.command(case)?.output()?;
                let complaint = String::from_utf8_lossy(&output.stderr);
                ensure!(output.status.success(), "{}: {complaint}", output.status);
                figures(&String::from_utf8(output.stdout)?)
            }
            Figures::FirstOutput => {
                // The first time warms the caches.
                first_output(self.command(case)?)?;
                Ok(vec![(TIME.to_owned(), first_output(self.command(case)?)?)])
            }
        }
    }

    fn command(&self, case: &Case) -> anyhow::Result<Command> {
        let file = self.file.as_deref().context("it is not installed")?;
        let mut command = match self.language {
            Language::Ours if case.figures == Figures::FirstOutput => return start_command(),
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
        command.arg(case.program);
        command.args(case.arguments.iter().map(u64::to_string));
        Ok(command)
    }
}

/// The command with a network of one process.
fn start_command() -> anyhow::Result<Command> {
    let file = profile_folder()?.join("transputer");
    ensure!(
        file.is_file(),
        "the command is not built with the bench's profile: run \
         `cargo build --release --package transputer-cli`"
    );
    let mut command = Command::new(file);
    command.args(["run", "--quiet", "--no-build"]);
    command.arg(ours::repository().join("examples/hello"));
    Ok(command)
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

/// Figures that a program printed, each on a line: its name and its value.
fn figures(text: &str) -> anyhow::Result<Vec<(String, f64)>> {
    text.lines()
        .map(|line| {
            let (name, value) = line
                .split_once(' ')
                .with_context(|| format!("no figure: `{line}`"))?;
            Ok((name.to_owned(), value.parse()?))
        })
        .collect()
}

/// Where cargo puts what it builds with the bench's profile.
fn profile_folder() -> anyhow::Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let folder = bench.parent().and_then(Path::parent);
    Ok(folder.context("the bench lies in no folder")?.to_owned())
}

fn go(built: &Path) -> anyhow::Result<Option<PathBuf>> {
    let file = built.join("go");
    let mut build = Command::new("go");
    build.current_dir(source("go")).args(["build", "-o"]);
    build.arg(&file).arg(".");
    Ok(compiled(build)?.then_some(file))
}

fn erlang(built: &Path) -> anyhow::Result<Option<PathBuf>> {
    let folder = built.join("erlang");
    std::fs::create_dir_all(&folder)?;
    let mut build = Command::new("erlc");
    build.arg("-o").arg(&folder);
    for entry in std::fs::read_dir(source("erlang"))? {
        build.arg(entry?.path());
    }
    Ok(compiled(build)?.then_some(folder))
}

fn source(language: &str) -> PathBuf {
    ours::repository().join("host/benches/peers").join(language)
}

/// Runs a compiler; `false` if it is not installed.
fn compiled(mut compiler: Command) -> anyhow::Result<bool> {
    match compiler.status() {
        Ok(status) => {
            ensure!(status.success(), "{compiler:?}: {status}");
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{compiler:?}")),
    }
}
