//! Descriptions: what `network.toml` says, before anything is checked against
//! the components.
//!
//! Everything that such a file may contain; only processes are required:
//!
//! ```
//! # let text = r##"
//! [network]
//! name = "sieve"                      # by default the folder's name
//! doc = "Primes, one process for each."
//! at_capacity = "fail"                # or wait, or a time to wait: if there is no permit for a process
//!
//! [arguments]                         # for every process with an argument of that name
//! count = 100
//!
//! [components]                        # names for .wasm, .rs and .py files and folders of source
//! filter = "guests/filter"
//! merge = "lib.rs:merge"              # one of several processes in a file or folder
//! [components.other]                  # or with limits of its own for each one that is spawned;
//! path = "guests/other"               # the others share what their parent may use
//! limits.cpu = "2 s"
//!
//! [process.generator]                 # any name
//! component = "guests/generator"      # a name from above, or a path; or NAME:PROCESS, PATH:PROCESS
//! arguments = { limit = 5 }           # for this process only
//! [process.generator.limits]          # each overrides the one in [limits]
//! memory = "64 MiB"
//! [process.generator.grants]          # nothing else outside the network is reachable
//! stdio = true                        # printing to the host's standard output and error, not to the log
//! clocks = true                       # telling the time; sleeping needs no grant
//! env = ["HOME"]                      # the host's variables, or { LANG = "C" }
//! directories = [{ host = "data", guest = "/data", write = false }]   # none beneath one with `write`
//! network = ["127.0.0.1:8080"]
//! spawn = ["filter"]                  # names from [components]
//!
//! [process.two]
//! component = "filter"
//! place = "filtering"                 # label of the hosts that may run it; of use with `run --on` only
//! instances = "one"                   # on one of them, under a lease (the default); or "each"
//! links = ["generator"]               # if one fails for good, the other is ended
//! [process.two.restart]               # or restart = "on-failure", with these defaults
//! policy = "on-failure"               # or never (the default), always
//! intensity = 3                       # after this many restarts ...
//! period = "5 s"                      # ... within this time, the supervisor gives up
//! backoff = { initial = "100 ms", factor = 2, maximum = "10 s" }   # or "none"
//! unfinished = "redeliver"            # messages received and not finished; or redeliver-once, drop, dead-letter
//! attempts = 3                        # deliveries of one message, before it is given up
//! dead-letter = "letters.messages"    # to: a port, or a [[channel]] by its name
//!
//! [process.letters]                   # gets what `two` could not finish
//! component = "guests/letters"
//!
//! [process.worker]                    # four processes, `worker[0]` to `worker[3]`
//! component = "guests/worker"
//! count = 4                           # or the name of an argument; for a grid a list: ["rows", "columns"]
//! index = "rank"                      # the argument that says which it is; or a list, as `count`
//!
//! [process.merge]
//! component = "guests/merge"
//!
//! [[group]]                           # supervised together
//! name = "both"
//! members = ["generator"]             # in the order in which they are started
//! strategy = "one-for-one"            # or one-for-all, rest-for-one
//! restart = "on-failure"              # of members that do not say themselves
//! intensity = 3                       # as above, for all members together
//! period = "5 s"
//!
//! [[channel]]
//! from = "generator.numbers"          # process.port, or a list of them
//! to = ["two.candidates"]             # each message goes to one of them
//! name = "numbers"                    # by default "generator.numbers -> two.candidates"
//! capacity = 128                      # by default 0, a rendezvous
//! overflow = "block"                  # or drop-oldest, drop-newest
//! remote = false                      # true: may cross hosts, where the network runs on several of them
//!
//! [[channel]]                         # one that they share: `[*]` means all of them
//! from = "generator.jobs"
//! to = "worker[*].jobs"
//!
//! [[channel]]                         # or one for each value of a variable
//! for = "i in 0..4"                   # or 0..=3; a list of them for grids
//! from = "worker[i].results"
//! to = "merge.inputs[i]"              # an array of ports, a `Vec<Receiver<T>>`
//!
//! [[channel]]                         # a ring: + - * / % and ( ), numbers, variables of `for`, [arguments]
//! for = "i in 0..4"
//! from = "worker[i].right"
//! to = "worker[(i + 1) % 4].left"
//!
//! [cluster]                           # only with `run --on`; all may be left out
//! run = "orders"                      # tells runs of the same network apart; by default its name
//! servers = ["tls://nats:4222"]       # what carries remote channels; or --nats, or $TRANSPUTER_NATS
//! storage = "file"                    # or memory: where waiting messages are kept there
//! replicas = 3                        # how many servers keep each message; by default 1
//! lease = "5 s"                       # a host that has not been heard of for this long is replaced
//!
//! [limits]                            # of every process and what descends from it; all may be left out
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
//! format = "lines"                    # or bytes, cbor; json, csv by the port's type
//! capacity = 64                       # messages that may wait
//! on-bad-line = "fail"                # or skip, cut: not UTF-8, too long, or not of the port's type
//!
//! [stdout]
//! from = "two.survivors"
//! # "##;
//! # use transputer_network::description::Description;
//! # Description::parse(text, "network.toml", std::path::Path::new("."))?;
//! # Ok::<(), transputer_network::diagnostics::Diagnostics>(())
//! ```

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::ComponentPath;
use crate::diagnostics::{Diagnostic, Diagnostics, Source, did_you_mean};
use crate::files;
use crate::plan::{Cluster, Limits, Totals};
use crate::policies::{AtCapacity, RestartPolicy};

