//! Wiring a network by hand.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use transputer_core::channel::{Inspect, Totals as ChannelTotals, channel};
use transputer_core::{Options, Overflow};

use super::event::{Event, Listener};
use super::running::{Running, Start};
use crate::component::Component;
use crate::dead_letters::Journal;
use crate::error::Error;
use crate::host::Host;
use crate::host_ports::{HostReceiver, HostSender};
use crate::limits::OpenChannel;
use crate::message::{Message, Receiver, Sender};
use crate::stdio::Endpoint;
use crate::supervision::DeadLetterPort;
use transputer_network::plan::{Grants, Limits, Totals};
use transputer_network::policies::AtCapacity;
use transputer_network::policies::{Group, Restart};
use transputer_network::signature::{Direction, PayloadType};
use transputer_network::value::{self, Value};

/// A network that is being wired: processes, the channels between their ports, and host
/// ends for the program that embeds it.
///
/// ```no_run
/// use transputer::{ChannelOptions, Host, HostOptions};
///
/// let host = Host::new(HostOptions::default())?;
/// let double = host.component("double.wasm")?;
/// let mut network = host.network("doubling");
/// network.process("double", &double);
/// let numbers = network.input("double.numbers", ChannelOptions::rendezvous())?;
/// let doubled = network.output("double.doubled", ChannelOptions::rendezvous())?;
/// let running = network.start()?;
/// numbers.send_value(&21_u64)?;
/// assert_eq!(doubled.receive_value::<u64>()?, 42);
/// drop(numbers);
/// println!("{:?}", running.wait().verdict());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Network {
    pub(crate) host: Host,
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
    pub(crate) groups: Vec<Group>,
    /// The first member of each name.
    by_name: HashMap<String, usize>,
    pub(crate) probes: Vec<Arc<dyn Inspect>>,
    /// Its channels, to be counted once it runs.
    pub(crate) wired: Vec<Arc<OpenChannel>>,
    /// What channels that are gone have seen.
    pub(crate) channel_totals: Arc<ChannelTotals>,
    pub(crate) totals: Totals,
    pub(crate) at_capacity: Option<AtCapacity>,
    pub(crate) listener: Listener,
    pub(crate) traced: bool,
    pub(crate) stdin: Option<Endpoint<Sender>>,
    pub(crate) stdout: Option<Endpoint<Receiver>>,
    pub(crate) reader: Option<Box<dyn Read + Send>>,
    pub(crate) writer: Option<Box<dyn Write + Send>>,
    /// Where messages of stdin are kept until they are dealt with.
    pub(crate) journal: Option<Arc<Journal>>,
}

/// A process to be.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(super) component: Component,
    pub(super) component_name: String,
    pub(super) arguments: Arguments,
    pub(super) limits: Limits,
    pub(super) grants: Grants,
    pub(super) spawnable: BTreeMap<String, Component>,
    pub(super) inputs: BTreeMap<String, Receiver>,
    pub(super) outputs: BTreeMap<String, Sender>,
    pub(super) restart: Restart,
    /// Whom its failure ends.
    pub(super) links: Vec<String>,
    /// Where messages go that it could not finish.
    pub(super) letters: Option<DeadLetterPort>,
    /// What was wrong in its settings; told when the network is started.
    pub(super) faults: Vec<String>,
}

/// The arguments of a process to be.
pub(crate) enum Arguments {
    /// Each by its name, in CBOR.
    Named(BTreeMap<String, Vec<u8>>),
    /// One CBOR map of all of them, checked already.
    Packed(Vec<u8>),
}

/// How a channel behaves.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// Messages that may wait in it; 0 is a rendezvous.
    pub capacity: usize,
    /// What happens past the capacity.
    pub overflow: Overflow,
}

impl ChannelOptions {
    /// A channel that holds nothing: sender and receiver meet.
    pub fn rendezvous() -> Self {
        Self::bounded(0)
    }

    /// A channel that holds `capacity` messages, and then makes senders wait.
    pub fn bounded(capacity: usize) -> Self {
        Self {
            capacity,
            overflow: Overflow::Block,
        }
    }

