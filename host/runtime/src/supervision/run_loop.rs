//! What happens when a supervised process ends.

use std::sync::Arc;
use std::time::Duration;

use super::group::{End, SupervisedGroup};
use super::redelivery::{self, Next};
use crate::error::SpawnFault;
use crate::network::event::Event;
use crate::network::report::{ProcessReport, RestartReport};
use crate::network::state::NetworkState;
use crate::process::{Outcome, Process, SpawnRequest, spawn};
use crate::text::Text;
use transputer_network::policies::{RestartPolicy, Strategy};

/// What is decided about a process that has ended.
enum Decision {
    /// Its end is final. If its policy asks for a restart: why there is none.
    Final(Option<String>),
    /// Too many restarts: the whole group ends.
    GiveUp(String),
    Restart,
}

/// Deals with the members of a group that have ended, one after the other, until there are no more.
pub(super) async fn drive(group: Arc<SupervisedGroup>, network: Arc<NetworkState>) {
    let driver = Driver { group, network };
    while let Some(index) = driver.group.next_ended() {
        driver.look_at(index).await;
    }
}

struct Driver {
    group: Arc<SupervisedGroup>,
    network: Arc<NetworkState>,
}

impl Driver {
    async fn look_at(&self, index: usize) {
        match self.decide(index) {
            None => {}
            Some(Decision::Final(why)) => self.conclude(index, why),
            Some(Decision::GiveUp(text)) => self.give_up(index, text).await,
            Some(Decision::Restart) => self.restart(index).await,
        }
    }

    /// What becomes of a member that has ended; nothing if it was restarted with its group
    /// already.
    fn decide(&self, index: usize) -> Option<Decision> {
        let stopping = self.network.is_stopping();
        let now = self.network.host.scheduler().clock().now();
        let mut state = self.group.state();
        let slot = &state.slots[index];
        let end = slot.end.as_ref()?;
        if stopping || !wants_restart(slot.restart.policy, end) {
            return Some(Decision::Final(None));
        }
        if end.handover.is_poisoned() {
            let text = "all its channels are poisoned".to_owned();
            return Some(Decision::Final(Some(text)));
        }
        let began = slot.began;
        let intensity = self.group.intensity;
        while let Some(&oldest) = state.recent.front()
            && now - oldest > intensity.period
        {
            state.recent.pop_front();
        }
        if state.recent.len() >= intensity.restarts as usize {
            return Some(Decision::GiveUp(format!(
                "restarted {} times within {:?}, as often as its `intensity` allows",
                intensity.restarts, intensity.period
            )));
        }
        state.recent.push_back(now);
        let slot = &mut state.slots[index];
        slot.row = if now - began > intensity.period {
            1
        } else {
            slot.row.saturating_add(1)
        };
        Some(Decision::Restart)
    }

    /// The members that are restarted with this one, in order.
    fn affected(&self, index: usize) -> Vec<usize> {
        let members = self.group.state().slots.len();
        match self.group.strategy {
            Strategy::OneForOne => vec![index],
            Strategy::OneForAll => (0..members).collect(),
            Strategy::RestForOne => (index..members).collect(),
        }
    }

    async fn restart(&self, index: usize) {
        let (name, outcome, wait) = {
            let state = self.group.state();
            let slot = &state.slots[index];
            let (Some(process), Some(end)) = (&slot.process, &slot.end) else {
                return;
            };
            let wait = slot.restart.backoff.wait(slot.row);
            (process.name.clone(), end.outcome.clone(), wait)
        };
        self.announce(index, wait, Next::Restart);
        let why = match &self.group.name {
            Some(group) => {
                let why = format_args!("group `{group}` restarts it, for `{name}` {outcome}");
                Text::of(why).into_string()
            }
            None => String::new(),
        };
        let mut again = Vec::new();
        for other in self.affected(index).into_iter().rev() {
            if other == index || self.end_other(other, &why).await {
                again.push(other);
            }
            if other != index && again.last() == Some(&other) {
                self.announce(other, wait, Next::RestartInnocent);
            }
        }
        if !wait.is_zero() {
            let clock = self.network.host.scheduler().clock();
            self.unless_stopped(clock.sleep(wait)).await;
        }
        for member in again.into_iter().rev() {
            if let Err(fault) = self.start(member).await {
                let why = match fault {
                    SpawnFault::Stopping => None,
                    other => Some(other.to_string()),
                };
                self.conclude(member, why);
            }
        }
    }

    /// Waits, but no longer than until the network is being stopped.
    async fn unless_stopped(&self, wait: impl Future<Output = ()>) {
        let mut wait = std::pin::pin!(wait);
        let mut stop = std::pin::pin!(self.group.stop.notified());
        std::future::poll_fn(|context| {
            if self.group.is_stopping() || stop.as_mut().poll(context).is_ready() {
                return std::task::Poll::Ready(());
            }
            wait.as_mut().poll(context)
        })
        .await;
    }

