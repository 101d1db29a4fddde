//! What tells why a process trapped, and what it computes: core dumps and profiles.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueHint};
use transputer::validation::HostFile;
use transputer::{CoreDumps, Host, HostOptions, Profiling};

use crate::terminal::{self, counted};

/// Where profiles are written if nobody says where.
const FOLDER: &str = "profiles";

/// Options for finding out what processes do.
#[derive(Debug, Args)]
pub(crate) struct Debugging {
    /// Write a core dump of each process that traps into this folder: its memory, globals and stack, as
    /// `wasm-tools print` and `wasmgdb` read them. At most 16, of at most 256 MiB each
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    core_dump: Option<PathBuf>,

    /// Show what processes compute: `perf` tells Linux' profiler of that name what compiled functions are called;
    /// `guest` or `guest=FOLDER` samples each process every 2 ms, and writes a file for each into a folder [default:
    /// profiles], for https://profiler.firefox.com
    #[arg(long, value_name = "HOW", conflicts_with = "seed")]
    profile: Option<Profile>,
}

/// A way to see what processes compute.
#[derive(Clone, Debug)]
enum Profile {
    Perf,
    Guest(PathBuf),
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "perf" => Ok(Self::Perf),
            None if text == "guest" => Ok(Self::Guest(FOLDER.into())),
            Some(("guest", folder)) if !folder.is_empty() => Ok(Self::Guest(folder.into())),
            _ => Err("expected `perf`, `guest`, or `guest=FOLDER`".to_owned()),
        }
    }
}

impl Debugging {
    /// The same options of a host, with these.
    pub(crate) fn options(&self, options: HostOptions) -> HostOptions {
        let dumps = self.core_dump.clone().map(CoreDumps::to);
        options.core_dumps(dumps).profiling(match &self.profile {
            None => Profiling::Off,
            Some(Profile::Perf) => Profiling::Perf,
            Some(Profile::Guest(folder)) => Profiling::Guests(folder.clone()),
        })
    }

    /// What no process may reach.
    pub(crate) fn files(&self) -> impl Iterator<Item = HostFile> {
        let dumps = self.core_dump.as_ref();
        let dumps = dumps.map(|folder| HostFile::new("the folder of core dumps", folder));
        let profiles = match &self.profile {
            Some(Profile::Guest(folder)) => Some(HostFile::new("the folder of profiles", folder)),
            _ => None,
        };
        dumps.into_iter().chain(profiles)
    }

    /// Says how to use what the host does for a profiler.
    pub(crate) fn say_begin(&self) {
        if let Some(Profile::Perf) = self.profile {
            let id = std::process::id();
            terminal::note(format_args!(
                "/tmp/perf-{id}.map names what is compiled, for `perf record --call-graph=fp --pid={id}` and `perf report`"
            ));
        }
    }

    /// Says what became of profiles.
    pub(crate) fn say_end(&self, host: &Host, quiet: bool) {
        let Some(Profile::Guest(folder)) = &self.profile else {
            return;
        };
        let profiled = host.profiled();
        let count = |count: u32, noun| counted(usize::try_from(count).unwrap_or(usize::MAX), noun);
        if let Some(fault) = profiled.fault {
            terminal::warning(format_args!("a profile could not be written: {fault}"));
        }
        if profiled.incomplete > 0 {
            let processes = count(profiled.incomplete, "process");
            terminal::warning(format_args!(
                "{processes} not sampled, or not to the end: there are limits"
            ));
        }
        if !quiet {
            terminal::note(format_args!(
                "{} in {}; https://profiler.firefox.com opens them",
                count(profiled.files, "profile"),
                folder.display()
            ));
        }
    }
}
