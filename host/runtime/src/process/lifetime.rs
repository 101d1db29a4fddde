//! How long a process lived, who spawned it and, where that is asked for, whose messages it received.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Serialize, Serializer};
use transputer_core::clock::Time;
use transputer_core::{ChannelId, ProcessId};

use super::{Process, SpawnRequest};
use crate::host::lock;
use crate::message::{Message, Receiver};

/// What is told of the life of a process, or of one of its incarnations, at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lifetime {
    /// From its request to its end, on the host's clock.
    #[serde(
        rename = "milliseconds",
        serialize_with = "crate::network::report::milliseconds"
    )]
    pub lasted: Duration,
    /// The process that spawned it, if one did.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_number"
    )]
    pub spawned_by: Option<ProcessId>,
    /// Whose messages it received, if its network [notes senders](crate::Network::note_senders). At most
    /// [`Lifetime::MOST_HEARD`] are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heard_from: Vec<HeardFrom>,
    /// How many messages of others it received.
    #[serde(skip_serializing_if = "is_zero")]
    pub heard_from_others: u64,
}

/// A process whose messages were received at a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeardFrom {
    /// Its number.
    #[serde(serialize_with = "crate::network::report::number")]
    pub process: ProcessId,
    /// What the channel is called.
    pub channel: String,
    /// How many of its messages were received there.
    pub messages: u64,
}

impl Lifetime {
    /// How many senders are kept, each with a channel.
    pub const MOST_HEARD: usize = 128;
}

/// The life of a process, as it goes on.
pub(super) struct Lived {
    began: Time,
    /// When it ended, in nanoseconds; 0 while it lives.
    ended: AtomicU64,
    spawned_by: Option<ProcessId>,
    /// Where its network wants to know. For its own task, and for whoever reports its end.
    heard: Option<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    from: BTreeMap<(ProcessId, ChannelId), (Arc<str>, u64)>,
    /// Messages of those that there was no room for.
    others: u64,
}

impl Process {
    /// Whether whoever receives its messages notes who sent them.
    pub(crate) fn notes_senders(&self) -> bool {
        self.lived.notes_senders()
    }

    /// Notes that it ends now.
    pub(super) fn ends(&self, now: Time) {
        self.lived.ends(now);
    }

    /// How it lived, once it has ended.
    pub(crate) fn lifetime(&self) -> Lifetime {
        self.lived.told()
    }

    /// Counts a message that it was handed, where that is noted. For its own task.
    pub(crate) fn hears(&self, message: &Message, receiver: &Receiver) {
        let Some(sender) = message.sender() else {
            return;
        };
        let label = || receiver.label().unwrap_or_else(|| "a channel".into());
        self.lived.hears(sender, receiver.id(), label);
    }
}

impl Lived {
    pub(super) fn begins(request: &SpawnRequest) -> Self {
        Self {
            began: request.network.host.scheduler().clock().now(),
            ended: AtomicU64::new(0),
            spawned_by: request.spawned_by,
            heard: request.network.notes.senders.then(Mutex::default),
        }
    }

    pub(super) fn notes_senders(&self) -> bool {
        self.heard.is_some()
    }

    pub(super) fn ends(&self, now: Time) {
        self.ended.store(now.as_nanos().max(1), Ordering::Relaxed);
    }

    /// Counts a message that it was handed.
    pub(super) fn hears(
        &self,
        process: ProcessId,
        channel: ChannelId,
        label: impl FnOnce() -> Arc<str>,
    ) {
        let Some(heard) = &self.heard else { return };
        let mut heard = lock(heard);
        if let Some((_, messages)) = heard.from.get_mut(&(process, channel)) {
            *messages += 1;
        } else if heard.from.len() < Lifetime::MOST_HEARD {
            heard.from.insert((process, channel), (label(), 1));
        } else {
            heard.others += 1;
        }
    }

    pub(super) fn told(&self) -> Lifetime {
        let ended = Time::from_nanos(self.ended.load(Ordering::Relaxed));
        let mut lifetime = Lifetime {
            lasted: ended - self.began,
            spawned_by: self.spawned_by,
            ..Lifetime::default()
        };
        if let Some(heard) = &self.heard {
            let heard = lock(heard);
            let from = heard.from.iter();
            lifetime.heard_from = from
                .map(|((process, _), (channel, messages))| HeardFrom {
                    process: *process,
                    channel: channel.to_string(),
                    messages: *messages,
                })
                .collect();
            lifetime.heard_from_others = heard.others;
        }
        lifetime
    }
}

fn some_number<S: Serializer>(id: &Option<ProcessId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(|id| id.0).serialize(serializer)
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
