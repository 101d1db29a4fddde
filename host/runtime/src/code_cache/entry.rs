//! A file of the cache: a header, then the code.
//!
//! | Bytes | What |
//! |---|---|
//! | 8 | `tp-code` and a line feed |
//! | 4 | the version of this format |
//! | 32 | the key: what was compiled, by what, for what |
//! | 8 | the length of the code |
//! | 32 | the digest of the code |
//!
//! Numbers are little-endian, digests BLAKE3. All of the header follows from the key and the code,
//! so that one comparison checks every bit of the file.

use std::hash::{Hash as _, Hasher};

use wasmtime::Engine;

use super::code::Code;

const MAGIC: [u8; 8] = *b"tp-code\n";

/// To be raised when the form of the file changes, or what is compiled for the same key.
const FORMAT: u32 = 1;

pub(super) const HEADER: usize = 8 + 4 + 32 + 8 + 32;

/// What is compiled, by what it comes from: a component, and what was made of it first.
pub(crate) struct Origin(blake3::Hash);

impl Origin {
    /// These bytes, as they are.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }

    /// What a rewriting, known by its digest, makes of them.
    pub(crate) fn rewritten(&self, rewriting: &blake3::Hash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes());
        hasher.update(rewriting.as_bytes());
        Self(hasher.finalize())
    }
}

/// What the code was compiled from: the component, what was made of it, the compiler with its
/// settings and the processor's features, this crate.
pub(super) struct Key(blake3::Hash);

impl Key {
    pub(super) fn of<C: Code>(engine: &Engine, origin: &Origin) -> Self {
        let mut hashing = Hashing(blake3::Hasher::new());
        hashing.write_u8(C::KIND);
        hashing.write_u32(FORMAT);
        env!("CARGO_PKG_VERSION").hash(&mut hashing);
        hashing.write(origin.0.as_bytes());
        engine.precompile_compatibility_hash().hash(&mut hashing);
        Self(hashing.0.finalize())
    }

    pub(super) fn file_name(&self) -> String {
        format!("{}{EXTENSION}", self.0.to_hex())
    }
}

const EXTENSION: &str = ".code";

/// Whether a file of this name is one of the cache's.
pub(super) fn is_file_name(name: &str) -> bool {
    let key = name.strip_suffix(EXTENSION).map(blake3::Hash::from_hex);
    matches!(key, Some(Ok(_)))
}

/// Has what can only be hashed by a `Hasher` go into a key.
struct Hashing(blake3::Hasher);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("a key is longer than that")
    }
}

/// A file whose code was made in this run, or whose every bit was checked.
pub(crate) struct Checked(Vec<u8>);

impl Checked {
    pub(super) fn made<C: Code>(
        engine: &Engine,
        key: &Key,
        bytes: &[u8],
    ) -> wasmtime::Result<Self> {
        let code = C::precompile(engine, bytes)?;
        let mut file = Vec::with_capacity(HEADER + code.len());
        file.extend_from_slice(&header(key, &code));
        file.extend_from_slice(&code);
        Ok(Self(file))
    }

    /// `None` if the file is not exactly what was once written for the key.
    pub(super) fn check(key: &Key, file: Vec<u8>) -> Option<Self> {
        let (found, code) = file.split_first_chunk::<HEADER>()?;
        (*found == header(key, code)).then_some(Self(file))
    }

    /// The code.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[HEADER..]
    }

    /// The whole file.
    pub(super) fn file(&self) -> &[u8] {
        &self.0
    }
}

fn header(key: &Key, code: &[u8]) -> [u8; HEADER] {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&FORMAT.to_le_bytes());
    header.extend_from_slice(key.0.as_bytes());
    header.extend_from_slice(&(code.len() as u64).to_le_bytes());
    header.extend_from_slice(blake3::hash(code).as_bytes());
    header.try_into().expect("its parts make up its length")
}
