//! The quick ways to send and to receive: numbers instead of handles, and no lists for small
//! messages.

use super::channel::Answer;
use super::watched::watching_one;
use crate::bindings::transputer::csp::channel as wit;
use crate::message::{Bytes, SMALL};
use crate::process::ProcessState;

/// From this many bytes on a message goes by itself: one more copy, into a batch, would cost
/// more than the call that it saves.
const ALONE: usize = 4 << 10;

impl ProcessState {
    pub(super) async fn send_small(&mut self, sender: u32, message: wit::Small) -> Answer<()> {
        let bytes = match from_small(&message) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let size = bytes.len();
        if let Err(error) = self.check_size(size) {
            return Ok(Err(error));
        }
        self.settle();
        let Some(sender) = self.ends.sender_at(sender) else {
            return Ok(Err(wit::Error::Moved));
        };
        let message = self.memory.message(sender, bytes)?;
        let sent = self.process.operate(sender.send(message)).await;
        Ok(self.sent(sender, size, sent))
    }

    pub(super) async fn receive_some(
        &mut self,
        receiver: u32,
        most: u32,
    ) -> Result<wit::Received, wit::Error> {
        self.settle();
        let receiver = self.ends.receiver_at(receiver).ok_or(wit::Error::Moved)?;
        let receive = receiver.receive();
        let receive = watching_one(&self.process.watch, receiver.id(), receive);
        let received = self.process.operate(receive).await;
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

fn to_small(bytes: &[u8]) -> Option<wit::Small> {
    let mut both = [0; SMALL];
    both.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let both = u128::from_le_bytes(both);
    Some(wit::Small {
        length: u32::try_from(bytes.len()).ok()?,
        low: both as u64,
        high: (both >> 64) as u64,
    })
}
