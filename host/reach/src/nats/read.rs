//! Reading logs and hints.

use async_nats::Subscriber;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::StorageType;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;

use super::log::STAMP;
use super::names::{self, Names};
use super::{NatsCarrier, away};
use crate::carrier::{
    Channel, Consumer, Deliveries, Delivery, Fault, Hint, Hints, Pending, Side, Stamp, Ticket,
};

/// A message without an answer for so long is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How often a server says that it has nothing; twice without is a reason to ask anew.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long one request for messages lasts.
const REQUEST: Duration = Duration::from_secs(5);

impl NatsCarrier {
    pub(super) async fn list_consumers(&self, channel: &Channel) -> Result<Vec<Consumer>, Fault> {
        let stream = self
            .context
            .get_stream_no_info(self.names.stream(channel))
            .await;
        let stream = stream.map_err(away)?;
        let names: Vec<String> = stream.consumer_names().try_collect().await.map_err(away)?;
        Ok(names
            .iter()
            .map(|name| names::consumer_named(name))
            .collect())
    }

    pub(super) async fn read(
        &self,
        channel: &Channel,
        consumer: &Consumer,
        ahead: usize,
    ) -> Result<Box<dyn Deliveries>, Fault> {
        let config = pull::Config {
            durable_name: Some(names::consumer(consumer)),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            deliver_policy: DeliverPolicy::All,
            max_ack_pending: -1,
            memory_storage: self.storage == StorageType::Memory,
            ..Default::default()
        };
        let stream = self.names.stream(channel);
        let made = self.context.create_consumer_on_stream(config, stream).await;
        let made = made.map_err(away)?;
        let messages = made
            .stream()
            .max_messages_per_batch(ahead)
            .expires(REQUEST)
            .heartbeat(HEARTBEAT)
            .messages();
        Ok(Box::new(NatsDeliveries {
            messages: messages.await.map_err(away)?,
            names: self.names.clone(),
            channel: channel.clone(),
        }))
    }

    pub(super) async fn delete_consumer(
        &self,
        channel: &Channel,
        consumer: &Consumer,
    ) -> Result<(), Fault> {
        let (stream, name) = (self.names.stream(channel), names::consumer(consumer));
        match self
            .context
            .delete_consumer_from_stream(&name, &stream)
            .await
        {
            Err(error) if !error.to_string().contains("not found") => Err(away(error)),
            _ => Ok(()),
        }
    }

    pub(super) async fn listen(&self, channel: &Channel) -> Result<Box<dyn Hints>, Fault> {
        let subscriber = self.client.subscribe(self.names.hints(channel)).await;
        Ok(Box::new(NatsHints(subscriber.map_err(away)?)))
    }
}

struct NatsDeliveries {
    messages: pull::Stream,
    names: Names,
    channel: Channel,
}

impl NatsDeliveries {
    fn delivery(&self, message: async_nats::jetstream::Message) -> Result<Delivery, Fault> {
        let (place, waiting, deliveries) = {
            let info = message.info().map_err(away)?;
            let deliveries = u64::try_from(info.delivered).unwrap_or(0);
            (info.stream_sequence, info.pending, deliveries)
        };
        let writer = self.names.writer(&self.channel, &message.subject);
        let headers = message.headers.as_ref();
        let stamp = headers.and_then(|headers| stamp(headers.get(STAMP)?.as_str()));
        let junk = match (&writer, stamp) {
            (None, _) => Some("its subject is not that of a port".to_owned()),
            (_, None) => Some(format!("it has no header `{STAMP}` with two numbers")),
            (Some(writer), Some(stamp)) if writer.epoch != stamp.epoch => {
                Some("its subject and its header have different epochs".to_owned())
            }
            _ => None,
        };
        let port = writer.map(|writer| writer.port).unwrap_or_default();
        let reply = message.reply.as_ref();
        Ok(Delivery {
            place,
            port,
            stamp: stamp.unwrap_or_default(),
            ticket: Ticket(reply.map(ToString::to_string).unwrap_or_default()),
            bytes: message.message.payload,
            waiting,
            deliveries,
            junk,
        })
    }
}

