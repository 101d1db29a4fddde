//! How long something may wait.

use transputer_core::clock::{Clock, Sleep, Time};
use transputer_network::policies::AtCapacity;

use transputer_abi::bindings::transputer::csp::channel as wit;

/// How long something may wait: until a [`Time`], or with the [`Sleep`] that ends then.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Patience<Deadline> {
    /// Not at all.
    Never,
    /// Until then.
    Until(Deadline),
    /// As long as it takes.
    Forever,
}

impl Patience<Time> {
    /// How long spawning may wait at capacity, by the policy of a host or network.
    pub(crate) fn at_capacity(policy: AtCapacity, now: Time) -> Self {
        match policy {
            AtCapacity::Fail => Self::Never,
            AtCapacity::Wait => Self::Forever,
            AtCapacity::WaitFor(time) => Self::Until(now + time),
        }
    }

    /// The same with a sleep on this clock.
    pub(crate) fn on(self, clock: &Clock) -> Patience<Sleep> {
        match self {
            Self::Never => Patience::Never,
            Self::Until(time) => Patience::Until(clock.sleep_until(time)),
            Self::Forever => Patience::Forever,
        }
    }
}

impl From<wit::Patience> for Patience<Time> {
    fn from(patience: wit::Patience) -> Self {
        match patience {
            wit::Patience::Forever => Self::Forever,
            wit::Patience::Until(deadline) => Self::Until(Time::from_nanos(deadline)),
            wit::Patience::Never => Self::Never,
        }
    }
}
