//! What the supervisor must know about the messages that a guest receives; ends that are closed late.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use transputer_core::ChannelId;

use crate::message::{End, Message};
use crate::process::ProcessState;
use crate::supervision::{InFlight, TakenEnd};
use transputer_abi::bindings::transputer::csp::channel as wit;

/// Waits to receive. `asks` tells the supervisor what the process asks for, and whether it waits. A
/// process that comes to be tracked in the middle of the wait is seen to wait, too.
pub(super) async fn watching<T>(
    watch: &InFlight,
    asks: impl Fn(bool),
    receive: impl Future<Output = T>,
) -> T {
    let mut receive = pin!(receive);
    poll_fn(|context| match receive.as_mut().poll(context) {
        Poll::Pending if watch.is_on() => {
            asks(true);
            Poll::Pending
        }
        polled => polled,
    })
    .await
}

/// Waits for one of several communications, some of which may be to receive.
pub(super) async fn watching_choice<T>(
    watch: &InFlight,
    asks: impl Fn(bool),
    choice: impl Future<Output = T>,
) -> T {
    if watch.is_on() {
        asks(false);
    }
    let chosen = watching(watch, asks, choice).await;
    if watch.is_on() {
        watch.goes_on();
    }
    chosen
}

impl ProcessState {
    /// Whether the supervisor wants to know what this process receives.
    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.process.in_flight.is_on()
    }

    /// Notes that the process has received nothing.
    pub(super) fn note_nothing(&self, channel: ChannelId) {
        self.process.in_flight.asks([channel], false);
    }

    /// Notes a message that the process has received, without the ends that it has adopted, and keeps a
    /// copy until it is finished.
    ///
    /// # Errors
    /// Without memory for the copy. Then the message itself is kept, at its sender's expense: the
    /// process ends over it.
    pub(super) fn note_message(
        &self,
        channel: ChannelId,
        message: Message,
        ends: &[wit::End],
    ) -> wasmtime::Result<Message> {
        let watch = &self.process.in_flight;
        // The one before is finished, and no longer counts.
        watch.asks([channel], false);
        if !watch.keeps(channel) {
            return Ok(message);
        }
        match self.memory.copy(&message) {
            Ok(copy) => {
                watch.took(channel, copy, self.taken(ends));
                Ok(message)
            }
            Err(overrun) => {
                watch.took(channel, message, self.taken(ends));
                Err(overrun.into())
            }
        }
    }

    /// Ends that the process has adopted, by their numbers.
    fn taken(&self, ends: &[wit::End]) -> Vec<TakenEnd> {
        let taken = ends.iter().filter_map(|end| match end {
            wit::End::Sender(sender) => {
                let id = self.ends.sender(sender).ok()?.id();
                Some(TakenEnd::Sender(sender.rep(), id))
            }
            wit::End::Receiver(receiver) => {
                let id = self.ends.receiver(receiver).ok()?.id();
                Some(TakenEnd::Receiver(receiver.rep(), id))
            }
            wit::End::Barrier(barrier) => {
                let id = self.ends.barrier(barrier).ok()?.id();
                Some(TakenEnd::Barrier(barrier.rep(), id))
            }
        });
        taken.collect()
    }

    /// Closes an end that the guest dropped; but that of a port later, with
    /// [`close_dropped`](Self::close_dropped), if the next incarnation of a process that has
    /// returned is to have it.
    pub(super) fn drop_end(&mut self, end: End) {
        if !self.postpones_closing() {
            return;
        }
        let (inputs, outputs) = self.process.ports();
        let at = |ports: &[(ChannelId, Box<str>)], id| ports.iter().any(|(port, _)| *port == id);
        let is_port = match &end {
            End::Sender(sender) => at(outputs, sender.id()),
            End::Receiver(receiver) => at(inputs, receiver.id()),
            End::Barrier(_) => false,
        };
        if is_port {
            self.dropped.push(end);
        }
    }

    /// The guest goes on, so the ends that it dropped are closed now. To be called before
    /// anything that can park.
    #[inline]
    pub(crate) fn close_dropped(&mut self) {
        if !self.dropped.is_empty() {
            self.dropped.clear();
        }
    }
}