    /// Ends a member because of another one, and waits until it has ended. Returns whether it is to be
    /// restarted.
    async fn end_other(&self, index: usize, why: &str) -> bool {
        let Some(process) = self.running(index) else {
            return false;
        };
        let kill_reason = Outcome::Stopped(why.to_owned());
        process.end(kill_reason.clone());
        process.wait().await;
        let state = self.group.state();
        let slot = &state.slots[index];
        let Some(end) = &slot.end else {
            return false;
        };
        let again = slot.restart.is_enabled() && wants_restart(slot.restart.policy, end);
        drop(state);
        if !again {
            self.conclude(index, None);
        }
        again
    }

    /// The present incarnation of a member that has not come to its final end.
    fn running(&self, index: usize) -> Option<Arc<Process>> {
        self.group.state().slots[index].process.clone()
    }

    /// Decides what becomes of a member's unfinished messages, and reports that it will be restarted.
    fn announce(&self, index: usize, wait: Duration, next: Next) {
        let mut state = self.group.state();
        let slot = &mut state.slots[index];
        let (Some(process), Some(mut end)) = (slot.process.clone(), slot.end.take()) else {
            return;
        };
        let outcome = end.outcome.clone();
        let (events, done) =
            redelivery::decide_unfinished(slot, &mut end.handover, next, &process, &outcome);
        let report = RestartReport {
            name: process.name.to_string(),
            id: process.id,
            component: process.component_name().to_owned(),
            incarnation: slot.restarts + 1,
            outcome,
            lifetime: process.lifetime(),
            group: self.group.name.clone(),
            wait,
        };
        slot.end = Some(end);
        let finished = slot.spec.finished.clone();
        drop(state);
        done.into_iter().for_each(|it| finished.finished(it));
        events
            .into_iter()
            .for_each(|event| self.network.unfinished(event));
        self.network.restarting(&process, report);
    }

    /// Starts a member's next incarnation, and waits until it is instantiated.
    async fn start(&self, index: usize) -> Result<(), SpawnFault> {
        let (old, spec, end) = {
            let mut state = self.group.state();
            let slot = &mut state.slots[index];
            let (Some(process), Some(end)) = (slot.process.clone(), slot.end.take()) else {
                return Ok(());
            };
            slot.restarts += 1;
            (process, slot.spec.clone(), end)
        };
        let request = SpawnRequest {
            network: self.network.clone(),
            spec,
            budget: None,
            parent: None,
            spawned_by: None,
            child_slot: Some(self.group.child_slot(index)),
            permit: end.permit,
            replaces: Some(old.clone()),
        };
        let wiring = end.handover.into_wiring(&self.network, &old.name);
        match spawn(request, wiring) {
            Ok((process, started)) => {
                self.network.tell(Event::Restarted {
                    process: process.name.to_string(),
                    id: process.id,
                    incarnation: process.incarnation(),
                });
                // If it fails to start, this incarnation ends with that.
                let _ = started.await;
                Ok(())
            }
            Err((fault, wiring)) => {
                let handover = super::Handover::of_wiring(wiring);
                let mut state = self.group.state();
                let slot = &mut state.slots[index];
                slot.restarts -= 1;
                slot.end = Some(End {
                    outcome: end.outcome,
                    handover,
                    permit: None,
                });
                Err(fault)
            }
        }
    }

    /// Makes a member's end final: its ends are closed or poisoned, and its failure ends those that are
    /// linked with it.
    fn conclude(&self, index: usize, gave_up: Option<String>) {
        let mut state = self.group.state();
        let slot = &mut state.slots[index];
        let (Some(process), Some(mut end)) = (slot.process.take(), slot.end.take()) else {
            return;
        };
        let outcome = end.outcome.clone();
        let (events, done) = redelivery::decide_unfinished(
            slot,
            &mut end.handover,
            Next::Nothing,
            &process,
            &outcome,
        );
        let letters = slot.letters.take();
        let links = slot.links.clone();
        let finished = slot.spec.finished.clone();
        let report = ProcessReport {
            name: process.name.to_string(),
            id: process.id,
            component: process.component_name().to_owned(),
            outcome,
            lifetime: process.lifetime(),
            restarts: slot.restarts,
            gave_up,
        };
        drop(state);
        done.into_iter().for_each(|it| finished.finished(it));
        events
            .into_iter()
            .for_each(|event| self.network.unfinished(event));
        drop(letters);
        end.handover.end(&end.outcome, &process);
        drop(end.permit);
        if !end.outcome.is_finished() {
            self.network.end_linked(&process.name, &links, &end.outcome);
        }
        self.network.concluded(&process, report);
    }

    /// Ends the whole group, the last member first.
    async fn give_up(&self, index: usize, text: String) {
        let members = self.group.state().slots.len();
        let why = match &self.group.name {
            Some(group) => format!("group `{group}` gave up: {text}"),
            None => text,
        };
        self.conclude(index, Some(why.clone()));
        for other in (0..members).rev() {
            if let Some(process) = self.running(other) {
                process.end(Outcome::Stopped(why.clone()));
                process.wait().await;
                self.conclude(other, Some(why.clone()));
            }
        }
    }
}

/// Whether a process that ended like this is restarted under this policy.
fn wants_restart(policy: RestartPolicy, end: &End) -> bool {
    match policy {
        RestartPolicy::Never => false,
        RestartPolicy::OnFailure => !end.outcome.is_finished(),
        RestartPolicy::Always => !end.outcome.is_finished() || !end.handover.is_idle(),
    }
}
