//! `transputer:csp/process`.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use transputer_abi::handles::{ChildHandle, ReceiverHandle, SenderHandle};
use transputer_core::Holder;
use transputer_core::channel::channel;
use transputer_core::clock::{Sleep, Time};
use wasmtime::component::Resource;

use super::cause::wit_outcome;
use crate::error::SpawnFault;
use crate::limits::{ENTRY, Held};
use crate::message::Message;
use crate::network::event::{Event, Level};
use crate::network::signature_check::{check_arguments, check_ports};
use crate::patience::Patience;
use crate::process::{
    Child, ChildGuard, LINK, Outcome, Pace, Process, ProcessState, SpawnRequest, Spawnable, Wiring,
    spawn,
};
use crate::text::{LONGEST, Text};
use transputer_abi::bindings::transputer::csp::{channel as wit_channel, process as wit};

/// What the host keeps of a child for who has its handle, in bytes: its name, its outcome, who waits for it.
const CHILD: u64 = 512;

/// How a panic begins, as the guest SDK logs it.
const PANIC: &str = "panicked at ";

impl wit::Host for ProcessState {
    fn name(&mut self) -> wasmtime::Result<String> {
        Ok(self.process.name.to_string())
    }

    fn id(&mut self) -> wasmtime::Result<u64> {
        Ok(self.process.id.0)
    }

    async fn spawn(
        &mut self,
        component: String,
        name: Option<String>,
        arguments: Vec<u8>,
        inputs: Vec<(String, ReceiverHandle)>,
        outputs: Vec<(String, SenderHandle)>,
    ) -> wasmtime::Result<Result<ChildHandle, wit::SpawnRefused>> {
        self.close_dropped();
        let wiring = self.take_wiring(inputs, outputs)?;
        let request = self.request(&component, name, arguments, &wiring).await;
        let now = self.network.host.scheduler().clock().now();
        let patience = Patience::at_capacity(self.network.at_capacity, now);
        self.spawn_child(request, wiring, patience).await
    }

    async fn spawn_patiently(
        &mut self,
        component: String,
        name: Option<String>,
        arguments: Vec<u8>,
        inputs: Vec<(String, ReceiverHandle)>,
        outputs: Vec<(String, SenderHandle)>,
        patience: wit_channel::Patience,
    ) -> wasmtime::Result<Result<ChildHandle, wit::SpawnRefused>> {
        let wiring = self.take_wiring(inputs, outputs)?;
        let request = self.request(&component, name, arguments, &wiring).await;
        self.spawn_child(request, wiring, patience.into()).await
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.network.host.scheduler().clock().look().as_nanos())
    }

    async fn sleep_until(&mut self, deadline: u64) -> wasmtime::Result<()> {
        self.close_dropped();
        self.process.begins_to_wait();
        ProcessState::sleep_until(self, deadline).await;
        self.trace(|| "wakes up");
        Ok(())
    }

    async fn yield_now(&mut self) -> wasmtime::Result<()> {
        self.close_dropped();
        let mut yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Ok(())
    }

    fn log(&mut self, level: wit::Level, line: String) -> wasmtime::Result<()> {
        let line = Text::new(line).into_string();
        if line.starts_with(PANIC) {
            // Without memory for it, the trap must do.
            let charge = self.memory.try_charge(line.len() as u64);
            self.panic = charge.ok().map(|it| Held::by_process(line.clone(), it));
        }
        if let Some(rate) = &self.process.budget.log {
            rate.line(self.network.host.scheduler().clock().now())?;
        }
        self.network.tell(Event::Log {
            process: self.process.name.to_string(),
            level: match level {
                wit::Level::Trace => Level::Trace,
                wit::Level::Debug => Level::Debug,
                wit::Level::Info => Level::Info,
                wit::Level::Warn => Level::Warn,
                wit::Level::Error => Level::Error,
            },
            line,
        });
        Ok(())
    }
}

impl wit::HostChild for ProcessState {
    fn name(&mut self, this: ChildHandle) -> wasmtime::Result<String> {
        Ok(self.child(&this)?.0.name.to_string())
    }

    fn id(&mut self, this: ChildHandle) -> wasmtime::Result<u64> {
        Ok(self.child(&this)?.0.id.0)
    }

    async fn wait(
        &mut self,
        this: ChildHandle,
        patience: wit_channel::Patience,
    ) -> wasmtime::Result<Option<wit_channel::Outcome>> {
        self.close_dropped();
        let wait = self.how_long(patience);
        let child = self.child(&this)?;
        let outcome = match wait {
            Patience::Forever => {
                let _joining = self.process.joining(child.0.id);
                Some(child.0.wait().await)
            }
            Patience::Until(deadline) => ended_by(&child.0, deadline).await,
            Patience::Never => child.0.outcome(),
        };
        Ok(outcome.map(wit_outcome))
    }

