//! A host's way to the server in memory, on which things go wrong.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::state::{Next, State};
use super::{MemoryServer, lock};
use crate::carrier::{
    Ack, Answer, Bucket, Carrier, Channel, Consumer, Deliveries, Delivery, Exchange, Fault, Hint,
    Hints, Log, Pending, Put, Refusal, Ticket, Value, Writer,
};

/// How long a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How much later a late message is.
const LATE: Duration = Duration::from_millis(500);

/// One host's way to a [`MemoryServer`].
#[derive(Clone)]
pub struct MemoryCarrier {
    server: MemoryServer,
    frozen: Arc<watch::Sender<bool>>,
    /// When the message that was sent last arrives: those behind it do not overtake it.
    arrival: Arc<Mutex<Instant>>,
}

impl MemoryCarrier {
    pub(super) fn new(server: MemoryServer) -> Self {
        Self {
            server,
            frozen: Arc::new(watch::Sender::new(false)),
            arrival: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// Stops the host: nothing that it asks for is sent, and no answer arrives, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Lets the host go on, with everything that it was about to do.
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    async fn not_frozen(&self) {
        let mut frozen = self.frozen.subscribe();
        // The sender is held here.
        let _ = frozen.wait_for(|frozen| !*frozen).await;
    }

    /// Does something at the server, unless request or answer get lost.
    async fn ask<T>(&self, apply: impl FnOnce(&mut State) -> T) -> Result<T, Fault> {
        let lost = || Fault::Away("no answer within a second".to_owned());
        self.not_frozen().await;
        let began = *self.server.0.incarnation.borrow();
        sleep(self.server.delay()).await;
        let down = *self.server.0.incarnation.borrow() != began || began % 2 == 1;
        if down || self.server.chance(|chaos| chaos.lose_requests) {
            sleep(TIMEOUT).await;
            return Err(lost());
        }
        let answer = apply(&mut lock(&self.server.0.state));
        self.server.0.changed.notify_waiters();
        sleep(self.server.delay()).await;
        let down = *self.server.0.incarnation.borrow() != began;
        if down || self.server.chance(|chaos| chaos.lose_answers) {
            sleep(TIMEOUT).await;
            return Err(lost());
        }
        self.not_frozen().await;
        Ok(answer)
    }

    /// When a message that is sent now arrives.
    fn arrival(&self) -> Instant {
        let late = self.server.chance(|chaos| chaos.late);
        let mut arrival = lock(&self.arrival);
        let next = (Instant::now() + self.server.delay()).max(*arrival);
        if late {
            return next + LATE;
        }
        *arrival = next;
        next
    }
}

async fn store(
    carrier: MemoryCarrier,
    channel: Channel,
    put: Put,
    arrival: Instant,
    began: u64,
) -> Result<u64, Refusal> {
    let server = &carrier.server;
    let unknown = || Refusal::Unknown("no answer within a second".to_owned());
    sleep_until(arrival).await;
    let now = *server.0.incarnation.borrow();
    if now % 2 == 1 || now != began || server.chance(|chaos| chaos.lose_requests) {
        sleep(TIMEOUT).await;
        return Err(unknown());
    }
    let result = lock(&server.0.state).put(&channel, put);
    server.0.changed.notify_waiters();
    sleep(server.delay()).await;
    if *server.0.incarnation.borrow() != now || server.chance(|chaos| chaos.lose_answers) {
        sleep(TIMEOUT).await;
        return Err(unknown());
    }
    carrier.not_frozen().await;
    result
}

impl Carrier for MemoryCarrier {
    fn open<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Log, Fault>> {
        Box::pin(async move { self.ask(|state| state.open(channel)).await? })
    }

    fn look<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Option<Log>, Fault>> {
        Box::pin(self.ask(|state| state.look(channel)))
    }

    fn fence<'a>(
        &'a self,
        channel: &'a Channel,
        writer: &'a Writer,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move { self.ask(|state| state.fence(channel, writer)).await? })
    }

    // The message is on its way when the first future is ready; the second one is for later.
    #[allow(clippy::async_yields_async)]
    fn put<'a>(&'a self, channel: &'a Channel, put: Put) -> Pending<'a, Ack> {
        Box::pin(async move {
            self.not_frozen().await;
            let (tell, told) = oneshot::channel();
            let began = *self.server.0.incarnation.borrow();
            let storing = store(self.clone(), channel.clone(), put, self.arrival(), began);
            tokio::spawn(async move { tell.send(storing.await) });
            let ack: Ack = Box::pin(async move {
                let gone = Refusal::Unknown("the server is gone".to_owned());
                told.await.unwrap_or(Err(gone))
            });
            ack
        })
    }

    fn purge<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<u64, Fault>> {
        Box::pin(async move { self.ask(|state| state.purge(channel)).await? })
    }

    fn consumers<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Vec<Consumer>, Fault>> {
        Box::pin(async move { self.ask(|state| state.consumers(channel)).await? })
    }

    fn consume<'a>(
        &'a self,
        channel: &'a Channel,
        consumer: &'a Consumer,
        ahead: usize,
    ) -> Pending<'a, Result<Box<dyn Deliveries>, Fault>> {
        Box::pin(async move {
            let born = self.ask(|state| state.consume(channel, consumer)).await??;
            let (send, receive) = mpsc::channel(ahead.max(1));
            let pushing = push(
                self.clone(),
                channel.name.clone(),
                consumer.clone(),
                born,
                send,
            );
            let deliveries: Box<dyn Deliveries> = Box::new(MemoryDeliveries {
                receive,
                pushing: tokio::spawn(pushing),
            });
            Ok(deliveries)
        })
    }

    fn end_consumer<'a>(
        &'a self,
        channel: &'a Channel,
        consumer: &'a Consumer,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(self.ask(|state| state.end_consumer(channel, consumer)))
    }

    fn answer<'a>(
        &'a self,
        channel: &'a Channel,
        ticket: &'a Ticket,
        answer: Answer,
    ) -> Pending<'a, Result<(), Fault>> {
        let (carrier, channel, ticket) = (self.clone(), channel.clone(), ticket.clone());
        Box::pin(async move {
            self.not_frozen().await;
            // Nobody waits for what becomes of it.
            tokio::spawn(async move {
                let _ = carrier
                    .ask(|state| state.answer(&channel, &ticket, answer))
                    .await;
            });
            Ok(())
        })
    }

    fn hint<'a>(&'a self, channel: &'a Channel, hint: Hint) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move {
            self.not_frozen().await;
            if self.server.chance(|chaos| chaos.lose_hints) {
                return Ok(());
            }
            let state = lock(&self.server.0.state);
            for (_, listener) in state.listeners.iter().filter(|it| it.0 == channel.name) {
                // One that is gone hears nothing.
                let _ = listener.send(hint.clone());
            }
            Ok(())
        })
    }

    fn hints<'a>(&'a self, channel: &'a Channel) -> Pending<'a, Result<Box<dyn Hints>, Fault>> {
        Box::pin(async move {
            let (tell, told) = mpsc::unbounded_channel();
            let mut state = lock(&self.server.0.state);
            state
                .listeners
                .retain(|(_, listener)| !listener.is_closed());
            state.listeners.push((channel.name.clone(), tell));
            let hints: Box<dyn Hints> = Box::new(MemoryHints {
                told,
                carrier: self.clone(),
            });
            Ok(hints)
        })
    }

    fn get<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
    ) -> Pending<'a, Result<Option<Value>, Fault>> {
        Box::pin(self.ask(move |state| state.get(bucket, key)))
    }

    fn exchange<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
        revision: Option<u64>,
        bytes: Bytes,
    ) -> Pending<'a, Result<Exchange, Fault>> {
        let lease = self.server.0.lease;
        Box::pin(self.ask(move |state| {
            let until = (bucket == Bucket::Leases).then(|| Instant::now() + lease);
            state.exchange(bucket, key, revision, bytes, until)
        }))
    }

    fn remove<'a>(
        &'a self,
        bucket: Bucket,
        key: &'a str,
        revision: u64,
    ) -> Pending<'a, Result<(), Fault>> {
        Box::pin(self.ask(move |state| state.remove(bucket, key, revision)))
    }

    fn keys<'a>(&'a self, bucket: Bucket) -> Pending<'a, Result<Vec<String>, Fault>> {
        Box::pin(self.ask(move |state| state.keys(bucket)))
    }

    fn now(&self) -> u64 {
        // Virtual time since the server began.
        let began = lock(&self.server.0.state).began();
        u64::try_from((Instant::now() - began).as_millis()).unwrap_or(u64::MAX)
    }

    fn lease(&self) -> Duration {
        self.server.0.lease
    }
}

