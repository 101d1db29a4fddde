//! Preemption of stackless processes, which are called on their worker's own stack.
//!
//! Such a call cannot be suspended. One that computes past its tick keeps its thread, and gives its worker to
//! another one: to everybody else it is between two polls, and it goes on when it is its turn. What is looked at
//! between two polls of other processes is looked at there: its limits, and whether somebody has ended it.

use transputer_abi::HostCalls as _;
use transputer_core::scheduler::BlockInPlaceError;
use wasmtime::{Result, bail};

use super::pace::yield_preempted;
use super::{Process, ProcessState};

/// Why a turn was given up: another component takes the process's place.
#[derive(Copy, Clone, Debug, thiserror::Error)]
#[error("another component takes the place of the process's own")]
pub(super) struct Cut;

impl ProcessState {
    /// Lets others run, in the middle of a call on this thread.
    ///
    /// # Errors
    /// Ends the turn: the process is over a limit, somebody has ended it, or it is [cut](Cut).
    pub(super) fn give_way(&mut self) -> Result<()> {
        let budget = self.process.budget.clone();
        if budget.cpu.is_limited() {
            self.turn.spend(&budget)?;
        }
        self.process.check_stays()?;
        self.process.measures.computes(self.turn.lasted());
        self.abi_mut().interrupt();
        match self.task.block_in_place(yield_preempted()) {
            // Without a thread to stand in, it has to go on.
            Ok(()) | Err(BlockInPlaceError::NoThread) => {}
            Err(error) => return Err(error.into()),
        }
        self.turn.begin();
        self.process.check_stays()
    }
}

impl Process {
    /// Whether it may go on with a turn that keeps its thread.
    ///
    /// # Errors
    /// As of a turn that gives way.
    pub(super) fn check_stays(&self) -> Result<()> {
        if self.kill_reason().is_some() {
            // Its outcome is that reason, whatever is said here.
            bail!("the process was ended");
        }
        if self.in_flight.is_cut() {
            return Err(Cut.into());
        }
        Ok(self.budget.check_time()?)
    }
}
