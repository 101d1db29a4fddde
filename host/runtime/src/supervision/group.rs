//! Processes that are supervised together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use transputer_core::clock::Time;

use super::handover::Handover;
use super::in_flight::Tried;
use super::redelivery::DeadLetterPort;
use super::run_loop;
use crate::component::Component;
use crate::host::lock;
use crate::network::permits::ProcessPermit;
use crate::network::state::NetworkState;
use crate::process::{Outcome, Process, ProcessSpec};
use transputer_network::policies::{Intensity, Restart, RestartPolicy, Strategy};

/// A group, or one process by itself. Only one task at a time drives it.
pub(crate) struct SupervisedGroup {
    /// `None` for one process by itself.
    pub(super) name: Option<String>,
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    /// Wakes a wait before a restart when the network is being stopped.
    pub(super) stop: Notify,
    stopping: AtomicBool,
    state: Mutex<GroupState>,
}

/// The part that changes. While its lock is held, only locks of channels may be taken.
pub(super) struct GroupState {
    /// In the order in which they are started.
    pub(super) slots: Vec<Slot>,
    /// Members that have ended, and that nobody has dealt with yet.
    ended: VecDeque<usize>,
    /// Whether a task drives the group.
    driven: bool,
    /// When it restarted something, within the period.
    pub(super) recent: VecDeque<Time>,
}

/// A process of a group, over all its incarnations.
pub(crate) struct Slot {
    pub(super) spec: ProcessSpec,
    pub(super) restart: Restart,
    /// Where unfinished messages go.
    pub(super) letters: Option<DeadLetterPort>,
    /// Whom its failure ends.
    pub(super) links: Arc<[String]>,
    pub(super) process: Option<Arc<Process>>,
    /// What is left of the present incarnation, once it has ended.
    pub(super) end: Option<End>,
    pub(super) began: Time,
    /// Restarts in a row, each soon after the one before.
    pub(super) row: u32,
    pub(super) restarts: u64,
    /// Messages that were redelivered, to count the attempts.
    pub(super) tried: Vec<Tried>,
}

/// An incarnation that has ended.
pub(crate) struct End {
    pub(super) outcome: Outcome,
    pub(super) handover: Handover,
    /// Kept for the next one.
    pub(super) permit: Option<ProcessPermit>,
}

/// Which member of its group a process is.
#[derive(Clone)]
pub(crate) struct ChildSlot {
    pub(super) group: Arc<SupervisedGroup>,
    pub(super) index: usize,
    pub(crate) policy: RestartPolicy,
    /// Counted from 1.
    pub(crate) incarnation: u64,
}

impl Slot {
    pub(crate) fn new(
        spec: ProcessSpec,
        restart: Restart,
        letters: Option<DeadLetterPort>,
        links: Vec<String>,
        tried: Vec<Tried>,
    ) -> Self {
        Self {
            spec,
            restart,
            letters,
            links: links.into(),
            process: None,
            end: None,
            began: Time::ZERO,
            row: 0,
            restarts: 0,
            tried,
        }
    }
}

impl SupervisedGroup {
    pub(crate) fn new(
        name: Option<String>,
        strategy: Strategy,
        intensity: Intensity,
        slots: Vec<Slot>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            strategy,
            intensity,
            stop: Notify::new(),
            stopping: AtomicBool::new(false),
            state: Mutex::new(GroupState {
                slots,
                ended: VecDeque::new(),
                driven: false,
                recent: VecDeque::new(),
            }),
        })
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, GroupState> {
        lock(&self.state)
    }

    /// The slot of a member for its next incarnation.
    pub(crate) fn child_slot(self: &Arc<Self>, index: usize) -> ChildSlot {
        let state = self.state();
        let slot = &state.slots[index];
        ChildSlot {
            group: self.clone(),
            index,
            policy: slot.restart.policy,
            incarnation: slot.restarts + 1,
        }
    }

    /// The network is being stopped: nothing is restarted any more.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.notify_one();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The next member that has ended. If there is none, the group is no longer driven.
    pub(super) fn next_ended(&self) -> Option<usize> {
        let mut state = self.state();
        let next = state.ended.pop_front();
        state.driven = next.is_some();
        next
    }
}

impl ChildSlot {
    /// Whether the ends at the ports of its process go to the group.
    pub(crate) fn keeps_ends(&self) -> bool {
        self.policy != RestartPolicy::Never
    }

    /// A new incarnation lives.
    pub(crate) fn taken(&self, process: &Arc<Process>, now: Time) {
        let mut state = self.group.state();
        let slot = &mut state.slots[self.index];
        slot.process = Some(process.clone());
        slot.began = now;
        if let Some(letters) = &slot.letters {
            // So that deadlock detection knows who can still write here.
            letters
                .sender
                .set_holder(transputer_core::Holder::Process(process.id));
        }
    }

    /// Makes later incarnations run this component; returns the one before.
    pub(super) fn set_component(&self, component: &Component) -> Component {
        let mut state = self.group.state();
        let current = &mut state.slots[self.index].spec.component;
        std::mem::replace(current, component.clone())
    }

    /// Messages that were given to earlier incarnations.
    pub(crate) fn tried(&self) -> Vec<Tried> {
        std::mem::take(&mut self.group.state().slots[self.index].tried)
    }

    /// The incarnation has ended; its group decides what becomes of it.
    pub(crate) fn ended(
        self,
        network: &Arc<NetworkState>,
        process: &Process,
        outcome: Outcome,
        handover: Handover,
        permit: Option<ProcessPermit>,
    ) {
        let mut state = self.group.state();
        state.slots[self.index].end = Some(End {
            outcome: outcome.clone(),
            handover,
            permit,
        });
        state.ended.push_back(self.index);
        let driven = std::mem::replace(&mut state.driven, true);
        drop(state);
        process.ended(outcome);
        if !driven {
            let scheduler = network.host.scheduler();
            scheduler.spawn(run_loop::drive(self.group, network.clone()));
        }
    }
}
