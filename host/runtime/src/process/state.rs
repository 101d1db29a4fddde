//! The state in a process's store.

use std::sync::Arc;
use std::task::Waker;

use slab::Slab;
use transputer_abi::bindings::transputer::csp::channel;
use transputer_abi::{Answer, Begun, Call, HostCalls};
use transputer_core::alternation::{Alternation, Order};
use transputer_core::clock::Time;
use transputer_core::scheduler::ThisTask;
use wasmtime::component::Resource;
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::grants::{self, Wasi};
use super::limits::MemoryLimiter;
use super::printed::Printed;
use super::{Child, Ends, Operation, Outcome, Pace, Prepared, Process, Turn};
use crate::limits::{Count, Held, Total};
use crate::message::End;
use crate::network::state::NetworkState;
use crate::profiling::Sampling;
use crate::supervision::{Handover, Left, TakenEnd};
use crate::usage::CountedStore;
use transputer_network::policies::RestartPolicy;

/// What a process's store holds, and its host calls work on.
pub(crate) struct ProcessState {
    pub(crate) process: Arc<Process>,
    pub(crate) network: Arc<NetworkState>,
    pub(crate) ends: Ends,
    pub(crate) children: Slab<Child>,
    /// How many of those are charged.
    pub(crate) covered_children: usize,
    pub(crate) prepared: Slab<Held<Prepared>>,
    /// Its children that live, whether it holds their handles or not, and who shares that budget.
    pub(crate) living_children: Arc<Count>,
    /// The channels and barriers that it has opened and that still have an end, likewise.
    pub(crate) open_channels: Arc<Total>,
    /// Whether it has been told that a total of channels was reached.
    pub(crate) told_of_channels: bool,
    pub(crate) memory: MemoryLimiter,
    /// When its long calls let others run.
    pub(crate) pace: Pace,
    pub(super) turn: Turn,
    /// The task that runs it.
    pub(super) task: ThisTask,
    pub(crate) fair: Alternation,
    pub(crate) priority: Alternation,
    /// How many channels it has opened.
    pub(crate) opened: u64,
    /// Samples of what it computes, if that is wanted.
    pub(super) sampling: Option<Box<Sampling>>,
    /// The last panic that the guest reported, which says more than the trap after it.
    pub(crate) panic: Option<Held<String>>,
    /// Ends of ports that the guest dropped. They stay open until it next does something that can park:
    /// a guest drops its ends before it returns, but its next incarnation gets them.
    pub(crate) dropped: Vec<End>,
    /// What it is granted of WASI, once it has asked for any.
    wasi: Option<Box<Wasi>>,
    /// When it was made.
    born: Time,
    /// What the ABI keeps for it.
    abi: transputer_abi::State<Operation>,
    /// The last field, so that everything else is gone when it is dropped.
    _counted: CountedStore,
}

impl ProcessState {
    /// `fair` and `priority` are the seeds of its alternations.
    pub(crate) fn new(
        process: Arc<Process>,
        network: Arc<NetworkState>,
        turn: &Turn,
        task: ThisTask,
        [fair, priority]: [u64; 2],
    ) -> Self {
        let scheduler = network.host.scheduler();
        let limits = &process.spec.limits;
        Self {
            born: scheduler.clock().now(),
            abi: transputer_abi::State::default(),
            ends: Ends::new(process.id, limits.ends),
            children: Slab::new(),
            covered_children: 0,
            prepared: Slab::new(),
            living_children: process.budget.children(limits),
            open_channels: process.budget.channels(limits),
            told_of_channels: false,
            memory: MemoryLimiter::new(&process, &network.totals),
            pace: Pace::of(turn, network.host.is_seeded()),
            turn: turn.clone(),
            task,
            fair: Alternation::seeded(Order::Fair, fair),
            priority: Alternation::seeded(Order::Priority, priority),
            opened: 0,
            sampling: None,
            panic: None,
            dropped: Vec::new(),
            wasi: None,
            _counted: CountedStore::new(network.host.counts()),
            process,
            network,
        }
    }
}

impl HostCalls for ProcessState {
    type Operation = Operation;

    fn abi(&self) -> &transputer_abi::State<Operation> {
        &self.abi
    }

    fn abi_mut(&mut self) -> &mut transputer_abi::State<Operation> {
        &mut self.abi
    }

    fn begin(&mut self, call: Call<'_>, waker: &Waker) -> wasmtime::Result<Begun<Operation>> {
        self.begin_call(call, waker)
    }

    fn resume(
        &mut self,
        operation: &mut Operation,
        waker: &Waker,
    ) -> wasmtime::Result<Option<Answer>> {
        self.resume_call(operation, waker)
    }

    fn cancel(&mut self, operation: Operation) -> wasmtime::Result<Option<Answer>> {
        self.cancel_call(operation)
    }

