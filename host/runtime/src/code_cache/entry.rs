//! A file of the cache: the code, then a footer. The code comes first, so that the file can be mapped.
//!
//! | Bytes of the footer | What |
//! |---|---|
//! | 8 | `tp-code` and a line feed |
//! | 4 | the version of this format |
//! | 32 | the key: what was compiled, by what, for what |
//! | 8 | the length of the code |
//! | 32 | the digest of the code |
//!
//! Numbers are little-endian, digests BLAKE3. All of the footer follows from the key and the code,
//! so that one comparison checks every bit of the file.

use std::fs::File;
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _};

use wasmtime::Engine;

use super::code::Code;

const MAGIC: [u8; 8] = *b"tp-code\n";

/// Increment it when the format of the file changes, or what is compiled for the same key.
const FORMAT: u32 = 2;

const FOOTER: usize = 8 + 4 + 32 + 8 + 32;

/// What is compiled, by what it comes from: a component, and what was made of it first.
pub(crate) struct Origin(blake3::Hash);

impl Origin {
    /// A digest of these bytes without the component's own custom sections, which hold no code: components that differ
    /// only in their signatures share their code.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for section in code_sections(bytes) {
            hasher.update(section);
        }
        Self(hasher.finalize())
    }

    /// What a rewriting, known by its digest, makes of them.
    pub(crate) fn rewritten(&self, rewriting: &blake3::Hash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes());
        hasher.update(rewriting.as_bytes());
        Self(hasher.finalize())
    }
}

/// How a component begins. That of a core module is another, and all of it counts.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The preamble and the outermost sections of a component, apart from the custom ones; whatever cannot be read is
/// one section.
fn code_sections(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let has_sections = bytes.starts_with(COMPONENT);
    let (mut preamble, mut rest) = match has_sections {
        true => bytes.split_at(COMPONENT.len()),
        false => (bytes, &[][..]),
    };
    std::iter::from_fn(move || {
        if !preamble.is_empty() {
            return Some(std::mem::take(&mut preamble));
        }
        loop {
            let id = *rest.first()?;
            let length = section_length(rest).unwrap_or(rest.len());
            let (section, others) = rest.split_at(length);
            rest = others;
            if id != 0 {
                return Some(section);
            }
        }
    })
}

/// The length of the section at the beginning, its head included; `None` if it is cut off.
fn section_length(bytes: &[u8]) -> Option<usize> {
    let mut reader = wasmparser::BinaryReader::new(bytes.get(1..)?, 0);
    let length = usize::try_from(reader.read_var_u32().ok()?).ok()?;
    let whole = length.checked_add(1 + reader.original_position())?;
    (whole <= bytes.len()).then_some(whole)
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

/// Adds to a key what can only be hashed with a `Hasher`.
struct Hashing(blake3::Hasher);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("a key is longer than that")
    }
}

/// Code that was made in this run, or a file of which every bit was checked.
pub(crate) enum Checked {
    /// In memory, with its footer.
    Made(Vec<u8>),
    /// In a file, behind which there is a footer.
    Kept(File),
}

impl Checked {
    pub(super) fn made<C: Code>(
        engine: &Engine,
        key: &Key,
        bytes: &[u8],
    ) -> wasmtime::Result<Self> {
        let mut code = C::precompile(engine, bytes)?;
        let footer = footer(key, code.len(), &blake3::hash(&code));
        code.extend_from_slice(&footer);
        Ok(Self::Made(code))
    }

    /// `None` if the file is not exactly what was once written for the key.
    pub(super) fn check(key: &Key, file: File) -> io::Result<Option<Self>> {
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let Some(code) = length.checked_sub(FOOTER) else {
            return Ok(None);
        };
        let mut hasher = blake3::Hasher::new();
        let mut reader = &file;
        // A piece at a time: all of it would be memory that the mapping makes unnecessary.
        io::copy(&mut reader.take(code as u64), &mut hasher)?;
        let mut found = [0; FOOTER];
        let has_footer = reader.read_exact(&mut found).is_ok();
        let is_whole = has_footer && found == footer(key, code, &hasher.finalize());
        Ok(is_whole.then_some(Self::Kept(file)))
    }
}

/// The code of a file in memory.
pub(super) fn without_footer(file: &[u8]) -> &[u8] {
    &file[..file.len() - FOOTER]
}

fn footer(key: &Key, length: usize, digest: &blake3::Hash) -> [u8; FOOTER] {
    let mut footer = Vec::with_capacity(FOOTER);
    footer.extend_from_slice(&MAGIC);
    footer.extend_from_slice(&FORMAT.to_le_bytes());
    footer.extend_from_slice(key.0.as_bytes());
    footer.extend_from_slice(&(length as u64).to_le_bytes());
    footer.extend_from_slice(digest.as_bytes());
    footer.try_into().expect("its parts make up its length")
}
