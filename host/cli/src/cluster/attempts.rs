//! How often messages were delivered that a part has not finished yet: the host that takes over goes on counting there.
//!
//! What a restart here has counted is told to the other hosts after it. A host that dies in between has counted for
//! itself alone, and its death counts against no message: it need not be to blame.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use transputer::{Event, Network, UnfinishedFate, UnfinishedMessage};
use transputer_reach::carrier::{Carrier, Fault};
use transputer_reach::facts;

use super::process_of;

/// The most messages of a process that are told of.
const MOST: usize = 256;

/// A message, and how often it was delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attempted {
    /// `process.port`.
    pub(crate) port: String,
    digest: String,
    pub(crate) bytes: u64,
    pub(crate) attempts: u32,
}

/// The attempts of one part. Clones are the same.
#[derive(Clone)]
pub(super) struct Attempts(Arc<Shared>);

struct Shared {
    /// What they are called among the facts.
    fact: String,
    /// The part's ports at remote channels.
    ports: Vec<String>,
    /// Whether there are any, so that nothing is locked for each message where there are none.
    any: AtomicBool,
    counted: Mutex<Counted>,
    /// How often they have changed here.
    changes: watch::Sender<u64>,
    /// After how many of the changes they were told last.
    told: AtomicU64,
}

/// By process, in the order in which they come again.
#[derive(Default)]
struct Counted {
    told: BTreeMap<String, VecDeque<Attempted>>,
    /// Those of an end that is being told.
    ending: BTreeMap<String, VecDeque<Attempted>>,
}

impl Attempts {
    /// None yet, of a part whose lease is called so and that receives at these ports.
    pub(super) fn new(lease: &str, ports: Vec<String>) -> Self {
        Self(Arc::new(Shared {
            fact: fact(lease),
            ports,
            any: AtomicBool::new(false),
            counted: Mutex::default(),
            changes: watch::Sender::default(),
            told: AtomicU64::new(0),
        }))
    }

    /// Goes on from what an earlier host has told. It is as much as nothing if it cannot be understood: others can
    /// write it.
    pub(super) async fn go_on(
        &self,
        carrier: &dyn Carrier,
        network: &mut Network,
    ) -> Result<(), Fault> {
        if self.0.ports.is_empty() {
            return Ok(());
        }
        for attempted in read_fact(carrier, &self.0.fact).await? {
            let Attempted {
                port,
                digest,
                bytes,
                attempts,
            } = &attempted;
            let known = self.0.ports.contains(port)
                && network
                    .delivered_before(port, digest, *bytes, *attempts)
                    .is_ok();
            if known {
                let mut counted = self.0.counted();
                let told = counted.told.entry(process_of(port).to_owned());
                told.or_default().push_back(attempted);
                self.0.any.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::Unfinished(message) => self.0.unfinished(message),
            Event::Restarting(report) => self.0.restarting(&report.name),
            _ => {}
        }
    }

    /// A message that came at a port is finished.
    pub(super) fn finished(&self, port: &str) {
        if !self.0.any.load(Ordering::Acquire) {
            return;
        }
        let mut counted = self.0.counted();
        let Some(told) = counted.told.get_mut(process_of(port)) else {
            return;
        };
        // What is delivered again comes first, and in its order.
        if let Some(index) = told.iter().position(|it| it.port == port) {
            told.remove(index);
            counted.told.retain(|_, told| !told.is_empty());
            let any = !counted.told.is_empty();
            self.0.any.store(any, Ordering::Release);
            drop(counted);
            self.0.changed();
        }
    }

    /// Tells the other hosts, after each change.
    pub(super) async fn tell(&self, carrier: &dyn Carrier, epoch: u64) -> Infallible {
        let mut changes = self.0.changes.subscribe();
        loop {
            if changes.changed().await.is_err() {
                // Not while it is borrowed here.
                std::future::pending::<()>().await;
            }
            // One that is refused is told with the next change.
            let _ = self.tell_now(carrier, epoch).await;
        }
    }

    /// Tells the other hosts what there is now, unless they know.
    pub(super) async fn tell_now(&self, carrier: &dyn Carrier, epoch: u64) -> Result<(), Fault> {
        let changes = *self.0.changes.borrow();
        if self.0.told.load(Ordering::Acquire) == changes {
            return Ok(());
        }
        let text = {
            let counted = self.0.counted();
            let all: Vec<_> = counted.told.values().flatten().collect();
            // Texts and numbers can always be written.
            serde_json::to_string(&all).unwrap_or_default()
        };
        facts::say(carrier, &self.0.fact, epoch, &text).await?;
        self.0.told.store(changes, Ordering::Release);
        Ok(())
    }
}

impl Shared {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn unfinished(&self, message: &UnfinishedMessage) {
        let port = format!("{}.{}", message.process, message.port);
        if message.fate != UnfinishedFate::Redelivered || !self.ports.contains(&port) {
            return;
        }
        let mut counted = self.counted();
        let ending = counted.ending.entry(message.process.clone()).or_default();
        // The last one is told of first.
        ending.push_front(Attempted {
            port,
            digest: message.digest.clone(),
            bytes: message.bytes,
            attempts: message.attempts,
        });
        ending.truncate(MOST);
    }

    /// Everything has been told of how a process ended.
    fn restarting(&self, process: &str) {
        let mut counted = self.counted();
        let now = counted.ending.remove(process).unwrap_or_default();
        let before = match now.is_empty() {
            true => counted.told.remove(process),
            false => counted.told.insert(process.to_owned(), now),
        };
        let changed = before.is_some() || counted.told.contains_key(process);
        self.any.store(!counted.told.is_empty(), Ordering::Release);
        drop(counted);
        if changed {
            self.changed();
        }
    }
}

/// What was told of a part last.
pub(crate) async fn read(carrier: &dyn Carrier, lease: &str) -> Result<Vec<Attempted>, Fault> {
    read_fact(carrier, &fact(lease)).await
}

async fn read_fact(carrier: &dyn Carrier, fact: &str) -> Result<Vec<Attempted>, Fault> {
    let said = facts::said(carrier, fact).await?;
    let attempted = said.and_then(|text| serde_json::from_str(&text).ok());
    Ok(attempted.unwrap_or_default())
}

fn fact(lease: &str) -> String {
    format!("attempts.{lease}")
}
