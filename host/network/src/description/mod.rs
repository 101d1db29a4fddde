//! Descriptions: what `network.toml` says, before anything is checked against
//! the components.
//!
//! Everything that such a file may hold; only processes are needed:
//!
//! ```
//! # let text = r##"
//! [network]
//! name = "sieve"                      # else the folder's name
//! doc = "Primes, one process for each."
//! at_capacity = "fail"                # or wait, or a time to wait: without a place for a process
//!
//! [arguments]                         # for every process with an argument of that name
//! count = 100
//!
//! [components]                        # names for .wasm files and folders of source
//! filter = "guests/filter"
//!
//! [process.generator]                 # a name of one's own
//! component = "guests/generator"      # a name from above, or a path
//! arguments = { limit = 5 }           # for this process only
//! [process.generator.limits]          # each goes before the one in [limits]
//! memory = "64 MiB"
//! [process.generator.grants]          # nothing else outside the network is reachable
//! stdio = true                        # the host's standard output and error
//! clocks = true                       # what time it is; sleeping needs no grant
//! env = ["HOME"]                      # the host's variables, or { LANG = "C" }
//! directories = [{ host = "data", guest = "/data", write = false }]
//! network = ["127.0.0.1:8080"]
//! spawn = ["filter"]                  # names from [components]
//!
//! [process.two]
//! component = "filter"
//! links = ["generator"]               # the failure of one, for good, ends the other
//! [process.two.restart]               # or restart = "on-failure", with these defaults
//! policy = "on-failure"               # or never (the default), always
//! intensity = 3                       # with one restart more ...
//! period = "5 s"                      # ... within this time the supervisor gives up
//! backoff = { initial = "100 ms", factor = 2, maximum = "10 s" }   # or "none"
//! unfinished = "redeliver"            # what was received and not finished; or drop, dead-letter
//! attempts = 3                        # deliveries of one message; then it is given up
//! dead-letter = "letters.messages"    # to: a port, or a [[channel]] by its name
//!
//! [process.letters]                   # gets what `two` could not finish
//! component = "guests/letters"
//!
//! [[group]]                           # supervised together
//! name = "both"
//! members = ["generator"]             # in the order in which they are started
//! strategy = "one-for-one"            # or one-for-all, rest-for-one
//! restart = "on-failure"              # of members that say nothing themselves
//! intensity = 3                       # as above, for all members together
//! period = "5 s"
//!
//! [[channel]]
//! from = "generator.numbers"          # process.port, or a list of them
//! to = ["two.candidates"]             # each message goes to one of them
//! name = "numbers"                    # else "generator.numbers -> two.candidates"
//! capacity = 128                      # else 0, a rendezvous
//! overflow = "block"                  # or drop-oldest, drop-newest
//!
//! [limits]                            # of every process; all may be left out
//! memory = "64 MiB"                   # linear memories, tables and messages that wait
//! message = "1 MiB"                   # one message
//! cpu = "2 s"                         # time computing
//! wall = "1 min"                      # time from start to end, waiting included
//! children = 10                       # spawned processes that still run
//! channels = 100                      # opened channels that still have an end
//! operation = "10 s"                  # time that one operation on channels waits
//! log = 1000                          # lines in a second
//!
//! [network.limits]                    # of all processes together
//! memory = "1 GiB"
//! processes = 1000                    # that live at once
//! channels = 10000
//! cpu = "1 min"
//!
//! [stdin]
//! to = "two.orders"                   # or a list
//! format = "lines"                    # or bytes, cbor
//! capacity = 64                       # messages that may wait
//!
//! [stdout]
//! from = "two.survivors"
//! # "##;
//! # use transputer_network::description::Description;
//! # Description::parse(text, "network.toml", std::path::Path::new("."))?;
//! # Ok::<(), transputer_network::diagnostics::Problems>(())
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_spanned::Spanned;
use transputer_core::Overflow;

use crate::policies::AtCapacity;

use super::plan::{Grants, Limits, Totals};
use crate::diagnostics::{Problem, Problems, Source, did_you_mean};
use crate::policies::RestartPolicy;
use crate::value::Value;

mod channels;
mod grants;
mod limits;
mod sections;
mod supervision;
mod table;

