//! What becomes of messages that a process had received and not finished.

use transputer_core::Holder;

use super::legacy::{Left, Legacy};
use super::policy::Unfinished;
use super::unit::Slot;
use super::watch::Tried;
use crate::message::Sender;
use crate::network::report::{UnfinishedFate as Fate, UnfinishedMessage};

/// Where messages go that a process could not finish.
#[derive(Clone)]
pub(crate) struct Letters {
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
pub(super) fn settle(
    slot: &mut Slot,
    legacy: &mut Legacy,
    next: Next,
    process: &str,
) -> Vec<UnfinishedMessage> {
    slot.tried.clear();
    let mut settled = Vec::new();
    let mut last = true;
    while let Some(mut left) = legacy.unfinished.pop() {
        if !std::mem::take(&mut last) || next == Next::RestartInnocent {
            // Only the message that it was busy with can be to blame.
            left.attempts = left.attempts.saturating_sub(1);
        }
        let message = UnfinishedMessage {
            process: process.to_owned(),
            port: legacy.port(left.channel).to_owned(),
            bytes: left.message.bytes.len() as u64,
            attempts: left.attempts,
            fate: Fate::Dropped,
        };
        let fate = one(slot, legacy, left, next);
        settled.push(UnfinishedMessage { fate, ..message });
    }
    settled
}

fn one(slot: &mut Slot, legacy: &Legacy, left: Left, next: Next) -> Fate {
    let wanted = match (slot.restart.unfinished, next) {
        (Unfinished::Redeliver, Next::Nothing) => Unfinished::DeadLetter,
        (Unfinished::Redeliver, _) if left.attempts >= slot.restart.attempts => {
            Unfinished::DeadLetter
        }
        (Unfinished::Redeliver, _) if !left.whole => Unfinished::DeadLetter,
        (wanted, _) => wanted,
    };
    match wanted {
        Unfinished::Redeliver => redeliver(slot, legacy, left),
        Unfinished::DeadLetter => dead_letter(slot, legacy, left),
        Unfinished::Drop => drop_it(legacy, left),
    }
}

fn redeliver(slot: &mut Slot, legacy: &Legacy, left: Left) -> Fate {
    let tried = Tried {
        channel: left.channel,
        bytes: left.message.bytes.to_vec(),
        attempts: left.attempts,
    };
    match legacy.put_back(left) {
        Ok(()) => {
            slot.tried.push(tried);
            Fate::Redelivered
        }
        // It closed the port meanwhile, so nothing can be received there.
        Err(left) => dead_letter(slot, legacy, left),
    }
}

/// Sends a message to the dead letters, as far as there is room: nothing waits for a reader.
fn dead_letter(slot: &Slot, legacy: &Legacy, mut left: Left) -> Fate {
    let Some(Letters { sender, with_ends }) = &slot.letters else {
        return drop_it(legacy, left);
    };
    if !with_ends {
        // Whoever takes it as bytes does not expect any.
        drop(std::mem::take(&mut left.message.ends));
    } else if !left.whole {
        drop_it(legacy, left);
        return Fate::Refused("ends that came with it are gone".to_owned());
    }
    let transit = Holder::Transit(sender.id());
    let ends = left.message.ends.iter();
    ends.for_each(|end| end.set_holder(transit));
    match sender.try_send(left.message) {
        Ok(()) => Fate::DeadLettered,
        Err(refused) => {
            if let Some(receiver) = legacy.receiver(left.channel) {
                receiver.drop_received(refused.message);
            }
            Fate::Refused(refused.error.to_string())
        }
    }
}

/// Drops a message; its channel counts it as dropped, not as received.
fn drop_it(legacy: &Legacy, left: Left) -> Fate {
    if let Some(receiver) = legacy.receiver(left.channel) {
        receiver.drop_received(left.message);
    }
    Fate::Dropped
}
