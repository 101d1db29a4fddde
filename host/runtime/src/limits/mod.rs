//! What processes may use: each by itself, and all together.

mod account;
mod channels;
mod permits;
mod total;

pub(crate) use account::{Charge, OpenAccount, PLACE, settle};
pub(crate) use channels::OpenChannel;
pub(crate) use permits::{Permit, Permits, Spawner};
pub(crate) use total::{Allowed, Totals};
