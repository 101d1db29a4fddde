//! Components in Python: programs for one component that all of them share, the interpreter.
//!
//! A program is made of a file by the interpreter itself, as a process in a sandbox (`prepare`): it imports the
//! file, asks the host for the modules that this imports (`lookup`), and answers with the program and its
//! signature. Both are kept beside compiled code (`kept`), until one of the files is another.

mod kept;
mod lookup;
mod prepare;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{ComponentFault, Error};
use crate::options::{CacheFolder, HostOptions};
use transputer_network::signature::Signature;

pub use lookup::PythonFile;

/// Where what Python processes need is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonOptions {
    /// The interpreter's component, `python.wasm`, which the Python package `transputer` brings along. Without
    /// one, Python files cannot be run.
    pub interpreter: Option<PathBuf>,
    /// Folders in which modules are looked for, after the folder of the file that imports them. Whatever
    /// Python modules are in them can be read by every process in Python.
    pub path: Vec<PathBuf>,
}

/// A module of Python, one of whose processes is to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PythonModule {
    /// Its name, by which it would be imported.
    pub module: String,
    /// Which process of its; the only one if none is named.
    pub process: Option<String>,
    /// Its text, and what tracebacks call its file, where that is not what the file holds.
    pub source: Option<(String, Vec<u8>)>,
    /// The folder in which it lies; relative to this, tracebacks name files.
    pub root: PathBuf,
}

impl PythonModule {
    /// A module in a folder.
    pub fn new(module: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        Self {
            module: module.into(),
            process: None,
            source: None,
            root: root.into(),
        }
    }
}

/// A program as it is handed to the interpreter, with what the host must know of it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) signature: Signature,
    pub(crate) code: Arc<[u8]>,
    /// The files that it was made of.
    pub(crate) sources: Arc<[PathBuf]>,
}

impl Program {
    /// What a process of it is handed: an array of the program and its own arguments.
    pub(crate) fn with_arguments(&self, arguments: &[u8]) -> Vec<u8> {
        let mut handed = Vec::with_capacity(self.code.len() + arguments.len() + 16);
        let mut encoder = minicbor::Encoder::new(&mut handed);
        // A vector takes everything.
        let _ = encoder.array(2).and_then(|it| it.bytes(&self.code));
        handed.extend_from_slice(arguments);
        handed
    }
}

/// What a Python file says of itself, without a host of the caller's: kept from when it was last
/// prepared, if nothing has changed since.
///
/// # Errors
/// As [`Host::component`](crate::Host::component).
pub fn signature(options: &HostOptions, file: &PythonFile) -> Result<Signature, Error> {
    let maker = Maker::new(options);
    Ok(maker.program(&file.module()?, &file.name())?.signature)
}

/// Makes programs of modules.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    options: PythonOptions,
    cache: CacheFolder,
}

impl Maker {
    pub(crate) fn new(options: &HostOptions) -> Self {
        Self {
            options: options.python.clone(),
            cache: options.cache.clone(),
        }
    }

    pub(crate) fn options(&self) -> &PythonOptions {
        &self.options
    }

    /// The interpreter's file.
    pub(crate) fn interpreter(&self, name: &str) -> Result<&Path, Error> {
        let found = self.options.interpreter.as_deref();
        found.ok_or_else(|| fault(name, NO_INTERPRETER.to_owned()))
    }

    /// The program of a module, kept or made now; `name` stands for it in errors.
    pub(crate) fn program(&self, module: &PythonModule, name: &str) -> Result<Program, Error> {
        let interpreter = self.interpreter(name)?;
        let lookup = lookup::Lookup::new(module, &self.options.path);
        let key = kept::Key::of(module, &lookup, interpreter);
        let kept = self.cache.path().zip(key);
        if let Some((folder, key)) = &kept
            && let Some(program) = kept::read(folder, key, &lookup)
        {
            return Ok(program);
        }
        let made = prepare::prepare(&self.cache, interpreter, module, lookup, name)?;
        if let Some((folder, key)) = &kept {
            kept::keep(folder, key, &made);
        }
        Ok(made.program)
    }
}

const NO_INTERPRETER: &str = "a process in Python needs the interpreter's component, `python.wasm`: `pip install \
     transputer` brings it, with a command of its own; or name the file in the variable TRANSPUTER_PYTHON";

fn fault(name: &str, text: String) -> Error {
    Error::Component {
        component: name.to_owned(),
        fault: ComponentFault::Python(text),
    }
}
