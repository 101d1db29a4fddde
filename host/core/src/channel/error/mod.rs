//! Why an operation on a channel did not happen: one type for each operation, and one for all.

mod any;
mod poison;
mod receive;
mod send;

pub use any::ChannelError;
pub use poison::{Poison, PoisonKind};
pub use receive::{ReceiveError, ReceiveTimeoutError, TryReceiveError};
pub use send::{SendError, SendTimeoutError, TrySendError};
