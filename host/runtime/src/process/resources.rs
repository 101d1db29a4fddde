//! What a process holds of WASI's resources: pollables, streams, open files, sockets.
//!
//! They lie in wasmtime's table, which bounds their number and tells nothing else. So room for them is
//! charged ahead of the calls that may make them: the table has as many places as have been charged.

use wasmtime_wasi::ResourceTable;

use super::limits::MemoryLimiter;
use crate::Overrun;

/// What the host keeps of one, in bytes, buffers included: some hundred where it was measured.
const RESOURCE: u64 = 1_024;

/// The most that a process may have at once.
const MOST: usize = 32_768;

/// How many are part of what any process costs.
const FREE: usize = 64;

/// The most that one call makes, besides a handle for each directory that is granted.
const PER_CALL: usize = 8;

/// The room in a process's table of resources.
pub(crate) struct Room {
    places: usize,
    /// No more of them are taken.
    taken: usize,
    /// The most that one call takes.
    per_call: usize,
}

impl Room {
    /// Room for those that cost nothing extra.
    pub(crate) fn new(table: &mut ResourceTable, directories: usize) -> Self {
        let per_call = PER_CALL + directories;
        let places = FREE + 2 * per_call;
        table.set_max_capacity(places);
        Self {
            places,
            taken: 0,
            per_call,
        }
    }

    /// Makes room for what a call may make. Looks at the table once in many calls.
    ///
    /// # Errors
    /// Without memory for it.
    pub(crate) fn make(
        &mut self,
        table: &mut ResourceTable,
        memory: &mut MemoryLimiter,
    ) -> Result<(), Overrun> {
        self.taken += self.per_call;
        if self.taken <= self.places {
            return Ok(());
        }
        self.taken = table.iter_mut().count() + self.per_call;
        // At least half of them are free then, so that the next look is far away.
        if self.taken > self.places / 2 && self.places < MOST {
            let places = (2 * self.places).min(MOST);
            memory.fix((places - self.places) as u64 * RESOURCE)?;
            self.places = places;
            table.set_max_capacity(places);
        }
        Ok(())
    }
}