impl Deliveries for NatsDeliveries {
    fn next(&mut self) -> Pending<'_, Result<Delivery, Fault>> {
        Box::pin(async {
            match self.messages.next().await {
                Some(Ok(message)) => self.delivery(message),
                Some(Err(error)) => Err(away(error)),
                None => Err(Fault::Away("the messages have ended".to_owned())),
            }
        })
    }
}

struct NatsHints(Subscriber);

impl Hints for NatsHints {
    fn next(&mut self) -> Pending<'_, Result<Hint, Fault>> {
        Box::pin(async {
            loop {
                let message = self.0.next().await;
                let Some(message) = message else {
                    return Err(Fault::Away("the connection has ended".to_owned()));
                };
                // Anybody may publish here: what is not a hint is ignored.
                if let Some(hint) = decode_hint(&message.payload) {
                    return Ok(hint);
                }
            }
        })
    }
}

/// Two numbers, as [`Stamp`] prints them.
fn stamp(text: &str) -> Option<Stamp> {
    let (epoch, number) = text.split_once(' ')?;
    let stamp = Stamp::new(epoch.parse().ok()?, number.parse().ok()?);
    (stamp.number > 0).then_some(stamp)
}

pub(super) fn encode_hint(hint: &Hint) -> Bytes {
    match hint {
        Hint::Finished { port, stamp } => format!("finished {stamp} {port}").into(),
        Hint::Room => Bytes::from_static(b"room"),
        Hint::Ended => Bytes::from_static(b"ended"),
    }
}

fn decode_hint(bytes: &[u8]) -> Option<Hint> {
    match bytes {
        b"room" => Some(Hint::Room),
        b"ended" => Some(Hint::Ended),
        _ => {
            let text = std::str::from_utf8(bytes).ok()?.strip_prefix("finished ")?;
            let (epoch, rest) = text.split_once(' ')?;
            let (number, port) = rest.split_once(' ')?;
            Some(Hint::Finished {
                port: port.to_owned(),
                stamp: Stamp::new(epoch.parse().ok()?, number.parse().ok()?),
            })
        }
    }
}

/// What anybody may put on the subjects of a run, read as a host does. For the fuzz target.
#[doc(hidden)]
pub fn read_junk(header: &str, hint: &[u8], subject: &str) {
    let channel = Channel {
        senders: Side::Sole,
        ..Channel::new("a.out -> b.in", 1, "a.out", "b.in")
    };
    if let Some(stamp) = stamp(header) {
        assert_eq!(self::stamp(&stamp.to_string()), Some(stamp));
    }
    if let Some(hint) = decode_hint(hint) {
        assert_eq!(decode_hint(&encode_hint(&hint)), Some(hint));
    }
    let names = Names::new("run");
    if let Some(writer) = names.writer(&channel, subject) {
        assert_eq!(
            names.writer(&channel, &names.subject(&channel, &writer)),
            Some(writer)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_is_read_without_harm() {
        let mut rng = fastrand::Rng::with_seed(7);
        let letters = b"0123456789 .finshedroomut-t\xff";
        for _ in 0..20_000 {
            let mut text = || -> Vec<u8> {
                let length = rng.usize(0..30);
                (0..length)
                    .map(|_| letters[rng.usize(0..letters.len())])
                    .collect()
            };
            let (header, hint, subject) = (text(), text(), text());
            let (header, subject) = (
                String::from_utf8_lossy(&header),
                String::from_utf8_lossy(&subject),
            );
            read_junk(&header, &hint, &subject);
        }
    }

    #[test]
    fn hints_read_as_they_were_written() {
        let finished = Hint::Finished {
            port: "a.out".to_owned(),
            stamp: Stamp::new(1, 2),
        };
        for hint in [finished, Hint::Room, Hint::Ended] {
            assert_eq!(decode_hint(&encode_hint(&hint)), Some(hint));
        }
        for junk in [
            &b""[..],
            b"finished",
            b"finished 1",
            b"finished 1 x p",
            b"\xff",
        ] {
            assert_eq!(decode_hint(junk), None);
        }
        assert_eq!(stamp("1 0"), None);
        assert_eq!(stamp("1"), None);
    }
}
