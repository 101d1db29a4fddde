//! What becomes of messages that a process had received and not finished.

use transputer_core::Holder;

use super::group::Slot;
use super::handover::{Handover, Left};
use super::in_flight::Tried;
use crate::message::Sender;
use crate::network::report::{UnfinishedFate, UnfinishedMessage};
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
    /// Others had it end.
    RestartInnocent,
    Nothing,
}

/// Deals with the unfinished messages of an incarnation, the last one first; what became of
/// each is to be told when no lock is held.
pub(super) fn settle_unfinished(
    slot: &mut Slot,
    handover: &mut Handover,
    next: Next,
    process: &str,
) -> Vec<UnfinishedMessage> {
    slot.tried.clear();
    let mut settled = Vec::new();
    let mut last = true;
    while let Some(mut left) = handover.unfinished.pop() {
        if !std::mem::take(&mut last) || next == Next::RestartInnocent {
            // Only the message that it was busy with can be to blame.
            left.attempts = left.attempts.saturating_sub(1);
        }
        let message = UnfinishedMessage {
            process: process.to_owned(),
            port: handover.port(left.channel).to_owned(),
            bytes: left.message.bytes.len() as u64,
            attempts: left.attempts,
            fate: UnfinishedFate::Dropped,
        };
        let fate = one(slot, handover, left, next);
        settled.push(UnfinishedMessage { fate, ..message });
    }
    settled
}

fn one(slot: &mut Slot, handover: &Handover, left: Left, next: Next) -> UnfinishedFate {
    let wanted = match (slot.restart.unfinished, next) {
        (Unfinished::Redeliver, Next::Nothing) => Unfinished::DeadLetter,
        (Unfinished::Redeliver, _) if left.attempts >= slot.restart.attempts => {
            Unfinished::DeadLetter
        }
        (Unfinished::Redeliver, _) if !left.whole => Unfinished::DeadLetter,
        (wanted, _) => wanted,
    };
    match wanted {
        Unfinished::Redeliver => redeliver(slot, handover, left),
        Unfinished::DeadLetter => dead_letter(slot, handover, left),
        Unfinished::Drop => drop_it(handover, left),
    }
}

fn redeliver(slot: &mut Slot, handover: &Handover, left: Left) -> UnfinishedFate {
    let tried = Tried {
        channel: left.channel,
        bytes: left.message.bytes.to_vec(),
        attempts: left.attempts,
    };
    match handover.put_back(left) {
        Ok(()) => {
            slot.tried.push(tried);
            UnfinishedFate::Redelivered
        }
        // It closed the port meanwhile, so nothing can be received there.
        Err(left) => dead_letter(slot, handover, left),
    }
}

/// Sends a message to the dead letters, as far as there is room: nothing waits for a reader.
fn dead_letter(slot: &Slot, handover: &Handover, mut left: Left) -> UnfinishedFate {
    let Some(DeadLetterPort { sender, with_ends }) = &slot.letters else {
        return drop_it(handover, left);
    };
    if !with_ends {
        // Whoever takes it as bytes does not expect any.
        drop(std::mem::take(&mut left.message.ends));
    } else if !left.whole {
        drop_it(handover, left);
        return UnfinishedFate::Refused("ends that came with it are gone".to_owned());
    }
    let transit = Holder::Transit(sender.id());
    let ends = left.message.ends.iter();
    ends.for_each(|end| end.set_holder(transit));
    match sender.try_send(left.message) {
        Ok(()) => UnfinishedFate::DeadLettered,
        Err(refused) => {
            if let Some(receiver) = handover.receiver(left.channel) {
                receiver.drop_received(refused.message);
            }
            UnfinishedFate::Refused(refused.error.to_string())
        }
    }
}

/// Drops a message; its channel counts it as dropped, not as received.
fn drop_it(handover: &Handover, left: Left) -> UnfinishedFate {
    if let Some(receiver) = handover.receiver(left.channel) {
        receiver.drop_received(left.message);
    }
    UnfinishedFate::Dropped
}
