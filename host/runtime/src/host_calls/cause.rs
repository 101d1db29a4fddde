//! Why something ended, in the words of the contract.

use transputer_core::channel::{ChannelError, Poison};

use super::wit_error;
use crate::process::{LimitKind, LimitOwner, Outcome, Overrun, Peer};
use transputer_abi::bindings::transputer::csp::channel as wit;

/// Why an end is poisoned.
pub(super) fn wit_cause(poison: Poison) -> wit::Cause {
    let peer = poison.cause::<Peer>().map(|peer| wit::Peer {
        name: peer.name.to_string(),
        id: peer.id.0,
        outcome: wit_outcome(peer.outcome.clone()),
    });
    wit::Cause {
        peer,
        reason: poison.reason.to_string(),
        error: wit_error(&ChannelError::Poisoned(poison)),
    }
}

/// How a process ended.
pub(super) fn wit_outcome(outcome: Outcome) -> wit::Outcome {
    match outcome {
        Outcome::Finished => wit::Outcome::Finished,
        Outcome::Failed(text) => wit::Outcome::Failed(text),
        Outcome::Trapped(trap) => wit::Outcome::Trapped(trap.reason),
        Outcome::Killed(overrun) => wit::Outcome::Killed(wit_overrun(&overrun)),
        Outcome::Stopped(reason) => wit::Outcome::Stopped(reason),
    }
}

fn wit_overrun(overrun: &Overrun) -> wit::Overrun {
    wit::Overrun {
        limit: match overrun.limit {
            LimitKind::Memory => wit::Limit::Memory,
            LimitKind::Cpu => wit::Limit::Cpu,
            LimitKind::Wall => wit::Limit::Wall,
            LimitKind::Operation => wit::Limit::Operation,
            LimitKind::Log => wit::Limit::Log,
            LimitKind::Channels => wit::Limit::Channels,
        },
        owner: match overrun.owner {
            LimitOwner::Process => wit::LimitOwner::Process,
            LimitOwner::Network => wit::LimitOwner::Network,
            LimitOwner::Host => wit::LimitOwner::Host,
        },
        allowed: overrun.allowed,
        asked: overrun.asked,
        text: overrun.to_string(),
    }
}
