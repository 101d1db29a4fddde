//! Totals: what all processes of a network, or of a host, may use together.

use std::sync::Arc;
use std::time::Duration;

use transputer_core::account::{self, Over};

use crate::process::{LimitKind, LimitOwner, Overrun};

/// How much there is of something that a limit is on, and how much is in use.
pub(crate) type Total = account::Total<Limit>;

/// How many there may be of something that no process is ended for.
pub(crate) type Count = account::Total<()>;

/// The memory of one process: its linear memories and tables, and what the host holds for it.
pub(crate) type Account = account::Account<Limit>;

/// The accounts of all processes of a host.
pub(crate) type Accounts = account::Accounts<Limit>;

/// What somebody is charged for, given back when dropped.
pub(crate) type Charge = account::Charge<Limit>;

/// Which limit a total is, and whose.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) kind: LimitKind,
    pub(crate) owner: LimitOwner,
}

/// The totals of a network, which are within those of its host, or of a host.
#[derive(Debug)]
pub(crate) struct Totals {
    /// Bytes of memories, tables, and of what the host holds for processes.
    pub(crate) memory: Arc<Total>,
    /// Channels and barriers that have an end.
    pub(crate) channels: Arc<Total>,
    /// Nanoseconds of computing, all processes together.
    pub(crate) cpu: Arc<Total>,
    /// The memory of each process, all over the host.
    pub(crate) accounts: Arc<Accounts>,
}

/// What is allowed in all; `None` for as much as there is.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) memory: Option<u64>,
    pub(crate) channels: Option<u32>,
    pub(crate) cpu: Option<Duration>,
}

impl Totals {
    pub(crate) fn new(owner: LimitOwner, allowed: Allowed, above: Option<&Totals>) -> Self {
        let total = |kind, allowed, which: fn(&Totals) -> &Arc<Total>| {
            Total::new(
                Limit { kind, owner },
                allowed,
                above.map(|it| which(it).clone()),
            )
        };
        Self {
            memory: total(LimitKind::Memory, allowed.memory, |it| &it.memory),
            channels: total(LimitKind::Channels, allowed.channels.map(u64::from), |it| {
                &it.channels
            }),
            cpu: total(LimitKind::Cpu, allowed.cpu.map(nanos), |it| &it.cpu),
            accounts: above.map_or_else(Arc::default, |above| above.accounts.clone()),
        }
    }
}

impl From<Over<Limit>> for Overrun {
    fn from(over: Over<Limit>) -> Self {
        Self {
            limit: over.label.kind,
            owner: over.label.owner,
            allowed: over.allowed,
            asked: over.asked,
        }
    }
}

pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
