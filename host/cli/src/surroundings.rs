//! What the command finds around it.

use std::ffi::OsString;
use std::path::PathBuf;

use transputer::PythonOptions;

/// What the command finds around it, which whoever brings it along knows best.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Surroundings {
    /// Where processes in Python find what they need.
    pub python: PythonOptions,
    /// The Python that has the package `transputer`, which makes components of Python files.
    pub python_command: PathBuf,
}

impl Surroundings {
    /// As the environment has it: `TRANSPUTER_PYTHON` names the interpreter's component, `PYTHONPATH` folders with
    /// modules, and `python3` is on the path.
    pub fn of_environment() -> Self {
        let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let mut python = PythonOptions::default();
        python.interpreter = set("TRANSPUTER_PYTHON").map(PathBuf::from);
        if let Some(path) = set("PYTHONPATH") {
            python.path = std::env::split_paths(&path).collect();
        }
        Self {
            python,
            python_command: PathBuf::from("python3"),
        }
    }
}
