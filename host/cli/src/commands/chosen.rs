//! The network that a command is to run: found, built and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use tempfile::TempDir;
use transputer::description::Description;
use transputer::validation::{ArgumentOverride, HostFile};
use transputer::{AtCapacity, CacheFolder, CompileLimits, Component, Host, HostOptions};

use crate::components::{self, Building, Located};
use crate::exit::BadInput;
use crate::packs::{self, Image, Pack, VerifyingKey};
use crate::progress::Progress;
use crate::registry::{self, Reference, Remote};
use crate::running::Watch;
use crate::single;
use crate::surroundings::Surroundings;
use crate::terminal;

/// Which network, with which arguments.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// A folder with a network.toml, or the file; a pack, as a file or in a registry (oci://HOST/NAME:TAG); or one
    /// component (.wasm), whose ports are then stdin and stdout: texts as lines, bytes as they are, other types as
    /// JSON
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    /// Give every process that has such an argument this value, or only the one named, as in
    /// generator.count=5; may be repeated
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    pub(crate) arguments: Vec<ArgumentOverride>,

    /// Processes that may live at once
    #[arg(long, value_name = "N", default_value_t = HostOptions::default().max_processes,
        value_parser = clap::value_parser!(u32).range(1..))]
    max_processes: u32,

    /// Memory that all processes may use together, such as 2GiB: linear memories, tables, and waiting
    /// messages
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<u64>,

    /// What to do when no more processes fit: `fail`, `wait`, or how long to wait, such as 2s
    #[arg(long, value_name = "HOW", default_value = "fail")]
    at_capacity: AtCapacity,

    /// Channels that may be open at once
    #[arg(long, value_name = "N")]
    max_channels: Option<u32>,

    /// Instantiate every component as a whole, which costs more, even where its core module could be
    /// run by itself
    #[arg(long)]
    no_core_modules: bool,

    /// Compile components whatever that takes: only for components that you trust
    #[arg(long)]
    no_compile_limits: bool,

    #[command(flatten)]
    cache: Cache,

    /// Refuse a pack that the owner of this public key (Ed25519 in PEM) has not signed
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    verify: Option<PathBuf>,

    #[command(flatten)]
    pulling: Pulling,

    /// Use guests as they were last built
    #[arg(long)]
    no_build: bool,

    /// Build guests so that backtraces of panics and traps name files and lines
    #[arg(long, conflicts_with = "no_build")]
    debug: bool,

    /// Print only what goes wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What is kept between runs, and where.
#[derive(Debug, Args)]
pub(super) struct Cache {
    /// Keep compiled components, and packs from registries, in this folder [default: transputer in the user's
    /// cache folder]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    cache: Option<PathBuf>,

    /// Keep neither: every start compiles, and pulls
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
}

impl Cache {
    pub(super) fn folder(&self) -> CacheFolder {
        match &self.cache {
            Some(folder) => CacheFolder::At(folder.clone()),
            None if self.no_cache => CacheFolder::Off,
            None => CacheFolder::Default,
        }
    }
}

/// How packs are pulled.
#[derive(Debug, Args)]
pub(super) struct Pulling {
    #[command(flatten)]
    remote: Remote,

    /// The largest pack that is pulled from a registry
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    max_pack: u64,
}

impl Pulling {
    /// Pulls a pack, unless it is kept already.
    pub(super) fn pull(
        &self,
        reference: &Reference,
        cache: &CacheFolder,
        progress: Progress,
    ) -> anyhow::Result<Image> {
        let most = self.max_pack.min(packs::LARGEST);
        registry::pull(reference, &self.remote, most, cache, progress)
    }
}

/// A network whose description and guests are ready.
pub(crate) struct Prepared {
    pub(crate) description: Description,
    located: Located,
    progress: Progress,
    /// The components of a pack are here, until it goes.
    _unpacked: Option<TempDir>,
}

impl Chosen {
    /// Reads the description, builds the guests, and checks that everything fits, and that no
    /// process may reach these files.
    pub(crate) fn prepare(
        &self,
        files: &[HostFile],
        surroundings: &Surroundings,
    ) -> anyhow::Result<Prepared> {
        let progress = Progress::new(self.quiet);
        let (description, located, unpacked) = self.find(progress, surroundings)?;
        located.refuse_unbuilt(&description)?;
        let mut files = files.to_vec();
        files.extend(cache_folder(&self.cache.folder()));
        let checked = components::check(
            &description,
            &located,
            &self.arguments,
            &files,
            &self.host_options(surroundings),
        )?;
        if !checked.warnings.is_empty() && !self.quiet {
            terminal::diagnostics(&checked.warnings);
        }
        Ok(Prepared {
            description,
            located,
            progress,
            _unpacked: unpacked,
        })
    }

