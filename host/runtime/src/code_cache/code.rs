//! What can be compiled: components and core modules.

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::entry::Checked;

/// A form of WebAssembly that wasmtime compiles.
pub(crate) trait Code: Sized {
    /// Tells its entries from those of other forms.
    const KIND: u8;

    /// Compiles what is not to be kept.
    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;

    /// Compiles into bytes that can be kept.
    fn precompile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>>;

    /// Makes those bytes ready to run. wasmtime refuses those of another engine, and believes
    /// the rest.
    fn load(engine: &Engine, code: &Checked) -> wasmtime::Result<Self>;
}

impl Code for Component {
    const KIND: u8 = 1;

    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, bytes)
    }

    fn precompile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_component(bytes)
    }

    #[allow(unsafe_code)]
    fn load(engine: &Engine, code: &Checked) -> wasmtime::Result<Self> {
        // SAFETY: `Checked` is what `precompile` made, in this run or in one of the same key,
        // which holds the kind of code: its digest is right, and only this user and root could
        // write it. It is memory of ours, so nobody changes it meanwhile.
        unsafe { Self::deserialize(engine, code.bytes()) }
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

    #[allow(unsafe_code)]
    fn load(engine: &Engine, code: &Checked) -> wasmtime::Result<Self> {
        // SAFETY: as for components.
        unsafe { Self::deserialize(engine, code.bytes()) }
    }
}
