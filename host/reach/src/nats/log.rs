//! Logs of channels as streams.

use async_nats::HeaderMap;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, PublishError, PublishErrorKind,
};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy};
use async_nats::jetstream::{self, ErrorCode};
use std::error::Error as _;
use std::time::Duration;

use super::{NatsCarrier, away};
use crate::carrier::{Ack, Channel, Fault, Log, Put, Refusal, Side, Writer};

/// Which message of which epoch it is.
pub(super) const STAMP: &str = "Tp-N";

/// Within this time the server knows a message of one of several senders again.
const KNOWN_AGAIN: Duration = Duration::from_secs(120);

impl NatsCarrier {
    fn config(&self, channel: &Channel, subject: String) -> Config {
        Config {
            name: self.names.stream(channel),
            description: Some(channel.name.clone()),
            subjects: vec![subject],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: i64::try_from(channel.capacity).unwrap_or(i64::MAX),
            storage: self.storage,
            num_replicas: self.replicas,
            duplicate_window: KNOWN_AGAIN,
            ..Default::default()
        }
    }

    fn first_subject(&self, channel: &Channel) -> String {
        match channel.senders {
            Side::Sole => self.names.nobody(channel),
            Side::Shared => self.names.anybody(channel),
        }
    }

    pub(super) async fn open_log(&self, channel: &Channel) -> Result<Log, Fault> {
        if let Some(info) = self.stream_info(channel).await? {
            let capacity = u64::try_from(info.config.max_messages).unwrap_or(0);
            if capacity != channel.capacity {
                return Err(Fault::Refused(format!(
                    "channel `{}` is there with capacity {capacity}, and the network's file says {}: delete what is \
                     left with `transputer cluster delete`, or choose another `--run`",
                    channel.name, channel.capacity
                )));
            }
            return Ok(self.log(channel, &info));
        }
        let config = self.config(channel, self.first_subject(channel));
        match self.context.create_stream(config).await {
            // Of two hosts that make it at once one is told that it is there.
            Ok(_) => {}
            Err(error) if self.stream_info(channel).await?.is_none() => {
                return Err(stream_fault(&error));
            }
            Err(_) => {}
        }
        match self.stream_info(channel).await? {
            Some(info) => Ok(self.log(channel, &info)),
            None => Err(Fault::Away("the stream is gone again".to_owned())),
        }
    }

    pub(super) async fn look_at_log(&self, channel: &Channel) -> Result<Option<Log>, Fault> {
        let info = self.stream_info(channel).await?;
        Ok(info.map(|info| self.log(channel, &info)))
    }

