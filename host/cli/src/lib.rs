//! The `transputer` command as a library, for packages that bring it along: the Python package does.
//!
//! ```no_run
//! use transputer_cli::{Surroundings, run};
//!
//! let code = run(["transputer", "check", "examples/sieve"], &Surroundings::of_environment());
//! assert_eq!(code, 0);
//! ```

#![deny(missing_docs)]

use std::ffi::OsString;

use clap::Parser as _;

mod address_space;
mod arguments;
mod cluster;
mod commands;
mod components;
mod exit;
mod guests;
mod line;
mod logs;
mod otlp;
mod output;
mod packs;
mod pictures;
mod printable;
mod progress;
mod registry;
mod running;
mod sdk;
mod single;
mod stderr;
mod surroundings;
mod tables;
mod terminal;
mod watching;

use arguments::{Cli, Command};
use exit::Exit;
pub use surroundings::Surroundings;

/// Runs the command with these arguments, of which the first is the program's name, and returns its exit code.
///
/// It belongs to the whole program while it runs: it handles signals, reads standard input, and writes to standard
/// output and standard error. Wrong arguments, `--help` and `--version` are printed, too. A second signal ends the
/// program at once.
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    surroundings: &Surroundings,
) -> u8 {
    address_space::spare();
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && arguments::want_json(&arguments) => {
            stderr::only_json();
            terminal::error(&anyhow::anyhow!(error.to_string()));
            stderr::flush();
            return Exit::BadInput.code();
        }
        Err(error) => {
            // Nobody is left to tell that it cannot be printed.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(Exit::BadInput.code());
        }
    };
    cli.color.apply();
    if let Command::Run(run) = &cli.command
        && run.is_json()
    {
        stderr::only_json();
    }
    logs::subscribe();
    let result = match cli.command {
        Command::Run(command) => command.run(surroundings),
        Command::Explore(command) => command.run(surroundings),
        Command::Check(command) => command.run(surroundings),
        Command::Graph(command) => command.run(surroundings),
        Command::Build(command) => command.run(surroundings),
        Command::Inspect(command) => command.run(surroundings),
        Command::Test(command) => command.run(surroundings),
        #[cfg(unix)]
        Command::Top(command) => command.run(),
        #[cfg(unix)]
        Command::Ps(command) => command.run(),
        Command::New(command) => command.run(),
        Command::Pack(command) => command.run(surroundings),
        Command::Push(command) => command.run(surroundings),
        Command::Pull(command) => command.run(),
        Command::Cluster(command) => command.run(surroundings),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    let exit = result.unwrap_or_else(|error| {
        terminal::error(&error);
        Exit::of(&error)
    });
    stderr::flush();
    exit.code()
}
