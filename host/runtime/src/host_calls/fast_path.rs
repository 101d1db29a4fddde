//! The quick ways to send and to receive: numbers instead of handles, and no lists for small
//! messages.

use transputer_core::channel::ChannelError;

use super::channel::Answer;
use super::parking::{Receives, Sends};
use super::wit_error;
use crate::message::{Bytes, Message, Receiver, SMALL};
use crate::process::ProcessState;
use transputer_abi::bindings::transputer::csp::channel as wit;

/// From this many bytes on a message goes by itself: one more copy, into a batch, would cost
/// more than the call that it saves.
const ALONE: usize = 4 << 10;

impl ProcessState {
    pub(super) async fn send_small(&mut self, number: u32, message: wit::Small) -> Answer<()> {
        let size = message.length;
        let sent = match self.sends_small(number, message) {
            Ok(sends) => sends.await?,
            Err(error) => return Ok(Err(error)),
        };
        Ok(self.sent_small(number, size, sent))
    }

    /// The send of a small message, if it is as it must be.
    pub(crate) fn sends_small(
        &mut self,
        number: u32,
        message: wit::Small,
    ) -> Result<Sends<'_>, wit::Error> {
        let bytes = self.small(&message)?;
        let sender = self.ends.sender_at(number).ok_or(wit::Error::Moved)?;
        Ok(Sends::new(&self.process, sender, &mut self.memory, bytes))
    }

    /// What a guest is told of it.
    #[inline]
    pub(crate) fn sent_small(
        &self,
        number: u32,
        size: u32,
        sent: Result<(), ChannelError>,
    ) -> Result<(), wit::Error> {
        if self.network.traced
            && let Some(sender) = self.ends.sender_at(number)
        {
            self.trace_send(sender, size as usize, sent.as_ref().err());
        }
        sent.map_err(|error| wit_error(&error))
    }

    /// Does what `send_small` does, if that needs no waiting.
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
        Ok(match sent.map_err(|refused| refused.error) {
            Err(ChannelError::WouldBlock) => None,
            sent => Some(self.told_sent(sender, size, sent)),
        })
    }

    /// The bytes of a message that is about to be sent, if they are as they must be.
    #[inline]
    fn small(&mut self, message: &wit::Small) -> Result<Bytes, wit::Error> {
        let bytes = from_small(message)?;
        self.check_size(bytes.len())?;
        self.settle();
        Ok(bytes)
    }

    pub(super) async fn receive_some(
        &mut self,
        number: u32,
        most: u32,
    ) -> Result<wit::Received, wit::Error> {
        let receives = self.receives_some(number).ok_or(wit::Error::Moved)?;
        let received = receives.await;
        self.received_some(number, most, received)
    }

    /// A receive, if there is such a receiver.
    pub(crate) fn receives_some(&mut self, number: u32) -> Option<Receives<'_>> {
        self.settle();
        let receiver = self.ends.receiver_at(number)?;
        Some(Receives::new(&self.process, receiver))
    }

    /// What a guest is told of it.
    #[inline]
    pub(crate) fn received_some(
        &self,
        number: u32,
        most: u32,
        received: Result<Message, ChannelError>,
    ) -> Result<wit::Received, wit::Error> {
        let receiver = self.ends.receiver_at(number).ok_or(wit::Error::Moved)?;
        self.some_behind(receiver, received, most)
    }

    /// Does what `receive_some` does, if that needs no waiting.
    pub(crate) fn try_some(
        &mut self,
        receiver: u32,
        most: u32,
    ) -> Option<Result<wit::Received, wit::Error>> {
        self.settle();
        let Some(receiver) = self.ends.receiver_at(receiver) else {
            return Some(Err(wit::Error::Moved));
        };
        match receiver.try_receive() {
            Err(ChannelError::WouldBlock) => None,
            received => Some(self.some_behind(receiver, received, most)),
        }
    }

    /// What was received, with what is behind it, if the guest wants more than one.
    #[inline(always)]
    fn some_behind(
        &self,
        receiver: &Receiver,
        received: Result<Message, ChannelError>,
        most: u32,
    ) -> Result<wit::Received, wit::Error> {
        let first = self.plain(receiver, received)?;
        if most > 1
            && receiver.capacity() > 1
            && first.len() < ALONE
            && let Some(packed) = self.batch_behind(receiver, &first, most)
        {
            return Ok(wit::Received::Batch(packed));
        }
        Ok(match to_small(&first) {
            Some(small) => wit::Received::Small(small),
            None => wit::Received::Large(first.into_vec()),
        })
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