impl fmt::Debug for MemoryCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCarrier").finish_non_exhaustive()
    }
}

/// Sends what a consumer gets ahead to its host.
async fn push(
    carrier: MemoryCarrier,
    channel: String,
    consumer: Consumer,
    born: u64,
    send: mpsc::Sender<Result<Delivery, Fault>>,
) {
    let server = &carrier.server;
    let began = *server.0.incarnation.borrow();
    loop {
        // Room first: what has been taken from the log must arrive, or go astray on purpose.
        let Ok(room) = send.reserve().await else {
            return;
        };
        let changed = server.0.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let gone = *server.0.incarnation.borrow() != began;
        let next = match gone {
            true => Next::Gone,
            false => lock(&server.0.state).next(&channel, &consumer, born),
        };
        match next {
            Next::Gone => {
                sleep(server.delay()).await;
                room.send(Err(Fault::Missing("the consumer".to_owned())));
                return;
            }
            Next::Wait(until) => {
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = sleep_until(until) => {}
                }
            }
            Next::Delivery(delivery) => {
                sleep(server.delay()).await;
                carrier.not_frozen().await;
                if !server.chance(|chaos| chaos.astray) {
                    room.send(Ok(*delivery));
                }
            }
        }
    }
}

struct MemoryDeliveries {
    receive: mpsc::Receiver<Result<Delivery, Fault>>,
    pushing: JoinHandle<()>,
}

impl Deliveries for MemoryDeliveries {
    fn next(&mut self) -> Pending<'_, Result<Delivery, Fault>> {
        Box::pin(async {
            let gone = || Err(Fault::Missing("the consumer".to_owned()));
            self.receive.recv().await.unwrap_or_else(gone)
        })
    }
}

impl Drop for MemoryDeliveries {
    fn drop(&mut self) {
        self.pushing.abort();
    }
}

struct MemoryHints {
    told: mpsc::UnboundedReceiver<Hint>,
    carrier: MemoryCarrier,
}

impl Hints for MemoryHints {
    fn next(&mut self) -> Pending<'_, Result<Hint, Fault>> {
        Box::pin(async {
            self.carrier.not_frozen().await;
            let hint = self.told.recv().await;
            hint.ok_or_else(|| Fault::Away("the server is gone".to_owned()))
        })
    }
}
