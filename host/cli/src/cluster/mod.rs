//! A network that runs on several hosts, as one of them sees it.
//!
//! This host takes a lease for each part of the network that it may run and that runs once, starts the part, and
//! joins its ports with remote channels to outlets and inlets. A lease that is lost ends the part here, whatever it was
//! doing: another host may have begun it anew.

mod attempts;
mod connect;
mod ends;
mod here;
mod hosting;
mod leaving;
mod lookout;
mod once;
mod part;
mod shape;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};
use transputer::description::Description;
use transputer::plan::Plan;
use transputer::validation::{ArgumentOverride, check, check_on};
use transputer::{Component, Host};

use crate::exit::BadInput;

pub(crate) use attempts::read as read_attempts;
pub(crate) use connect::{Connection, connect};
pub(crate) use here::print_here;
pub(crate) use hosting::Hosting;
pub(crate) use shape::Shape;

/// Where the network's other hosts are met.
#[derive(Clone, Debug, Args)]
pub(crate) struct Meeting {
    /// A NATS server with JetStream, such as nats://localhost:4222; several are members of one cluster
    /// [default: those in the network's file, or $TRANSPUTER_NATS]
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    nats: Vec<String>,

    /// A file with credentials for the server, which nobody else may read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    credentials: Option<PathBuf>,

    /// A file with the certificates of those who vouch for the server
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_ca: Option<PathBuf>,

    /// What tells runs of the same network apart [default: that in the network's file, or the network's name]
    #[arg(long, value_name = "ID")]
    run: Option<String>,

    /// How long to wait for a server, such as 30s [default: forever]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    nats_wait: Option<Duration>,
}

/// Which part of a network this host runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Placed {
    /// Run only processes of this place, and meet other hosts for the rest; may be repeated
    #[arg(long = "on", value_name = "LABEL", conflicts_with_all = ["seed", "watch", "trace", "dead_letter", "http", "otlp"])]
    pub(crate) labels: Vec<String>,

    #[command(flatten)]
    pub(crate) meeting: Meeting,

    /// What this host is called; no two hosts of a run may have the same name [default: its name and the process's
    /// number]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

impl Placed {
    /// Whether this is one host of several.
    pub(crate) fn is_some(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Refuses options that mean nothing without `--on`.
    pub(crate) fn refuse_without_labels(&self) -> anyhow::Result<()> {
        let Meeting {
            nats,
            credentials,
            tls_ca,
            run,
            nats_wait,
        } = &self.meeting;
        let given = [
            ("--nats", !nats.is_empty()),
            ("--credentials", credentials.is_some()),
            ("--tls-ca", tls_ca.is_some()),
            ("--run", run.is_some()),
            ("--nats-wait", nats_wait.is_some()),
            ("--host", self.host.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) if !self.is_some() => Err(BadInput::new(format!(
                "{option} is for a network that runs on several hosts: say with --on which processes run here"
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// What is wrong with a network for this host.
    pub(crate) fn check(&self, description: &Description) -> anyhow::Result<()> {
        Ok(check_on(description, &self.labels)?)
    }

    /// What this host is called.
    fn host(&self) -> String {
        let name = || {
            let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
            let name = name.ok().map(|name| name.trim().to_owned());
            let name = name.filter(|name| !name.is_empty());
            format!(
                "{}-{}",
                name.as_deref().unwrap_or("host"),
                std::process::id()
            )
        };
        self.host.clone().unwrap_or_else(name)
    }
}

/// A network that is ready to be run in parts.
pub(crate) struct Parted {
    pub(crate) host: Host,
    pub(crate) description: Description,
    pub(crate) components: BTreeMap<String, Component>,
    pub(crate) arguments: Vec<ArgumentOverride>,
    pub(crate) plan: Plan,
}

impl Parted {
    pub(crate) fn new(
        host: Host,
        description: Description,
        components: BTreeMap<String, Component>,
        arguments: Vec<ArgumentOverride>,
    ) -> anyhow::Result<Arc<Self>> {
        let signatures = components
            .iter()
            .map(|(name, component)| (name.clone(), component.signature().clone()))
            .collect();
        let plan = check(&description, &signatures, &arguments)?;
        Ok(Arc::new(Self {
            host,
            description,
            components,
            arguments,
            plan,
        }))
    }
}

/// The process of a port, which is written `process.port`.
fn process_of(port: &str) -> &str {
    port.split_once('.').map_or(port, |(process, _)| process)
}
