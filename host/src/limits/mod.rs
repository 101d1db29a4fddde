//! What processes may use: each by itself, and all together.

mod account;
mod channels;
mod places;
mod total;

pub(crate) use account::{Charge, OpenAccount, PLACE, settle};
pub(crate) use channels::OpenChannel;
pub(crate) use places::{Patience, Places, Spawner, Taken};
pub(crate) use total::{Allowed, Totals};
