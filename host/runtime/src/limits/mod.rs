//! What processes may use: each by itself, with all that descend from it, and all together.

mod budget;
mod channels;
mod held;
mod log_rate;
mod permits;
mod total;

pub(crate) use budget::{Budget, Lifetime};
pub(crate) use channels::{CHANNEL, OpenChannel};
pub(crate) use held::Held;
pub(crate) use permits::{Permit, Permits, Spawner};
pub(crate) use total::{Account, Allowed, Charge, Count, Limit, Total, Totals, nanos};

/// What the entry of a message or an operation in a queue counts for, in bytes, besides its payload.
pub(crate) const ENTRY: u64 = 64;