pub use supervision::{GroupEntry, RestartEntry};

/// The name of the file that describes a network, in the network's folder.
pub const FILE_NAME: &str = "network.toml";

/// What a network's file says.
///
/// Every name is as written, together with its place in the file.
///
/// ```
/// use std::path::Path;
/// use transputer_network::description::Description;
///
/// let text = r#"
///     [process.generator]
///     component = "guests/generator"
/// "#;
/// let description = Description::parse(text, "network.toml", Path::new("sieve"))?;
/// assert_eq!(description.name, "sieve");
/// assert_eq!(description.processes[0].name.get_ref(), "generator");
/// # Ok::<(), transputer_network::diagnostics::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct Description {
    pub(super) source: Source,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// The network's name: that of its folder, unless the file says otherwise.
    pub name: String,
    /// What the network does, in a line; may be empty.
    pub doc: String,
    /// Arguments for every process that has one of that name.
    pub arguments: Vec<ArgumentEntry>,
    /// Names for components.
    pub components: Vec<ComponentEntry>,
    /// The processes, in the order of the file.
    pub processes: Vec<ProcessEntry>,
    /// The channels, in the order of the file.
    pub channels: Vec<ChannelEntry>,
    /// Limits of every process that does not set its own.
    pub limits: Limits,
    /// Processes that are supervised together.
    pub groups: Vec<GroupEntry>,
    /// What all processes may use together.
    pub totals: Totals,
    /// What to do where no place is free for a process; `None`: what the host does.
    pub at_capacity: Option<AtCapacity>,
    /// Where the network's standard input goes.
    pub stdin: Option<EndpointEntry>,
    /// Where the network's standard output comes from.
    pub stdout: Option<EndpointEntry>,
}

/// An argument with its value.
#[derive(Clone, Debug)]
pub struct ArgumentEntry {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value, not yet checked against a type.
    pub value: Spanned<Value>,
}

/// A name for a component.
#[derive(Clone, Debug)]
pub struct ComponentEntry {
    /// The name.
    pub name: Spanned<String>,
    /// A `.wasm` file or a folder with a Cargo package, as written.
    pub path: Spanned<String>,
}

/// A process.
#[derive(Clone, Debug)]
pub struct ProcessEntry {
    /// Its name.
    pub name: Spanned<String>,
    /// A name from [`Description::components`], or a path.
    pub component: Spanned<String>,
    /// Its own arguments, which go before the network's.
    pub arguments: Vec<ArgumentEntry>,
    /// Its own limits.
    pub limits: Limits,
    /// What it may reach outside the network.
    pub grants: Grants,
    /// The components that it may spawn, by name.
    pub spawn: Vec<Spanned<String>>,
    /// Whether and how it is restarted.
    pub restart: RestartEntry,
    /// The processes that its failure ends, and the other way round.
    pub links: Vec<Spanned<String>>,
}

/// A channel between ports.
#[derive(Clone, Debug)]
pub struct ChannelEntry {
    /// Its name, if it was given one.
    pub name: Option<Spanned<String>>,
    /// The ports that send into it.
    pub from: Vec<Spanned<PortReference>>,
    /// The ports that receive from it; each message goes to one of them.
    pub to: Vec<Spanned<PortReference>>,
    /// How many messages may wait in it; 0 is a rendezvous.
    pub capacity: u32,
    /// What happens past the capacity.
    pub overflow: Overflow,
}

/// The network's standard input or output.
#[derive(Clone, Debug)]
pub struct EndpointEntry {
    /// The ports that it is wired to.
    pub ports: Vec<Spanned<PortReference>>,
    /// How bytes are cut into messages.
    pub format: Spanned<Format>,
    /// How many messages may wait between it and the ports.
    pub capacity: u32,
}

/// A process's port, written `process.port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortReference {
    /// The process's name.
    pub process: String,
    /// The port's name.
    pub port: String,
}

impl fmt::Display for PortReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process, self.port)
    }
}

/// How a stream of bytes and a stream of messages correspond.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A message is a line without its newline.
    Lines,
    /// A message is some bytes; where one ends means nothing.
    Bytes,
    /// A message is an item of a CBOR sequence (RFC 8742). A raw `list<u8>` stands
    /// in the sequence as a byte string.
    Cbor,
}