    /// The same channel with another overflow policy.
    #[must_use]
    pub fn overflow(self, overflow: Overflow) -> Self {
        Self { overflow, ..self }
    }
}

/// The settings of a process in a network that is being wired.
pub struct ProcessSettings<'a> {
    pub(super) member: &'a mut Member,
}

impl Network {
    pub(crate) fn new(host: Host, name: &str) -> Self {
        Self {
            host,
            name: name.to_owned(),
            members: Vec::new(),
            groups: Vec::new(),
            by_name: HashMap::new(),
            probes: Vec::new(),
            wired: Vec::new(),
            channel_totals: Arc::default(),
            totals: Totals::default(),
            at_capacity: None,
            listener: Box::new(|_| {}),
            traced: false,
            stdin: None,
            stdout: None,
            reader: None,
            writer: None,
            journal: None,
        }
    }

    /// The network's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a process. If the name is taken, a number is added to it when it starts, and
    /// ports are looked up in the first process of that name.
    pub fn process(&mut self, name: &str, component: &Component) -> ProcessSettings<'_> {
        let member = self.add(name, component);
        ProcessSettings { member }
    }

    /// Adds a process that has no settings yet.
    pub(super) fn add(&mut self, name: &str, component: &Component) -> &mut Member {
        let next = self.members.len();
        self.by_name.entry(name.to_owned()).or_insert(next);
        self.members.push(Member {
            name: name.to_owned(),
            component: component.clone(),
            component_name: component.signature().process.clone(),
            arguments: Arguments::Named(BTreeMap::new()),
            limits: Limits::default(),
            grants: Grants::default(),
            spawnable: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            restart: Restart::never(),
            links: Vec::new(),
            letters: None,
            faults: Vec::new(),
        });
        self.members.last_mut().expect("one was pushed just now")
    }

    /// Opens a channel from one port to another, each written `process.port`.
    ///
    /// # Errors
    /// [`Error::Wiring`] if a port does not exist, points the other way, is wired already,
    /// or if the payload types differ.
    pub fn connect(&mut self, from: &str, to: &str, options: ChannelOptions) -> Result<(), Error> {
        self.connect_many(&[from], &[to], options)
    }

    /// Like [`connect`](Self::connect), for a channel with several senders or receivers;
    /// each message goes to one of the receivers.
    ///
    /// # Errors
    /// As `connect`.
    pub fn connect_many(
        &mut self,
        from: &[&str],
        to: &[&str],
        options: ChannelOptions,
    ) -> Result<(), Error> {
        let mut payload: Option<(&str, PayloadType)> = None;
        let sides = from.iter().map(|port| (*port, Direction::Output));
        for (port, direction) in sides.chain(to.iter().map(|port| (*port, Direction::Input))) {
            let ty = self.free_port(port, direction)?.1;
            match &payload {
                Some((first, expected)) if *expected != ty => {
                    return Err(self.fault(format!(
                        "`{first}` carries `{expected}`, but `{port}` carries `{ty}`"
                    )));
                }
                Some(_) => {}
                None => payload = Some((port, ty)),
            }
        }
        let label = format!("{} -> {}", from.join(", "), to.join(", "));
        let (sender, receiver) = self.open(&label, options);
        for port in from {
            self.plug_sender(port, sender.clone());
        }
        for port in to {
            self.plug_receiver(port, receiver.clone());
        }
        Ok(())
    }

    /// A host end that sends to a process's input port.
    ///
    /// # Errors
    /// [`Error::Wiring`] if the port does not exist, is an output, or is wired already.
    pub fn input(&mut self, port: &str, options: ChannelOptions) -> Result<HostSender, Error> {
        let (_, payload) = self.free_port(port, Direction::Input)?;
        let (sender, receiver) = self.open(&format!("host -> {port}"), options);
        self.plug_receiver(port, receiver);
        Ok(HostSender::new(sender, payload))
    }

    /// A host end that receives from a process's output port.
    ///
    /// # Errors
    /// [`Error::Wiring`] if the port does not exist, is an input, or is wired already.
    pub fn output(&mut self, port: &str, options: ChannelOptions) -> Result<HostReceiver, Error> {
        let (_, payload) = self.free_port(port, Direction::Output)?;
        let (sender, receiver) = self.open(&format!("{port} -> host"), options);
        self.plug_sender(port, sender);
        Ok(HostReceiver::new(receiver, payload))
    }

    /// Limits what all of its processes may use together.
    pub fn totals(&mut self, totals: Totals) -> &mut Self {
        self.totals = totals;
        self
    }

    /// What to do where no place is free for a process, instead of what the
    /// [host](crate::HostOptions::at_capacity) does.
    pub fn at_capacity(&mut self, at_capacity: AtCapacity) -> &mut Self {
        self.at_capacity = Some(at_capacity);
        self
    }

    /// Calls `listener` with everything that happens in the network: log lines, ends of
    /// processes, deadlocks. It is called by workers, so it must be quick.
    pub fn on_event(&mut self, listener: impl Fn(Event) + Send + Sync + 'static) -> &mut Self {
        self.listener = Box::new(listener);
        self
    }

    /// Has every step of every process told as an [`Event::Step`]: what it sends, receives,
    /// chooses, opens and spawns. On a host with a seed, the steps are the same each time.
    pub fn trace(&mut self) -> &mut Self {
        self.traced = true;
        self
    }

    /// What the network reads as its standard input, if its description has one. It is read
    /// on a thread of its own. Without this, the input is empty.
    pub fn stdin(&mut self, reader: impl Read + Send + 'static) -> &mut Self {
        self.reader = Some(Box::new(reader));
        self
    }

    /// Where the network's standard output goes, if its description has one. It is written
    /// on a thread of its own. Without this, it is thrown away.
    pub fn stdout(&mut self, writer: impl Write + Send + 'static) -> &mut Self {
        self.writer = Some(Box::new(writer));
        self
    }

    /// Starts every process. Ports must all be wired, arguments all be given. Where the host
    /// has no permits for all of them, it fails or, if it is to wait
    /// ([`at_capacity`](Self::at_capacity)), blocks the calling thread until it has.
    ///
    /// # Errors
    /// [`Error::Wiring`] with everything that is missing; [`Error::Spawn`] if the host has
    /// no room for the processes: then none was started.
    pub fn start(self) -> Result<Running, Error> {
        let faults = self.members.iter().flat_map(Member::faults);
        let faults: Vec<String> = faults.chain(self.supervision_faults()).collect();
        if !faults.is_empty() {
            return Err(self.fault(faults.join("; ")));
        }
        Start::new(self).run()
    }

    pub(super) fn fault(&self, message: String) -> Error {
        Error::Wiring {
            network: self.name.clone(),
            message,
        }
    }

    /// The process and the payload type of a port that must be there, point this way, and
    /// not be wired.
    pub(super) fn free_port(
        &self,
        reference: &str,
        direction: Direction,
    ) -> Result<(usize, PayloadType), Error> {
        let (process, port) = reference
            .split_once('.')
            .ok_or_else(|| self.fault(format!("`{reference}` is not written `process.port`")))?;
        let index = *self
            .by_name
            .get(process)
            .ok_or_else(|| self.fault(format!("there is no process `{process}`")))?;
        let member = &self.members[index];
        let signature = member.component.signature();
        let found = signature.port(port).ok_or_else(|| {
            self.fault(format!(
                "process `{process}` has no port `{port}`: {signature}"
            ))
        })?;
        if found.direction != direction {
            return Err(self.fault(format!(
                "port `{reference}` is an {}, not an {direction}",
                found.direction
            )));
        }
        if member.inputs.contains_key(port) || member.outputs.contains_key(port) {
            return Err(self.fault(format!("port `{reference}` is wired twice")));
        }
        Ok((index, found.ty.clone()))
    }

    pub(super) fn open(&mut self, label: &str, options: ChannelOptions) -> (Sender, Receiver) {
        let open = Arc::new(OpenChannel::default());
        self.wired.push(open.clone());
        let options = Options::bounded(options.capacity)
            .overflow(options.overflow)
            .label(label)
            .totals(self.channel_totals.clone())
            .live_count(self.host.0.counts().channels.clone())
            .keep_alive(open);
        let (sender, receiver) = channel::<Message>(options);
        self.probes.push(sender.inspect());
        (sender, receiver)
    }

    /// Gives a port that was checked its sender.
    pub(super) fn plug_sender(&mut self, reference: &str, sender: Sender) {
        if let Some((member, port)) = self.member(reference) {
            member.outputs.insert(port.to_owned(), sender);
        }
    }

    /// Gives a port that was checked its receiver.
    pub(super) fn plug_receiver(&mut self, reference: &str, receiver: Receiver) {
        if let Some((member, port)) = self.member(reference) {
            member.inputs.insert(port.to_owned(), receiver);
        }
    }

    fn member<'a>(&mut self, reference: &'a str) -> Option<(&mut Member, &'a str)> {
        let (process, port) = reference.split_once('.')?;
        let index = *self.by_name.get(process)?;
        Some((self.members.get_mut(index)?, port))
    }
}

