//! The `transputer` command.

use std::process::ExitCode;

use clap::Parser as _;

mod arguments;
mod commands;
mod components;
mod exit;
mod guests;
mod line;
mod output;
mod printable;
mod progress;
mod running;
mod stderr;
mod tables;
mod terminal;

use arguments::{Cli, Command};
use exit::Exit;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.color.apply();
    let result = match cli.command {
        Command::Run(command) => command.run(),
        Command::Explore(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Build(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::New(command) => command.run(),
        Command::Completions(command) => command.run(),
    };
    let exit = result.unwrap_or_else(|error| {
        terminal::error(&error);
        Exit::of(&error)
    });
    stderr::flush();
    exit.into()
}
