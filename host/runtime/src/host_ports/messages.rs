//! Receiving one message after the other.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use transputer_core::channel::ReceiveError;

use super::{HostReceiver, ReceiveValueError};
use crate::message::Message;

/// A blocking iterator over the messages of a channel; see [`HostReceiver::iter`].
///
/// It ends when the channel is closed. Poison comes as one last `Err`.
pub struct Messages<'a, T> {
    receiver: &'a HostReceiver,
    take: fn(&HostReceiver) -> Result<T, ReceiveValueError>,
    item: PhantomData<T>,
}

impl<'a, T> Messages<'a, T> {
    pub(super) fn new(
        receiver: &'a HostReceiver,
        take: fn(&HostReceiver) -> Result<T, ReceiveValueError>,
    ) -> Self {
        Self {
            receiver,
            take,
            item: PhantomData,
        }
    }
}

impl<T> Iterator for Messages<'_, T> {
    type Item = Result<T, ReceiveValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.take)(self.receiver) {
            Err(ReceiveValueError::Channel(ReceiveError::Closed)) => None,
            Err(error @ ReceiveValueError::Channel(_)) => {
                self.take = |_| Err(ReceiveError::Closed.into());
                Some(Err(error))
            }
            other => Some(other),
        }
    }
}

type Receiving = Pin<Box<dyn Future<Output = Result<Message, ReceiveError>> + Send>>;

/// A receive in progress; a clone of its receiver starts without one.
#[derive(Default)]
pub(super) struct Pending {
    /// Never locked: who polls has it alone. So that futures which borrow a receiver can go to other threads.
    receiving: Mutex<Option<Receiving>>,
    over: bool,
}

impl Clone for Pending {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Stream for HostReceiver {
    type Item = Result<Vec<u8>, ReceiveError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pending.over {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let receiving = this.pending.receiving.get_mut();
        let receiving = receiving.unwrap_or_else(PoisonError::into_inner);
        let under_way = receiving.get_or_insert_with(|| {
            let receiver = this.receiver.clone();
            Box::pin(async move { receiver.receive().await })
        });
        let received = std::task::ready!(under_way.as_mut().poll(context));
        *receiving = None;
        self.pending.over = received.is_err();
        Poll::Ready(match received {
            Err(ReceiveError::Closed) => None,
            other => Some(other.map(|message| message.into_inner().bytes.into_vec())),
        })
    }
}

impl<T> fmt::Debug for Messages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Messages").field(self.receiver).finish()
    }
}
