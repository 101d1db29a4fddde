//! What a traced process did, step by step.

use std::fmt::Display;
use std::sync::Arc;

use transputer_core::channel::ChannelError;

use crate::message::{Message, Receiver, Sender};
use crate::network::event::Event;
use crate::process::ProcessState;

impl ProcessState {
    /// Tells a step that this process has taken, if its network is traced.
    pub(crate) fn trace<D: Display>(&self, step: impl FnOnce() -> D) {
        if !self.network.notes.steps {
            return;
        }
        let clock = self.network.host.scheduler().clock();
        self.network.tell(Event::Step {
            nanoseconds: clock.now().as_nanos(),
            process: self.process.name.to_string(),
            incarnation: self.process.incarnation(),
            step: step().to_string(),
            waited_since: self.process.take_wait(),
        });
    }

    /// Notes a send: counts it, and tells it if the network is traced.
    #[inline]
    pub(super) fn note_send(&self, sender: &Sender, size: usize, error: Option<&ChannelError>) {
        if error.is_none() {
            self.process.measures.sends(1);
        }
        if self.network.notes.steps {
            self.trace(|| told("sends", size, sender.label(), error));
        }
    }

    /// Notes messages of a batch that were sent, of which the last has this size. In a network that is
    /// traced there is one.
    pub(super) fn note_batch_sent(&self, sender: &Sender, messages: usize, last: usize) {
        if messages > 0 {
            self.process.measures.sends(messages - 1);
            self.note_send(sender, last, None);
        }
    }

    /// Notes a receive, likewise.
    #[inline]
    pub(super) fn note_receive(
        &self,
        receiver: &Receiver,
        received: Result<&Message, &ChannelError>,
    ) {
        if received.is_ok() {
            self.process.measures.receives(1);
        }
        if !self.network.notes.any() {
            return;
        }
        match received {
            Ok(message) => {
                self.process.hears(message, receiver);
                self.trace_receive(receiver, message.bytes.len(), None);
            }
            Err(error) => self.trace_receive(receiver, 0, Some(error)),
        }
    }

    /// Tells a receive, if the network is traced.
    pub(super) fn trace_receive(
        &self,
        receiver: &Receiver,
        size: usize,
        error: Option<&ChannelError>,
    ) {
        self.trace(|| told("receives", size, receiver.label(), error));
    }
}

fn told(
    verb: &str,
    size: usize,
    channel: Option<Arc<str>>,
    error: Option<&ChannelError>,
) -> String {
    let channel = channel.unwrap_or_else(|| "a channel".into());
    match error {
        None => format!("{verb} {size} bytes on `{channel}`"),
        Some(error) => format!("{verb} nothing on `{channel}`: {error}"),
    }
}
