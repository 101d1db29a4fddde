//! The end of a process.
//!
//! A process may hold very many ends. They are closed or poisoned in steps, between which others run;
//! nobody is told of the end before all are gone.
//!
//! [`ExitGuard::finish`] is called with the outcome, whatever ended the process: it returned, it
//! trapped, it went over a limit, or somebody ended it. The guard's destructor is a safety net for
//! what never comes to that call: a task that is dropped instead of polled, because its host shuts
//! down or because the host itself panicked in it.

use std::sync::Arc;

use tokio::sync::oneshot;
use transputer_core::channel::Poison;
use wasmtime::Store;

use super::outcome::Outcome;
use super::pace::yield_preempted;
use super::spawn::{ChildGuard, Wiring};
use super::{Process, ProcessState};
use crate::error::SpawnFault;
use crate::message::End;
use crate::network::permits::ProcessPermit;
use crate::network::state::NetworkState;
use crate::supervision::{ChildSlot, Handover};
use crate::text::Text;

/// Reports that a process has been instantiated; or why not, with its wiring.
pub(super) type TellStart = oneshot::Sender<Result<(), (SpawnFault, Wiring)>>;

/// What is to be given back, closed or handed on when a process ends.
pub(super) struct ExitGuard {
    pub(super) process: Arc<Process>,
    pub(super) network: Arc<NetworkState>,
    /// The ends of its ports, until its instance has them.
    pub(super) wiring: Option<Wiring>,
    /// Once it has been instantiated.
    pub(super) store: Option<Store<ProcessState>>,
    pub(super) permit: Option<ProcessPermit>,
    pub(super) parent: Option<ChildGuard>,
    pub(super) child_slot: Option<ChildSlot>,
    /// Once it has begun to end.
    pub(super) ending: Option<Ending>,
    pub(super) finished: bool,
}

/// The end of a process, under way.
pub(super) struct Ending {
    outcome: Outcome,
    handover: Option<Handover>,
    /// Those that it still holds.
    ends: Box<dyn Iterator<Item = End> + Send>,
    /// What those are poisoned with, if it did not finish.
    poison: Option<Poison>,
}

/// Ends that are closed or poisoned in one step.
const STEP: usize = 1_024;

impl Ending {
    /// Closes or poisons some of the ends; whether any may be left.
    fn end_some(&mut self) -> bool {
        for _ in 0..STEP {
            let Some(end) = self.ends.next() else {
                return false;
            };
            let kept = |channel| {
                let handover = self.handover.as_ref();
                handover.is_some_and(|handover| handover.keeps(channel))
            };
            if let Some(poison) = &self.poison
                && !end.channel().is_some_and(kept)
            {
                end.poison(poison);
            }
        }
        true
    }
}

impl ExitGuard {
    /// Ends the process. The steps are in an order that others can observe: what the supervisor
    /// gets is taken out first; linked processes are ended before any channel is poisoned; and
    /// nobody is told before the memory and all ends are gone.
    pub(super) async fn finish(mut self, outcome: Outcome) {
        self.begin_end(outcome);
        while self.ending.as_mut().is_some_and(Ending::end_some) {
            yield_preempted().await;
        }
        self.end();
    }

    /// The process could not be instantiated: its parent is told, and gets the ends back. If nobody
    /// listens, the outcome that this returns tells everybody.
    pub(super) fn not_started(&mut self, fault: SpawnFault, tell: TellStart) -> Outcome {
        let outcome = match fault.clone() {
            SpawnFault::Overrun(overrun) => Outcome::Killed(overrun),
            other => Outcome::Failed(Text::of(other).into_string()),
        };
        let supervised = self.child_slot.is_some();
        if !supervised && !tell.is_closed() {
            let wiring = self.wiring.take().unwrap_or_default();
            match tell.send(Err((fault, wiring))) {
                Ok(()) => self.network.forget(&self.process),
                // The parent has just gone.
                Err(unheard) => self.wiring = unheard.err().map(|(_, wiring)| wiring),
            }
        }
        outcome
    }

    fn begin_end(&mut self, outcome: Outcome) {
        if outcome.is_finished() {
            self.process.in_flight.finishes_all();
        }
        let outcome = match &mut self.store {
            Some(store) => {
                store.data_mut().end_sampling();
                store.data_mut().keep(outcome)
            }
            None => outcome,
        };
        let handover = match (self.wiring.take(), &mut self.store) {
            (Some(wiring), _) => self.end_wiring(wiring, &outcome),
            (None, Some(store)) => store.data_mut().begin_end(&outcome),
            (None, None) => None,
        };
        self.ending = Some(Ending {
            handover,
            ends: match &mut self.store {
                Some(store) => Box::new(store.data_mut().ends.take_all()),
                None => Box::new(std::iter::empty()),
            },
            poison: self.process.poison_for(&outcome),
            outcome,
        });
    }

    fn end(&mut self) {
        let Some(mut ending) = self.ending.take() else {
            return;
        };
        self.finished = true;
        while ending.end_some() {}
        let Ending {
            outcome, handover, ..
        } = ending;
        self.process
            .ends(self.network.host.scheduler().clock().now());
        drop(self.store.take());
        drop(self.parent.take());
        let permit = self.permit.take();
        match self.child_slot.take() {
            Some(child_slot) => child_slot.ended(
                &self.network,
                &self.process,
                outcome,
                handover.unwrap_or_default(),
                permit,
            ),
            None => {
                drop(permit);
                self.network.ended(&self.process, outcome);
            }
        }
    }

    /// Ends the ports of a process that never had them, or leaves them to its supervisor.
    fn end_wiring(&self, wiring: Wiring, outcome: &Outcome) -> Option<Handover> {
        if self.child_slot.as_ref().is_some_and(ChildSlot::keeps_ends) {
            return Some(Handover::of_wiring(wiring));
        }
        self.process.end_linked(outcome);
        if let Some(poison) = self.process.poison_for(outcome) {
            for (_, receiver) in &wiring.inputs {
                receiver.poison(poison.clone());
            }
            for (_, sender) in &wiring.outputs {
                sender.poison(poison.clone());
            }
        }
        None
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if self.ending.is_none() {
            self.begin_end(self.process.cut_short());
        }
        self.end();
    }
}
