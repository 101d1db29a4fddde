//! Channels carried by NATS JetStream.
//!
//! | What | How |
//! |---|---|
//! | log of a channel | a work-queue stream that refuses when it is full |
//! | who may write | the subjects of the stream, with the epoch in them |
//! | consumer | a durable pull consumer with explicit answers |
//! | hints | subjects of core NATS, kept nowhere |
//! | values | two buckets of keys; what is in that of leases vanishes |

mod connect;
mod log;
mod names;
mod read;
mod values;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::Client;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::StorageType;
use bytes::Bytes;

pub use connect::{ConnectError, NatsOptions, Storage};
use names::Names;
#[doc(hidden)]
pub use read::read_junk;
use values::Buckets;

use crate::carrier::{
    Ack, Answer, Bucket, Carrier, Channel, Consumer, Deliveries, Exchange, Fault, Hint, Hints, Log,
    Pending, Put, Ticket, Value, Writer,
};

/// What the stream of a channel is called at the server.
pub fn stream_name(run: &str, channel: &Channel) -> String {
    Names::new(run).stream(channel)
}

/// A host's connection to NATS.
pub struct NatsCarrier {
    client: Client,
    context: Context,
    names: Names,
    storage: StorageType,
    replicas: usize,
    lease: Duration,
    buckets: Buckets,
}

impl Carrier for NatsCarrier {
    fn open<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Log, Fault>> {
        Box::pin(self.open_log(channel))
    }

    fn look<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Option<Log>, Fault>> {
        Box::pin(self.look_at_log(channel))
    }

    fn fence<'a>(
        &'a self,
        channel: &'a Channel,
        writer: &'a Writer,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(self.fence_log(channel, writer))
    }

    fn put<'a>(&'a self, channel: &'a Channel, put: Put) -> Pending<'a, Ack> {
        Box::pin(self.put_into_log(channel, put))
    }

    fn purge<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<u64, Fault>> {
        Box::pin(self.purge_log(channel))
    }

    fn consumers<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Vec<Consumer>, Fault>> {
        Box::pin(self.list_consumers(channel))
    }

    fn consume<'a>(
        &'a self,
        channel: &'a Channel,
        consumer: &'a Consumer,
        ahead: usize,
    ) -> Pending<'a, Result<Box<dyn Deliveries>, Fault>> {
        Box::pin(self.read(channel, consumer, ahead))
    }

    fn end_consumer<'a>(
        &'a self,
        channel: &'a Channel,
        consumer: &'a Consumer,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(self.delete_consumer(channel, consumer))
    }

    fn answer<'a>(
        &'a self,
        _channel: &'a Channel,
        ticket: &'a Ticket,
        answer: Answer,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move {
            let word = match answer {
                Answer::Finished => "+ACK",
                Answer::GiveBack => "-NAK",
                Answer::Working => "+WPI",
            };
            let sent = self.client.publish(ticket.0.clone(), word.into()).await;
            sent.map_err(away)
        })
    }

    fn hint<'a>(&'a self, channel: &'a Channel, hint: Hint) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move {
            let subject = self.names.hints(channel);
            let sent = self.client.publish(subject, read::encode_hint(&hint)).await;
            sent.map_err(away)
        })
    }

    fn hints<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Box<dyn Hints>, Fault>> {
        Box::pin(self.listen(channel))
    }

    fn get<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
    ) -> Pending<'a, Result<Option<Value>, Fault>> {
        Box::pin(self.get_value(bucket, key))
    }

    fn exchange<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
        revision: Option<u64>,
        bytes: Bytes,
    ) -> Pending<'a, Result<Exchange, Fault>> {
        Box::pin(self.exchange_value(bucket, key, revision, bytes))
    }

    fn remove<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
        revision: u64,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(self.remove_value(bucket, key, revision))
    }

    fn keys<'a>(&'a self, bucket: Bucket) -> Pending<'a, Result<Vec<String>, Fault>> {
        Box::pin(self.list_keys(bucket))
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    fn lease(&self) -> Duration {
        self.lease
    }
}

impl fmt::Debug for NatsCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsCarrier")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

fn away(error: impl fmt::Display) -> Fault {
    Fault::Away(error.to_string())
}
