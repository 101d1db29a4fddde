//! Compiled code, kept between runs.
//!
//! To load compiled code is to run it. So nothing is loaded from the folder but bytes whose digest
//! is right, from a file and a folder that no other user can write. Whatever else lies there
//! (damaged, cut short, of another version, another component's) is compiled again and replaced.

mod code;
mod entry;
mod folder;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::Engine;

use crate::error::Error;
use crate::host::CacheFolder;

pub(crate) use code::Code;
pub(crate) use entry::Origin;
use entry::{Checked, Key};
use folder::Folder;

/// Compiled code by what it was compiled from. Cloning it is cheap; all clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Without one, nothing is kept.
    folder: Option<Folder>,
    /// Why there is none, though there was to be.
    fault: Option<String>,
    hits: AtomicUsize,
    misses: AtomicUsize,
}

impl Cache {
    pub(crate) fn open(folder: &CacheFolder) -> Result<Self, Error> {
        let opened = match folder {
            CacheFolder::Off => Ok(None),
            CacheFolder::Default => default_path().and_then(Folder::open).map(Some),
            CacheFolder::At(path) => Folder::open(path.clone()).map(Some),
        };
        let (kept_in, fault) = match opened {
            Ok(kept_in) => (kept_in, None),
            // Nobody asked for this folder: the host can do without.
            Err(fault) if *folder == CacheFolder::Default => (None, Some(fault)),
            Err(fault) => {
                return Err(Error::Setup {
                    message: format!("the cache of compiled components: {fault}"),
                });
            }
        };
        Ok(Self(Arc::new(Inner {
            folder: kept_in,
            fault,
            hits: AtomicUsize::new(0),
            misses: AtomicUsize::new(0),
        })))
    }

    /// The code of a component or of a module, ready to be instantiated, if it is in the folder and
    /// whole. What it comes from was valid then.
    pub(crate) fn kept<C: Code>(&self, engine: &Engine, origin: &Origin) -> Option<C> {
        let code = self
            .0
            .folder
            .as_ref()?
            .read(&Key::of::<C>(engine, origin))?;
        let loaded = C::load(engine, &code).ok()?;
        self.0.hits.fetch_add(1, Ordering::Relaxed);
        Some(loaded)
    }

    /// Compiles the bytes that come from somewhere, and keeps the code.
    ///
    /// # Errors
    /// What the compiler says; never what the folder says.
    pub(crate) fn compile<C: Code>(
        &self,
        engine: &Engine,
        origin: &Origin,
        bytes: &[u8],
    ) -> wasmtime::Result<C> {
        let Some(folder) = &self.0.folder else {
            return C::compile(engine, bytes);
        };
        self.0.misses.fetch_add(1, Ordering::Relaxed);
        let key = Key::of::<C>(engine, origin);
        let code = Checked::made::<C>(engine, &key, bytes)?;
        folder.keep(&key, &code);
        C::load(engine, &code)
    }

    /// Why there is no folder, though there was to be one.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.0.fault.as_deref()
    }

    /// How often code was found, and how often it had to be compiled.
    pub(crate) fn uses(&self) -> (usize, usize) {
        let Inner { hits, misses, .. } = &*self.0;
        (hits.load(Ordering::Relaxed), misses.load(Ordering::Relaxed))
    }
}

fn default_path() -> Result<PathBuf, String> {
    use etcetera::BaseStrategy as _;

    let folders = etcetera::choose_base_strategy().map_err(|error| error.to_string())?;
    Ok(folders.cache_dir().join("transputer"))
}

#[cfg(test)]
mod tests;
