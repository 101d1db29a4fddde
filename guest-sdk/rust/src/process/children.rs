//! Spawning processes.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::bindings::transputer::csp::channel::Patience;
use crate::bindings::transputer::csp::process as raw;
use crate::bindings::{Receiver as RawReceiver, Sender as RawSender};
use crate::channel::{Receiver, ReceiverHandle, Sender, SenderHandle, run_deferred};
use crate::error::Undecodable;
use crate::message::{AsMessage, Message, Reader, Type, Writer};

use super::outcome::Outcome;
use super::time::{Instant, now};

/// Starts to describe a new process, which runs `component`: a name from the network file, among
/// those that this process may spawn.
///
/// ```no_run
/// use transputer_guest::{Error, channel, spawn};
///
/// # fn process() -> Result<(), Error> {
/// let (candidates, first) = channel::<u64>(0)?;
/// let (last, survivors) = channel::<u64>(0)?;
/// let filter = spawn("filter")
///     .argument("prime", &2u64)
///     .input("candidates", first)
///     .output("survivors", last)
///     .start()?;
/// candidates.send(&3)?;
/// assert_eq!(survivors.receive()?, 3);
/// candidates.close();
/// filter.wait().ok()?;
/// # Ok(())
/// # }
/// ```
pub fn spawn(component: &str) -> Spawn {
    Spawn {
        component: component.into(),
        name: None,
        arguments: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        patience: None,
        misfit: None,
    }
}

/// A process to be spawned; see [`spawn`].
#[derive(Debug)]
#[must_use = "nothing is spawned before `start`"]
pub struct Spawn {
    component: String,
    name: Option<String>,
    arguments: Vec<(String, Vec<u8>)>,
    inputs: Vec<Port<ReceiverHandle>>,
    outputs: Vec<Port<SenderHandle>>,
    /// How long to wait at capacity; `None` for what the network is set to do.
    patience: Option<Patience>,
    misfit: Option<String>,
}

#[derive(Debug)]
struct Port<End> {
    name: String,
    end: Rc<End>,
    ty: &'static Type,
}

/// Handles for ports, by their names.
pub(crate) type Inputs = Vec<(String, RawReceiver)>;
pub(crate) type Outputs = Vec<(String, RawSender)>;

/// What the host is told of a process to be.
pub(crate) struct Birth {
    pub(crate) component: String,
    pub(crate) name: Option<String>,
    pub(crate) arguments: Vec<u8>,
    pub(crate) inputs: Inputs,
    pub(crate) outputs: Outputs,
}

impl Spawn {
    /// Suggests a name; the host adds a number where it is taken.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Gives an argument. It cannot hold ends of channels.
    pub fn argument<T: Message>(mut self, name: &str, value: impl AsMessage<T>) -> Self {
        let mut writer = Writer::new(Vec::new());
        value.as_message().write(&mut writer);
        let (bytes, ends) = writer.finish();
        if !ends.is_empty() {
            self.misfit = Some(format!(
                "argument `{name}` holds ends of channels; give them as ports"
            ));
        }
        self.arguments.push((name.into(), bytes));
        self
    }

    /// Gives this receiver to the new process, as its input `port`.
    pub fn input<T: Message>(mut self, port: &str, receiver: Receiver<T>) -> Self {
        let end = Rc::clone(receiver.end());
        self.inputs.push(Port {
            name: port.into(),
            end,
            ty: T::TYPE,
        });
        self
    }

    /// Gives this sender to the new process, as its output `port`.
    pub fn output<T: Message>(mut self, port: &str, sender: Sender<T>) -> Self {
        let end = Rc::clone(sender.end());
        self.outputs.push(Port {
            name: port.into(),
            end,
            ty: T::TYPE,
        });
        self
    }

    /// Gives these receivers to the new process, as its array of inputs `port`: the first is `port[0]`.
    pub fn inputs<T: Message>(
        self,
        port: &str,
        receivers: impl IntoIterator<Item = Receiver<T>>,
    ) -> Self {
        let receivers = receivers.into_iter().enumerate();
        receivers.fold(self, |spawn, (index, receiver)| {
            spawn.input(&format!("{port}[{index}]"), receiver)
        })
    }

    /// Gives these senders to the new process, as its array of outputs `port`: the first is `port[0]`.
    pub fn outputs<T: Message>(
        self,
        port: &str,
        senders: impl IntoIterator<Item = Sender<T>>,
    ) -> Self {
        let senders = senders.into_iter().enumerate();
        senders.fold(self, |spawn, (index, sender)| {
            spawn.output(&format!("{port}[{index}]"), sender)
        })
    }

    /// At the limit on processes, waits until one more may run. Without this,
    /// [`wait_for_capacity_by`](Self::wait_for_capacity_by) or
    /// [`fail_at_capacity`](Self::fail_at_capacity), the network's setting `at_capacity` decides.
    pub fn wait_for_capacity(mut self) -> Self {
        self.patience = Some(Patience::Forever);
        self
    }

