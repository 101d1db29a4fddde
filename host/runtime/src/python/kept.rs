//! Programs, kept between runs.
//!
//! A program is used again while each name that it has asked for still finds what it found then. A file that is
//! damaged, or that another user could have written, counts as none; what runs of it runs in a sandbox only.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lookup::{Found, Lookup};
use super::prepare::Made;
use super::{Program, PythonModule};
use crate::code_cache::only_ours;
use transputer_network::files;
use transputer_network::signature::Signature;

/// Increment it when the format changes, or what is made of the same module.
const FORMAT: u32 = 1;

/// The folder in that of compiled code.
const FOLDER: &str = "python";

/// The largest program that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// How many programs are kept.
const MOST: usize = 500;

/// What a program was made of, by which, apart from the modules that it asked for.
pub(super) struct Key(blake3::Hash);

impl Key {
    /// `None` if there is no interpreter.
    pub(super) fn of(module: &PythonModule, lookup: &Lookup, interpreter: &Path) -> Option<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        };
        add(&FORMAT.to_le_bytes());
        add(env!("CARGO_PKG_VERSION").as_bytes());
        add(module.module.as_bytes());
        add(module.process.as_deref().unwrap_or_default().as_bytes());
        if let Some((label, source)) = &module.source {
            add(label.as_bytes());
            add(source);
        }
        for folder in &lookup.folders {
            add(folder.as_os_str().as_encoded_bytes());
        }
        add(&stamp(interpreter)?);
        Some(Self(hasher.finalize()))
    }
}

/// Tells an interpreter from another, without reading its 20 MB.
fn stamp(interpreter: &Path) -> Option<Vec<u8>> {
    let found = fs::metadata(interpreter).ok()?;
    let modified = found.modified().ok()?;
    Some(format!("{}:{:?}:{modified:?}", interpreter.display(), found.len()).into_bytes())
}

/// What a name has found.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    path: Option<PathBuf>,
    is_native: bool,
    digest: Option<String>,
}

impl Answer {
    /// `digest` is that of the source.
    fn new(found: &Found, digest: &[u8]) -> Self {
        let digest: Option<[u8; 32]> = digest.try_into().ok();
        Self {
            path: found.path.clone(),
            is_native: found.is_native,
            digest: digest.map(|digest| blake3::Hash::from(digest).to_hex().to_string()),
        }
    }
}

/// The beginning of a file, in JSON; the program follows.
#[derive(Serialize, Deserialize)]
struct Head {
    key: String,
    digest: String,
    signature: String,
    sources: Vec<PathBuf>,
    answers: BTreeMap<String, Option<Answer>>,
}

fn path(folder: &Path, key: &Key) -> PathBuf {
    folder
        .join(FOLDER)
        .join(format!("{}.program", key.0.to_hex()))
}

/// The program that was kept, if what it was made of is the same now.
pub(super) fn read(folder: &Path, key: &Key, lookup: &Lookup) -> Option<Program> {
    let path = path(folder, key);
    only_ours(&fs::metadata(&path).ok()?).ok()?;
    let file = files::read(&path, LARGEST).ok()?;
    let end = file.iter().position(|&byte| byte == b'\n')?;
    let head: Head = serde_json::from_slice(&file[..end]).ok()?;
    let code = &file[end + 1..];
    let is_whole =
        head.key == key.0.to_hex().as_str() && head.digest == blake3::hash(code).to_hex().as_str();
    let is_fresh = head.answers.iter().all(|(name, answer)| {
        let found = lookup.find(name);
        let now = found.map(|found| Answer::new(&found, blake3::hash(&found.source).as_bytes()));
        now == *answer
    });
    let signature = Signature::from_json(&head.signature).ok()?;
    (is_whole && is_fresh).then(|| Program {
        signature,
        code: Arc::from(code),
        sources: head.sources.into(),
    })
}

/// Keeps a program. If that cannot be done, it is made again next time.
pub(super) fn keep(folder: &Path, key: &Key, made: &Made) {
    if let Err(error) = write(folder, key, made) {
        tracing::warn!("{}: {error}", folder.display());
    }
}

fn write(folder: &Path, key: &Key, made: &Made) -> std::io::Result<()> {
    let path = path(folder, key);
    let folder = folder.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let answers = made.answers.iter().map(|(name, found)| {
        let answer = found
            .as_ref()
            .map(|found| Answer::new(found, &found.source));
        (name.clone(), answer)
    });
    let head = Head {
        key: key.0.to_hex().to_string(),
        digest: blake3::hash(&made.program.code).to_hex().to_string(),
        signature: made.signature.clone(),
        sources: made.program.sources.to_vec(),
        answers: answers.collect(),
    };
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    serde_json::to_writer(&mut file, &head)?;
    file.write_all(b"\n")?;
    file.write_all(&made.program.code)?;
    file.persist(path)?;
    tidy(&folder)
}

/// Removes those that have not been made for longest, if there are too many.
fn tidy(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.filter_map(Result::ok) {
        if let Ok(modified) = entry.metadata().and_then(|found| found.modified()) {
            files.push((modified, entry.path()));
        }
    }
    files.sort();
    for (_, path) in files.iter().rev().skip(MOST) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}
