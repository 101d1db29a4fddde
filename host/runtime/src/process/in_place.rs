//! Preemption of stackless processes, which are called on their worker's own stack.
//!
//! Such a call cannot be suspended. One that computes past its tick keeps its thread, and gives its worker to
//! another one: to everybody else it is between two polls, and it goes on when it is its turn. What is looked at
//! between two polls of other processes is looked at there: its limits, and whether somebody has ended it.

use transputer_abi::HostCalls as _;
use transputer_core::scheduler::BlockInPlaceError;
use wasmtime::{Result, bail};

use super::ProcessState;
use super::pace::yield_preempted;

impl ProcessState {
    /// Lets others run, in the middle of a call on this thread.
    ///
    /// # Errors
    /// Ends the process: it is over a limit, or somebody has ended it.
    pub(super) fn give_way(&mut self) -> Result<()> {
        let budget = self.process.budget.clone();
        if budget.cpu.is_limited() {
            self.turn.spend(&budget)?;
        }
        self.check_end()?;
        self.process.measures.computes(self.turn.lasted());
        self.abi_mut().interrupt();
        match self.task.block_in_place(yield_preempted()) {
            // Without a thread to stand in, it has to go on.
            Ok(()) | Err(BlockInPlaceError::NoThread) => {}
            Err(error) => return Err(error.into()),
        }
        self.turn.begin();
        budget.check_time()?;
        self.check_end()
    }

    fn check_end(&self) -> Result<()> {
        match self.process.kill_reason() {
            // Its outcome is that reason, whatever is said here.
            Some(_) => bail!("the process was ended"),
            None => Ok(()),
        }
    }
}