    /// At the limit on processes, waits until this time for one more to be allowed.
    pub fn wait_for_capacity_by(mut self, deadline: Instant) -> Self {
        self.patience = Some(Patience::Until(deadline.nanoseconds()));
        self
    }

    /// Fails at the limit on processes, whatever the network's setting.
    pub fn fail_at_capacity(mut self) -> Self {
        self.patience = Some(Patience::Never);
        self
    }

    /// How long it waits at the limit on processes, if it says so.
    pub(crate) fn patience(&self) -> Option<Patience> {
        self.patience
    }

    /// What to spawn, with the ends that are to be its ports.
    pub(crate) fn prepare(self) -> Result<(Self, Birth), SpawnError> {
        if let Some(misfit) = self.misfit.clone() {
            return Err(self.refused(Refused::Misfit(misfit)));
        }
        let arguments = self.packed_arguments();
        match self.take_ends() {
            Ok((inputs, outputs)) => {
                let birth = Birth {
                    component: self.component.clone(),
                    name: self.name.clone(),
                    arguments,
                    inputs,
                    outputs,
                };
                Ok((self, birth))
            }
            Err(misfit) => Err(self.refused(Refused::Misfit(misfit))),
        }
    }

    /// The host has refused it, and gives the ends back.
    pub(crate) fn refuse(self, refused: raw::SpawnRefused) -> SpawnError {
        self.put_back(refused.inputs, refused.outputs);
        self.refused(refused.error.into())
    }

    /// What to call it where it has no name yet: the one suggested, or its component's.
    pub(super) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.component)
    }

    /// Spawns it. Blocks while the component is instantiated and, at the limit on processes, as it
    /// was told to.
    ///
    /// # Errors
    ///
    /// [`SpawnError`], which says why, and holds the ends that were to be ports.
    pub fn start(self) -> Result<Child, SpawnError> {
        run_deferred();
        let (spawn, birth) = self.prepare()?;
        let (component, name) = (&birth.component, birth.name.as_deref());
        let (arguments, inputs, outputs) = (&birth.arguments, birth.inputs, birth.outputs);
        let spawned = match spawn.patience {
            None => raw::spawn(component, name, arguments, inputs, outputs),
            Some(patience) => {
                raw::spawn_patiently(component, name, arguments, inputs, outputs, patience)
            }
        };
        match spawned {
            Ok(child) => Ok(Child { child }),
            Err(refused) => Err(spawn.refuse(refused)),
        }
    }

    /// Spawns it, [linked](Child::link) with this process.
    ///
    /// ```no_run
    /// # use transputer_guest::{Error, spawn};
    /// # fn process() -> Result<(), Error> {
    /// let worker = spawn("worker").start_linked()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`start`](Spawn::start).
    pub fn start_linked(self) -> Result<Child, SpawnError> {
        let child = self.start()?;
        child.link();
        Ok(child)
    }

    fn packed_arguments(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        writer.map(self.arguments.len());
        for (name, value) in &self.arguments {
            writer.text(name);
            writer.raw(value);
        }
        writer.finish().0
    }

    /// Takes all the handles, or none.
    fn take_ends(&self) -> Result<(Inputs, Outputs), String> {
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        let mut misfit = None;
        for port in &self.inputs {
            match port.end.take() {
                Ok(handle) => inputs.push((port.name.clone(), handle)),
                Err(error) => misfit = misfit.or(Some((&port.name, error))),
            }
        }
        for port in &self.outputs {
            match port.end.take() {
                Ok(handle) => outputs.push((port.name.clone(), handle)),
                Err(error) => misfit = misfit.or(Some((&port.name, error))),
            }
        }
        match misfit {
            None => Ok((inputs, outputs)),
            Some((port, error)) => {
                self.put_back(inputs, outputs);
                Err(format!("port `{port}`: {error}"))
            }
        }
    }

    fn put_back(&self, inputs: Inputs, outputs: Outputs) {
        for (name, handle) in inputs {
            if let Some(port) = self.inputs.iter().find(|port| port.name == name) {
                port.end.put_back(handle);
            }
        }
        for (name, handle) in outputs {
            if let Some(port) = self.outputs.iter().find(|port| port.name == name) {
                port.end.put_back(handle);
            }
        }
    }

    fn refused(self, why: Refused) -> SpawnError {
        SpawnError {
            why,
            spawn: Box::new(self),
        }
    }
}

/// Why a process could not be spawned, with the ends that were to be its ports.
pub struct SpawnError {
    why: Refused,
    spawn: Box<Spawn>,
}

/// The reasons for a [`SpawnError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No component of this name may be spawned by this process.
    UnknownComponent(String),
    /// Ports or arguments do not fit the component's signature.
    Misfit(String),
    /// A limit on processes, children or memory mappings; the text names it.
    Capacity(String),
    /// The component could not be instantiated.
    Instantiation(String),
}

impl From<raw::SpawnError> for Refused {
    fn from(error: raw::SpawnError) -> Self {
        match error {
            raw::SpawnError::UnknownComponent(text) => Refused::UnknownComponent(text),
            raw::SpawnError::Misfit(text) => Refused::Misfit(text),
            raw::SpawnError::Capacity(text) => Refused::Capacity(text),
            raw::SpawnError::Instantiation(text) => Refused::Instantiation(text),
        }
    }
}

