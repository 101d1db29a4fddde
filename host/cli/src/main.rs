//! The `transputer` command.

use std::process::ExitCode;

use transputer_cli::{Surroundings, run};

fn main() -> ExitCode {
    run(std::env::args_os(), &Surroundings::of_environment()).into()
}
