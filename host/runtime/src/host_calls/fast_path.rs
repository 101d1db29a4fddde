//! The quick ways to send and to receive: numbers instead of handles, and no lists for small
//! messages.

use transputer_core::channel::{ChannelError, TryReceiveError, TrySendError};

use super::channel::Answer;
use super::parking::{Receives, Sends};
use super::wit_error;
use crate::message::{Bytes, Message, Receiver, SMALL};
use crate::process::ProcessState;
use transputer_abi::bindings::transputer::csp::channel as wit;

/// From this size, a message is sent by itself: copying it into a batch would cost more than the call
/// that this saves.
const ALONE: usize = 4 << 10;

impl ProcessState {
    pub(super) async fn send_small(&mut self, number: u32, message: wit::Small) -> Answer<()> {
        let bytes = match self.small(&message) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let Some(sender) = self.ends.sender_at(number) else {
            return Ok(Err(wit::Error::Moved));
        };
        let sent = Sends::new(&self.process, sender, &mut self.memory, bytes).await?;
        self.note_send(sender, message.length as usize, sent.as_ref().err());
        Ok(sent.map_err(|error| wit_error(&error)))
    }

    /// Does what `send_small` does, if that is possible without waiting.
    pub(crate) fn try_small(
        &mut self,
        number: u32,
        message: &wit::Small,
    ) -> wasmtime::Result<Option<Result<(), wit::Error>>> {
        let bytes = match self.small(message) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Some(Err(error))),
        };
        let size = bytes.len();
        let Some(sender) = self.ends.sender_at(number) else {
            return Ok(Some(Err(wit::Error::Moved)));
        };
        let sent = sender.try_send(self.memory.message(sender, bytes)?);
        Ok(match sent {
            Err(TrySendError::Full(_)) => None,
            sent => Some(self.sent(sender, size, sent)),
        })
    }

    /// The bytes of a message that is about to be sent, if they are valid.
    #[inline]
    pub(super) fn small(&mut self, message: &wit::Small) -> Result<Bytes, wit::Error> {
        let bytes = from_small(message)?;
        self.check_size(bytes.len())?;
        self.close_dropped();
        Ok(bytes)
    }

    pub(super) async fn receive_some(&mut self, number: u32, most: u32) -> Answer<wit::Received> {
        self.close_dropped();
        let Some(receiver) = self.ends.receiver_at(number) else {
            return Ok(Err(wit::Error::Moved));
        };
        let received = Receives::new(&self.process, receiver).await;
        self.some_behind(receiver, received, most)
    }

    /// Does what `receive_some` does, if that is possible without waiting.
    pub(crate) fn try_some(
        &mut self,
        receiver: u32,
        most: u32,
    ) -> wasmtime::Result<Option<Result<wit::Received, wit::Error>>> {
        self.close_dropped();
        let Some(receiver) = self.ends.receiver_at(receiver) else {
            return Ok(Some(Err(wit::Error::Moved)));
        };
        match receiver.try_receive() {
            Err(TryReceiveError::Empty) => Ok(None),
            received => self.some_behind(receiver, received, most).map(Some),
        }
    }

    /// What was received and, if the guest wants more than one, what is behind it.
    #[inline(always)]
    pub(super) fn some_behind(
        &self,
        receiver: &Receiver,
        received: Result<Message, impl Into<ChannelError>>,
        most: u32,
    ) -> Answer<wit::Received> {
        let first = match self.plain(receiver, received)? {
            Ok(first) => first,
            Err(error) => return Ok(Err(error)),
        };
        if most > 1
            && receiver.capacity() > 1
            && first.len() < ALONE
            && let Some(packed) = self.batch_behind(receiver, &first, most)
        {
            return Ok(Ok(wit::Received::Batch(packed)));
        }
        Ok(Ok(match to_small(&first) {
            Some(small) => wit::Received::Small(small),
            None => wit::Received::Large(first.into_vec()),
        }))
    }
}

fn from_small(message: &wit::Small) -> Result<Bytes, wit::Error> {
    let length = usize::try_from(message.length).unwrap_or(usize::MAX);
    if length > SMALL {
        return Err(wit::Error::Malformed);
    }
    let both = u128::from(message.low) | u128::from(message.high) << 64;
    Ok(Bytes::from_buf_and_len(both.to_le_bytes(), length))
}

#[inline]
fn to_small(bytes: &[u8]) -> Option<wit::Small> {
    // Most are numbers.
    if let Ok(number) = <[u8; 8]>::try_from(bytes) {
        return Some(wit::Small {
            length: 8,
            low: u64::from_le_bytes(number),
            high: 0,
        });
    }
    let mut both = [0; SMALL];
    both.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let both = u128::from_le_bytes(both);
    Some(wit::Small {
        length: u32::try_from(bytes.len()).ok()?,
        low: both as u64,
        high: (both >> 64) as u64,
    })
}
