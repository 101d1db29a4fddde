//! What a host holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use transputer_core::channel::LiveCount;

use crate::host::Host;

/// What a host holds at one moment, in all its networks.
///
/// Each number is counted where the thing is made and freed, so that nothing is forgotten. The numbers
/// are exact once the host is quiet: those of processes, stores, instances, memories, tables and stacks
/// when the network's [`wait`](crate::Running::wait) has returned; those of channels and ends a moment
/// later, since deadlock detection keeps a channel until it has looked at it, and a monitor outlives
/// its child.
///
/// ```no_run
/// # use transputer::{Host, HostOptions, Network};
/// # fn wired(host: &Host) -> Network { host.network("plugin") }
/// let host = Host::new(HostOptions::default())?;
/// wired(&host).start()?.wait();
/// assert_eq!(host.usage().stores, 0);
/// # Ok::<(), transputer::Error>(())
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Usage {
    /// Processes that live, or are being started.
    pub processes: u64,
    /// Stores: one for each process that has been instantiated, until it is gone.
    pub stores: u64,
    /// Component instances that the engines hold. This and the next three belong to the engines,
    /// which [`reseeded`](Host::reseeded) hosts share.
    pub instances: u64,
    /// Linear memories that the engines hold for instances.
    pub memories: u64,
    /// Tables that the engines hold for instances.
    pub tables: u64,
    /// Stacks of processes.
    pub stacks: u64,
    /// Channels that still have an end, those between host ends included.
    pub channels: u64,
    /// Senders and receivers, those inside undelivered messages included.
    pub ends: u64,
    /// Messages that wait in the channels of networks that have been started.
    pub messages: u64,
    /// The bytes of those messages; an end inside a message counts for some.
    pub bytes: u64,
}

impl Host {
    /// What this host holds now. Looks at every channel, so the time it takes grows with their number;
    /// nobody is stopped meanwhile.
    pub fn usage(&self) -> Usage {
        let state = &self.0;
        let engines = state.engines().all();
        let pools: Vec<_> = engines
            .filter_map(wasmtime::Engine::pooling_allocator_metrics)
            .collect();
        let pooled = |count: fn(&wasmtime::PoolingAllocatorMetrics) -> u64| -> u64 {
            pools.iter().map(count).sum()
        };
        let (messages, bytes) = state.waiting();
        let counts = state.counts();
        Usage {
            processes: u64::from(self.running_processes()),
            stores: counts.stores.load(Ordering::Acquire),
            instances: pooled(|pool| pool.component_instances()),
            memories: pooled(|pool| pool.memories() as u64),
            tables: pooled(|pool| pool.tables() as u64),
            stacks: pooled(|pool| pool.stacks() as u64),
            channels: counts.channels.channels(),
            ends: counts.channels.ends(),
            messages,
            bytes,
        }
    }
}

/// What a host counts as it goes.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    stores: AtomicU64,
    pub(crate) channels: Arc<LiveCount>,
}

/// One store in the count, until it is dropped.
pub(crate) struct CountedStore(Arc<Counts>);

impl CountedStore {
    pub(crate) fn new(counts: &Arc<Counts>) -> Self {
        counts.stores.fetch_add(1, Ordering::Relaxed);
        Self(counts.clone())
    }
}

impl Drop for CountedStore {
    fn drop(&mut self) {
        self.0.stores.fetch_sub(1, Ordering::Release);
    }
}
