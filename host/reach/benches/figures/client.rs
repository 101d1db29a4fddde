//! The client of NATS alone, which stores and takes the same messages. It keeps nothing, names no places, and fences nobody.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, Context};
use futures_util::StreamExt;

use super::measure::{Case, Measured, Stamps};

async fn connect(url: &str) -> Context {
    jetstream::new(async_nats::connect(url).await.expect("a server"))
}

/// A full stream refuses, so as many are on their way as it holds.
pub(super) async fn run(url: &str, name: &str, case: Case) -> Measured {
    let (out, into) = (connect(url).await, connect(url).await);
    let stream = out.create_stream(Config {
        name: format!("raw_{name}"),
        subjects: vec![format!("raw.{name}")],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_messages: i64::try_from(case.capacity).expect("it is small"),
        ..Default::default()
    });
    stream.await.expect("a stream");
    let config = pull::Config {
        durable_name: Some("in".to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: -1,
        ..Default::default()
    };
    let consumer = into.create_consumer_on_stream(config, format!("raw_{name}"));
    let consumer = consumer.await.expect("a consumer");
    let batch = usize::try_from(case.capacity.min(64)).expect("it is small");
    let messages = consumer.stream().max_messages_per_batch(batch).messages();
    let mut messages = messages.await.expect("messages");
    // The receiver gives back credit, as a channel does.
    let (give, mut credit) = tokio::sync::mpsc::unbounded_channel();
    (0..case.capacity).for_each(|_| give.send(()).expect("it is open"));
    let began = Instant::now();
    let subject = format!("raw.{name}");
    let sending = tokio::spawn(async move {
        let mut stamps = Stamps::new(began, case.size);
        let mut flying = VecDeque::new();
        for _ in 0..case.count {
            credit.recv().await.expect("it is open");
            let bytes = stamps.message();
            let ack = out.publish(subject.clone(), bytes.clone()).await;
            flying.push_back((bytes, ack.expect("it is sent")));
            while flying.len() >= batch {
                let (bytes, ack) = flying.pop_front().expect("there are some");
                // One that is refused, because an answer is still on its way, is sent again.
                if ack.await.is_err() {
                    let ack = out.publish(subject.clone(), bytes.clone()).await;
                    flying.push_back((bytes, ack.expect("it is sent")));
                }
            }
        }
        for (_, ack) in flying {
            let _ = ack.await;
        }
    });
    let mut measured = Measured::new(began);
    while measured.count() < case.count {
        let next = tokio::time::timeout(Duration::from_secs(2), messages.next()).await;
        // Those that were refused at the end do not come.
        let Ok(Some(Ok(message))) = next else { break };
        measured.received(&message.payload);
        message.ack().await.expect("it is answered");
        let _ = give.send(());
    }
    sending.abort();
    measured
}
