//! What becomes of messages that a process had received and not finished.

use transputer_core::channel::Poison;
use transputer_core::{ChannelId, Holder};

use super::group::Slot;
use super::handover::{Handover, Left};
use super::in_flight::Tried;
use crate::message::{Message, Sender};
use crate::network::report::{UnfinishedFate, UnfinishedMessage};
use crate::process::{Outcome, Process};
use transputer_network::policies::Unfinished;

/// Where messages go that a process could not finish.
#[derive(Clone)]
pub(crate) struct DeadLetterPort {
    pub(crate) sender: Sender,
    /// Whether the ends that come with a message go there, too.
    pub(crate) with_ends: bool,
}

/// Whether a process is to be started again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It ended over the message that it received last, which counts against that message.
    Restart,
    /// It ended because of others.
    RestartInnocent,
    Nothing,
}

/// Deals with the unfinished messages of an incarnation, the last one first. Returns what became of
/// each, to be reported when no lock is held, and the channels of those that are given up. Ends in those that are dropped learn how it ended.
pub(super) fn decide_unfinished(
    slot: &mut Slot,
    handover: &mut Handover,
    next: Next,
    process: &Process,
    outcome: &Outcome,
) -> (Vec<UnfinishedMessage>, Vec<ChannelId>) {
    let why = process.poison_for(outcome);
    slot.tried.clear();
    let mut decided = Vec::new();
    let mut done = Vec::new();
    let mut last = true;
    while let Some(mut left) = handover.unfinished.pop() {
        if !std::mem::take(&mut last) || next == Next::RestartInnocent {
            // Only the message that it was working on can be to blame.
            left.attempts = left.attempts.saturating_sub(1);
        }
        let bytes = &left.message.bytes;
        let (length, digest) = (bytes.len(), blake3::hash(bytes));
        let message = UnfinishedMessage {
            process: process.name.to_string(),
            port: handover.port(left.channel).to_owned(),
            bytes: length as u64,
            digest: digest.to_hex().to_string(),
            attempts: left.attempts,
            fate: UnfinishedFate::Dropped,
        };
        let channel = left.channel;
        let fate = one(slot, handover, left, next, why.as_ref());
        if fate == UnfinishedFate::Redelivered {
            let tried = Tried::new(channel, length, digest, message.attempts);
            slot.tried.push(tried);
        } else {
            // Nobody will finish it, so this host has.
            done.push(channel);
        }
        decided.push(UnfinishedMessage { fate, ..message });
    }
    (decided, done)
}

fn one(
    slot: &Slot,
    handover: &Handover,
    left: Left,
    next: Next,
    why: Option<&Poison>,
) -> UnfinishedFate {
    let wanted = match (slot.restart.unfinished, next) {
        (wanted, Next::Nothing) if wanted.redelivers() => Unfinished::DeadLetter,
        (wanted, _) if wanted.redelivers() && left.attempts >= slot.restart.attempts => {
            Unfinished::DeadLetter
        }
        (wanted, _) if wanted.redelivers() && !left.whole => Unfinished::DeadLetter,
        (wanted, _) => wanted,
    };
    match wanted {
        Unfinished::Redeliver | Unfinished::RedeliverOnce => redeliver(slot, handover, left, why),
        Unfinished::DeadLetter => dead_letter(slot, handover, left, why),
        Unfinished::Drop => drop_it(handover, left.channel, left.message, why),
    }
}

fn redeliver(slot: &Slot, handover: &Handover, left: Left, why: Option<&Poison>) -> UnfinishedFate {
    match handover.put_back(left) {
        Ok(()) => UnfinishedFate::Redelivered,
        // It closed the port meanwhile, so nothing can be received there.
        Err(left) => dead_letter(slot, handover, left, why),
    }
}

/// Sends a message to the dead letters, as far as there is room: nothing waits for a reader.
fn dead_letter(
    slot: &Slot,
    handover: &Handover,
    mut left: Left,
    why: Option<&Poison>,
) -> UnfinishedFate {
    let Some(DeadLetterPort { sender, with_ends }) = &slot.letters else {
        return drop_it(handover, left.channel, left.message, why);
    };
    if !with_ends {
        // A port that takes it as bytes expects no ends.
        left.message.drop_ends(why);
    } else if !left.whole {
        drop_it(handover, left.channel, left.message, why);
        return UnfinishedFate::Refused("ends that came with it are gone".to_owned());
    }
    let transit = Holder::Transit(sender.id());
    let ends = left.message.ends.iter();
    ends.for_each(|end| end.set_holder(transit));
    match sender.try_send(left.message) {
        Ok(()) => UnfinishedFate::DeadLettered,
        Err(refused) => {
            let (message, error) = refused.into_parts();
            drop_it(handover, left.channel, message, why);
            UnfinishedFate::Refused(error.to_string())
        }
    }
}

/// Drops a message; its channel counts it as dropped, not as received.
fn drop_it(
    handover: &Handover,
    channel: ChannelId,
    mut message: Message,
    why: Option<&Poison>,
) -> UnfinishedFate {
    message.drop_ends(why);
    if let Some(receiver) = handover.receiver(channel) {
        receiver.drop_received(message);
    }
    UnfinishedFate::Dropped
}