impl Member {
    /// What is wrong or missing before the process can start.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        let signature = self.component.signature();
        for port in &signature.ports {
            let wired = match port.direction {
                Direction::Input => self.inputs.contains_key(&port.name),
                Direction::Output => self.outputs.contains_key(&port.name),
            };
            if !wired {
                faults.push(format!(
                    "{} port `{}.{}` is not wired",
                    port.direction, self.name, port.name
                ));
            }
        }
        if let Arguments::Named(given) = &self.arguments {
            for argument in &signature.arguments {
                if !given.contains_key(&argument.name) && !argument.ty.is_option() {
                    faults.push(format!(
                        "process `{}` lacks its argument `{}: {}`",
                        self.name, argument.name, argument.ty
                    ));
                }
            }
        }
        faults
    }
}

impl Arguments {
    /// All arguments as one CBOR map.
    pub(super) fn pack(&self) -> Vec<u8> {
        match self {
            Self::Packed(map) => map.clone(),
            Self::Named(given) => {
                value::encode_arguments(given.iter().map(|(name, value)| (&**name, &**value)))
            }
        }
    }
}

impl ProcessSettings<'_> {
    /// Gives the process an argument. One that it does not have, or a value that does not
    /// fit, is an error when the network is started.
    pub fn argument(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        let process = &self.member.name;
        let encoded = match self.member.component.signature().argument(name) {
            Some(argument) => value::encode(&argument.ty, &value.into())
                .map_err(|error| format!("argument `{name}` of process `{process}`: {error}")),
            None => Err(format!("process `{process}` has no argument `{name}`")),
        };
        match (encoded, &mut self.member.arguments) {
            (Ok(value), Arguments::Named(given)) => {
                given.insert(name.to_owned(), value);
            }
            (Ok(_), Arguments::Packed(_)) => self
                .member
                .faults
                .push(format!("the arguments of process `{process}` are decided")),
            (Err(fault), _) => self.member.faults.push(fault),
        }
        self
    }

    /// Limits what the process may use.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.member.limits = limits;
        self
    }

    /// Grants the process what it may reach outside the network.
    pub fn grants(&mut self, grants: Grants) -> &mut Self {
        self.member.grants = grants;
        self
    }

    /// Lets the process, and its children, spawn processes from a component, under a name.
    pub fn may_spawn(&mut self, name: &str, component: &Component) -> &mut Self {
        self.member
            .spawnable
            .insert(name.to_owned(), component.clone());
        self
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processes: Vec<_> = self.members.iter().map(|member| &member.name).collect();
        f.debug_struct("Network")
            .field("name", &self.name)
            .field("processes", &processes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProcessSettings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProcessSettings")
            .field(&self.member.name)
            .finish()
    }
}
