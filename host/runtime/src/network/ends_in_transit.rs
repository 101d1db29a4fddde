//! Ends of channels on their way in messages.
//!
//! While an end lies in a message, its holder is the channel that carries it. It is given that
//! holder just before the message is sent, and its old one just after if that fails: moments in
//! which it looks as if nobody could get at it, though the sender still can. So the channel counts
//! both, and a look for [unreachable](super::cycle_collector) messages does not trust what it saw of
//! a channel where there was such a moment. Nobody waits for anybody.

use std::future::poll_fn;
use std::task::Poll;

use transputer_core::Holder;

use crate::message::{Message, Sender};

/// Sends a message with ends as `send` does. If that fails, the ends of the message that the error gives
/// back are `owner`'s again.
pub(crate) async fn send_ends<F, E>(
    sender: &Sender,
    message: Message,
    owner: Holder,
    send: impl FnOnce(Message) -> F,
    given_back: impl Fn(&E) -> &Message,
) -> Result<(), E>
where
    F: Future<Output = Result<(), E>>,
{
    let transit = Holder::Transit(sender.id());
    let mut start = Some((message, send));
    let mut sending = None;
    poll_fn(|context| {
        let _moving = sender.moving_ends();
        if let Some((message, send)) = start.take() {
            message.ends.iter().for_each(|end| end.set_holder(transit));
            sending = Some(Box::pin(send(message)));
        }
        let sending = sending.as_mut().expect("it was started just now");
        let polled = sending.as_mut().poll(context);
        if let Poll::Ready(Err(refused)) = &polled {
            let ends = given_back(refused).ends.iter();
            ends.for_each(|end| end.set_holder(owner));
        }
        polled
    })
    .await
}
