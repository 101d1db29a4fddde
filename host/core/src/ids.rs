//! Who takes part in a communication, and where.

use std::fmt;

/// The number of a channel or a barrier, unique in this program.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

impl ChannelId {
    /// A number that no channel and no barrier has: for something else that can be waited for.
    #[doc(hidden)]
    #[must_use]
    pub fn fresh() -> Self {
        crate::channel::shared::next_id()
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

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
