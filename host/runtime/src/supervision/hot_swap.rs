//! Another component for a running process.
//!
//! The new instance is made while the old one runs, so that a component that cannot be
//! instantiated harms nobody. Then the process is watched until it waits to receive with nothing
//! unfinished: between two of its steps its task drops the old instance, gives the ends at its
//! ports to the new one, and calls that. Nothing that is in the channels is touched.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use transputer_core::clock::Sleep;
use wasmtime::Store;

use super::handover::Handover;
use super::in_flight::Unswappable;
use crate::component::Component;
use crate::error::SpawnFault;
use crate::network::state::NetworkState;
use crate::process::{Body, ExitSlot, Outcome, Process, ProcessState, Turn, Wiring};
use transputer_abi::Instance;
use transputer_network::policies::RestartPolicy;
use transputer_network::signature::Signature;

/// How to replace a process's component.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// How long to wait, on the scheduler's clock, until the process waits to receive at one of
    /// its ports and has nothing unfinished.
    pub patience: Duration,
    /// What to do then.
    pub then: OutOfPatience,
}

/// What to do with a process that is still busy when patience has run out.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum OutOfPatience {
    /// Replace it where it is. What it had received and not finished since it was asked to be
    /// replaced (all the time, if it can be restarted) is delivered once more, to its successor.
    #[default]
    Cut,
    /// Let it run on, and fail with [`ReplaceError::TimedOut`].
    Fail,
}

impl Default for Replace {
    /// Five seconds of patience, then a cut.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            then: OutOfPatience::Cut,
        }
    }
}

/// Why a process was not replaced. It runs on as it was, if it runs.
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
    /// It did not come to wait for a message in time.
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

/// An instance that waits to take the place of a process's own.
pub(crate) struct Swap {
    store: Store<ProcessState>,
    instance: Instance,
    turn: Turn,
    component: Component,
    done: oneshot::Sender<()>,
}

/// The instance that a process has from now on.
pub(crate) struct Successor {
    pub(crate) store: Store<ProcessState>,
    pub(crate) instance: Instance,
    pub(crate) turn: Turn,
    pub(crate) wiring: Wiring,
    pub(crate) done: oneshot::Sender<()>,
}

impl Swap {
    /// Takes the place of the instance in `old`, which is dropped.
    pub(crate) fn take_over(
        mut self,
        old: Store<ProcessState>,
        mut handover: Handover,
        fate: ExitSlot,
        process: &Process,
    ) -> Successor {
        let network = old.data().network.clone();
        self.store.data_mut().succeed(old.data(), fate);
        drop(old);
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
            store: self.store,
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
) -> Result<(), ReplaceError> {
    fits(&process, &component)?;
    // Further incarnations run it, too: also if this one ends before it can be replaced.
    let old = process
        .child_slot
        .as_ref()
        .map(|child_slot| child_slot.set_component(&component));
    let replaced = exchange(&network, &process, component, options).await;
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
) -> Result<(), ReplaceError> {
    let name = || process.name.to_string();
    let ended = || ReplaceError::Ended {
        process: name(),
        outcome: process.outcome().unwrap_or_else(|| process.kill_reason()),
    };
    if process.outcome().is_some() {
        return Err(ended());
    }
    let failed = |reason| ReplaceError::Instantiation {
        process: name(),
        reason,
    };
    // Both instances are there for a while.
    let _place = network.try_acquire_for_child().map_err(failed)?;
    let turn = Turn::new(network.host.ticks());
    let body = Body {
        process,
        network,
        component: &component,
        settings: &process.settings,
    };
    let (store, instance) = body.begin(None, &turn).await.map_err(failed)?;
    let (done, swapped) = oneshot::channel();
    let swap = Swap {
        store,
        instance,
        turn,
        component,
        done,
    };
    match process.in_flight.request(process.input_channels(), swap) {
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

/// What comes of `wanted`, if that is before the end of patience.
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

/// In what a new signature does not fit where the old one does.
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