impl SpawnError {
    /// Why.
    pub fn why(&self) -> &Refused {
        &self.why
    }

    /// What was to be spawned.
    pub(crate) fn into_spawn(self) -> Spawn {
        *self.spawn
    }

    /// Tries again.
    ///
    /// # Errors
    ///
    /// Those of [`Spawn::start`].
    pub fn retry(self) -> Result<Child, SpawnError> {
        self.spawn.start()
    }

    /// Takes back the receiver that was to be this input, if its messages are of this type.
    pub fn take_input<T: Message>(&mut self, port: &str) -> Option<Receiver<T>> {
        let inputs = &mut self.spawn.inputs;
        let index = inputs
            .iter()
            .position(|input| input.name == port && input.ty == T::TYPE)?;
        Some(Receiver::from_end(inputs.swap_remove(index).end))
    }

    /// Takes back the sender that was to be this output, if its messages are of this type.
    pub fn take_output<T: Message>(&mut self, port: &str) -> Option<Sender<T>> {
        let outputs = &mut self.spawn.outputs;
        let index = outputs
            .iter()
            .position(|output| output.name == port && output.ty == T::TYPE)?;
        Some(Sender::from_end(outputs.swap_remove(index).end))
    }
}

impl fmt::Debug for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpawnError").field(&self.why).finish()
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let component = &self.spawn.component;
        write!(f, "cannot spawn `{component}`: ")?;
        match &self.why {
            Refused::UnknownComponent(text) => {
                f.write_str("this process may not spawn it, or there is none of that name")?;
                if !text.is_empty() && text != component {
                    write!(f, " ({text})")?;
                }
                Ok(())
            }
            Refused::Misfit(text) | Refused::Capacity(text) | Refused::Instantiation(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for SpawnError {}

/// A process that this one has spawned. Dropping this lets it run on.
#[derive(Debug)]
pub struct Child {
    pub(crate) child: raw::Child,
}

impl Child {
    /// Its name, unique in the network.
    pub fn name(&self) -> String {
        self.child.name()
    }

    /// Its number, unique in the network.
    pub fn id(&self) -> u64 {
        self.child.id()
    }

    /// Blocks until it has ended.
    pub fn wait(&self) -> Outcome {
        run_deferred();
        loop {
            // The host answers only when it has ended.
            if let Some(outcome) = self.child.wait(Patience::Forever) {
                return outcome.into();
            }
        }
    }

    /// Like [`wait`](Child::wait), but gives up at `deadline`: `None` if it still runs then.
    pub fn wait_by(&self, deadline: Instant) -> Option<Outcome> {
        run_deferred();
        let patience = Patience::Until(deadline.nanoseconds());
        self.child.wait(patience).map(Outcome::from)
    }

    /// Like [`wait`](Child::wait), but gives up after `timeout`: `None` if it still runs then.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use transputer_guest::{Child, Error};
    /// # fn process(child: Child) -> Result<(), Error> {
    /// if child.wait_timeout(Duration::from_secs(1)).is_none() {
    ///     child.kill("too slow");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> Option<Outcome> {
        self.wait_by(now() + timeout)
    }

    /// How it ended, if it has.
    pub fn try_wait(&self) -> Option<Outcome> {
        run_deferred();
        self.child.wait(Patience::Never).map(Outcome::from)
    }

    /// Stops it: it leaves every queue, and its channels are poisoned with this reason. Blocks
    /// until it has ended, so that it holds no end any more when this returns: what is sent to it
    /// then fails with [`Error::PeerKilled`](crate::Error::PeerKilled). Returns at once if it has ended already.
    pub fn kill(&self, reason: &str) {
        run_deferred();
        self.child.kill(reason);
    }

    /// Links this process and the child: when one of them fails, by whatever outcome but
    /// [`Finished`](Outcome::Finished), the other is stopped. If the child has failed already,
    /// this process is stopped now. To be told of the child's end instead, use
    /// [`monitor`](Child::monitor).
    pub fn link(&self) {
        self.child.link();
    }

    /// A receiver of one message, sent when the child ends; for use in an alternation. The message
    /// is there when [`wait`](Child::wait) or [`kill`](Child::kill) has returned.
    pub fn monitor(&self) -> Receiver<Ended> {
        Receiver::from_host(self.child.monitor(), "")
    }
}

/// What a [monitor](Child::monitor) sends: the text of the child's outcome, empty if it finished.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended(pub String);

/// The text crosses as it is, with no codec.
impl Message for Ended {
    const TYPE: &'static Type = Vec::<u8>::TYPE;

    fn write(&self, writer: &mut Writer) {
        writer.bytes(self.0.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let text = reader.bytes(Self::TYPE)?;
        Ok(Ended(String::from_utf8_lossy(&text).into_owned()))
    }

    fn write_whole(&self, writer: &mut Writer) {
        writer.raw(self.0.as_bytes());
    }

    fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Ended(String::from_utf8_lossy(reader.rest()).into_owned()))
    }
}
