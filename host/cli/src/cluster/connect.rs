//! Connecting to the server where the hosts meet.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use transputer::plan::{Cluster, Plan};
use transputer::policies;
use transputer_reach::carrier::Carrier;
use transputer_reach::nats::{ConnectError, NatsCarrier, NatsOptions, Storage};

use super::Meeting;
use crate::exit::BadInput;
use crate::terminal;

/// How often it is tried, and how often it is said that there is no server.
const AGAIN: Duration = Duration::from_millis(250);
const SAID: Duration = Duration::from_secs(5);

/// Names the servers where neither the command nor the network's file does.
const VARIABLE: &str = "TRANSPUTER_NATS";

/// The longest message of processes without a limit of their own.
const LONGEST_MESSAGE: u64 = 16 << 20;

/// A connection, and the threads that it lives on.
pub(crate) struct Connection {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) nats: Arc<NatsCarrier>,
    pub(crate) host: String,
}

impl Connection {
    pub(crate) fn carrier(&self) -> Arc<dyn Carrier> {
        self.nats.clone()
    }
}

/// Connects, after waiting for a server if there is none.
pub(crate) fn connect(
    meeting: &Meeting,
    host: String,
    network: &str,
    cluster: &Cluster,
    longest_message: u64,
) -> anyhow::Result<Connection> {
    let options = options(meeting, &host, network, cluster, longest_message)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("reach")
        .enable_all()
        .build()
        .context("cannot start the threads that reach other hosts")?;
    let nats = runtime.block_on(patiently(&options, meeting.nats_wait))?;
    Ok(Connection {
        runtime,
        nats: Arc::new(nats),
        host,
    })
}

async fn patiently(
    options: &NatsOptions,
    patience: Option<Duration>,
) -> anyhow::Result<NatsCarrier> {
    let began = Instant::now();
    let mut said = None::<Instant>;
    loop {
        let error = match NatsCarrier::connect(options).await {
            Ok(carrier) => return Ok(carrier),
            Err(ConnectError::Away(error)) => error,
            Err(error) => return Err(BadInput::new(error.to_string()).into()),
        };
        let servers = options.servers.join(", ");
        if patience.is_some_and(|patience| began.elapsed() >= patience) {
            let waited = humantime::format_duration(Duration::from_secs(began.elapsed().as_secs()));
            anyhow::bail!("no NATS server at {servers} after {waited}: {error}");
        }
        if said.is_none_or(|said| said.elapsed() >= SAID) {
            said = Some(Instant::now());
            terminal::warning(format_args!(
                "waiting for a NATS server at {servers}: {error}"
            ));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn options(
    meeting: &Meeting,
    host: &str,
    network: &str,
    cluster: &Cluster,
    longest_message: u64,
) -> anyhow::Result<NatsOptions> {
    let mut servers = meeting.nats.clone();
    if servers.is_empty() {
        let named = std::env::var(VARIABLE).unwrap_or_default();
        let named = named.split(',').map(str::trim).filter(|it| !it.is_empty());
        servers = named.map(str::to_owned).collect();
    }
    if servers.is_empty() {
        servers.clone_from(&cluster.servers);
    }
    if servers.is_empty() {
        return Err(BadInput::new(
            "where do the hosts meet? Name a NATS server with --nats, such as nats://localhost:4222, in $TRANSPUTER_NATS, \
             or as `servers` in [cluster]",
        )
        .into());
    }
    if let Some(credentials) = &meeting.credentials {
        check_mode(credentials)?;
    }
    let run = meeting.run.as_ref().or(cluster.run.as_ref());
    let mut options = NatsOptions::new(servers, run.map_or(network, |run| run), host);
    options.credentials.clone_from(&meeting.credentials);
    options.tls_ca.clone_from(&meeting.tls_ca);
    options.storage = match cluster.storage {
        policies::Storage::File => Storage::File,
        policies::Storage::Memory => Storage::Memory,
    };
    options.replicas = cluster.replicas;
    options.lease = cluster.lease;
    options.longest_message = longest_message;
    Ok(options)
}

/// The longest message that a process at a remote output may send.
pub(crate) fn longest_message(plan: &Plan) -> u64 {
    let sends = plan.processes.iter().filter(|process| {
        let mut outputs = process.outputs.iter();
        outputs.any(|(_, channel)| plan.channels[*channel].remote)
    });
    let limits = sends.map(|process| process.limits.message.unwrap_or(LONGEST_MESSAGE));
    limits.max().unwrap_or(0)
}

/// Refuses credentials that others can read. That its group can is how Kubernetes mounts a secret.
#[cfg(unix)]
fn check_mode(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| {
        BadInput::new(format!("the credentials {shown} cannot be read: {error}"))
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(BadInput::new(format!(
            "others can read the credentials {shown}, whose mode is {mode:03o}: `chmod 600 {shown}`"
        ))
        .into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}
