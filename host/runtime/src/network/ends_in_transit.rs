//! Ends of channels on their way in messages.
//!
//! While an end lies in a message, its holder is the channel that carries it. It is given that
//! holder just before the message is sent, and its old one just after if that fails: moments in
//! which it looks as if nobody could get at it, though the sender still can. So both happen under
//! a lock, which whoever looks for [unreachable](super::cycle_collector) messages takes for itself.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::task::Poll;

use transputer_core::Holder;
use transputer_core::channel::SendError;

use crate::message::{Message, Sender};

/// Read by senders of ends, written by who wants them to stand still. One for the program, for
/// ends go from one network to another through its hands.
static MOVING: RwLock<()> = RwLock::new(());

/// Messages with ends that were ever sent.
static MOVED: AtomicU64 = AtomicU64::new(0);

/// Sends a message with ends as `send` does; they are `owner`'s again if it fails.
pub(crate) async fn send_ends<F>(
    sender: &Sender,
    message: Message,
    owner: Holder,
    send: impl FnOnce(Message) -> F,
) -> Result<(), SendError<Message>>
where
    F: Future<Output = Result<(), SendError<Message>>>,
{
    MOVED.fetch_add(1, Ordering::Relaxed);
    let transit = Holder::Transit(sender.id());
    let mut start = Some((message, send));
    let mut sending = None;
    poll_fn(|context| {
        let _moving = MOVING.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((message, send)) = start.take() {
            message.ends.iter().for_each(|end| end.set_holder(transit));
            sending = Some(Box::pin(send(message)));
        }
        let sending = sending.as_mut().expect("it was started just now");
        let polled = sending.as_mut().poll(context);
        if let Poll::Ready(Err(refused)) = &polled {
            let ends = refused.message.ends.iter();
            ends.for_each(|end| end.set_holder(owner));
        }
        polled
    })
    .await
}

/// How many messages with ends were ever sent.
pub(super) fn moved() -> u64 {
    MOVED.load(Ordering::Relaxed)
}

/// No end enters a message, or comes back from one, while this is held.
pub(super) fn stand_still() -> RwLockWriteGuard<'static, ()> {
    MOVING.write().unwrap_or_else(PoisonError::into_inner)
}
