//! Values in buckets of keys.

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::time::Duration;
use tokio::sync::Mutex;

use super::log::stream_fault;
use super::names;
use super::{NatsCarrier, away};
use crate::carrier::{Bucket, Exchange, Fault, Value};

/// The buckets, once they are there.
#[derive(Default)]
pub(super) struct Buckets(Mutex<Option<Both>>);

#[derive(Clone)]
pub(super) struct Both {
    facts: Store,
    leases: Store,
}

impl Both {
    fn of(self, bucket: Bucket) -> Store {
        match bucket {
            Bucket::Facts => self.facts,
            Bucket::Leases => self.leases,
        }
    }
}

impl NatsCarrier {
    pub(super) async fn buckets(&self) -> Result<Both, Fault> {
        let mut known = self.buckets.0.lock().await;
        if let Some(both) = &*known {
            return Ok(both.clone());
        }
        let both = Both {
            facts: self.bucket(&self.names.facts(), Duration::ZERO).await?,
            leases: self.bucket(&self.names.leases(), self.lease).await?,
        };
        *known = Some(both.clone());
        Ok(both)
    }

    /// Makes a bucket as a stream: `create_key_value` first asks for the account's figures, and cannot read the answer
    /// of nats-server 2.9.
    async fn bucket(&self, name: &str, max_age: Duration) -> Result<Store, Fault> {
        let window = Duration::from_secs(120);
        let config = Config {
            name: format!("KV_{name}"),
            subjects: vec![format!("$KV.{name}.>")],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            // Not from a replica, which may lag behind.
            allow_direct: self.replicas == 1,
            max_age,
            duplicate_window: if max_age.is_zero() {
                window
            } else {
                window.min(max_age)
            },
            // A lease is worth nothing after its time, so it is not worth a file.
            storage: if max_age.is_zero() {
                self.storage
            } else {
                StorageType::Memory
            },
            num_replicas: self.replicas,
            ..Default::default()
        };
        let made = self.context.create_stream(config).await;
        match (self.context.get_key_value(name).await, made) {
            (Ok(store), Ok(_)) => Ok(store),
            (Ok(store), Err(_)) => Ok(store),
            (Err(_), Err(error)) => Err(stream_fault(&error)),
            (Err(error), Ok(_)) => Err(away(error)),
        }
    }

    /// The server may have forgotten the buckets; they are made again when they are needed.
    async fn forget_buckets(&self) {
        *self.buckets.0.lock().await = None;
    }

    pub(super) async fn get_value(
        &self,
        bucket: Bucket,
        key: &str,
    ) -> Result<Option<Value>, Fault> {
        let store = self.buckets().await?.of(bucket);
        match store.entry(names::key(key)).await {
            Ok(entry) => {
                let there = entry.filter(|entry| entry.operation == Operation::Put);
                Ok(there.map(|entry| Value {
                    revision: entry.revision,
                    bytes: entry.value,
                }))
            }
            Err(error) => {
                self.forget_buckets().await;
                Err(away(error))
            }
        }
    }

    pub(super) async fn exchange_value(
        &self,
        bucket: Bucket,
        key: &str,
        revision: Option<u64>,
        bytes: Bytes,
    ) -> Result<Exchange, Fault> {
        let store = self.buckets().await?.of(bucket);
        let key = names::key(key);
        let fault = match revision {
            None => match store.create(key, bytes).await {
                Ok(revision) => return Ok(Exchange::Done(revision)),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
                    return Ok(Exchange::Another);
                }
                Err(error) => away(error),
            },
            Some(revision) => match store.update(key, bytes, revision).await {
                Ok(revision) => return Ok(Exchange::Done(revision)),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                    return Ok(Exchange::Another);
                }
                Err(error) => away(error),
            },
        };
        self.forget_buckets().await;
        Err(fault)
    }

    pub(super) async fn remove_value(
        &self,
        bucket: Bucket,
        key: &str,
        revision: u64,
    ) -> Result<(), Fault> {
        let store = self.buckets().await?.of(bucket);
        let key = names::key(key);
        store
            .delete_expect_revision(key, Some(revision))
            .await
            .map_err(away)
    }

    pub(super) async fn list_keys(&self, bucket: Bucket) -> Result<Vec<String>, Fault> {
        let store = self.buckets().await?.of(bucket);
        let keys = store.keys().await.map_err(away)?;
        let keys: Vec<String> = keys.try_collect().await.map_err(away)?;
        Ok(keys
            .iter()
            .filter_map(|key| names::name_of_key(key))
            .collect())
    }
}
