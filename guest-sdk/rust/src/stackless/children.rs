//! Spawning processes, as futures.

#![allow(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::{Call, Room, text};
use super::time::{Nothing, timeout_at};
use super::{Receiver, Sender, after_event, list, raw};
use crate::bindings::transputer::csp::channel as channels;
use crate::bindings::transputer::csp::process as processes;
use crate::bindings::{Receiver as RawReceiver, Sender as RawSender};
use crate::message::{AsMessage, Message};
use crate::process::{Birth, Inputs, Instant, Outputs, now};
use crate::{Ended, Outcome, Refused};

/// Starts to describe a new process, which runs `component`: a name from the network file, among
/// those that this process may spawn. It may be of either form.
///
/// ```no_run
/// use transputer_guest::Error;
/// use transputer_guest::stackless::{channel, spawn};
///
/// # async fn process() -> Result<(), Error> {
/// let (candidates, first) = channel::<u64>(0)?;
/// let (last, survivors) = channel::<u64>(0)?;
/// let filter = spawn("filter")
///     .argument("prime", 2u64)
///     .input("candidates", first)
///     .output("survivors", last)
///     .start()
///     .await?;
/// candidates.send(3).await?;
/// assert_eq!(survivors.receive().await?, 3);
/// candidates.close();
/// filter.wait().await.ok()?;
/// # Ok(())
/// # }
/// ```
pub fn spawn(component: &str) -> Spawn {
    Spawn(crate::spawn(component))
}

/// A process to be spawned; see [`spawn`].
#[derive(Debug)]
#[must_use = "nothing is spawned before `start`"]
pub struct Spawn(crate::Spawn);

impl Spawn {
    /// Suggests a name; the host adds a number where it is taken.
    pub fn name(self, name: &str) -> Self {
        Spawn(self.0.name(name))
    }

    /// Gives an argument. It cannot hold ends of channels.
    pub fn argument<T: Message>(self, name: &str, value: impl AsMessage<T>) -> Self {
        Spawn(self.0.argument(name, value))
    }

    /// Gives this receiver to the new process, as its input `port`.
    pub fn input<T: Message>(self, port: &str, receiver: Receiver<T>) -> Self {
        Spawn(self.0.input(port, receiver.0))
    }

    /// Gives this sender to the new process, as its output `port`.
    pub fn output<T: Message>(self, port: &str, sender: Sender<T>) -> Self {
        Spawn(self.0.output(port, sender.0))
    }

    /// At the limit on processes, waits until one more may run; see [`crate::Spawn::wait_for_capacity`].
    pub fn wait_for_capacity(self) -> Self {
        Spawn(self.0.wait_for_capacity())
    }

    /// At the limit on processes, waits until this time for one more to be allowed.
    pub fn wait_for_capacity_by(self, deadline: Instant) -> Self {
        Spawn(self.0.wait_for_capacity_by(deadline))
    }

    /// Fails at the limit on processes, whatever the network's setting.
    pub fn fail_at_capacity(self) -> Self {
        Spawn(self.0.fail_at_capacity())
    }

    /// Spawns it: waits while the component is instantiated and, at the limit on processes, as it was told to.
    ///
    /// Dropping the future before it is ready closes the ends that were to be ports, unless the process
    /// has begun to live, which then lives on.
    ///
    /// # Errors
    ///
    /// [`SpawnError`], which says why, and holds the ends that were to be ports.
    pub async fn start(self) -> Result<Child, SpawnError> {
        after_event();
        let (spawn, birth) = self.0.prepare().map_err(SpawnError)?;
        let begins = Begins {
            patience: spawn.patience(),
            birth: Some(birth),
            call: Call::new(),
        };
        match begins.await {
            Ok(child) => Ok(Child(crate::Child { child })),
            Err(refused) => Err(SpawnError(spawn.refuse(refused))),
        }
    }

    /// Spawns it, [linked](Child::link) with this process.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Spawn::start).
    pub async fn start_linked(self) -> Result<Child, SpawnError> {
        let child = self.start().await?;
        child.link();
        Ok(child)
    }
}

/// Why a process could not be spawned, with the ends that were to be its ports.
pub struct SpawnError(crate::SpawnError);

impl SpawnError {
    /// Why.
    pub fn why(&self) -> &Refused {
        self.0.why()
    }

    /// Tries again.
    ///
    /// # Errors
    ///
    /// Those of [`Spawn::start`].
    pub async fn retry(self) -> Result<Child, SpawnError> {
        Spawn(self.0.into_spawn()).start().await
    }

    /// Takes back the receiver that was to be this input, if its messages are of this type.
    pub fn take_input<T: Message>(&mut self, port: &str) -> Option<Receiver<T>> {
        self.0.take_input(port).map(Receiver)
    }

    /// Takes back the sender that was to be this output, if its messages are of this type.
    pub fn take_output<T: Message>(&mut self, port: &str) -> Option<Sender<T>> {
        self.0.take_output(port).map(Sender)
    }
}

impl fmt::Debug for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SpawnError {}

/// A process that this one has spawned. Dropping this lets it run on.
#[derive(Debug)]
pub struct Child(crate::Child);

impl Child {
    /// Its name, unique in the network.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Its number, unique in the network.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Waits until it has ended.
    pub async fn wait(&self) -> Outcome {
        after_event();
        loop {
            let waits = Waits {
                child: self.0.child.handle(),
                call: Call::new(),
            };
            // The host answers only when it has ended.
            if let Some(outcome) = waits.await {
                return outcome.into();
            }
        }
    }

    /// Like [`wait`](Child::wait), but gives up at `deadline`: `None` if it still runs then.
    pub async fn wait_by(&self, deadline: Instant) -> Option<Outcome> {
        timeout_at(deadline, self.wait()).await.ok()
    }

