//! `transputer:csp/process`.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use transputer_abi::handles::{ChildHandle, ReceiverHandle, SenderHandle};
use transputer_core::Holder;
use transputer_core::channel::channel;
use transputer_core::clock::{Sleep, Time};
use wasmtime::component::Resource;

use super::channel::cut;
use crate::component::Component;
use crate::error::SpawnFault;
use crate::message::Message;
use crate::network::event::{Event, Level};
use crate::network::signature_check::{check_arguments, check_ports};
use crate::patience::Patience;
use crate::process::{
    Child, ChildGuard, Outcome, Process, ProcessState, SpawnRequest, Wiring, spawn,
};
use transputer_abi::bindings::transputer::csp::{channel as wit_channel, process as wit};

/// The longest line of a log.
const LINE: usize = 8 << 10;

/// The longest name that a guest may give a child.
const NAME: usize = 128;

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
        self.settle();
        let wiring = self.take_wiring(inputs, outputs)?;
        let request = self.request(&component, name, arguments, &wiring);
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
        let request = self.request(&component, name, arguments, &wiring);
        self.spawn_child(request, wiring, patience.into()).await
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.network.host.scheduler().clock().now().as_nanos())
    }

    async fn sleep_until(&mut self, deadline: u64) -> wasmtime::Result<()> {
        self.settle();
        ProcessState::sleep_until(self, deadline).await;
        self.trace(|| "wakes up");
        Ok(())
    }

    async fn yield_now(&mut self) -> wasmtime::Result<()> {
        self.settle();
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
        let line = cut(line, LINE);
        if line.starts_with(PANIC) {
            self.panic = Some(line.clone());
        }
        let clock = self.network.host.scheduler().clock();
        self.log.line(|| clock.now())?;
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
    ) -> wasmtime::Result<Option<wit::Outcome>> {
        self.settle();
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

    fn kill(&mut self, this: ChildHandle, reason: String) -> wasmtime::Result<()> {
        let reason = cut(reason, LINE);
        self.child(&this)?.0.end(Outcome::Stopped(reason));
        Ok(())
    }

    fn link(&mut self, this: ChildHandle) -> wasmtime::Result<()> {
        let child = self.child(&this)?.0.clone();
        self.process.link(&child);
        Ok(())
    }

    fn monitor(&mut self, this: ChildHandle) -> wasmtime::Result<ReceiverHandle> {
        self.ends.room_for(1)?;
        let open = self.count_channel().ok_or_else(|| {
            let most = self.settings.limits.channels;
            wasmtime::Error::msg(format!("no channel more than {most} for a monitor"))
        })?;
        let child = self.child(&this)?.0.clone();
        let label = format!("end of {}", child.name);
        let options = transputer_core::Options::bounded(1);
        let options = self.network.counted(options, &label, open);
        let (sender, receiver) = channel::<Message>(options);
        self.network.watch_channel(&sender);
        // The child is who will make the message come, for the eyes of deadlock detection.
        sender.set_holder(Holder::Process(child.id));
        self.network.host.scheduler().spawn(async move {
            let text = match child.wait().await {
                Outcome::Finished => String::new(),
                other => other.to_string(),
            };
            // Nobody may be listening any more.
            let _ = sender.send(Message::new(text.into_bytes())).await;
        });
        Ok(self.ends.add_receiver(receiver))
    }

    fn drop(&mut self, this: ChildHandle) -> wasmtime::Result<()> {
        self.child(&this)?;
        self.children.remove(this.rep() as usize);
        Ok(())
    }
}

