//! Leases: which host runs what must run once.
//!
//! A lease is a value that vanishes unless it is renewed. Whoever makes it has it; whoever cannot renew it in time has
//! lost it, and knows that by its own clock, before another host can have it. Each time it is taken, its epoch grows: by
//! epochs outlets and inlets keep those out that had it before.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::carrier::{Bucket, Carrier, Exchange, Fault};
use crate::insist::insist;

/// How often, within the time of a lease, it is renewed.
const RENEWALS: u32 = 3;

/// How often, within that time, a host that stands by tries to take it, and the longest pause between two tries: one
/// that is given up is taken soon, however long it would last.
const TRIES: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The right to run something.
#[derive(Debug)]
pub struct Lease {
    carrier: Arc<dyn Carrier>,
    key: String,
    value: Bytes,
    revision: u64,
    /// Until when nobody else can have it.
    until: Instant,
    /// Greater than that of anybody who had it before.
    pub epoch: u64,
}

/// Who has a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseHolder {
    /// What the lease is for.
    pub name: String,
    /// The host.
    pub host: String,
    /// Its epoch.
    pub epoch: u64,
}

fn lease_key(name: &str) -> String {
    format!("lease.{name}")
}

fn epoch_key(name: &str) -> String {
    format!("epoch.{name}")
}

impl Lease {
    /// Takes a lease, or waits until it can be taken. Dropping the future gives up.
    ///
    /// # Errors
    /// If the carrier refuses.
    pub async fn take(carrier: Arc<dyn Carrier>, name: &str, host: &str) -> Result<Self, Fault> {
        let key = lease_key(name);
        let pause = (carrier.lease() / TRIES).min(LONGEST_PAUSE);
        loop {
            let began = Instant::now();
            let value = Bytes::from(format!("0 {host}"));
            let taken = carrier
                .exchange(Bucket::Leases, &key, None, value.clone())
                .await;
            match taken {
                Ok(Exchange::Done(revision)) => {
                    let until = began + carrier.lease();
                    let mut lease = Self {
                        carrier: carrier.clone(),
                        key: key.clone(),
                        value,
                        revision,
                        until,
                        epoch: 0,
                    };
                    if lease.begin(name, host).await? {
                        return Ok(lease);
                    }
                }
                Ok(Exchange::Another) => {}
                Err(Fault::Refused(text)) => return Err(Fault::Refused(text)),
                // It may have been taken: then it vanishes, or is found below.
                Err(_) => {}
            }
            sleep(pause).await;
        }
    }

    /// Counts the epoch up; whether the lease was kept meanwhile.
    async fn begin(&mut self, name: &str, host: &str) -> Result<bool, Fault> {
        let (carrier, key) = (self.carrier.clone(), epoch_key(name));
        let counting = async {
            insist!({
                let there = carrier.get(Bucket::Facts, &key).await?;
                let before = there.as_ref().and_then(|value| {
                    let text = std::str::from_utf8(&value.bytes).ok()?;
                    text.parse::<u64>().ok()
                });
                // Of a server that has forgotten, the time tells epochs apart.
                let epoch = before
                    .map_or(0, |it| it.saturating_add(1))
                    .max(carrier.now());
                let revision = there.map(|value| value.revision);
                let bytes = Bytes::from(epoch.to_string());
                match carrier
                    .exchange(Bucket::Facts, &key, revision, bytes)
                    .await?
                {
                    Exchange::Done(_) => Ok(epoch),
                    Exchange::Another => Err(Fault::Away("another host counts".to_owned())),
                }
            })
        };
        let Ok(counted) = timeout_at(self.until, counting).await else {
            return Ok(false);
        };
        self.epoch = counted?;
        self.value = format!("{} {host}", self.epoch).into();
        Ok(self.renew().await)
    }

    /// Renews it; whether that succeeded.
    async fn renew(&mut self) -> bool {
        let began = Instant::now();
        let carrier = self.carrier.clone();
        let exchange = carrier.exchange(
            Bucket::Leases,
            &self.key,
            Some(self.revision),
            self.value.clone(),
        );
        match timeout_at(self.until, exchange).await {
            Ok(Ok(Exchange::Done(revision))) => {
                self.revision = revision;
                self.until = began + self.carrier.lease();
                true
            }
            Ok(Ok(Exchange::Another)) => self.find_own().await,
            _ => false,
        }
    }

    /// The value is another one. It may be ours, where the answer to a renewal was lost; or there is none, where the
    /// server has forgotten it, and nobody else has taken it.
    async fn find_own(&mut self) -> bool {
        let carrier = self.carrier.clone();
        let began = Instant::now();
        let found = timeout_at(self.until, carrier.get(Bucket::Leases, &self.key)).await;
        let revision = match found {
            Ok(Ok(Some(value))) if value.bytes == self.value => Some(value.revision),
            Ok(Ok(None)) => None,
            _ => return false,
        };
        let exchange = carrier.exchange(Bucket::Leases, &self.key, revision, self.value.clone());
        match timeout_at(self.until, exchange).await {
            Ok(Ok(Exchange::Done(revision))) => {
                self.revision = revision;
                self.until = began + self.carrier.lease();
                true
            }
            _ => false,
        }
    }

    /// Keeps the lease by renewing it; ready when it is lost.
    pub async fn keep(&mut self) {
        let every = self.carrier.lease() / RENEWALS;
        loop {
            let next = Instant::now() + every;
            sleep_until(next.min(self.until)).await;
            while !self.renew().await {
                if Instant::now() >= self.until || self.is_taken().await {
                    return;
                }
                sleep(every.min(Duration::from_millis(50))).await;
            }
        }
    }

    /// Whether another host has it.
    async fn is_taken(&self) -> bool {
        let found = timeout_at(self.until, self.carrier.get(Bucket::Leases, &self.key)).await;
        matches!(found, Ok(Ok(Some(value))) if value.bytes != self.value)
    }

    /// Gives it up, so that another host can have it at once.
    pub async fn give_up(self) {
        let _ = self
            .carrier
            .remove(Bucket::Leases, &self.key, self.revision)
            .await;
    }
}

/// Who has which lease.
///
/// # Errors
/// If the carrier does not answer.
pub async fn holders(carrier: &dyn Carrier) -> Result<Vec<LeaseHolder>, Fault> {
    let mut found = Vec::new();
    for key in carrier.keys(Bucket::Leases).await? {
        let Some(name) = key.strip_prefix("lease.") else {
            continue;
        };
        let Some(value) = carrier.get(Bucket::Leases, &key).await? else {
            continue;
        };
        let text = String::from_utf8_lossy(&value.bytes);
        let (epoch, host) = text.split_once(' ').unwrap_or(("0", &text));
        found.push(LeaseHolder {
            name: name.to_owned(),
            host: host.to_owned(),
            epoch: epoch.parse().unwrap_or(0),
        });
    }
    Ok(found)
}