    /// The description with an entry for each process, where its components are, and the folder of an opened pack.
    fn find(
        &self,
        progress: Progress,
        surroundings: &Surroundings,
    ) -> anyhow::Result<(Description, Located, Option<TempDir>)> {
        if let Some(pack) = self.pack(progress)? {
            let description = pack.description.expanded(&self.arguments)?;
            return Ok((description, pack.located, Some(pack.folder)));
        }
        if self.verify.is_some() {
            let text = format!(
                "{} is no pack, so it has no signature that --verify could check; `transputer pack --sign` makes one",
                self.path.display()
            );
            return Err(BadInput::new(text).into());
        }
        let description = match single::is_component(&self.path) {
            true => single::describe(&self.path, &self.host_options(surroundings))?,
            false => Description::read(&self.path)?.expanded(&self.arguments)?,
        };
        let building = match (self.no_build, self.debug) {
            (true, _) => Building::Never,
            (false, true) => Building::Debug,
            (false, false) => Building::OutOfDate,
        };
        let located = components::locate(&description, building, progress)?;
        Ok((description, located, None))
    }

    /// The pack that was named, if it is one.
    fn pack(&self, progress: Progress) -> anyhow::Result<Option<Pack>> {
        let reference = Reference::of(&self.path)
            .transpose()
            .map_err(BadInput::new)?;
        if reference.is_none() && !packs::is_pack(&self.path) {
            return Ok(None);
        }
        let key = self.verify.as_deref().map(VerifyingKey::read).transpose()?;
        let Some(reference) = reference else {
            return Pack::open(&self.path, key.as_ref()).map(Some);
        };
        let image = self
            .pulling
            .pull(&reference, &self.cache.folder(), progress)?;
        Pack::of(&image, &reference.to_string(), Path::new("."), key.as_ref()).map(Some)
    }

    /// Options of a host for it.
    pub(crate) fn host_options(&self, surroundings: &Surroundings) -> HostOptions {
        HostOptions::default()
            .max_processes(self.max_processes)
            .max_memory(self.max_memory)
            .max_channels(self.max_channels)
            .at_capacity(self.at_capacity)
            .core_modules(!self.no_core_modules)
            .compile_limits(match self.no_compile_limits {
                true => CompileLimits::none(),
                false => CompileLimits::default(),
            })
            .cache(self.cache.folder())
            .python(surroundings.python.clone())
    }

    /// Says that not as many processes can live as were asked for, before one is missing.
    pub(crate) fn say_capacity(&self, host: &Host) {
        if let Some(warning) = host.capacity_warning() {
            terminal::warning(format_args!("{warning}"));
        }
    }

    /// Says that the host goes on without a cache, if it wanted one.
    pub(crate) fn say_without_cache(&self, host: &Host) {
        let fault = host.cache_fault().filter(|_| !self.quiet);
        if let Some(fault) = fault {
            terminal::warning(format_args!(
                "compiled components are not kept, so every start compiles them: {fault}; \
                 name a folder with --cache, or say --no-cache"
            ));
        }
    }
}

/// The folder of compiled components, which no process may reach.
pub(super) fn cache_folder(folder: &CacheFolder) -> Option<HostFile> {
    let path = folder.path()?;
    Some(HostFile::new("the folder of compiled components", path))
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    parse_size::parse_size(text)
        .map_err(|error| format!("{error}: write a size such as 64MiB, or a number of bytes"))
}

impl Prepared {
    /// What to watch of its components while it runs.
    pub(crate) fn watch(&self, host: &Host) -> anyhow::Result<Watch> {
        let origins = components::origins(&self.description, &self.located)?;
        Watch::new(
            host,
            Path::new(self.description.file_name()),
            origins,
            self.progress,
        )
    }

    /// Loads its components, from the cache of compiled code where that has them.
    pub(crate) fn components(&self, host: &Host) -> anyhow::Result<BTreeMap<String, Component>> {
        let step = self.progress.unobtrusive("compiling components");
        let components = host.components(&self.description, &self.located.files);
        drop(step);
        Ok(components?)
    }
}
