//! What a process's store holds.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use slab::Slab;
use transputer_abi::HostCalls;
use transputer_abi::bindings::transputer::csp::channel;
use transputer_core::alternation::{Alternation, Order};
use transputer_core::clock::Time;
use wasmtime::component::Resource;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxBuilder, WasiCtxView, WasiView};

use super::limits::{LogLimiter, MemoryLimiter, ProcessLimits};
use super::{Child, Ends, Outcome, Prepared, Process, grants};
use crate::component::Component;
use crate::host::lock;
use crate::message::End;
use crate::network::state::NetworkState;
use crate::supervision::{Handover, Left, TakenEnd};
use crate::usage::CountedStore;
use transputer_network::plan::Grants;
use transputer_network::policies::RestartPolicy;

/// What a process may do. Its children get the same, never more.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limits: ProcessLimits,
    pub(crate) grants: Grants,
    /// The components that it may spawn, by name.
    pub(crate) spawnable: BTreeMap<String, Component>,
}

/// What is left of a process when its store is dropped.
#[derive(Default)]
pub(crate) struct ExitRecord {
    pub(super) outcome: Option<Outcome>,
    /// The ends at its ports, if they go to its supervisor.
    pub(super) handover: Option<Handover>,
}

/// Where a process's state leaves them.
pub(crate) type ExitSlot = Arc<Mutex<ExitRecord>>;

/// What a process's store holds, and its imports work on.
pub(crate) struct ProcessState {
    pub(crate) process: Arc<Process>,
    pub(crate) network: Arc<NetworkState>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ends: Ends,
    pub(crate) children: Slab<Child>,
    pub(crate) prepared: Slab<Prepared>,
    /// How many of its children live, whether it holds their handles or not.
    pub(crate) living_children: Arc<AtomicUsize>,
    /// How many of the channels and barriers that it has opened still have an end.
    pub(crate) open_channels: Arc<AtomicUsize>,
    /// Whether it has been told that a total of channels was reached.
    pub(crate) told_of_channels: bool,
    pub(crate) memory: MemoryLimiter,
    pub(crate) log: LogLimiter,
    pub(crate) fair: Alternation,
    pub(crate) priority: Alternation,
    /// How many channels it has opened.
    pub(crate) opened: u64,
    /// The last panic that the guest reported, which says more than the trap after it.
    pub(crate) panic: Option<String>,
    /// How the process's `run` ended; `None` while it runs, or if it was cut short.
    pub(crate) outcome: Option<Outcome>,
    /// Ends of ports that the guest dropped, open until it next does something that can park:
    /// a guest drops its ends before it returns, and then its next incarnation has them.
    pub(crate) dropped: Vec<End>,
    /// Where the outcome is left when this state is dropped; nowhere while, or since, another
    /// instance is the process's.
    fate: Option<ExitSlot>,
    /// What it is granted of WASI, once it has asked for any.
    wasi: Option<Box<WasiP1Ctx>>,
    /// When it was born.
    born: Time,
    /// What the way it is called by the guest keeps for it.
    abi: transputer_abi::State,
    /// The last field: everything else is gone when it is dropped.
    _counted: CountedStore,
}

impl ProcessState {
    pub(crate) fn new(
        process: Arc<Process>,
        network: Arc<NetworkState>,
        settings: Arc<Settings>,
        wasi: Option<WasiCtxBuilder>,
        fate: Option<ExitSlot>,
    ) -> Self {
        let scheduler = network.host.scheduler();
        Self {
            born: scheduler.clock().now(),
            abi: transputer_abi::State::default(),
            ends: Ends::new(process.id, settings.limits.ends),
            children: Slab::new(),
            prepared: Slab::new(),
            living_children: Arc::default(),
            open_channels: Arc::default(),
            told_of_channels: false,
            memory: MemoryLimiter::new(settings.limits.memory, network.totals.clone()),
            log: LogLimiter::new(settings.limits.log),
            fair: Alternation::seeded(Order::Fair, scheduler.random_seed()),
            priority: Alternation::seeded(Order::Priority, scheduler.random_seed()),
            opened: 0,
            panic: None,
            outcome: None,
            dropped: Vec::new(),
            fate,
            wasi: wasi.map(|mut wasi| Box::new(wasi.build_p1())),
            _counted: CountedStore::new(network.host.counts()),
            process,
            network,
            settings,
        }
    }
}

impl HostCalls for ProcessState {
    fn abi(&self) -> &transputer_abi::State {
        &self.abi
    }

    fn abi_mut(&mut self) -> &mut transputer_abi::State {
        &mut self.abi
    }

    fn preview1(&mut self) -> &mut WasiP1Ctx {
        self.wasi()
    }

    fn parkings(&self) -> u64 {
        self.process.parkings()
    }

