//! Our side: an outlet and an inlet.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::watch;
use transputer_reach::carrier::{Carrier, Channel, Pending};
use transputer_reach::nats::{NatsCarrier, NatsOptions};
use transputer_reach::{Inlet, InletEnd, NoGate, NotWanted, Outlet, OutletEnd, Sent, Sink, Source};

use super::measure::{Case, Measured, Stamps};

/// Sends so many messages, as fast as they are taken.
struct Many {
    left: u64,
    stamps: Stamps,
}

impl Source for Many {
    fn next(&mut self) -> Pending<'_, Sent> {
        let sent = match self.left {
            0 => Sent::Closed,
            _ => Sent::Message(self.stamps.message()),
        };
        self.left = self.left.saturating_sub(1);
        Box::pin(std::future::ready(sent))
    }
}

/// Takes each message and finishes it at once.
struct AtOnce {
    finished: watch::Sender<u64>,
    measured: Measured,
}

impl Sink for AtOnce {
    fn offer(&mut self, bytes: Bytes) {
        self.measured.received(&bytes);
    }

    fn taken(&mut self) -> Pending<'_, Result<(), NotWanted>> {
        self.finished.send_modify(|count| *count += 1);
        Box::pin(std::future::ready(Ok(())))
    }

    fn unwanted(&mut self) -> Pending<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&mut self) {}

    fn poison(&mut self, _kind: &str, _reason: &str) {}

    fn finished(&mut self) -> watch::Receiver<u64> {
        self.finished.subscribe()
    }

    fn failure(&mut self) -> Option<(String, String)> {
        None
    }
}

pub(super) async fn run(url: &str, name: &str, case: Case) -> Measured {
    let options = NatsOptions::new(vec![url.to_owned()], "bench", "bench");
    let connect = async || {
        let carrier = NatsCarrier::connect(&options).await.expect("a server");
        let carrier: Arc<dyn Carrier> = Arc::new(carrier);
        carrier
    };
    let channel = Channel::new(name, case.capacity, "a.out", "b.in");
    let outlet = Outlet::take_over(connect().await, &channel, "a.out", 1).await;
    let inlet = Inlet::take_over(connect().await, &channel, "b.in", 1).await;
    let (mut outlet, mut inlet) = (outlet.expect("it sends"), inlet.expect("it receives"));
    let (_keep, stop) = watch::channel(false);
    let (mut one, mut other) = (stop.clone(), stop);
    let began = Instant::now();
    let sending = tokio::spawn(async move {
        let stamps = Stamps::new(began, case.size);
        let mut source = Many {
            left: case.count,
            stamps,
        };
        outlet.run(&mut source, &mut one).await
    });
    let mut sink = AtOnce {
        finished: watch::Sender::new(0),
        measured: Measured::new(began),
    };
    let end = inlet.run(&mut sink, &NoGate, &mut other).await;
    assert_eq!(end, InletEnd::Closed);
    assert_eq!(sending.await.expect("it ends"), OutletEnd::Closed);
    sink.measured
}
