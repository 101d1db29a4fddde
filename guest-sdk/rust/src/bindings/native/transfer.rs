//! Messages on their way into a channel, and out of it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use transputer_core as core;
use transputer_core::Holder;
use transputer_core::channel::MovingEnds;

use super::channel::{End, Envelope, Error, Patience, error};
use super::wait::{sleep_until, wait};

/// Bytes that a batch has at most, unless its first message is longer.
const BATCH: usize = 64 << 10;

/// The largest message, as a host's default has it.
const MESSAGE: usize = 1 << 20;

/// Sends a message; after an error its ends are this process's own again.
pub(super) fn send(
    sender: &core::Sender<Envelope>,
    message: Envelope,
    patience: Patience,
) -> Result<(), (Error, Vec<End>)> {
    if message.bytes.len() > MESSAGE {
        return Err((Error::TooLarge, message.adopted().ends));
    }
    let moving = (!message.ends.is_empty()).then(|| sender.moving_ends());
    let transit = Holder::Transit(sender.id());
    message.ends.iter().for_each(|end| end.set_holder(transit));
    let sent = match patience {
        Patience::Forever => {
            let sent = wait(Moving::new(sender, moving, sender.send(message)));
            sent.map_err(core::SendError::into_parts)
        }
        Patience::Until(time) => {
            let send = sender.send_by(message, sleep_until(time));
            wait(Moving::new(sender, moving, send)).map_err(core::SendTimeoutError::into_parts)
        }
        Patience::Never => sender
            .try_send(message)
            .map_err(core::TrySendError::into_parts),
    };
    sent.map_err(|(message, why)| (error(why), message.adopted().ends))
}

/// A send that waits. At each poll its message may enter the channel, or come back: if it has ends, nobody is to
/// trust what a look at the channel shows just then.
struct Moving<'a, F> {
    sender: &'a core::Sender<Envelope>,
    /// Up to the first poll; nothing if it has no ends.
    first: Option<MovingEnds<'a, Envelope>>,
    has_ends: bool,
    send: F,
}

impl<'a, F> Moving<'a, F> {
    fn new(
        sender: &'a core::Sender<Envelope>,
        first: Option<MovingEnds<'a, Envelope>>,
        send: F,
    ) -> Self {
        Self {
            sender,
            has_ends: first.is_some(),
            first,
            send,
        }
    }
}

impl<F: Future + Unpin> Future for Moving<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _moving = match self.first.take() {
            None if self.has_ends => Some(self.sender.moving_ends()),
            first => first,
        };
        Pin::new(&mut self.send).poll(context)
    }
}

/// Sends messages that are packed; how many were sent, and why not all.
pub(super) fn send_all(
    sender: &core::Sender<Envelope>,
    packed: &[u8],
    patience: Patience,
) -> (u32, Option<Error>) {
    let mut rest = packed;
    let mut sent = 0;
    while !rest.is_empty() {
        let Some((message, after)) = first_of(rest) else {
            return (sent, Some(Error::Malformed));
        };
        if let Err((error, _)) = send(sender, Envelope::of_bytes(message.to_vec()), patience) {
            return (sent, Some(error));
        }
        sent += 1;
        rest = after;
    }
    (sent, None)
}

/// The first of packed messages, and the others.
fn first_of(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = packed.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

pub(super) fn receive(
    receiver: &core::Receiver<Envelope>,
    patience: Patience,
) -> Result<Envelope, Error> {
    match patience {
        Patience::Forever => wait(receiver.receive()).map_err(error),
        Patience::Until(time) => wait(receiver.receive_by(sleep_until(time))).map_err(error),
        Patience::Never => receiver.try_receive().map_err(error),
    }
}

/// Receives a message without ends; one that has some stays in the channel.
pub(super) fn receive_bytes(
    receiver: &core::Receiver<Envelope>,
    patience: Patience,
) -> Result<Vec<u8>, Error> {
    let message = receive(receiver, patience)?;
    if message.ends.is_empty() {
        return Ok(message.adopted().bytes);
    }
    receiver.put_back(message);
    Err(Error::CarriesEnds)
}

/// Receives a message, and what else is there.
pub(super) fn receive_many(
    receiver: &core::Receiver<Envelope>,
    most: u32,
    patience: Patience,
) -> Result<Vec<Vec<u8>>, Error> {
    let first = receive_bytes(receiver, patience)?;
    let mut size = first.len();
    let mut messages = vec![first];
    if receiver.is_sole() && most > 1 {
        let more = receiver.drain(most as usize - 1, |next| {
            size += next.bytes.len();
            next.ends.is_empty() && size <= BATCH
        });
        messages.extend(more.into_iter().map(|message| message.adopted().bytes));
    }
    Ok(messages)
}

pub(super) fn pack(messages: &[Vec<u8>]) -> Vec<u8> {
    // None is longer than a message may be.
    let length = |message: &Vec<u8>| (message.len() as u32).to_le_bytes();
    let packed = messages.iter();
    packed
        .flat_map(|message| [&length(message)[..], message].concat())
        .collect()
}
