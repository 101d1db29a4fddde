//! A crossbeam receiver in place of a host end, with a thread between.

use std::fmt;
use std::io;
use std::ops::Deref;

use transputer_core::alternation::{Alternation, Guard, Order, Outcome};
use transputer_core::channel::{Options, channel};

use super::thread;
use crate::message::{Carried, Message, Receiver, Sender};

/// What a network sends, as a crossbeam receiver: see
/// [`HostReceiver::into_crossbeam`](super::HostReceiver::into_crossbeam).
///
/// It dereferences to crossbeam's, which has all the methods; crossbeam's `select!` takes
/// `recv(*receiver)`. When its last clone is dropped, the network's channel closes; what was cloned
/// out of it by dereferencing disconnects then.
#[derive(Clone)]
pub struct CrossbeamReceiver {
    messages: crossbeam_channel::Receiver<Vec<u8>>,
    /// Never sent through: that the last one is dropped is the message.
    _wanted: Sender,
}

impl CrossbeamReceiver {
    pub(super) fn of(receiver: Receiver, capacity: usize) -> io::Result<Self> {
        let (messages, passed_on) = crossbeam_channel::bounded(capacity);
        let (wanted, unwanted) = channel(Options::rendezvous());
        thread("transputer-from-network", move || {
            while let Some(message) = next(&receiver, &unwanted) {
                if let Err(refused) = messages.send(message.into_inner().bytes.into_vec()) {
                    receiver.drop_received(Message::of_program(
                        refused.into_inner(),
                        Carried::default(),
                    ));
                    break;
                }
            }
        })?;
        Ok(Self {
            messages: passed_on,
            _wanted: wanted,
        })
    }
}

/// The next message, unless the channel ends, or nobody wants more.
fn next(receiver: &Receiver, unwanted: &Receiver) -> Option<Message> {
    let guards = vec![Guard::Receive(unwanted), Guard::Receive(receiver)];
    match Alternation::new(Order::Priority)
        .wait_blocking(guards)
        .outcome
    {
        Outcome::Received(message) => Some(message),
        _ => None,
    }
}

impl Deref for CrossbeamReceiver {
    type Target = crossbeam_channel::Receiver<Vec<u8>>;

    fn deref(&self) -> &Self::Target {
        &self.messages
    }
}

impl fmt::Debug for CrossbeamReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrossbeamReceiver")
            .field(&self.messages)
            .finish()
    }
}
