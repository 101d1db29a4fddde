//! The command.

use std::path::PathBuf;

use pyo3::prelude::*;
use transputer_cli::{Surroundings, run};

/// Runs the command `transputer` with these arguments, of which the first is its name; its exit code.
#[pyfunction]
pub(crate) fn run_command(
    py: Python<'_>,
    arguments: Vec<String>,
    interpreter: Option<PathBuf>,
    path: Vec<PathBuf>,
    python: PathBuf,
) -> u8 {
    let mut surroundings = Surroundings::of_environment();
    // What the environment says comes first.
    let found = &mut surroundings.python;
    found.interpreter = found.interpreter.take().or(interpreter);
    found.path = path;
    surroundings.python_command = python;
    py.detach(|| run(arguments, &surroundings))
}