    /// Like [`wait`](Child::wait), but gives up after `timeout`: `None` if it still runs then.
    pub async fn wait_timeout(&self, timeout: Duration) -> Option<Outcome> {
        self.wait_by(now() + timeout).await
    }

    /// Stops it, and waits until it has ended; see [`crate::Child::kill`]. It is stopped even if the future is
    /// dropped once it was polled.
    pub async fn kill(&self, reason: &str) {
        after_event();
        let child = self.0.child.handle();
        Nothing::new(|| raw::kill_child(child, reason)).await;
    }

    /// Links this process and the child; see [`crate::Child::link`].
    pub fn link(&self) {
        self.0.link();
    }

    /// A receiver of one message, sent when the child ends; for use in an alternation.
    pub fn monitor(&self) -> Receiver<Ended> {
        self.0.monitor().into()
    }
}

/// The future of a spawn.
struct Begins {
    patience: Option<channels::Patience>,
    /// Until the host has it.
    birth: Option<Birth>,
    call: Call<32>,
}

impl Begins {
    fn result(room: &Room<32>) -> Result<processes::Child, processes::SpawnRefused> {
        use processes::SpawnError::{Capacity, Instantiation, Misfit, UnknownComponent};
        if room.byte(0) == 0 {
            // SAFETY: the handle is this process's own from now on.
            return Ok(unsafe { processes::Child::from_handle(room.u32(4)) });
        }
        let why = text(room.bytes(8));
        Err(processes::SpawnRefused {
            error: match room.byte(4) {
                0 => UnknownComponent(why),
                1 => Misfit(why),
                2 => Capacity(why),
                _ => Instantiation(why),
            },
            inputs: ports(room, 16, |handle| {
                // SAFETY: as above.
                unsafe { RawReceiver::from_handle(handle) }
            }),
            outputs: ports(room, 24, |handle| {
                // SAFETY: as above.
                unsafe { RawSender::from_handle(handle) }
            }),
        })
    }
}

/// Ports that come back, each with its name and its handle.
fn ports<End>(room: &Room<32>, at: usize, end: impl Fn(u32) -> End) -> Vec<(String, End)> {
    let ports: Vec<[u32; 3]> = list(room.u32(at), room.u32(at + 4));
    let ports = ports.into_iter();
    let named = ports.map(|[at, length, handle]| (text(list(at, length)), end(handle)));
    named.collect()
}

/// Ports as the host takes them: what their names are, and their handles.
fn lowered<End>(ports: &[(String, End)], handle: impl Fn(&End) -> u32) -> Vec<[u32; 3]> {
    let ports = ports.iter().map(|(name, end)| {
        let at = name.as_ptr().expose_provenance() as u32;
        [at, name.len() as u32, handle(end)]
    });
    ports.collect()
}

/// The host has these ends now.
fn given(inputs: Inputs, outputs: Outputs) {
    for (_, end) in inputs {
        end.take_handle();
    }
    for (_, end) in outputs {
        end.take_handle();
    }
}

impl Future for Begins {
    type Output = Result<processes::Child, processes::SpawnRefused>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let patience = self.patience;
        let (call, birth) = super::project_two(self, |this| (&mut this.call, &mut this.birth));
        let begin = |to| {
            let Some(birth) = birth.take() else {
                unreachable!("a call begins once");
            };
            let inputs = lowered(&birth.inputs, RawReceiver::handle);
            let outputs = lowered(&birth.outputs, RawSender::handle);
            let (component, name) = (&birth.component, birth.name.as_deref());
            let status = raw::spawn_to(
                raw::Spawned {
                    component,
                    name,
                    arguments: &birth.arguments,
                    inputs: &inputs,
                    outputs: &outputs,
                },
                patience,
                to,
            );
            given(birth.inputs, birth.outputs);
            status
        };
        call.poll(context, begin).map(Self::result)
    }
}

/// What comes of it all the same is dropped: ends are closed, a child lives on.
impl Drop for Begins {
    fn drop(&mut self) {
        let this = super::pinned_for_drop(self);
        let call = super::project(this, |this| &mut this.call);
        if let Some(room) = call.give_up() {
            drop(Self::result(room));
        }
    }
}

/// The future of a wait for a child.
struct Waits {
    child: u32,
    call: Call<48>,
}

impl Waits {
    fn result(room: &Room<48>) -> Option<channels::Outcome> {
        use channels::{Limit, LimitOwner, Outcome};
        if room.byte(0) == 0 {
            return None;
        }
        let why = |at| text(room.bytes(at));
        Some(match room.byte(8) {
            0 => Outcome::Finished,
            1 => Outcome::Failed(why(16)),
            2 => Outcome::Trapped(why(16)),
            3 => Outcome::Killed(channels::Overrun {
                limit: match room.byte(16) {
                    0 => Limit::Memory,
                    1 => Limit::Cpu,
                    2 => Limit::Wall,
                    3 => Limit::Operation,
                    4 => Limit::Log,
                    _ => Limit::Channels,
                },
                owner: match room.byte(17) {
                    0 => LimitOwner::Process,
                    1 => LimitOwner::Network,
                    _ => LimitOwner::Host,
                },
                allowed: room.u64(24),
                asked: room.u64(32),
                text: why(40),
            }),
            _ => Outcome::Stopped(why(16)),
        })
    }
}

impl Future for Waits {
    type Output = Option<channels::Outcome>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let child = self.child;
        let call = super::project(self, |this| &mut this.call);
        call.poll(context, |to| raw::wait_for_child(child, to))
            .map(Self::result)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let this = super::pinned_for_drop(self);
        let call = super::project(this, |this| &mut this.call);
        if let Some(room) = call.give_up() {
            drop(Self::result(room));
        }
    }
}
