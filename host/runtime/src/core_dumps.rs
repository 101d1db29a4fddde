//! Core dumps: what a process had in its memory, and where it was, when it trapped.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Serialize, Serializer};
use wasmtime::{Store, WasmCoreDump};

use crate::error::Error;
use crate::host::lock;
use crate::process::{Process, ProcessState};

/// The most characters of a process's name in that of a file.
const LONGEST_NAME: usize = 60;

/// Where core dumps of processes that trap are written, and how many.
///
/// A dump is what [the tools' conventions][spec] say: memories, globals, and the stack as functions and offsets, but
/// not the values of local variables. It holds whatever the process had in its memory, secrets too; only this user
/// may read it. The worker that ran the process writes it, and runs nobody else meanwhile.
///
/// [spec]: https://github.com/WebAssembly/tool-conventions/blob/main/Coredump.md
///
/// ```
/// use transputer::{CoreDumps, HostOptions};
///
/// let options = HostOptions::default().core_dumps(CoreDumps::to("dumps").max_files(3));
/// assert_eq!(options.core_dumps.map(|dumps| dumps.max_files), Some(3));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoreDumps {
    /// The folder, which is made if it isn't there.
    pub folder: PathBuf,
    /// How many are written, at most; 16 unless you say otherwise.
    pub max_files: u32,
    /// How many bytes one may have; 256 MiB unless you say otherwise. A larger one is not written.
    pub max_bytes: u64,
}

impl CoreDumps {
    /// Writes them into this folder.
    pub fn to(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            max_files: 16,
            max_bytes: 256 << 20,
        }
    }

    /// Sets how many are written, at most.
    #[must_use]
    pub fn max_files(mut self, files: u32) -> Self {
        self.max_files = files;
        self
    }

    /// Sets how many bytes one may have.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }
}

/// What became of the core dump of a process that trapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CoreDump {
    /// It is in this file.
    Written(#[serde(serialize_with = "as_text")] PathBuf),
    /// There is none, for this reason.
    NotWritten(String),
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Writes the core dumps of a host.
pub(crate) struct Dumper {
    options: CoreDumps,
    /// How many have been written. It is held while one is made, so that one is in memory at a time.
    written: Mutex<u32>,
}

impl Dumper {
    /// # Errors
    /// If there is no such folder, and none can be made.
    pub(crate) fn new(options: CoreDumps) -> Result<Self, Error> {
        make_folder(&options.folder, "the folder of core dumps")?;
        Ok(Self {
            options,
            written: Mutex::new(0),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.options.folder
    }

    /// Writes what an error has of a process that trapped; `None` if it has nothing.
    pub(crate) fn write(
        &self,
        store: &mut Store<ProcessState>,
        error: &wasmtime::Error,
    ) -> Option<CoreDump> {
        let dump = error.downcast_ref::<WasmCoreDump>()?;
        Some(match self.try_write(store, dump) {
            Ok(path) => CoreDump::Written(path),
            Err(why) => CoreDump::NotWritten(why),
        })
    }

    fn try_write(
        &self,
        store: &mut Store<ProcessState>,
        dump: &WasmCoreDump,
    ) -> Result<PathBuf, String> {
        let CoreDumps {
            folder,
            max_files,
            max_bytes,
        } = &self.options;
        let mut written = lock(&self.written);
        if *written >= *max_files {
            return Err(format!("{max_files} were written, which is the most"));
        }
        let memories = dump.memories().iter();
        let bytes: u64 = memories.map(|one| one.data_size(&*store) as u64).sum();
        if bytes > *max_bytes {
            return Err(format!(
                "the memory has {bytes} bytes, more than {max_bytes}"
            ));
        }
        let process = store.data().process.clone();
        let bytes = dump.serialize(&mut *store, process.spec.component.name());
        if bytes.len() as u64 > *max_bytes {
            return Err(format!(
                "it has {} bytes, more than {max_bytes}",
                bytes.len()
            ));
        }
        let path = folder.join(file_name(&process, "core.wasm"));
        create(&path)
            .and_then(|mut file| file.write_all(&bytes))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        *written += 1;
        Ok(path)
    }
}

/// Makes a folder for files about processes, unless it is there.
pub(crate) fn make_folder(folder: &Path, what: &str) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|error| Error::Setup {
        message: format!("{what}: {}: {error}", folder.display()),
    })
}

/// A file of this user alone, which is not there yet.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// A name for a file about a process: its own, as far as every system takes that in names, what tells it from those of
/// other programs and networks, and this ending.
pub(crate) fn file_name(process: &Process, ending: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    let plain = |c: char| match c.is_ascii_alphanumeric() || c == '-' {
        true => c,
        false => '_',
    };
    let name: String = process.name.chars().take(LONGEST_NAME).map(plain).collect();
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    format!("{name}.{}.{number}.{ending}", std::process::id())
}