impl Format {
    const ALL: [Format; 3] = [Format::Lines, Format::Bytes, Format::Cbor];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Format::Lines => "lines",
            Format::Bytes => "bytes",
            Format::Cbor => "cbor",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A component that a file names, with where it does so.
#[derive(Clone, Debug)]
pub struct ComponentFile {
    /// What signatures are looked up by: its name, or its path as written.
    pub name: String,
    /// A `.wasm` file or a folder with a Cargo package; relative paths have been
    /// joined to [`Description::base`].
    pub path: PathBuf,
    /// Where the file names it.
    pub span: Range<usize>,
    /// Whether `name` is a path that a process gives directly. A mistyped name of
    /// a component looks like that as well.
    pub direct: bool,
}

impl Description {
    /// Reads the description in `path`, a file or the folder that holds it as
    /// `network.toml`. Blocks on the file system.
    ///
    /// # Errors
    ///
    /// If there is no such file, or whatever [`parse`](Self::parse) finds.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let file = if path.is_dir() {
            path.join(FILE_NAME)
        } else {
            path.to_owned()
        };
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        let base = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Self::parse(&text, &file.display().to_string(), base)
    }

    /// Reads a description from a text. `file_name` is what errors call it, and
    /// `base` the folder that its paths start from; neither is opened.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text, at once. If it is not TOML at all,
    /// only that.
    pub fn parse(text: &str, file_name: &str, base: &Path) -> Result<Self, Problems> {
        sections::parse(Source::new(file_name, text), text, base)
    }

    /// Every component that a process runs or that has a name, once, in the order
    /// of the file.
    pub fn component_files(&self) -> Vec<ComponentFile> {
        let named = self.components.iter().map(|entry| ComponentFile {
            name: entry.name.get_ref().clone(),
            path: self.base.join(entry.path.get_ref()),
            span: entry.path.span(),
            direct: false,
        });
        let mut files: Vec<ComponentFile> = named.collect();
        let mut seen: BTreeSet<String> = files.iter().map(|file| file.name.clone()).collect();
        for process in &self.processes {
            let name = process.component.get_ref();
            if seen.insert(name.clone()) {
                files.push(ComponentFile {
                    name: name.clone(),
                    path: self.base.join(name),
                    span: process.component.span(),
                    direct: true,
                });
            }
        }
        files
    }

    /// When a process is restarted: what it says itself, else what its group does.
    pub fn restart_policy(&self, process: &ProcessEntry) -> RestartPolicy {
        let is_member = |group: &&GroupEntry| {
            let mut members = group.members.iter();
            members.any(|member| member.get_ref() == process.name.get_ref())
        };
        let group = || Some(self.groups.iter().find(is_member)?.restart);
        process.restart.policy.or_else(group).unwrap_or_default()
    }

    /// An error at a place in this file, for problems that only show when a
    /// component is opened.
    pub fn problem_at(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        self.source.error(span, message)
    }

    /// An error about a component that cannot be used, for whoever opens its file.
    /// Where the file gives a path that resembles a component's name, the hint asks
    /// whether the name was meant.
    pub fn component_problem(
        &self,
        component: &ComponentFile,
        message: impl Into<String>,
    ) -> Problem {
        let problem = self.problem_at(component.span.clone(), message);
        let names = self.components.iter();
        let names = names.map(|entry| entry.name.get_ref().as_str());
        match did_you_mean(&component.name, names) {
            Some(hint) if component.direct => problem.with_hint(hint),
            _ => problem,
        }
    }

    /// What this file is called in errors.
    pub fn file_name(&self) -> &str {
        self.source.file()
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Problem {
    let problem = Problem::error(
        file.display().to_string(),
        format!("the network's description cannot be read: {error}"),
    );
    match error.kind() {
        std::io::ErrorKind::NotFound => problem.with_hint(format!(
            "name a folder that holds a `{FILE_NAME}`, or the file itself"
        )),
        std::io::ErrorKind::InvalidData => problem.with_hint("save it as UTF-8 text"),
        _ => problem,
    }
}