    fn try_send_small(
        &mut self,
        sender: u32,
        message: channel::Small,
    ) -> wasmtime::Result<Option<Result<(), channel::Error>>> {
        self.try_small(sender, &message)
    }

    fn try_receive_some(
        &mut self,
        receiver: u32,
        most: u32,
    ) -> wasmtime::Result<Option<Result<channel::Received, channel::Error>>> {
        Ok(self.try_some(receiver, most))
    }
}

impl WasiView for ProcessState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi().ctx()
    }
}

impl ProcessState {
    /// What the process is granted of WASI. Most processes never ask, so it is made when they do.
    pub(crate) fn wasi(&mut self) -> &mut WasiP1Ctx {
        let (host, grants) = (&self.network.host, &self.settings.grants);
        self.wasi.get_or_insert_with(|| {
            let clock = host.scheduler().clock();
            Box::new(grants::wasi(grants, clock, self.born, host.seeded()).build_p1())
        })
    }

    /// Takes out what the next incarnation gets: the ends at the ports, and what is unfinished.
    fn hand_over(&mut self) -> Handover {
        let mut handover = Handover::default();
        for taken in self.process.in_flight.unfinished() {
            let ends = taken.ends.iter().filter_map(|end| self.take_end(*end));
            let ends = ends.collect();
            handover.unfinished.push(Left::new(taken, ends));
        }
        let (inputs, outputs) = self.process.ports();
        for (channel, port) in inputs {
            let dropped = |end: &End| matches!(end, End::Receiver(r) if r.id() == *channel);
            let end = self.ends.take_receiver_at(*channel).or_else(|| {
                let place = self.dropped.iter().position(dropped)?;
                match self.dropped.swap_remove(place) {
                    End::Receiver(receiver) => Some(receiver),
                    _ => None,
                }
            });
            handover.inputs.push((port.to_string(), end));
        }
        for (channel, port) in outputs {
            let dropped = |end: &End| matches!(end, End::Sender(s) if s.id() == *channel);
            let end = self.ends.take_sender_at(*channel).or_else(|| {
                let place = self.dropped.iter().position(dropped)?;
                match self.dropped.swap_remove(place) {
                    End::Sender(sender) => Some(sender),
                    _ => None,
                }
            });
            handover.outputs.push((port.to_string(), end));
        }
        handover
    }

    /// An end that came with a message, if the process still has it.
    fn take_end(&mut self, end: TakenEnd) -> Option<End> {
        match end {
            TakenEnd::Sender(number, channel) => {
                self.ends.sender_of(number, channel)?;
                let end = self.ends.take_sender(&Resource::new_own(number));
                end.ok().map(End::Sender)
            }
            TakenEnd::Receiver(number, channel) => {
                self.ends.receiver_of(number, channel)?;
                let end = self.ends.take_receiver(&Resource::new_own(number));
                end.ok().map(End::Receiver)
            }
            TakenEnd::Barrier(number, barrier) => {
                let held = self.ends.barrier(&Resource::new_own(number)).ok()?;
                if held.id() != barrier {
                    return None;
                }
                let end = self.ends.take_barrier(&Resource::new_own(number));
                end.ok().map(End::Barrier)
            }
        }
    }

    /// Gives up what the next instance of the same process gets. What remains ends as that of a
    /// process that finished.
    pub(super) fn retire(&mut self) -> Handover {
        self.fate = None;
        self.outcome = Some(Outcome::Finished);
        self.hand_over()
    }

    /// Takes the place of another instance of the same process.
    pub(crate) fn succeed(&mut self, old: &Self, fate: ExitSlot) {
        self.living_children = old.living_children.clone();
        self.fate = Some(fate);
    }

    /// Whether the ends at its ports go to its supervisor.
    fn keeps_ends(&self) -> bool {
        self.process.policy != RestartPolicy::Never
    }

    /// Whether ends that the guest drops stay open for a while.
    pub(crate) fn postpones_closing(&self) -> bool {
        self.process.policy == RestartPolicy::Always
    }
}

/// The end of every process, whatever ended it: its channels are poisoned if it did not
/// finish, and its ends are closed; but those at the ports of one that can be restarted are
/// left to its supervisor.
impl Drop for ProcessState {
    fn drop(&mut self) {
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            None => self.process.kill_reason(),
        };
        let Some(fate) = self.fate.take() else {
            return;
        };
        let mut handover = self.keeps_ends().then(|| self.hand_over());
        if outcome.is_finished()
            && let Some(handover) = &mut handover
        {
            handover.unfinished.clear();
        }
        self.process.end_linked(&outcome);
        if let Some(poison) = outcome.poison(&self.process.name) {
            let kept = |channel| {
                handover
                    .as_ref()
                    .is_some_and(|handover| handover.keeps(channel))
            };
            self.ends.poison(&poison, kept);
        }
        *lock(&fate) = ExitRecord {
            outcome: Some(outcome),
            handover,
        };
    }
}