    async fn stream_info(&self, channel: &Channel) -> Result<Option<Info>, Fault> {
        use async_nats::jetstream::context::GetStreamErrorKind;
        match self.context.get_stream(self.names.stream(channel)).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                _ => Err(away(error)),
            },
        }
    }

    fn log(&self, channel: &Channel, info: &Info) -> Log {
        let state = &info.state;
        let subjects = info.config.subjects.iter();
        let writers = subjects.filter_map(|subject| self.names.writer(channel, subject));
        Log {
            born: u64::try_from(info.created.unix_timestamp_nanos()).unwrap_or(0),
            first: match state.messages {
                0 => state.last_sequence + 1,
                _ => state.first_sequence,
            },
            last: state.last_sequence,
            messages: state.messages,
            writers: writers.collect(),
        }
    }

    pub(super) async fn fence_log(&self, channel: &Channel, writer: &Writer) -> Result<(), Fault> {
        let config = self.config(channel, self.names.subject(channel, writer));
        let updated = self.context.update_stream(config).await;
        updated
            .map(drop)
            .map_err(|error| match error.to_string().contains("not found") {
                true => Fault::Missing("the stream".to_owned()),
                false => away(error),
            })
    }

    pub(super) async fn put_into_log(&self, channel: &Channel, put: Put) -> Ack {
        let subject = self.names.subject(channel, &put.writer);
        let mut headers = HeaderMap::new();
        headers.insert(STAMP, put.stamp.to_string());
        let mut message = PublishMessage::build().payload(put.bytes).headers(headers);
        if let Some(place) = put.after {
            message = message.expected_last_sequence(place);
        }
        if let Some(id) = put.id {
            message = message.message_id(id);
        }
        match self.context.send_publish(subject, message).await {
            Ok(ack) => Box::pin(async move {
                match ack.await {
                    Ok(ack) if ack.duplicate => Err(Refusal::Known(ack.sequence)),
                    Ok(ack) => Ok(ack.sequence),
                    Err(error) => Err(refusal(&error)),
                }
            }),
            Err(error) => Box::pin(std::future::ready(Err(refusal(&error)))),
        }
    }

    /// Writes a message that no outlet would, as anybody with the credentials can. For tests.
    #[doc(hidden)]
    pub async fn put_junk(&self, channel: &Channel, writer: &Writer, header: Option<&str>) {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(STAMP, header);
        }
        let message = PublishMessage::build()
            .payload("junk".into())
            .headers(headers);
        let subject = self.names.subject(channel, writer);
        if let Ok(ack) = self.context.send_publish(subject, message).await {
            let _ = ack.await;
        }
    }

    pub(super) async fn purge_log(&self, channel: &Channel) -> Result<u64, Fault> {
        let stream = self
            .context
            .get_stream_no_info(self.names.stream(channel))
            .await;
        let purged = stream.map_err(away)?.purge().await;
        Ok(purged.map_err(away)?.purged)
    }

    /// Deletes everything of the run, and says what.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn delete_run(&self) -> Result<Vec<String>, Fault> {
        use futures_util::TryStreamExt;
        let (facts, leases) = (
            format!("KV_{}", self.names.facts()),
            format!("KV_{}", self.names.leases()),
        );
        let mut deleted = Vec::new();
        let mut names = self.context.stream_names();
        let mut found = Vec::new();
        while let Some(name) = names.try_next().await.map_err(away)? {
            if name.starts_with(&self.names.streams()) || name == facts || name == leases {
                found.push(name);
            }
        }
        for name in found {
            self.context.delete_stream(&name).await.map_err(away)?;
            deleted.push(name);
        }
        Ok(deleted)
    }
}

/// What a request for a stream was refused for.
pub(super) fn stream_fault(error: &CreateStreamError) -> Fault {
    let CreateStreamErrorKind::JetStream(inner) = error.kind() else {
        return away(error);
    };
    match inner.error_code() {
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            Fault::Refused("the server has no JetStream: start it with `-js`".to_owned())
        }
        ErrorCode::STREAM_NAME_EXIST => Fault::Refused(format!(
            "{inner}: another network, or another version of this one, runs under this name"
        )),
        // Limits of the account, places that are missing, and the like.
        _ if inner.code() == 400 => Fault::Refused(inner.to_string()),
        _ => away(inner),
    }
}

fn refusal(error: &PublishError) -> Refusal {
    let inner = error.source();
    let inner = inner.and_then(|source| source.downcast_ref::<jetstream::Error>());
    match (error.kind(), inner) {
        (PublishErrorKind::StreamNotFound, _) => Refusal::NotStored,
        (_, Some(inner))
            if inner.error_code() == ErrorCode::STREAM_STORE_FAILED
                && inner.to_string().contains("maximum messages") =>
        {
            Refusal::Full
        }
        (PublishErrorKind::WrongLastSequence, Some(inner)) => {
            let text = inner.to_string();
            let digits = |word: &str| {
                word.trim_matches(|c: char| !c.is_ascii_digit())
                    .parse()
                    .ok()
            };
            match text.rsplit(' ').next().and_then(digits) {
                Some(place) => Refusal::Last(place),
                None => Refusal::Unknown(text),
            }
        }
        _ => Refusal::Unknown(error.to_string()),
    }
}
