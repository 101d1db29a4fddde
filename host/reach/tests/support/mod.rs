//! Processes for the tests of outlets and inlets: a port at which messages meet, as a rendezvous does.

#![allow(dead_code)]

pub(crate) mod hosts;
pub(crate) mod server;
pub(crate) mod world;

use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use transputer_reach::carrier::Pending;
use transputer_reach::{NotWanted, Sent, Sink, Source};

/// How a side of a port ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Poisoned(String, String),
}

#[derive(Debug, Default)]
struct Slot {
    message: Option<Bytes>,
    /// How many messages went through.
    through: u64,
    /// How the sending side ended.
    sent: Option<End>,
    /// How the receiving side ended.
    received: Option<End>,
}

/// A rendezvous between a process and its outlet or inlet.
#[derive(Clone)]
pub(crate) struct Port(Arc<Shared>);

struct Shared {
    slot: Mutex<Slot>,
    changed: Notify,
    finished: watch::Sender<u64>,
    on_finish: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
}

impl Port {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            slot: Mutex::default(),
            changed: Notify::new(),
            finished: watch::Sender::new(0),
            on_finish: OnceLock::new(),
        }))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Slot) -> T) -> T {
        let result = change(&mut self.0.slot.lock().unwrap());
        self.0.changed.notify_waiters();
        result
    }

    async fn until<T>(&self, mut look: impl FnMut(&mut Slot) -> Option<T>) -> T {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let found = look(&mut self.0.slot.lock().unwrap());
            if let Some(found) = found {
                self.0.changed.notify_waiters();
                return found;
            }
            changed.await;
        }
    }

    /// The process sends a message, and goes on when it has been taken.
    pub(crate) async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), End> {
        let bytes = bytes.into();
        let mark = self
            .until(|slot| {
                if let Some(end) = &slot.received {
                    return Some(Err(end.clone()));
                }
                slot.message.is_none().then(|| {
                    slot.message = Some(bytes.clone());
                    Ok(slot.through + 1)
                })
            })
            .await?;
        self.until(|slot| {
            let end = slot.received.clone().map(Err);
            (slot.through >= mark).then_some(Ok(())).or(end)
        })
        .await
    }

    /// The process asks for a message, so it has finished all before; `None` when no more come.
    pub(crate) async fn receive(&self) -> Result<Option<Bytes>, End> {
        self.finish();
        self.until(|slot| {
            if let Some(End::Poisoned(kind, reason)) = &slot.sent {
                return Some(Err(End::Poisoned(kind.clone(), reason.clone())));
            }
            if let Some(message) = slot.message.take() {
                slot.through += 1;
                return Some(Ok(Some(message)));
            }
            (slot.sent == Some(End::Closed)).then_some(Ok(None))
        })
        .await
    }

    /// The process has finished what it has.
    pub(crate) fn finish(&self) {
        let through = self.0.slot.lock().unwrap().through;
        if let Some(listener) = self.0.on_finish.get() {
            listener(through);
        }
        self.0.finished.send_replace(through);
    }

    /// Calls this with how many messages the process has finished, before it goes on.
    pub(crate) fn on_finish(&self, listener: impl Fn(u64) + Send + Sync + 'static) {
        let _ = self.0.on_finish.set(Box::new(listener));
    }

    /// The process ends its side: closes it, or fails.
    pub(crate) fn end_sending(&self, end: End) {
        self.change(|slot| slot.sent = Some(end));
    }

    pub(crate) fn end_receiving(&self, end: End) {
        self.change(|slot| slot.received = Some(end));
    }

    pub(crate) fn has_ended_sending(&self) -> bool {
        self.0.slot.lock().unwrap().sent.is_some()
    }

    pub(crate) fn has_ended_receiving(&self) -> bool {
        self.0.slot.lock().unwrap().received.is_some()
    }

    /// How many messages the process has sent, or received.
    pub(crate) fn through(&self) -> u64 {
        self.0.slot.lock().unwrap().through
    }
}

impl Source for Port {
    fn next(&mut self) -> Pending<'_, Sent> {
        Box::pin(self.until(|slot| {
            if let Some(message) = slot.message.take() {
                slot.through += 1;
                return Some(Sent::Message(message));
            }
            Some(match slot.sent.clone()? {
                End::Closed => Sent::Closed,
                End::Poisoned(kind, reason) => Sent::Poisoned { kind, reason },
            })
        }))
    }
}

impl Sink for Port {
    fn offer(&mut self, bytes: Bytes) {
        self.change(|slot| slot.message = Some(bytes));
    }

    fn taken(&mut self) -> Pending<'_, Result<(), NotWanted>> {
        Box::pin(self.until(|slot| {
            let taken = slot.message.is_none().then_some(Ok(()));
            taken.or(slot.received.is_some().then_some(Err(NotWanted)))
        }))
    }

    fn unwanted(&mut self) -> Pending<'_, ()> {
        Box::pin(self.until(|slot| slot.received.is_some().then_some(())))
    }

    fn close(&mut self) {
        self.change(|slot| slot.sent = Some(End::Closed));
    }

    fn poison(&mut self, kind: &str, reason: &str) {
        let end = End::Poisoned(kind.to_owned(), reason.to_owned());
        self.change(|slot| slot.sent = Some(end));
    }

    fn finished(&mut self) -> watch::Receiver<u64> {
        self.0.finished.subscribe()
    }

    fn failure(&mut self) -> Option<(String, String)> {
        match self.0.slot.lock().unwrap().received.clone() {
            Some(End::Poisoned(kind, reason)) => Some((kind, reason)),
            _ => None,
        }
    }
}

/// A message that says which one it is.
pub(crate) fn numbered(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

pub(crate) fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}
