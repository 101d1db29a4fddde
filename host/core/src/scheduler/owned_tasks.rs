//! Every live task, so that a shutdown finds the parked ones, which no queue holds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use slab::Slab;

use super::lock;
use super::task::TaskCell;

/// Spawning and ending tasks meet here, so the registry is split to keep workers apart.
const SHARDS: usize = 16;

/// Where a task is registered.
#[derive(Copy, Clone, Debug)]
pub(super) struct Key {
    shard: usize,
    index: usize,
}

pub(super) struct OwnedTasks {
    shards: [Mutex<Shard>; SHARDS],
    turn: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    tasks: Slab<Arc<TaskCell>>,
    closed: bool,
}

impl OwnedTasks {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            turn: AtomicUsize::new(0),
        }
    }

    /// Registers the task that `make` builds for the key; gives it back in `Err` once the
    /// registry is closed.
    pub(super) fn insert(
        &self,
        make: impl FnOnce(Key) -> Arc<TaskCell>,
    ) -> Result<Arc<TaskCell>, Arc<TaskCell>> {
        let shard = self.turn.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut guard = lock(&self.shards[shard]);
        let vacant = guard.tasks.vacant_key();
        let task = make(Key {
            shard,
            index: vacant,
        });
        if guard.closed {
            return Err(task);
        }
        guard.tasks.insert(task.clone());
        Ok(task)
    }

    pub(super) fn remove(&self, key: Key) -> Option<Arc<TaskCell>> {
        lock(&self.shards[key.shard]).tasks.try_remove(key.index)
    }

    /// Refuses tasks from now on and hands over those that are left.
    pub(super) fn close(&self) -> Vec<Arc<TaskCell>> {
        let mut left = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.closed = true;
            left.extend(
                std::mem::take(&mut shard.tasks)
                    .into_iter()
                    .map(|(_, task)| task),
            );
        }
        left
    }

    pub(super) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).tasks.len())
            .sum()
    }
}
