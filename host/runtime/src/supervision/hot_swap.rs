//! Another component for a running process.
//!
//! The new instance is made while the old one runs, so that a component that cannot be
//! instantiated harms nobody. Then the process is watched until it waits to receive with nothing
//! unfinished. Between two of its steps its task then drops the old instance, gives the ends at its
//! ports to the new one, and calls that. The contents of the channels are not touched.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use transputer_core::clock::Sleep;
use transputer_core::scheduler::ThisTask;
use wasmtime::Store;

use super::in_flight::Unswappable;
use crate::component::Component;
use crate::error::SpawnFault;
use crate::network::state::NetworkState;
use crate::process::{Body, Outcome, Process, ProcessState, Turn, Wiring};
use transputer_abi::Instance;
use transputer_network::policies::RestartPolicy;
use transputer_network::signature::Signature;

/// How to replace a process's component.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replace {
    /// How long to wait, on the scheduler's clock, until the process waits to receive at one of
    /// its ports and has nothing unfinished.
    pub patience: Duration,
    /// What to do if it is still busy then.
    pub then: OutOfPatience,
}

impl Replace {
    /// Sets how long to wait until the process can be replaced without loss.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets what to do if it is still busy then.
    #[must_use]
    pub fn then(self, then: OutOfPatience) -> Self {
        Self { then, ..self }
    }
}

/// What to do with a process that is still busy when patience has run out.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutOfPatience {
    /// Replace it where it is. What it has received and not finished since the request (or, if it can be
    /// restarted, since its start) is delivered again, to its successor.
    #[default]
    Cut,
    /// Let it run on, and fail with [`ReplaceError::TimedOut`].
    Fail,
}

impl Default for Replace {
    /// Waits for five seconds, then cuts.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            then: OutOfPatience::Cut,
        }
    }
}

/// Why a process was not replaced. If it is running, it goes on as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// No process of this name lives.
    #[error("no process `{0}` lives")]
    NoSuchProcess(String),
    /// The new component has other ports or arguments than the old one.
    #[error(
        "component `{component}` cannot take the place of `{old}` in process `{process}`: {message}"
    )]
    Misfit {
        /// The process.
        process: String,
        /// The new component.
        component: String,
        /// The old one.
        old: String,
        /// What differs.
        message: String,
    },
    /// The new component could not be instantiated.
    #[error("process `{process}` cannot be replaced: {reason}")]
    Instantiation {
        /// The process.
        process: String,
        /// Why not.
        reason: SpawnFault,
    },
    /// It did not wait for a message in time.
    #[error("process `{process}` was still busy after {patience:?}, so it was not replaced")]
    TimedOut {
        /// The process.
        process: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It ended before it could be replaced.
    #[error("process `{process}` ended before it could be replaced; it {outcome}")]
    Ended {
        /// The process.
        process: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// Somebody else is replacing it.
    #[error("process `{0}` is being replaced already")]
    Busy(String),
}

/// An instance that is to replace a process's own.
pub(crate) struct Swap {
    store: Store<ProcessState>,
    instance: Instance,
    turn: Turn,
    component: Component,
    done: oneshot::Sender<()>,
}

/// The instance that a process has from now on, and what goes with it.
pub(crate) struct Successor {
    pub(crate) instance: Instance,
    pub(crate) turn: Turn,
    pub(crate) wiring: Wiring,
    pub(crate) done: oneshot::Sender<()>,
}

impl Swap {
    /// Puts the new instance's store in the place of the old one's, which is dropped.
    pub(crate) fn take_over(
        mut self,
        store: &mut Store<ProcessState>,
        process: &Process,
    ) -> Successor {
        let network = store.data().network.clone();
        let mut handover = self.store.data_mut().succeed(store.data_mut());
        *store = self.store;
        while let Some(left) = handover.unfinished.pop() {
            // A message whose port was closed meanwhile cannot be received again; one whose
            // ends are gone is not what was sent.
            if left.whole {
                let _ = handover.put_back(left);
            } else if let Some(receiver) = handover.receiver(left.channel) {
                receiver.drop_received(left.message);
            }
        }
        process.set_code(self.component);
        process
            .in_flight
            .renew(process.policy != RestartPolicy::Never);
        Successor {
            instance: self.instance,
            turn: self.turn,
            wiring: handover.into_wiring(&network, &process.name),
            done: self.done,
        }
    }
}

/// Replaces the component of a process.
pub(crate) async fn replace(
    network: Arc<NetworkState>,
    process: Arc<Process>,
    component: Component,
    options: Replace,
    task: &ThisTask,
) -> Result<(), ReplaceError> {
    fits(&process, &component)?;
    // Later incarnations run it, too, even if this one ends before it can be replaced.
    let old = process
        .child_slot
        .as_ref()
        .map(|child_slot| child_slot.set_component(&component));
    let replaced = exchange(&network, &process, component, options, task).await;
    match (&replaced, &process.child_slot, old) {
        (Err(ReplaceError::Ended { .. }), Some(child_slot), Some(_)) if child_slot.keeps_ends() => {
            Ok(())
        }
        (Err(_), Some(child_slot), Some(old)) => {
            child_slot.set_component(&old);
            replaced
        }
        _ => replaced,
    }
}

async fn exchange(
    network: &Arc<NetworkState>,
    process: &Arc<Process>,
    component: Component,
    options: Replace,
    task: &ThisTask,
) -> Result<(), ReplaceError> {
    let name = || process.name.to_string();
    let ended = || ReplaceError::Ended {
        process: name(),
        outcome: process.outcome().unwrap_or_else(|| process.cut_short()),
    };
    if process.outcome().is_some() {
        return Err(ended());
    }
    let failed = |reason| ReplaceError::Instantiation {
        process: name(),
        reason,
    };
    // Both instances exist for a while.
    let _permit = network.try_acquire_for_child().map_err(failed)?;
    let turn = Turn::new(network.host.ticks());
    let body = Body {
        process,
        network,
        component: &component,
        task,
    };
    let (store, instance) = body.begin(&turn).await.map_err(failed)?;
    let (done, swapped) = oneshot::channel();
    let swap = Swap {
        store,
        instance,
        turn,
        component,
        done,
    };
    match process.in_flight.request(|| process.input_channels(), swap) {
        Ok(()) => {}
        Err(Unswappable::Ended) => return Err(ended()),
        Err(Unswappable::Busy) => return Err(ReplaceError::Busy(name())),
    }
    process.wake();
    let patience = network.host.scheduler().clock().sleep(options.patience);
    let mut swapped = swapped;
    if let Some(swapped) = within(patience, &mut swapped).await {
        return swapped.map_err(|_| ended());
    }
    match options.then {
        OutOfPatience::Fail => {
            if process.in_flight.withdraw().is_some() {
                return Err(ReplaceError::TimedOut {
                    process: name(),
                    patience: options.patience,
                });
            }
        }
        OutOfPatience::Cut => {
            process.in_flight.cut();
            process.wake();
        }
    }
    swapped.await.map_err(|_| ended())
}

/// The output of `wanted`, unless patience ends first.
async fn within<F: Future + Unpin>(mut patience: Sleep, wanted: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(output) = std::pin::Pin::new(&mut *wanted).poll(context) {
            return std::task::Poll::Ready(Some(output));
        }
        std::pin::Pin::new(&mut patience)
            .poll(context)
            .map(|()| None)
    })
    .await
}