    fn cover_tasks(&mut self, covered: &mut usize, entries: usize) -> wasmtime::Result<()> {
        // A place, its waker, and what waits there.
        const ENTRY: u64 = 512;
        let most = self.process.spec.limits.ends;
        if entries > most {
            wasmtime::bail!(
                "the process has {entries} calls and sets that wait, but may have {most}"
            );
        }
        self.memory.cover(covered, entries, ENTRY)
    }

    fn parks(&mut self) {
        self.note_parked();
    }

    fn goes_on(&mut self) {
        self.note_goes_on();
    }

    fn lets_others_run(&mut self) {
        self.close_dropped();
    }

    fn may_run_in_place(&self) -> bool {
        self.network.host.scheduler().may_block_in_place()
    }

    fn stays(&self) -> impl Fn() -> wasmtime::Result<()> + Send + 'static {
        let process = self.process.clone();
        move || process.check_stays()
    }

    fn this_task(&self) -> &ThisTask {
        &self.task
    }

    fn parkings(&self) -> u64 {
        self.process.parkings()
    }

    fn call_bytes(&self) -> usize {
        self.process.spec.limits.call_bytes()
    }

    async fn step(&mut self) {
        self.pace.step().await;
    }

    async fn send_some_from(
        &mut self,
        sender: u32,
        packed: &[u8],
    ) -> wasmtime::Result<channel::Sent> {
        let patience = channel::Patience::Forever;
        self.send_packed(sender, packed, patience).await
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
        self.try_some(receiver, most)
    }
}

impl WasiView for ProcessState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView {
            ctx: &mut wasi.ctx,
            table: &mut wasi.table,
        }
    }
}

impl ProcessState {
    /// What the process is granted of WASI, with room for what a call may make. Most processes never ask, so it
    /// is made when they do.
    fn wasi(&mut self) -> &mut Wasi {
        let (network, process, born) = (&self.network, &self.process, self.born);
        let wasi = self.wasi.get_or_insert_with(|| {
            let (host, spec) = (&network.host, &process.spec);
            let (grants, directories) = (&spec.grants, &spec.directories);
            let clock = host.scheduler().clock();
            let seeded = host.seeded();
            let printed = |level| Printed::new(network, process, level);
            Box::new(grants::wasi(
                grants,
                printed,
                directories,
                clock,
                born,
                seeded,
            ))
        });
        if let Err(overrun) = wasi.room.make(&mut wasi.table, &mut self.memory) {
            // Its table stays as small as it is, so that the call may trap: this outcome comes first.
            process.end(Outcome::Killed(overrun));
        }
        wasi
    }

    /// Takes out what the next incarnation gets: the ends at the ports, and the unfinished messages.
    fn hand_over(&mut self) -> Handover {
        self.give_up_calls();
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
                let index = self.dropped.iter().position(dropped)?;
                match self.dropped.swap_remove(index) {
                    End::Receiver(receiver) => Some(receiver),
                    _ => None,
                }
            });
            handover.inputs.push((port.to_string(), end));
        }
        for (channel, port) in outputs {
            let dropped = |end: &End| matches!(end, End::Sender(s) if s.id() == *channel);
            let end = self.ends.take_sender_at(*channel).or_else(|| {
                let index = self.dropped.iter().position(dropped)?;
                match self.dropped.swap_remove(index) {
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

    /// Takes over from another instance of the same process: returns what that one hands over. The rest
    /// is closed when it is dropped.
    pub(crate) fn succeed(&mut self, old: &mut Self) -> Handover {
        self.living_children = old.living_children.clone();
        self.open_channels = old.open_channels.clone();
        self.task = old.task.clone();
        old.end_sampling();
        old.hand_over()
    }

    /// Writes what was sampled of it.
    pub(super) fn end_sampling(&mut self) {
        if let Some(sampling) = self.sampling.take() {
            sampling.finish(&self.process);
        }
    }

    /// Begins to end the process: its calls that wait are given up; a process which can be restarted
    /// leaves the ends at its ports to its supervisor, then those that are linked with it are ended.
    pub(super) fn begin_end(&mut self, outcome: &Outcome) -> Option<Handover> {
        self.give_up_calls();
        let mut handover = self.keeps_ends().then(|| self.hand_over());
        if outcome.is_finished()
            && let Some(handover) = &mut handover
        {
            handover.unfinished.clear();
        }
        self.process.end_linked(outcome);
        handover
    }

    /// Charges what the host keeps of an outcome's texts: with the process, as the reason of its
    /// channels and its cause, and in the network's report.
    pub(super) fn keep(&mut self, outcome: Outcome) -> Outcome {
        const COPIES: u64 = 4;
        let bytes = COPIES * outcome.text_bytes();
        if bytes == 0 {
            return outcome;
        }
        match self.memory.charge_at_end(bytes) {
            Some(charge) => {
                self.process.keep(charge);
                outcome
            }
            None => outcome.without_text(),
        }
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