impl ProcessState {
    /// Spawns a child, as soon as there is a place for it.
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
        let place = match self.network.try_acquire_for_child() {
            Err(_) if !matches!(patience, Patience::Never) => {
                self.network
                    .acquire_for_child(self.process.id, patience)
                    .await
            }
            place => place,
        };
        match place {
            Ok(place) => request.place = Some(place),
            Err(fault) => return Ok(Err(self.refuse(&fault, wiring))),
        }
        let (process, started) = match spawn(request, wiring) {
            Ok(spawned) => spawned,
            Err((fault, wiring)) => return Ok(Err(self.refuse(&fault, wiring))),
        };
        match started.await {
            Ok(Err((fault, wiring))) => Ok(Err(self.refuse(&fault, wiring))),
            // Without an answer the child has been killed before it could run.
            Ok(Ok(())) | Err(_) => {
                self.trace(|| format!("spawns `{}`", process.name));
                let number = self.children.insert(Child(process));
                Ok(Ok(Resource::new_own(u32::try_from(number)?)))
            }
        }
    }

    fn child(&self, handle: &ChildHandle) -> wasmtime::Result<&Child> {
        let number = handle.rep();
        self.children.get(number as usize).ok_or_else(|| {
            wasmtime::Error::msg(format!("unknown handle: no child has number {number} here"))
        })
    }

    fn take_wiring(
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
    fn request(
        &self,
        component: &str,
        name: Option<String>,
        arguments: Vec<u8>,
        wiring: &Wiring,
    ) -> Result<SpawnRequest, SpawnFault> {
        let code = self.spawnable(component)?;
        let signature = code.signature();
        check_ports(signature, wiring).map_err(SpawnFault::Misfit)?;
        check_arguments(signature, &arguments).map_err(SpawnFault::Misfit)?;
        self.check_children()?;
        Ok(SpawnRequest {
            network: self.network.clone(),
            component: self.network.newest(component, code),
            name: cut(name.unwrap_or_else(|| component.to_owned()), NAME),
            component_name: Arc::from(component),
            settings: self.settings.clone(),
            arguments,
            parent: Some(ChildGuard::new(&self.living_children)),
            child_slot: None,
            place: None,
            replaces: None,
        })
    }

    fn spawnable(&self, name: &str) -> Result<&Component, SpawnFault> {
        let spawnable = &self.settings.spawnable;
        spawnable.get(name).ok_or_else(|| {
            let names: Vec<_> = spawnable.keys().map(|name| format!("`{name}`")).collect();
            SpawnFault::UnknownComponent {
                name: cut(name.to_owned(), NAME),
                allowed: if names.is_empty() {
                    "its `grants.spawn` names none".to_owned()
                } else {
                    format!("its `grants.spawn` names {}", names.join(", "))
                },
            }
        })
    }

    fn check_children(&self) -> Result<(), SpawnFault> {
        let most = self.settings.limits.children;
        // Handles of children that have ended count as well, for they cost memory.
        let living = self.living_children.load(Ordering::Acquire);
        let held = living.max(self.children.len());
        if held < most {
            return Ok(());
        }
        Err(SpawnFault::Capacity {
            running: u32::try_from(held).unwrap_or(u32::MAX),
            wanted: 1,
            limit: format!("its limit `children` = {most} allows"),
        })
    }

    /// Gives the ends back with the reason.
    fn refuse(&mut self, fault: &SpawnFault, wiring: Wiring) -> wit::SpawnRefused {
        let text = fault.to_string();
        let error = match fault {
            SpawnFault::UnknownComponent { .. } => wit::SpawnError::UnknownComponent(text),
            SpawnFault::Misfit(_) => wit::SpawnError::Misfit(text),
            SpawnFault::Capacity { .. } | SpawnFault::Stopping => wit::SpawnError::Capacity(text),
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

/// How a process ended, if it does before the deadline; its end beats a deadline at the same
/// time.
async fn ended_by(process: &Process, mut deadline: Sleep) -> Option<Outcome> {
    let mut end = pin!(process.wait());
    poll_fn(|context| match end.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Pin::new(&mut deadline).poll(context).map(|()| None),
    })
    .await
}

fn wit_outcome(outcome: Outcome) -> wit::Outcome {
    match outcome {
        Outcome::Finished => wit::Outcome::Finished,
        Outcome::Failed(text) => wit::Outcome::Failed(text),
        Outcome::Trapped(trap) => wit::Outcome::Trapped(trap.reason),
        Outcome::Killed(overrun) => wit::Outcome::Killed(overrun.to_string()),
        Outcome::Stopped(reason) => wit::Outcome::Stopped(reason),
    }
}
