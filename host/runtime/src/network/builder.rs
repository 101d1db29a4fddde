//! Wiring a network by hand.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use transputer_core::channel::{Inspect, Totals as ChannelTotals, channel};
use transputer_core::{Options, Overflow};

use super::event::{Event, Listener};
use super::events::{EventSource, Events, events};
use super::member::{Member, ProcessSettings};
use super::running::{Running, Start};
use crate::component::Component;
use crate::dead_letters::Journal;
use crate::engine::largest_memory;
use crate::error::Error;
use crate::host::Host;
use crate::host_ports::{HostReceiver, HostSender};
use crate::limits::OpenChannel;
use crate::message::{Message, Receiver, Sender};
use crate::stdio::Endpoint;
use crate::supervision::{FinishedCount, Tried};
use transputer_network::plan::Totals;
use transputer_network::policies::{AtCapacity, Group};
use transputer_network::signature::{Direction, EndFault, PayloadType};

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
    /// The statistics of channels that are gone, whether wired or opened while the network runs.
    pub(crate) channel_totals: Arc<ChannelTotals>,
    pub(crate) opened_totals: Arc<ChannelTotals>,
    pub(crate) totals: Totals,
    pub(crate) at_capacity: Option<AtCapacity>,
    pub(crate) listener: Listener,
    pub(crate) notes: Notes,
    pub(super) events: Option<EventSource>,
    pub(crate) stdin: Option<Endpoint<Sender>>,
    pub(crate) stdout: Option<Endpoint<Receiver>>,
    pub(crate) reader: Option<Box<dyn Read + Send>>,
    pub(crate) writer: Option<Box<dyn Write + Send>>,
    /// Where messages of stdin are kept until they have been handled.
    pub(crate) journal: Option<Arc<Journal>>,
}

/// What is noted of processes besides what is always counted.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Every step is told.
    pub(crate) steps: bool,
    /// Whose messages they receive.
    pub(crate) senders: bool,
}

impl Notes {
    /// Whether anything is noted of each message.
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.steps || self.senders
    }
}

/// How a channel behaves.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelOptions {
    /// Messages that may wait in it; 0 is a rendezvous.
    pub capacity: usize,
    /// What happens past the capacity.
    pub overflow: Overflow,
}

impl ChannelOptions {
    /// A channel that holds nothing: the sender waits for the receiver.
    pub fn rendezvous() -> Self {
        Self::bounded(0)
    }

    /// A channel that holds up to `capacity` messages, after which senders wait.
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
            opened_totals: Arc::default(),
            totals: Totals::default(),
            at_capacity: None,
            listener: Box::new(|_| {}),
            notes: Notes::default(),
            events: None,
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

