//! Connecting to servers, and whether they can carry a network.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::ContextBuilder;
use async_nats::jetstream::stream::StorageType;

use super::NatsCarrier;
use super::names::Names;
use super::values::Buckets;
use crate::carrier::Fault;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Servers before this lose what a cluster of them stores.
const CLUSTERS_SINCE: (u64, u64, u64) = (2, 10, 23);

/// What the client says where nobody answers for JetStream, and how long that may last.
const NO_JETSTREAM: &str = "jetstream unavailable";
const TRIES: u32 = 10;
const AGAIN: Duration = Duration::from_millis(200);

/// Messages on their way at once, of all channels of a host.
const MOST_ON_THEIR_WAY: usize = 65_536;

/// Where servers keep what waits.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// In files.
    #[default]
    File,
    /// In memory.
    Memory,
}

/// How to reach servers, and what to ask of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NatsOptions {
    /// Their addresses, such as `nats://localhost:4222`.
    pub servers: Vec<String>,
    /// A file with credentials.
    pub credentials: Option<PathBuf>,
    /// A file with the certificates of those who vouch for the servers.
    pub tls_ca: Option<PathBuf>,
    /// What this host is called there.
    pub host: String,
    /// Which run of the network.
    pub run: String,
    /// Where they keep what waits.
    pub storage: Storage,
    /// How many of them keep each message.
    pub replicas: u8,
    /// How long a lease lasts that is not renewed.
    pub lease: Duration,
    /// The longest message that a process may send.
    pub longest_message: u64,
}

impl NatsOptions {
    /// A run of a network on these servers, without TLS or credentials.
    pub fn new(servers: Vec<String>, run: &str, host: &str) -> Self {
        Self {
            servers,
            credentials: None,
            tls_ca: None,
            host: host.to_owned(),
            run: run.to_owned(),
            storage: Storage::default(),
            replicas: 1,
            lease: Duration::from_secs(5),
            longest_message: 0,
        }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No server answers. It may later.
    #[error("{0}")]
    Away(String),
    /// Connecting again does not help.
    #[error("{0}")]
    Refused(String),
}

impl NatsCarrier {
    /// Connects once.
    ///
    /// # Errors
    /// [`ConnectError::Away`] if there is no server; [`ConnectError::Refused`] if it does not let this host in, or
    /// cannot carry the network.
    pub async fn connect(options: &NatsOptions) -> Result<Self, ConnectError> {
        let mut how = ConnectOptions::new()
            .name(format!("transputer {} {}", options.run, options.host))
            .ping_interval(Duration::from_secs(5))
            .subscription_capacity(MOST_ON_THEIR_WAY)
            .reconnect_delay_callback(|attempt| {
                let attempt = u64::try_from(attempt).unwrap_or(u64::MAX);
                Duration::from_millis(attempt.saturating_mul(10).min(500))
            });
        if let Some(path) = &options.credentials {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                ConnectError::Refused(format!("the credentials {path} cannot be read: {error}"))
            })?;
            how = how.credentials(&text).map_err(|_| {
                let path = path.display();
                ConnectError::Refused(format!("{path} holds no credentials of NATS"))
            })?;
        }
        if let Some(path) = &options.tls_ca {
            how = how.add_root_certificates(path.clone()).require_tls(true);
        }
        let servers: Vec<String> = options
            .servers
            .iter()
            .map(|url| without_user(url).0)
            .collect();
        let user = options.servers.iter().find_map(|url| without_user(url).1);
        if let Some((user, password)) = user {
            how = how.user_and_password(user, password);
        }
        let client = how.connect(servers.as_slice()).await;
        let client = client.map_err(|error| refusal(&error))?;
        let context = ContextBuilder::new()
            .timeout(TIMEOUT)
            .ack_timeout(TIMEOUT)
            .max_ack_inflight(MOST_ON_THEIR_WAY)
            .build(client.clone());
        let carrier = Self {
            names: Names::new(&options.run),
            storage: match options.storage {
                Storage::File => StorageType::File,
                Storage::Memory => StorageType::Memory,
            },
            replicas: options.replicas.into(),
            lease: options.lease,
            buckets: Buckets::default(),
            client,
            context,
        };
        carrier.check(options).await?;
        Ok(carrier)
    }

    /// Whether the servers can carry the network.
    async fn check(&self, options: &NatsOptions) -> Result<(), ConnectError> {
        let info = self.client.server_info();
        if options.replicas > 1 && version(&info.version) < Some(CLUSTERS_SINCE) {
            let (major, minor, patch) = CLUSTERS_SINCE;
            return Err(ConnectError::Refused(format!(
                "the server is NATS {}, which loses messages with `replicas` > 1: use {major}.{minor}.{patch} or newer",
                info.version
            )));
        }
        let most = u64::try_from(info.max_payload).unwrap_or(u64::MAX);
        if options.longest_message > most {
            return Err(ConnectError::Refused(format!(
                "the server takes messages of {most} bytes, and `limits.message` allows {} bytes: raise `max_payload` \
                 of the server, or lower the limit of the processes that send to remote channels",
                options.longest_message
            )));
        }
        let mut tries = 0;
        loop {
            match self.buckets().await {
                Ok(_) => return Ok(()),
                Err(Fault::Refused(text)) => return Err(ConnectError::Refused(text)),
                // One that has just started may not have it yet.
                Err(Fault::Away(text)) if text.contains(NO_JETSTREAM) && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(AGAIN).await;
                }
                Err(Fault::Away(text)) if text.contains(NO_JETSTREAM) => {
                    let text = "the server has no JetStream: start it with `-js`";
                    return Err(ConnectError::Refused(text.to_owned()));
                }
                Err(fault) => return Err(ConnectError::Away(fault.to_string())),
            }
        }
    }

    /// Sends what is on its way.
    pub async fn flush(&self) {
        // It ends in any case, with or without a server.
        let _ = tokio::time::timeout(TIMEOUT, self.client.flush()).await;
    }
}

