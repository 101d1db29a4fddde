//! Where modules of Python are found.

use std::fs;
use std::path::{Path, PathBuf};

use super::{PythonModule, fault};
use crate::error::Error;
use transputer_network::files;

/// A Python file as network files name it: `double.py`, or `app.py:double` for one of several processes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonFile {
    /// The file.
    pub file: PathBuf,
    /// The process, if it is named.
    pub process: Option<String>,
}

impl PythonFile {
    /// What a path stands for, if that is a Python file. The file need not exist.
    ///
    /// ```
    /// use transputer::PythonFile;
    ///
    /// let file = PythonFile::of("plugins/app.py:double".as_ref()).expect("a Python file");
    /// assert_eq!(file.process.as_deref(), Some("double"));
    /// assert!(PythonFile::of("double.wasm".as_ref()).is_none());
    /// ```
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if name.ends_with(".py") {
            return Some(Self {
                file: path.to_owned(),
                process: None,
            });
        }
        let (file, process) = name.rsplit_once(':')?;
        file.ends_with(".py").then(|| Self {
            file: path.with_file_name(file),
            process: Some(process.to_owned()),
        })
    }

    /// As errors name it.
    pub(super) fn name(&self) -> String {
        match &self.process {
            Some(process) => format!("{}:{process}", self.file.display()),
            None => self.file.display().to_string(),
        }
    }

    /// The module that it is.
    pub(crate) fn module(&self) -> Result<PythonModule, Error> {
        let stem = self.file.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.filter(|stem| is_identifier(stem)).ok_or_else(|| {
            let text = "not the name of a Python module, such as `shout.py`";
            fault(&self.name(), text.to_owned())
        })?;
        let file = fs::canonicalize(&self.file).map_err(|source| Error::Read {
            path: self.file.clone(),
            source,
        })?;
        Ok(PythonModule {
            process: self.process.clone(),
            ..PythonModule::new(stem, file.parent().unwrap_or(Path::new(".")))
        })
    }
}

/// Where the modules of a program are found.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The program's own folder comes first.
    pub(super) folders: Vec<PathBuf>,
    /// A module that is not what its file holds.
    given: Option<(String, String, Vec<u8>)>,
}

/// What there is by a module's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The file or folder; none for the module that was given.
    pub(super) path: Option<PathBuf>,
    /// What tracebacks call it.
    pub(super) label: String,
    pub(super) is_package: bool,
    /// Whether it is in the program's own folder.
    pub(super) is_own: bool,
    pub(super) is_native: bool,
    pub(super) source: Vec<u8>,
}

/// How deep packages nest, at most.
const DEEPEST: usize = 32;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 16 << 20;

impl Lookup {
    pub(super) fn new(module: &PythonModule, path: &[PathBuf]) -> Self {
        let mut folders = vec![module.root.clone()];
        for folder in path {
            if !folders.contains(folder) {
                folders.push(folder.clone());
            }
        }
        let given = module.source.clone();
        Self {
            folders,
            given: given.map(|(label, source)| (module.module.clone(), label, source)),
        }
    }

    /// What an import of this name finds, as Python's own search does: the first folder that has it.
    pub(super) fn find(&self, name: &str) -> Option<Found> {
        if let Some((module, label, source)) = &self.given
            && module == name
        {
            return Some(Found {
                label: label.clone(),
                is_own: true,
                source: source.clone(),
                ..Found::default()
            });
        }
        let parts: Vec<&str> = name.split('.').collect();
        // Names come from a sandbox: nothing else may become part of a path.
        if parts.len() > DEEPEST || !parts.iter().all(|part| is_identifier(part)) {
            return None;
        }
        let mut namespace = None;
        for (index, folder) in self.folders.iter().enumerate() {
            let found = find_in(folder, &parts);
            let Some(found) = found.map(|found| Found {
                is_own: index == 0,
                ..found
            }) else {
                continue;
            };
            // A folder that is not a package counts only where there is nothing else.
            if found.is_package && found.label.is_empty() {
                namespace = namespace.or(Some(found));
            } else {
                return Some(found);
            }
        }
        namespace
    }
}

fn find_in(folder: &Path, parts: &[&str]) -> Option<Found> {
    let mut base = folder.to_owned();
    base.extend(parts);
    let label = |path: &Path| {
        let path = path.strip_prefix(folder).unwrap_or(path);
        path.display().to_string()
    };
    let package = base.join("__init__.py");
    let module = base.with_extension("py");
    for (path, is_package) in [(package, true), (module, false)] {
        if let Some(source) = read(&path) {
            return Some(Found {
                label: label(&path),
                path: Some(path),
                is_package,
                source,
                ..Found::default()
            });
        }
    }
    if let Some(path) = native(&base) {
        return Some(Found {
            label: label(&path),
            path: Some(path),
            is_native: true,
            ..Found::default()
        });
    }
    base.is_dir().then(|| Found {
        path: Some(base),
        is_package: true,
        ..Found::default()
    })
}

/// A file's contents, if it is one, and not too long.
fn read(path: &Path) -> Option<Vec<u8>> {
    let is_file = path.is_file();
    is_file.then(|| files::read(path, LONGEST).ok()).flatten()
}

/// A module of machine code: `name.so`, or with the tag of a version of Python between.
fn native(base: &Path) -> Option<PathBuf> {
    let name = base.file_name()?.to_str()?;
    let files = fs::read_dir(base.parent()?).ok()?;
    let mut paths = files.filter_map(Result::ok).map(|entry| entry.path());
    paths.find(|path| {
        let file = path.file_name().and_then(|file| file.to_str());
        let rest = file.and_then(|file| file.strip_prefix(name));
        rest.is_some_and(|rest| {
            rest.starts_with('.') && (rest.ends_with(".so") || rest.ends_with(".pyd"))
        })
    })
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_as_python_finds_them() {
        let root = tempfile::tempdir().expect("a folder");
        let other = tempfile::tempdir().expect("a folder");
        let write = |folder: &Path, file: &str| {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().expect("it has one")).expect("there is room");
            fs::write(
                &file,
                file.file_name().expect("it has one").as_encoded_bytes(),
            )
            .expect("there is room");
        };
        write(root.path(), "one.py");
        write(root.path(), "shared/text.txt");
        write(other.path(), "one.py");
        write(other.path(), "shared/__init__.py");
        write(other.path(), "shared/inner.py");
        write(other.path(), "quick.cpython-311-x86_64-linux-gnu.so");
        let module = PythonModule::new("one", root.path());
        let lookup = Lookup::new(&module, &[other.path().to_owned()]);
        let found = |name: &str| lookup.find(name).map(|found| (found.label, found.is_own));
        assert_eq!(found("one"), Some(("one.py".to_owned(), true)));
        assert_eq!(
            found("shared"),
            Some(("shared/__init__.py".to_owned(), false))
        );
        assert_eq!(
            found("shared.inner"),
            Some(("shared/inner.py".to_owned(), false))
        );
        assert!(lookup.find("quick").is_some_and(|found| found.is_native));
        for nothing in ["two", "shared.none", "..one", "shared/inner", "", "one."] {
            assert_eq!(lookup.find(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_module_that_is_given_comes_before_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("app.py"), "file").expect("there is room");
        let module = PythonModule {
            source: Some(("app.py".to_owned(), b"given".to_vec())),
            ..PythonModule::new("app", folder.path())
        };
        let found = Lookup::new(&module, &[]).find("app").expect("it is given");
        assert_eq!(found.source, b"given");
    }
}