mod channels;
mod cluster;
mod entries;
mod expression;
mod grants;
mod limits;
mod replicas;
mod sections;
mod supervision;
mod table;

pub use entries::{
    ArgumentEntry, ChannelEntry, ComponentEntry, ComponentFile, Count, EndpointEntry, Format, Loop,
    PortReference, ProcessEntry,
};
pub(crate) use replicas::family;
pub use supervision::{GroupEntry, RestartEntry};

use limits::TotalsEntry;

/// The name of the file that describes a network, in the network's folder.
pub const FILE_NAME: &str = "network.toml";

/// What a network's file says.
///
/// Every name is as written, together with its position in the file.
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
/// # Ok::<(), transputer_network::diagnostics::Diagnostics>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// What to do where there is no permit for a process; `None`: what the host does.
    pub at_capacity: Option<AtCapacity>,
    /// Where the network's standard input goes.
    pub stdin: Option<EndpointEntry>,
    /// Where the network's standard output comes from.
    pub stdout: Option<EndpointEntry>,
    /// How it runs on several hosts.
    pub cluster: Cluster,
    /// Where the file limits how many processes and channels there are.
    pub(super) totals_entry: TotalsEntry,
    /// Whether it has an entry for each process and channel ([`expanded`](Self::expanded)).
    pub(super) is_expanded: bool,
    /// The arguments that counts and indices have used.
    pub(crate) numbers_used: BTreeSet<String>,
}

/// The most bytes of a network file.
const LARGEST: u64 = 16 << 20;

impl Description {
    /// Reads the description in `path`, a file or the folder that holds it as
    /// `network.toml`. Blocks on the file system.
    ///
    /// # Errors
    ///
    /// If there is no such file, if it has more than 16 MiB, or whatever [`parse`](Self::parse) finds.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let file = if path.is_dir() {
            path.join(FILE_NAME)
        } else {
            path.to_owned()
        };
        let text = files::read_text(&file, LARGEST).map_err(|error| unreadable(&file, &error))?;
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
    pub fn parse(text: &str, file_name: &str, base: &Path) -> Result<Self, Diagnostics> {
        sections::parse(Source::new(file_name, text), text, base)
    }

    /// Every component that a process runs or that has a name, once, in the order
    /// of the file. A process of a component is one by itself.
    pub fn component_files(&self) -> Vec<ComponentFile> {
        let processes = || self.processes.iter().map(|process| &process.component);
        let spawned = self.processes.iter().flat_map(|process| &process.spawn);
        let whole: BTreeSet<&str> = processes()
            .chain(spawned)
            .map(|name| name.get_ref().as_str())
            .collect();
        // A name of which only single processes are used stands for no component by itself.
        let split: BTreeSet<&str> = processes()
            .filter_map(|name| Some(self.named_part(name.get_ref())?.0.name.get_ref().as_str()))
            .filter(|name| !whole.contains(name))
            .collect();
        let named = self.components.iter();
        let named = named.filter(|entry| !split.contains(entry.name.get_ref().as_str()));
        let mut files: Vec<ComponentFile> = named
            .map(|entry| ComponentFile {
                name: entry.name.get_ref().clone(),
                path: self.base.join(entry.path.get_ref()),
                span: entry.path.span(),
                direct: false,
            })
            .collect();
        let mut seen: BTreeSet<String> = files.iter().map(|file| file.name.clone()).collect();
        for component in processes() {
            let name = component.get_ref();
            if seen.insert(name.clone()) {
                let path = match self.named_part(name) {
                    Some((entry, process)) => {
                        let file = self.base.join(entry.path.get_ref());
                        ComponentPath::new(file, Some(process)).joined()
                    }
                    None => self.base.join(name),
                };
                files.push(ComponentFile {
                    name: name.clone(),
                    path,
                    span: component.span(),
                    direct: true,
                });
            }
        }
        files
    }

    /// What `name:process` stands for, where `name` is one of the components'.
    fn named_part(&self, name: &str) -> Option<(&ComponentEntry, String)> {
        let (name, process) = name.rsplit_once(':')?;
        let mut entries = self.components.iter();
        let entry = entries.find(|entry| entry.name.get_ref() == name)?;
        Some((entry, process.to_owned()))
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

    /// An error at a position in this file, for what only shows when a
    /// component is opened.
    pub fn diagnostic_at(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.source.error(span, message)
    }

    /// An error about a component that cannot be used, for whoever opens its file.
    /// Where the file gives a path that resembles a component's name, the hint asks
    /// whether the name was meant.
    pub fn component_diagnostic(
        &self,
        component: &ComponentFile,
        message: impl Into<String>,
    ) -> Diagnostic {
        let diagnostic = self.diagnostic_at(component.span.clone(), message);
        let names = self.components.iter();
        let names = names.map(|entry| entry.name.get_ref().as_str());
        match did_you_mean(&component.name, names) {
            Some(hint) if component.direct => diagnostic.with_hint(hint),
            _ => diagnostic,
        }
    }

    /// What this file is called in errors.
    pub fn file_name(&self) -> &str {
        self.source.file()
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        file.display().to_string(),
        format!("the network's description cannot be read: {error}"),
    );
    match error.kind() {
        std::io::ErrorKind::NotFound => diagnostic.with_hint(format!(
            "name a folder that holds a `{FILE_NAME}`, or the file itself"
        )),
        std::io::ErrorKind::InvalidData => diagnostic.with_hint("save it as UTF-8 text"),
        _ => diagnostic,
    }
}
