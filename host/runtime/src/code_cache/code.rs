//! What can be compiled: components and core modules.

use std::fs::File;
use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::entry::{Checked, without_footer};

/// A form of WebAssembly that wasmtime compiles.
pub(crate) trait Code: Sized {
    /// Tells its entries from those of other forms.
    const KIND: u8;

    /// Compiles code that is not to be kept.
    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;

    /// Compiles into bytes that can be kept.
    fn precompile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>>;

    /// Makes those bytes ready to run. wasmtime refuses those of another engine, and trusts the rest.
    ///
    /// # Safety
    /// They are what `precompile` made.
    #[allow(unsafe_code)]
    unsafe fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self>;

    /// Maps those bytes, at the beginning of a file, so that all hosts share them.
    ///
    /// # Safety
    /// They are what `precompile` made, and stay that.
    #[allow(unsafe_code)]
    unsafe fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Self>;

    /// The bytes that it was loaded from.
    fn bytes(&self) -> wasmtime::Result<Vec<u8>>;

    /// The same code for another engine, of the same settings.
    #[allow(unsafe_code)]
    fn again(&self, engine: &Engine) -> wasmtime::Result<Self> {
        let bytes = self.bytes()?;
        // SAFETY: they are what `precompile` or the compiler made, or they would not have been loaded.
        unsafe { Self::load(engine, &bytes) }
    }

    /// Makes code ready to run that was made or checked.
    #[allow(unsafe_code)]
    fn of(engine: &Engine, code: &Checked) -> wasmtime::Result<Self> {
        match code {
            // SAFETY: it is what `precompile` made in this run, in memory of ours.
            Checked::Made(file) => unsafe { Self::load(engine, without_footer(file)) },
            // SAFETY: it is what `precompile` made in a run of the same key, which holds the kind of
            // code: its digest is right, and only this user and root could write it. No host ever
            // writes to such a file: it is replaced by another one.
            Checked::Kept(file) => unsafe { mapped(engine, file) },
        }
    }
}

/// # Safety
/// As [`Code::map`]'s.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
unsafe fn mapped<C: Code>(engine: &Engine, file: &File) -> wasmtime::Result<C> {
    use std::os::fd::AsRawFd as _;

    // The file that was checked, whatever has its name now.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: the caller's.
    unsafe { C::map(engine, path.as_ref()) }
}

/// Elsewhere, an open file has no name: it is read.
///
/// # Safety
/// As [`Code::map`]'s.
#[cfg(not(target_os = "linux"))]
#[allow(unsafe_code)]
unsafe fn mapped<C: Code>(engine: &Engine, mut file: &File) -> wasmtime::Result<C> {
    use std::io::{Read as _, Seek as _};

    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    // SAFETY: the caller's.
    unsafe { C::load(engine, without_footer(&bytes)) }
}

impl Code for Component {
    const KIND: u8 = 1;

    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, bytes)
    }

    fn precompile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_component(bytes)
    }

    fn bytes(&self) -> wasmtime::Result<Vec<u8>> {
        self.serialize()
    }

    #[allow(unsafe_code)]
    unsafe fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize(engine, code) }
    }

    #[allow(unsafe_code)]
    unsafe fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize_file(engine, file) }
    }
}

impl Code for Module {
    const KIND: u8 = 2;

    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, bytes)
    }

    fn precompile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_module(bytes)
    }

    fn bytes(&self) -> wasmtime::Result<Vec<u8>> {
        self.serialize()
    }

    #[allow(unsafe_code)]
    unsafe fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize(engine, code) }
    }

    #[allow(unsafe_code)]
    unsafe fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize_file(engine, file) }
    }
}
