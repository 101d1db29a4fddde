//! `transputer cluster`: what the hosts of a network share.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;
use transputer::description::Description;
use transputer::validation::check;
use transputer::{CacheFolder, HostOptions};
use transputer_reach::carrier::Carrier;
use transputer_reach::lease;

use super::chosen::cache_folder;
use crate::cluster::{Connection, Meeting, Shape, connect, read_attempts};
use crate::components::{self, Building};
use crate::exit::Exit;
use crate::line::Line;
use crate::output;
use crate::progress::Progress;
use crate::surroundings::Surroundings;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer cluster status . --nats nats://localhost:4222
  transputer cluster status . --json     for autoscaling: how many messages wait
  transputer cluster delete .            forget what an earlier run has left";

/// Show or delete what the hosts of a network share
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cluster {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Status(Status),
    Delete(Delete),
}

/// Show channels with what waits in them, and which host runs what
#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    shared: Shared,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Delete a run's channels, with all that waits in them, its leases and its ends; hosts that run begin anew, so stop
/// them first
#[derive(Debug, Args)]
struct Delete {
    #[command(flatten)]
    shared: Shared,
}

/// Which network, and where.
#[derive(Debug, Args)]
struct Shared {
    /// A folder with a network.toml, or the file
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    #[command(flatten)]
    meeting: Meeting,
}

/// What the hosts share at one moment.
#[derive(Debug, Serialize)]
struct State {
    channels: Vec<ChannelState>,
    leases: Vec<LeaseState>,
    attempts: Vec<AttemptState>,
}

#[derive(Debug, Serialize)]
struct ChannelState {
    name: String,
    capacity: u64,
    /// Waiting, or received and not finished.
    messages: u64,
    /// That were sent so far, as far as the server remembers.
    sent: u64,
}

#[derive(Debug, Serialize)]
struct LeaseState {
    part: String,
    host: String,
    epoch: u64,
}

/// A message that a process failed over, and that it is given again.
#[derive(Debug, Serialize)]
struct AttemptState {
    part: String,
    port: String,
    bytes: u64,
    attempts: u32,
}

impl Cluster {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        match self.what {
            What::Status(status) => status.run(surroundings),
            What::Delete(delete) => delete.run(),
        }
    }
}

impl Shared {
    fn connect(&self, description: &Description) -> anyhow::Result<Connection> {
        let name = format!("command-{}", std::process::id());
        connect(
            &self.meeting,
            name,
            &description.name,
            &description.cluster,
            0,
        )
    }
}

impl Status {
    fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let description = Description::read(&self.shared.path)?.expanded(&[])?;
        let located = components::locate(&description, Building::Never, Progress::new(true))?;
        located.refuse_unbuilt(&description)?;
        let options = HostOptions::default().python(surroundings.python.clone());
        let files: Vec<_> = cache_folder(&CacheFolder::Default).into_iter().collect();
        let checked = components::check(&description, &located, &[], &files, &options)?;
        let plan = check(&description, &checked.signatures, &[])?;
        let connection = self.shared.connect(&description)?;
        let carrier = connection.carrier();
        let shape = Shape::of(&plan);
        let state = connection.runtime.block_on(state(&*carrier, &shape))?;
        match self.json {
            true => output::line(&Line::new().text(serde_json::to_string(&state)?))?,
            false => print(&state)?,
        }
        Ok(Exit::Success)
    }
}

impl Delete {
    fn run(self) -> anyhow::Result<Exit> {
        let description = Description::read(&self.shared.path)?;
        let connection = self.shared.connect(&description)?;
        let deleting = connection.nats.delete_run();
        let deleted = connection.runtime.block_on(deleting);
        let deleted = deleted.context("not everything could be deleted")?;
        let streams = terminal::counted(deleted.len(), "stream");
        terminal::note(format_args!("deleted {streams} of the run"));
        Ok(Exit::Success)
    }
}

async fn state(carrier: &dyn Carrier, shape: &Shape) -> anyhow::Result<State> {
    let mut state = State {
        channels: Vec::new(),
        leases: Vec::new(),
        attempts: Vec::new(),
    };
    for channel in shape.channels.iter().flatten() {
        let log = carrier.look(channel).await?;
        state.channels.push(ChannelState {
            name: channel.name.clone(),
            capacity: channel.capacity,
            messages: log.as_ref().map_or(0, |log| log.messages),
            sent: log.as_ref().map_or(0, |log| log.last),
        });
    }
    for holder in lease::holders(carrier).await? {
        state.leases.push(LeaseState {
            part: holder.name,
            host: holder.host,
            epoch: holder.epoch,
        });
    }
    for part in &shape.parts {
        for attempted in read_attempts(carrier, &part.name).await? {
            state.attempts.push(AttemptState {
                part: part.name.clone(),
                port: attempted.port,
                bytes: attempted.bytes,
                attempts: attempted.attempts,
            });
        }
    }
    Ok(state)
}

fn print(state: &State) -> anyhow::Result<()> {
    for channel in &state.channels {
        let ChannelState {
            name,
            capacity,
            messages,
            sent,
        } = channel;
        let line = Line::new().text("channel ").name(name);
        output::line(&line.text(format_args!(
            ": {messages} of {capacity} in it, {sent} sent"
        )))?;
    }
    for LeaseState { part, host, epoch } in &state.leases {
        let line = Line::new()
            .text("part ")
            .name(part)
            .text(": on ")
            .name(host);
        output::line(&line.text(format_args!(", epoch {epoch}")))?;
    }
    for AttemptState {
        part,
        port,
        bytes,
        attempts,
    } in &state.attempts
    {
        let line = Line::new().text("part ").name(part).text(": ").name(port);
        let times = terminal::counted(*attempts as usize, "time");
        output::line(&line.text(format_args!(
            " failed {times} over a message of {bytes} bytes"
        )))?;
    }
    if state.leases.is_empty() {
        output::line(&Line::new().text("no host runs any part"))?;
    }
    Ok(())
}