    async fn kill(&mut self, this: ChildHandle, reason: String) -> wasmtime::Result<()> {
        self.close_dropped();
        let child = &self.child(&this)?.0;
        child.end(Outcome::Stopped(Text::new(reason).into_string()));
        // Not a join, as deadlock detection sees it: the child is still in the queues that it
        // leaves, and waits for nobody.
        child.wait().await;
        Ok(())
    }

    fn link(&mut self, this: ChildHandle) -> wasmtime::Result<()> {
        let child = self.child(&this)?.0.clone();
        let charge = self.memory.charge(LINK)?;
        self.process.link(&child, charge);
        Ok(())
    }

    fn monitor(&mut self, this: ChildHandle) -> wasmtime::Result<ReceiverHandle> {
        self.ends.room_for(1)?;
        self.ends.cover(1, &mut self.memory)?;
        // What it will tell, and the task that waits to tell it.
        let charge = self.memory.charge(2 * LONGEST as u64)?;
        let open = self.count_channel()?.ok_or_else(|| {
            let most = self.process.spec.limits.channels;
            wasmtime::Error::msg(format!("no channel more than {most} for a monitor"))
        })?;
        let child = self.child(&this)?.0.clone();
        let label = format!("end of {}", child.name);
        let options = transputer_core::Options::bounded(1);
        let options = self.network.counted(options, &label, open);
        let (sender, receiver) = channel::<Message>(options);
        self.network.register_channel(&sender);
        // To deadlock detection, the child is who will make the message come.
        sender.set_holder(Holder::Process(child.id));
        child.monitored(Held::by_process(sender, charge));
        Ok(self.ends.add_receiver(receiver))
    }

    fn drop(&mut self, this: ChildHandle) -> wasmtime::Result<()> {
        self.child(&this)?;
        self.children.remove(this.rep() as usize);
        Ok(())
    }
}

impl ProcessState {
    /// Spawns a child, as soon as there is a permit for it.
    async fn spawn_child(
        &mut self,
        request: Result<SpawnRequest, SpawnFault>,
        wiring: Wiring,
        patience: Patience<Time>,
    ) -> wasmtime::Result<Result<ChildHandle, wit::SpawnRefused>> {
        let mut request = match request {
            Ok(request) => request,
            Err(fault) => return Ok(Err(self.refuse(&fault, wiring))),
        };
        let permit = match self.network.try_acquire_for_child() {
            Err(_) if !matches!(patience, Patience::Never) => {
                self.network
                    .acquire_for_child(self.process.id, patience)
                    .await
            }
            permit => permit,
        };
        match permit {
            Ok(permit) => request.permit = Some(permit),
            Err(fault) => return Ok(Err(self.refuse(&fault, wiring))),
        }
        let (process, started) = match spawn(request, wiring) {
            Ok(spawned) => spawned,
            Err((fault, wiring)) => return Ok(Err(self.refuse(&fault, wiring))),
        };
        match started.await {
            Ok(Err((fault, wiring))) => Ok(Err(self.refuse(&fault, wiring))),
            // If there is no answer, the child was killed before it could run.
            Ok(Ok(())) | Err(_) => Ok(Ok(self.hold_child(process)?)),
        }
    }

    /// A handle for a child that was spawned.
    pub(super) fn hold_child(&mut self, process: Arc<Process>) -> wasmtime::Result<ChildHandle> {
        self.trace(|| format!("spawns `{}`", process.name));
        let held = self.children.len() + 1;
        self.memory.cover(&mut self.covered_children, held, CHILD)?;
        let number = self.children.insert(Child(process));
        Ok(Resource::new_own(u32::try_from(number)?))
    }

    pub(super) fn child(&self, handle: &ChildHandle) -> wasmtime::Result<&Child> {
        let number = handle.rep();
        self.children.get(number as usize).ok_or_else(|| {
            wasmtime::Error::msg(format!("unknown handle: no child has number {number} here"))
        })
    }

    pub(super) fn take_wiring(
        &mut self,
        inputs: Vec<(String, ReceiverHandle)>,
        outputs: Vec<(String, SenderHandle)>,
    ) -> wasmtime::Result<Wiring> {
        let mut wiring = Wiring::default();
        for (port, receiver) in inputs {
            let receiver = self.ends.take_receiver(&receiver)?;
            wiring.inputs.push((port, receiver));
        }
        for (port, sender) in outputs {
            wiring.outputs.push((port, self.ends.take_sender(&sender)?));
        }
        Ok(wiring)
    }

    /// A child as the guest wants it, if the guest may have it and everything fits.
    async fn request(
        &mut self,
        component: &str,
        name: Option<String>,
        arguments: Vec<u8>,
        wiring: &Wiring,
    ) -> Result<SpawnRequest, SpawnFault> {
        let process = self.process.clone();
        check_request(&process, component, &arguments, wiring, &mut self.pace).await?;
        self.request_checked(component, name, arguments)
    }

