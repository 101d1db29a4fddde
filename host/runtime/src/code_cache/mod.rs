//! Compiled code, kept between runs.
//!
//! Loading compiled code means trusting it. So only files with the right digest are mapped, which no other user
//! can write to, in a folder that no other user can write to. Whatever else is there (damaged, cut short, of another
//! version, of another component) is compiled again and replaced.

mod code;
mod entry;
mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::Engine;

use crate::error::Error;
use crate::options::CacheFolder;

pub(crate) use code::Code;
pub(crate) use entry::Origin;
use entry::{Checked, Key};
use folder::Folder;
pub(crate) use folder::only_ours;

/// Compiled code by what it was compiled from. Cloning it is cheap; all clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Without one, nothing is kept.
    folder: Option<Folder>,
    /// Why there is none, although there should be.
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
            // Nobody asked for this folder: the host can do without it.
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
        let loaded = C::of(engine, &code).ok()?;
        self.0.hits.fetch_add(1, Ordering::Relaxed);
        Some(loaded)
    }

    /// Compiles the bytes that come from somewhere, and keeps the code.
    ///
    /// # Errors
    /// Those of the compiler; never those of the folder.
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
        // Mapped, where that can be, as it will be next time.
        C::of(engine, &folder.read(&key).unwrap_or(code))
    }

    /// Where code is kept, if it is.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.0.folder.as_ref().map(Folder::path)
    }

    /// Why there is no folder, although there should be one.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.0.fault.as_deref()
    }

    /// How often code was found, and how often it had to be compiled.
    pub(crate) fn uses(&self) -> (usize, usize) {
        let Inner { hits, misses, .. } = &*self.0;
        (hits.load(Ordering::Relaxed), misses.load(Ordering::Relaxed))
    }
}

impl CacheFolder {
    /// Where it is: nowhere if there is to be none, or if the default cannot be had.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Off => None,
            Self::Default => default_path().ok(),
            Self::At(path) => Some(path.clone()),
        }
    }
}

fn default_path() -> Result<PathBuf, String> {
    use etcetera::BaseStrategy as _;

    let folders = etcetera::choose_base_strategy().map_err(|error| error.to_string())?;
    Ok(folders.cache_dir().join("transputer"))
}

#[cfg(test)]
mod tests;
