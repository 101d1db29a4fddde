//! What a host does for its guests.

use std::task::Waker;

use transputer_core::scheduler::ThisTask;
use wasmtime::{Memory, Result};
use wasmtime_wasi::WasiView;

use crate::bindings::transputer::csp::{alternation, channel, process};
use crate::canonical::Lowering;
use crate::stackless::{Answer, Begun, Call, Tasks};

/// The host's side of every call that a guest can make, and of both ways to make it.
///
/// The interfaces of `wit/` are the supertraits: a call does the same whether wasmtime's component
/// model lifted its arguments or this crate did. The additions here are for core modules that run by
/// themselves.
pub trait HostCalls:
    WasiView
    + channel::Host
    + channel::HostSender
    + channel::HostReceiver
    + channel::HostBarrier
    + alternation::Host
    + alternation::HostPrepared
    + process::Host
    + process::HostChild
    + Send
    + 'static
{
    /// A call of a stackless process that waits. Dropping it gives up what it waits for.
    type Operation: Send + 'static;

    /// What this crate keeps for the process.
    fn abi(&self) -> &State<Self::Operation>;

    /// The same, to be changed.
    fn abi_mut(&mut self) -> &mut State<Self::Operation>;

    /// Begins a call of a stackless process, and does it if that needs no waiting. Otherwise it is
    /// looked at again when `waker` has been called.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn begin(&mut self, call: Call<'_>, waker: &Waker) -> Result<Begun<Self::Operation>>;

    /// What has come of a call that waits, if it is done.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn resume(&mut self, operation: &mut Self::Operation, waker: &Waker) -> Result<Option<Answer>>;

    /// Gives a call up, so that nothing is lost. `None` if nothing has come of it.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn cancel(&mut self, operation: Self::Operation) -> Result<Option<Answer>>;

    /// Makes sure that so many entries of a stackless process's tables are charged; so many are so far.
    ///
    /// # Errors
    /// Ends the process: it has no memory for them, or may not have as many.
    fn cover_tasks(&mut self, covered: &mut usize, entries: usize) -> Result<()>;

    /// Notes that a stackless process waits for what it has begun.
    fn parks(&mut self);

    /// Notes that it goes on.
    fn goes_on(&mut self);

    /// Notes that it lets others run.
    fn lets_others_run(&mut self);

    /// Whether a stackless process may be called on its worker's own stack now. What it calls
    /// then waits by [blocking in place](ThisTask::block_in_place).
    fn may_run_in_place(&self) -> bool;

    /// What is asked whenever a call has been woken that waits in place: whether the process may wait on.
    ///
    /// # Errors
    /// What is asked says why the process ends or is replaced, which ends the call.
    fn stays(&self) -> impl Fn() -> Result<()> + Send + 'static;

    /// The process's task.
    fn this_task(&self) -> &ThisTask;

    /// How often the process has been parked, and has gone on: a number that changes whenever an
    /// operation had to wait.
    fn parkings(&self) -> u64;

    /// How many bytes of the host's the lists that one call gives may hold together: at least twice
    /// what a message or a batch may have. A message or a batch is cut at half of it, and refused
    /// by the host.
    fn call_bytes(&self) -> usize;

    /// Ends a step of a call that may take long: others may run now, and the process can be
    /// ended here.
    fn step(&mut self) -> impl Future<Output = ()> + Send;

    /// Does what `send-some` does, with a batch that lies in the guest's memory.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn send_some_from(
        &mut self,
        sender: u32,
        packed: &[u8],
    ) -> impl Future<Output = Result<channel::Sent>> + Send;

    /// Does what `send-small` does, if that is possible without waiting; `None` otherwise.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn try_send_small(
        &mut self,
        sender: u32,
        message: channel::Small,
    ) -> Result<Option<Result<(), channel::Error>>>;

    /// Does what `receive-some` does, if that is possible without waiting; `None` otherwise.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn try_receive_some(
        &mut self,
        receiver: u32,
        most: u32,
    ) -> Result<Option<Result<channel::Received, channel::Error>>>;
}

/// What this crate keeps for a process whose core module runs by itself. A host stores it with everything
/// else about the process.
#[derive(Debug)]
pub struct State<O> {
    pub(crate) memory: Option<Memory>,
    /// The arguments of `run`, until the guest has them.
    pub(crate) arguments: Option<Box<Lowering>>,
    /// The value for which the guest is allocating memory.
    pub(crate) pending: Option<Box<Lowering>>,
    /// Which calls, of those that can be tried, had to wait the last time: they are not tried the
    /// next time, since they will probably have to wait again. A bit for each.
    pub(crate) waited: u32,
    /// What `run` has returned.
    pub(crate) result: Option<Result<(), String>>,
    /// What a stackless process waits for.
    pub(crate) tasks: Option<Box<Tasks<O>>>,
    /// Whether it is in a call on its worker's own stack.
    pub(crate) in_place: bool,
    /// Whether all calls of a stackless process that waited have been looked at in the poll that its task is in.
    pub(crate) looked_at: bool,
}

impl<O> Default for State<O> {
    fn default() -> Self {
        Self {
            memory: None,
            arguments: None,
            pending: None,
            waited: 0,
            result: None,
            tasks: None,
            in_place: false,
            looked_at: false,
        }
    }
}

impl<O> State<O> {
    /// The calls of a stackless process that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &O> {
        self.tasks.iter().flat_map(|tasks| tasks.waiting())
    }

    /// Whether a stackless process is being called on its worker's own stack, which cannot be suspended.
    pub fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// Notes that a poll of the task ends in the middle of a turn, on this thread.
    pub fn interrupt(&mut self) {
        self.looked_at = false;
    }

    /// Takes all of them, when the process ends.
    pub fn take_waiting(&mut self) -> Vec<O> {
        let tasks = self.tasks.as_mut();
        tasks.map(|tasks| tasks.take_waiting()).unwrap_or_default()
    }

    /// Whether this call had to wait the last time.
    pub(crate) fn has_waited(&self, call: u32) -> bool {
        self.waited & (1 << call) != 0
    }

    pub(crate) fn note_waited(&mut self, call: u32, waited: bool) {
        self.waited = self.waited & !(1 << call) | u32::from(waited) << call;
    }
}
