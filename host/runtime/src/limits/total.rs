//! Totals: what all processes of a network, or of a host, may use together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::process::{LimitKind, LimitOwner, Overrun};

/// How much there is of one thing, and how much of it is in use.
#[derive(Debug)]
pub(crate) struct Total {
    limit: LimitKind,
    owner: LimitOwner,
    allowed: u64,
    used: AtomicU64,
}

/// The totals of a network, and above them those of its host.
#[derive(Debug)]
pub(crate) struct Totals {
    /// Bytes of memories, tables and buffered messages.
    pub(crate) memory: Total,
    /// Channels and barriers that have an end.
    pub(crate) channels: Total,
    /// Nanoseconds of computing, all processes together.
    pub(crate) cpu: Total,
    above: Option<Arc<Totals>>,
}

/// What is allowed in all; `None` for as much as there is.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) memory: Option<u64>,
    pub(crate) channels: Option<u32>,
    /// Nanoseconds.
    pub(crate) cpu: Option<u64>,
}

/// Which of the totals is meant.
pub(crate) type Which = fn(&Totals) -> &Total;

impl Total {
    fn new(limit: LimitKind, owner: LimitOwner, allowed: Option<u64>) -> Self {
        Self {
            limit,
            owner,
            allowed: allowed.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
        }
    }

    /// How much is in use.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// Whether anything was said about it.
    fn is_limited(&self) -> bool {
        self.allowed != u64::MAX
    }

    fn take(&self, amount: u64) -> Result<(), Overrun> {
        let asked = self.used.fetch_add(amount, Ordering::AcqRel) + amount;
        if asked <= self.allowed {
            return Ok(());
        }
        self.give(amount);
        Err(Overrun {
            limit: self.limit,
            owner: self.owner,
            allowed: self.allowed,
            asked,
        })
    }

    fn give(&self, amount: u64) {
        self.used.fetch_sub(amount, Ordering::AcqRel);
    }

    /// Uses up some for good, whether there is enough or not.
    fn spend(&self, amount: u64) -> Result<(), Overrun> {
        let asked = self.used.fetch_add(amount, Ordering::AcqRel) + amount;
        if asked <= self.allowed {
            return Ok(());
        }
        Err(Overrun {
            limit: self.limit,
            owner: self.owner,
            allowed: self.allowed,
            asked,
        })
    }
}

impl Totals {
    pub(crate) fn new(owner: LimitOwner, allowed: Allowed, above: Option<Arc<Totals>>) -> Self {
        let channels = allowed.channels.map(u64::from);
        Self {
            memory: Total::new(LimitKind::Memory, owner, allowed.memory),
            channels: Total::new(LimitKind::Channels, owner, channels),
            cpu: Total::new(LimitKind::Cpu, owner, allowed.cpu),
            above,
        }
    }

    /// Takes some from this total and from those above, or from none.
    pub(crate) fn take(&self, which: Which, amount: u64) -> Result<(), Overrun> {
        which(self).take(amount)?;
        let Some(above) = &self.above else {
            return Ok(());
        };
        above
            .take(which, amount)
            .inspect_err(|_| which(self).give(amount))
    }

    /// Whether computing is limited here or above.
    pub(crate) fn limit_cpu(&self) -> bool {
        self.cpu.is_limited() || self.above.as_ref().is_some_and(|above| above.limit_cpu())
    }

    /// Takes some whether it is there or not, for the program itself.
    pub(crate) fn add(&self, which: Which, amount: u64) {
        which(self).used.fetch_add(amount, Ordering::AcqRel);
        if let Some(above) = &self.above {
            above.add(which, amount);
        }
    }

    /// Gives back what was taken.
    pub(crate) fn give(&self, which: Which, amount: u64) {
        which(self).give(amount);
        if let Some(above) = &self.above {
            above.give(which, amount);
        }
    }

    /// Uses up some of this total for good, and of those above.
    pub(crate) fn spend(&self, which: Which, amount: u64) -> Result<(), Overrun> {
        let here = which(self).spend(amount);
        match &self.above {
            Some(above) => here.and(above.spend(which, amount)),
            None => here,
        }
    }
}
