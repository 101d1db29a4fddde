//! Who takes part in a communication.

use crate::channel::ChannelId;

/// The number of a process, unique in its network.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u64);

/// Who holds an end of a channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The program that embeds the host.
    Host,
    /// A process.
    Process(ProcessId),
    /// Nobody: the end lies in an undelivered message of this channel.
    Transit(ChannelId),
}