/// Whether a component has the ports and arguments of the one that a process runs.
fn fits(process: &Process, component: &Component) -> Result<(), ReplaceError> {
    let old = process.code();
    let faults = differences(&process.name, old.signature(), component.signature());
    if faults.is_empty() {
        return Ok(());
    }
    Err(ReplaceError::Misfit {
        process: process.name.to_string(),
        component: component.name().to_owned(),
        old: old.name().to_owned(),
        message: faults.join("; "),
    })
}

/// In what respects a new signature does not fit where the old one does.
fn differences(process: &str, old: &Signature, new: &Signature) -> Vec<String> {
    let mut faults = Vec::new();
    for port in &old.ports {
        let (name, verb, ty) = (&port.name, port.direction.verb(), &port.ty);
        match new.port(name) {
            None => faults.push(format!(
                "`{process}.{name}` {verb} `{ty}`, but it has no such port"
            )),
            Some(found) if found.direction != port.direction || found.ty != port.ty => {
                faults.push(format!(
                    "`{process}.{name}` {verb} `{ty}`, but its port {} `{}`",
                    found.direction.verb(),
                    found.ty
                ));
            }
            Some(_) => {}
        }
    }
    for port in new
        .ports
        .iter()
        .filter(|port| old.port(&port.name).is_none())
    {
        faults.push(format!(
            "its port `{}` {} `{}`, but `{process}` has no such port",
            port.name,
            port.direction.verb(),
            port.ty
        ));
    }
    for argument in &old.arguments {
        let (name, ty) = (&argument.name, &argument.ty);
        match new.argument(name) {
            None => faults.push(format!("it has no argument `{name}: {ty}`")),
            Some(found) if found.ty != *ty => faults.push(format!(
                "its argument `{name}` is `{}`, not `{ty}`",
                found.ty
            )),
            Some(_) => {}
        }
    }
    for argument in &new.arguments {
        if old.argument(&argument.name).is_none() && !argument.ty.is_option() {
            faults.push(format!(
                "it needs an argument `{}: {}` that `{process}` was not given",
                argument.name, argument.ty
            ));
        }
    }
    faults
}
