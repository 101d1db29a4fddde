//! What a traced process did, step by step.

use std::fmt::Display;
use std::sync::Arc;

use transputer_core::channel::ChannelError;

use crate::message::{Receiver, Sender};
use crate::network::event::Event;
use crate::process::ProcessState;

impl ProcessState {
    /// Tells a step that this process has taken, if its network is traced.
    pub(super) fn trace<D: Display>(&self, step: impl FnOnce() -> D) {
        if !self.network.traced {
            return;
        }
        let clock = self.network.host.scheduler().clock();
        self.network.tell(Event::Step {
            nanoseconds: clock.now().as_nanos(),
            process: self.process.name.to_string(),
            incarnation: self.process.incarnation(),
            step: step().to_string(),
        });
    }

    #[inline]
    pub(super) fn trace_send(&self, sender: &Sender, size: usize, error: Option<&ChannelError>) {
        if self.network.traced {
            self.trace(|| told("sends", size, sender.label(), error));
        }
    }

    #[inline]
    pub(super) fn trace_receive(
        &self,
        receiver: &Receiver,
        received: Result<usize, &ChannelError>,
    ) {
        if !self.network.traced {
            return;
        }
        let (size, error) = match received {
            Ok(size) => (size, None),
            Err(error) => (0, Some(error)),
        };
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
