//! All parts of a network that this host runs or stands by for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use transputer::Verdict;
use transputer_reach::facts;

use super::connect::longest_message;
use super::leaving::Leaving;
use super::part::{Hosted, PartEnd};
use super::{Connection, Parted, Placed, Shape, connect};
use crate::exit::{BadInput, Exit};
use crate::running::{Printer, Signal, Stream, on_signal, summarise};
use crate::terminal;

/// How a host runs its parts.
pub(crate) struct Hosting {
    pub(crate) placed: Placed,
    pub(crate) parted: Arc<Parted>,
    pub(crate) printer: Printer,
    pub(crate) grace: Duration,
}

impl Hosting {
    /// Runs the parts until all have ended, or a signal comes.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let plan = &self.parted.plan;
        let shape = Arc::new(Shape::of(plan));
        let longest = longest_message(plan);
        let meeting = &self.placed.meeting;
        let host = self.placed.host();
        let connection = connect(meeting, host, &plan.name, &plan.cluster, longest)?;
        let (tell, leaving) = Leaving::new(self.grace);
        let stdin = plan.stdin.as_ref().map(|stdin| stdin.format);
        let (stream, closing) = Stream::new(stdin)?;
        let first = on_signal(move |_signal| {
            closing.close();
            tell.send_replace(true);
        })?;
        let runtime = &connection.runtime;
        let ends = runtime.block_on(self.parts(&connection, &shape, &leaving, &stream));
        runtime.block_on(connection.nats.flush());
        let exit = self.exit(ends?, first.get().copied(), &stream);
        // Threads that still wait for a server are left behind.
        connection.runtime.shutdown_background();
        Ok(exit)
    }

    async fn parts(
        &self,
        connection: &Connection,
        shape: &Arc<Shape>,
        leaving: &Leaving,
        stream: &Stream,
    ) -> anyhow::Result<Vec<(String, PartEnd)>> {
        let carrier = connection.carrier();
        let agreed = facts::agree(&*carrier, "network", &shape.digest).await?;
        if agreed != shape.digest {
            return Err(BadInput::new(format!(
                "another network, or another version of this one, runs here as `{}`: it is {agreed}, and this one is {}; \
                 give this run another name with --run, or delete the other with `transputer cluster delete`",
                self.parted.plan.name, shape.digest
            ))
            .into());
        }
        let mut lives = JoinSet::new();
        for part in shape.on(&self.placed.labels) {
            let hosted = Hosted {
                parted: self.parted.clone(),
                shape: shape.clone(),
                part: part.clone(),
                carrier: carrier.clone(),
                host: connection.host.clone(),
                printer: self.printer.clone(),
                stream: stream.of(&self.parted.plan, part),
                leaving: leaving.clone(),
            };
            let name = part.name.clone();
            lives.spawn(async move { (name, hosted.live().await) });
        }
        let mut ends = Vec::new();
        while let Some(joined) = lives.join_next().await {
            match joined {
                Ok((name, end)) => ends.push((name, end?)),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(ends)
    }

    /// What the command's exit code is, after saying how each part ended.
    fn exit(&self, ends: Vec<(String, PartEnd)>, signal: Option<Signal>, stream: &Stream) -> Exit {
        let mut worst = Exit::Success;
        for (name, end) in ends {
            match end {
                PartEnd::Ended(report) => {
                    summarise(&report, &self.printer);
                    match report.verdict() {
                        Verdict::Succeeded => {}
                        verdict if worst == Exit::Success => worst = Exit::of_verdict(verdict),
                        _ => {}
                    }
                }
                PartEnd::Over => terminal::note(format_args!(
                    "part `{name}` has ended in this run; `transputer cluster delete` lets it begin anew"
                )),
                PartEnd::Left => {}
            }
        }
        match signal {
            Some(signal) => Exit::Signalled(signal),
            None if worst == Exit::Success => stream.exit().unwrap_or(worst),
            None => worst,
        }
    }
}