    /// Adds a process. If its name is taken, a number is added to the name when the process starts;
    /// ports are looked up in the first process of that name.
    pub fn process(&mut self, name: &str, component: &Component) -> ProcessSettings<'_> {
        let member = self.add(name, component);
        ProcessSettings { member }
    }

    /// Adds a process that has no settings yet.
    pub(super) fn add(&mut self, name: &str, component: &Component) -> &mut Member {
        let next = self.members.len();
        self.by_name.entry(name.to_owned()).or_insert(next);
        let largest_memory = largest_memory(self.host.0.max_processes());
        let member = Member::new(name, component, largest_memory);
        self.members.push(member);
        self.members.last_mut().expect("one was pushed just now")
    }

    /// Opens a channel from one port to another, each written `process.port`; an end of an array of ports is
    /// `process.port[2]`.
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

    /// Like [`input`](Self::input), and calls `listener` with how many of the messages that it got the process has
    /// finished, in order: a message is finished when the process asks that port again, when it returns, or when the
    /// supervisor has given the message up. The listener is called by workers, so it must be quick.
    ///
    /// # Errors
    /// As `input`.
    pub fn input_until_finished(
        &mut self,
        port: &str,
        options: ChannelOptions,
        listener: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<HostSender, Error> {
        let (member, payload) = self.free_port(port, Direction::Input)?;
        let (sender, receiver) = self.open(&format!("host -> {port}"), options);
        let count = FinishedCount::new(receiver.id(), listener);
        self.members[member].spec.finished.add(count);
        self.plug_receiver(port, receiver);
        Ok(HostSender::new(sender, payload))
    }

    /// Counts deliveries that an earlier host made of a message towards
    /// [`attempts`](crate::Restart::attempts), for when it comes to this [input](Self::input) again: as many as
    /// [`UnfinishedMessage::attempts`](crate::UnfinishedMessage::attempts) said, of a message with that digest and that
    /// many bytes.
    ///
    /// # Errors
    /// [`Error::Wiring`] if the port does not exist, is not wired yet, or is an output; or if this is no digest.
    pub fn delivered_before(
        &mut self,
        port: &str,
        digest: &str,
        bytes: u64,
        attempts: u32,
    ) -> Result<(), Error> {
        let digest = blake3::Hash::from_hex(digest)
            .map_err(|error| self.fault(format!("`{digest}` is no digest: {error}")))?;
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        let wired = self.member(port).and_then(|(member, name)| {
            let channel = member.inputs.get(name)?.id();
            member
                .tried
                .push(Tried::new(channel, length, digest, attempts));
            Some(())
        });
        wired.ok_or_else(|| self.fault(format!("there is no input `{port}` that is wired")))
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

    /// Limits what all processes of the network may use together.
    pub fn totals(&mut self, totals: Totals) -> &mut Self {
        self.totals = totals;
        self
    }

    /// What to do where there is no permit for a process, instead of what the
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

    /// The same events in a loop or, in async programs, as a stream: log lines, ends of processes, deadlocks.
    /// `capacity` is how many may wait to be read; more are counted and lost. Besides, the
    /// [listener](Self::on_event) is called.
    pub fn events(&mut self, capacity: usize) -> Events {
        let (source, events) = events(capacity);
        self.events = Some(source);
        events
    }

    /// Reports every step of every process as an [`Event::Step`]: what it sends, receives, chooses, opens
    /// and spawns, when, and how long it had waited for that. On a host with a seed, the steps are the
    /// same each time.
    pub fn trace(&mut self) -> &mut Self {
        self.notes.steps = true;
        self
    }

    /// Has each process note whose messages it receives: [`Lifetime::heard_from`](crate::Lifetime::heard_from)
    /// tells at its end. Messages then cross one at a time, each with an allocation of its own.
    pub fn note_senders(&mut self) -> &mut Self {
        self.notes.senders = true;
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

    /// Starts every process. All ports must be wired, and all arguments given. If the host does not have
    /// a permit for each process, this fails or, with [`at_capacity`](Self::at_capacity), blocks the
    /// calling thread until it has.
    ///
    /// # Errors
    /// [`Error::Wiring`] with everything that is missing, with directories that cannot be opened or
    /// reach [too far](transputer_network::validation::overreaching); [`Error::Spawn`] if the host
    /// has no room for the processes. Then none was started.
    pub fn start(self) -> Result<Running, Error> {
        let faults = self.members.iter().flat_map(Member::faults);
        let faults: Vec<String> = faults.chain(self.supervision_faults()).collect();
        if !faults.is_empty() {
            return Err(self.fault(faults.join("; ")));
        }
        self.check_reach(&[])?;
        Start::new(self).run()
    }

    pub(super) fn fault(&self, message: String) -> Error {
        Error::Wiring {
            network: self.name.clone(),
            message,
        }
    }

    /// The process and the payload type of a port, which must exist, have this direction, and not be
    /// wired.
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
        let signature = member.spec.component.signature();
        let found = signature.port_of_end(port).map_err(|fault| {
            self.fault(match fault {
                EndFault::NoIndex => {
                    format!("`{reference}` is an array of ports: name one, as in `{reference}[0]`")
                }
                EndFault::NoArray => {
                    format!("`{reference}` is no array of ports, so it has no index")
                }
                EndFault::OutOfRange(count) => {
                    format!("`{reference}` does not exist: the array has {count} ports")
                }
                _ => format!("process `{process}` has no port `{port}`: {signature}"),
            })
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
        let options = Options::bounded(options.capacity).overflow(options.overflow);
        self.open_with(label, options)
    }

    /// Opens the channel of stdin or stdout: what was accepted gets through, whoever fails then.
    pub(super) fn open_outward(&mut self, label: &str, capacity: usize) -> (Sender, Receiver) {
        self.open_with(label, Options::bounded(capacity).deliver_before_poison())
    }

    fn open_with(&mut self, label: &str, options: Options) -> (Sender, Receiver) {
        let open = OpenChannel::of_network();
        self.wired.push(open.clone());
        let options = options
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

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processes: Vec<_> = self.members.iter().map(Member::name).collect();
        f.debug_struct("Network")
            .field("name", &self.name)
            .field("processes", &processes)
            .finish_non_exhaustive()
    }
}
