//! What a process leaves to its next incarnation: the ends at its ports, and the messages that
//! it had not finished.

use transputer_core::channel::channel;
use transputer_core::{ChannelId, Holder, Options};

use super::in_flight::Taken;
use crate::limits::OpenChannel;
use crate::message::{End, Message, Receiver, Sender};
use crate::network::state::NetworkState;
use crate::process::{Outcome, Process, Wiring};

/// What a process leaves to its supervisor. Ports whose ends it had closed or given away are `None`.
#[derive(Default)]
pub(crate) struct Handover {
    pub(crate) inputs: Vec<(String, Option<Receiver>)>,
    pub(crate) outputs: Vec<(String, Option<Sender>)>,
    /// In the order of reception.
    pub(crate) unfinished: Vec<Left>,
}

/// A message that was received and not finished.
pub(crate) struct Left {
    pub(crate) channel: ChannelId,
    pub(crate) message: Message,
    pub(crate) attempts: u32,
    /// Whether every end that came with it is still there.
    pub(crate) whole: bool,
}

impl Handover {
    /// The whole wiring of a process that could not start.
    pub(crate) fn of_wiring(wiring: Wiring) -> Self {
        let inputs = wiring.inputs.into_iter();
        let outputs = wiring.outputs.into_iter();
        Self {
            inputs: inputs.map(|(port, end)| (port, Some(end))).collect(),
            outputs: outputs.map(|(port, end)| (port, Some(end))).collect(),
            unfinished: Vec::new(),
        }
    }

    /// The ends as the ports of the next incarnation, with an end of a closed channel for each that is
    /// gone.
    pub(crate) fn into_wiring(self, network: &NetworkState, process: &str) -> Wiring {
        let closed = |port: &str| {
            let label = format!("closed port {process}.{port}");
            let open = OpenChannel::of_program(&network.totals.channels);
            channel::<Message>(network.counted(Options::rendezvous(), &label, open))
        };
        let inputs = self.inputs.into_iter().map(|(port, end)| {
            let end = end.unwrap_or_else(|| closed(&port).1);
            (port, end)
        });
        let outputs = self.outputs.into_iter().map(|(port, end)| {
            let end = end.unwrap_or_else(|| closed(&port).0);
            (port, end)
        });
        Wiring {
            inputs: inputs.collect(),
            outputs: outputs.collect(),
        }
    }

    /// A receiver of this channel.
    pub(crate) fn receiver(&self, channel: ChannelId) -> Option<&Receiver> {
        let mut receivers = self.inputs.iter().filter_map(|(_, end)| end.as_ref());
        receivers.find(|receiver| receiver.id() == channel)
    }

    /// Whether an end of this channel is part of it.
    pub(crate) fn keeps(&self, channel: ChannelId) -> bool {
        let mut outputs = self.outputs.iter().filter_map(|(_, end)| end.as_ref());
        self.receiver(channel).is_some() || outputs.any(|sender| sender.id() == channel)
    }

    /// The input port at this channel.
    pub(crate) fn port(&self, channel: ChannelId) -> &str {
        let at = |end: &Option<Receiver>| end.as_ref().is_some_and(|end| end.id() == channel);
        let mut ports = self.inputs.iter().filter(|(_, end)| at(end));
        ports.next().map_or("", |(port, _)| port)
    }

    /// Whether a process with these ends would have nothing to do, because all its inputs or all its
    /// outputs have ended. A process without ports finds its work elsewhere.
    pub(super) fn is_idle(&self) -> bool {
        let ended = |end: &Option<Receiver>| end.as_ref().is_none_or(Receiver::is_ended);
        let inputs = self.inputs.iter().all(|(_, end)| ended(end));
        let ended = |end: &Option<Sender>| end.as_ref().is_none_or(Sender::is_ended);
        let outputs = self.outputs.iter().all(|(_, end)| ended(end));
        (!self.inputs.is_empty() && inputs) || (!self.outputs.is_empty() && outputs)
    }

    /// Whether every channel has been poisoned: another try would be pointless.
    pub(super) fn is_poisoned(&self) -> bool {
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|(_, end)| end.as_ref().is_some_and(|e| e.poisoned().is_some()));
        let outputs = self.outputs.iter();
        let outputs = outputs.map(|(_, end)| end.as_ref().is_some_and(|e| e.poisoned().is_some()));
        let mut all = inputs.chain(outputs).peekable();
        all.peek().is_some() && all.all(|poisoned| poisoned)
    }

    /// Returns a message to the front of its channel, or gives it back if its port is gone. Return several
    /// in the reverse of the order in which they were received.
    pub(crate) fn put_back(&self, left: Left) -> Result<(), Left> {
        let Some(receiver) = self.receiver(left.channel) else {
            return Err(left);
        };
        let transit = Holder::Transit(left.channel);
        let ends = left.message.ends.iter();
        ends.for_each(|end| end.set_holder(transit));
        receiver.put_back(left.message);
        Ok(())
    }

    /// Ends what is left as the end of a process with this outcome does.
    pub(super) fn end(self, outcome: &Outcome, process: &Process) {
        let Some(poison) = process.poison_for(outcome) else {
            return;
        };
        for receiver in self.inputs.iter().filter_map(|(_, end)| end.as_ref()) {
            receiver.poison(poison.clone());
        }
        for sender in self.outputs.iter().filter_map(|(_, end)| end.as_ref()) {
            sender.poison(poison.clone());
        }
    }
}

impl Left {
    /// A message that was kept, with those of its ends that the process still held.
    pub(crate) fn new(taken: Taken, ends: Vec<End>) -> Self {
        let mut message = taken.message;
        let whole = ends.len() == taken.ends.len();
        message.ends = ends.into();
        Self {
            channel: taken.channel,
            attempts: taken.attempts,
            whole,
            message,
        }
    }
}