    /// The same once it is known that ports and arguments fit.
    pub(super) fn request_checked(
        &mut self,
        component: &str,
        name: Option<String>,
        arguments: Vec<u8>,
    ) -> Result<SpawnRequest, SpawnFault> {
        let process = self.process.clone();
        let spawnable = find_spawnable(&process.spec.spawnable, component)?;
        let code = &spawnable.component;
        let budget = &process.budget;
        budget.check_time().map_err(SpawnFault::Overrun)?;
        let parent = self.count_child()?;
        let own = spawnable.own.as_ref();
        let size = arguments.len() as u64 + ENTRY;
        let charge = self.memory.try_charge(size).map_err(SpawnFault::Overrun)?;
        let arguments = Held::by_process(arguments, charge).into();
        Ok(SpawnRequest {
            network: self.network.clone(),
            spec: self.process.spec.child(
                Text::name(name.unwrap_or_else(|| component.to_owned())).into_string(),
                (component, self.network.newest(component, code)),
                own,
                arguments,
            ),
            budget: Some(budget.for_child(own.map(|own| &own.asked), &self.network)),
            parent: Some(parent),
            spawned_by: Some(process.id),
            child_slot: None,
            permit: None,
            replaces: None,
        })
    }

    /// One more child, if there may be one. Handles of children that have ended count as well, for
    /// they cost memory.
    fn count_child(&self) -> Result<ChildGuard, SpawnFault> {
        let most = self.process.spec.limits.children;
        let held = self.children.len();
        let counted = match held < most {
            true => ChildGuard::new(&self.living_children).map_err(|_| self.living_children.used()),
            false => Err(held as u64),
        };
        counted.map_err(|held| SpawnFault::Capacity {
            running: u32::try_from(held).unwrap_or(u32::MAX),
            wanted: 1,
            limit: format!("its limit `children` = {most} allows"),
        })
    }

    /// Gives the ends back with the reason.
    pub(super) fn refuse(&mut self, fault: &SpawnFault, wiring: Wiring) -> wit::SpawnRefused {
        let text = Text::of(fault).into_string();
        let error = match fault {
            SpawnFault::UnknownComponent { .. } => wit::SpawnError::UnknownComponent(text),
            SpawnFault::Misfit(_) => wit::SpawnError::Misfit(text),
            SpawnFault::Capacity { .. } | SpawnFault::NoSlot(_) | SpawnFault::Stopping => {
                wit::SpawnError::Capacity(text)
            }
            SpawnFault::Overrun(_) | SpawnFault::Instantiation(_) => {
                wit::SpawnError::Instantiation(text)
            }
        };
        let inputs = wiring.inputs.into_iter();
        let outputs = wiring.outputs.into_iter();
        wit::SpawnRefused {
            error,
            inputs: inputs
                .map(|(port, receiver)| (port, self.ends.add_receiver(receiver)))
                .collect(),
            outputs: outputs
                .map(|(port, sender)| (port, self.ends.add_sender(sender)))
                .collect(),
        }
    }
}

/// Whether ports and arguments fit the component of this name, if `process` may spawn it.
pub(super) async fn check_request(
    process: &Process,
    component: &str,
    arguments: &[u8],
    wiring: &Wiring,
    pace: &mut Pace,
) -> Result<(), SpawnFault> {
    let spawnable = find_spawnable(&process.spec.spawnable, component)?;
    let signature = spawnable.component.signature();
    let most = process.spec.limits.message;
    if arguments.len() > most {
        return Err(SpawnFault::Misfit(format!(
            "its arguments of {} bytes are over the limit `message` = {most}",
            arguments.len(),
        )));
    }
    check_ports(signature, wiring).map_err(SpawnFault::Misfit)?;
    let checked = check_arguments(signature, arguments, pace).await;
    checked.map_err(SpawnFault::Misfit)
}

/// What a process may spawn by this name.
fn find_spawnable<'a>(
    spawnable: &'a BTreeMap<String, Spawnable>,
    name: &str,
) -> Result<&'a Spawnable, SpawnFault> {
    spawnable.get(name).ok_or_else(|| {
        let names: Vec<_> = spawnable.keys().map(|name| format!("`{name}`")).collect();
        SpawnFault::UnknownComponent {
            name: Text::name(name.to_owned()).into_string(),
            allowed: if names.is_empty() {
                "its `grants.spawn` names none".to_owned()
            } else {
                format!("its `grants.spawn` names {}", names.join(", "))
            },
        }
    })
}

/// How a process ended, if it does so before the deadline. An end at the same time as the deadline
/// counts.
pub(super) async fn ended_by(process: &Process, mut deadline: Sleep) -> Option<Outcome> {
    let mut end = pin!(process.wait());
    poll_fn(|context| match end.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Pin::new(&mut deadline).poll(context).map(|()| None),
    })
    .await
}
