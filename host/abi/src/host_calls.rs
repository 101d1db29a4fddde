//! What a host does for its guests.

use wasmtime::{Memory, Result};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p1::WasiP1Ctx;

use crate::bindings::transputer::csp::{alternation, channel, process};
use crate::canonical::Lowering;

/// The host's side of every call that a guest can make, and of both ways to make it.
///
/// The interfaces of `wit/` are the supertraits: a call does the same whether wasmtime's component
/// model lifted its arguments or this crate did. What is added here is what a core module needs
/// that runs by itself.
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
    /// What this crate keeps for the process.
    fn abi(&self) -> &State;

    /// The same, to be changed.
    fn abi_mut(&mut self) -> &mut State;

    /// What the process is granted of WASI preview 1.
    fn preview1(&mut self) -> &mut WasiP1Ctx;

    /// How often the process has been parked, and has gone on: a number that changes whenever an
    /// operation had to wait.
    fn parkings(&self) -> u64;

    /// Does what `send-small` does, if that needs no waiting; `None` if it would.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn try_send_small(
        &mut self,
        sender: u32,
        message: channel::Small,
    ) -> Result<Option<Result<(), channel::Error>>>;

    /// Does what `receive-some` does, if that needs no waiting; `None` if it would.
    ///
    /// # Errors
    /// Ends the process, as of the call itself.
    fn try_receive_some(
        &mut self,
        receiver: u32,
        most: u32,
    ) -> Result<Option<Result<channel::Received, channel::Error>>>;
}

/// What this crate keeps for a process whose core module runs by itself; a host keeps it with
/// what else it knows of the process.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) memory: Option<Memory>,
    /// The arguments of `run`, until the guest has them.
    pub(crate) arguments: Option<Box<Lowering>>,
    /// What the guest is to allocate for at present.
    pub(crate) pending: Option<Box<Lowering>>,
    /// Which calls, of those that can be tried, had to wait the last time: they are not tried the
    /// next time, since they will probably have to wait again. A bit for each.
    pub(crate) waited: u32,
    /// What `run` has returned.
    pub(crate) result: Option<Result<(), String>>,
}

impl State {
    /// Whether this call had to wait the last time.
    pub(crate) fn has_waited(&self, call: u32) -> bool {
        self.waited & (1 << call) != 0
    }

    pub(crate) fn note_waited(&mut self, call: u32, waited: bool) {
        self.waited = self.waited & !(1 << call) | u32::from(waited) << call;
    }
}