/// An address without the user that it names, and that user with the password: the client does not look there.
fn without_user(url: &str) -> (String, Option<(String, String)>) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), None);
    };
    let Some((user, host)) = rest.rsplit_once('@') else {
        return (url.to_owned(), None);
    };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let user = (user.to_owned(), password.to_owned());
    (format!("{scheme}://{host}"), Some(user))
}

/// Whether connecting again can help.
fn refusal(error: &async_nats::ConnectError) -> ConnectError {
    use async_nats::ConnectErrorKind::{Authentication, AuthorizationViolation, ServerParse, Tls};
    let text = error.to_string();
    match error.kind() {
        Authentication | AuthorizationViolation | ServerParse => ConnectError::Refused(text),
        // What is wrong with a certificate comes as an error of reading or writing.
        kind if kind == Tls || text.contains("certificate") => ConnectError::Refused(format!(
            "{text}: the server's certificate must be vouched for by the system's authorities, or by those in --tls-ca"
        )),
        _ => ConnectError::Away(text),
    }
}

/// The three numbers of a version.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    let plain = text.split(['-', '+']).next()?;
    let mut numbers = plain.split('.').map(|it| it.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_in_an_address_is_found() {
        let (url, user) = without_user("tls://me:a@b@host:4222");
        assert_eq!(url, "tls://host:4222");
        assert_eq!(user, Some(("me".to_owned(), "a@b".to_owned())));
        assert_eq!(without_user("nats://host").1, None);
        assert_eq!(without_user("host:1").0, "host:1");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("2.9.10") < Some(CLUSTERS_SINCE));
        assert!(version("2.10.3") < Some(CLUSTERS_SINCE));
        assert!(version("2.10.23") >= Some(CLUSTERS_SINCE));
        assert!(version("2.15.1-beta.2") >= Some(CLUSTERS_SINCE));
        assert_eq!(version("new"), None);
    }
}
