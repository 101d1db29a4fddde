//! One part of the network on this host: its lease, its processes, its outlets and inlets.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use transputer::parts::Part;
use transputer::policies::Instances;
use transputer::{ChannelOptions, HostReceiver, HostSender, Report, Running};
use transputer_reach::carrier::{Carrier, Channel};
use transputer_reach::lookout::Lookout;
use transputer_reach::{
    Inlet, InletEnd, Lease, Outlet, OutletEnd, StoredGate, close_port, facts, lease,
};

use super::attempts::Attempts;
use super::ends::{Ended, GuestSink, GuestSource, poison};
use super::leaving::Leaving;
use super::lookout::PortViews;
use super::once::Once;
use super::{Parted, Shape};
use crate::running::{Printer, Stream};
use crate::terminal;

/// How long outlets may take to store what they have, when the host leaves.
const LAST_STORES: Duration = Duration::from_secs(5);

/// A part that this host may run.
pub(super) struct Hosted {
    pub(super) parted: Arc<Parted>,
    pub(super) shape: Arc<Shape>,
    pub(super) part: Part,
    pub(super) carrier: Arc<dyn Carrier>,
    pub(super) host: String,
    pub(super) printer: Printer,
    pub(super) stream: Stream,
    pub(super) leaving: Leaving,
}

/// How a part's time on this host ended.
pub(super) enum PartEnd {
    /// Its processes have ended, and what they sent has arrived.
    Ended(Box<Report>),
    /// It has ended before, on this host or on another one.
    Over,
    /// The host leaves.
    Left,
}

/// How one incarnation ended.
enum Incarnation {
    Ended(Box<Report>),
    Left,
    /// Another host may have it.
    Lost(String),
}

impl Hosted {
    fn is_one(&self) -> bool {
        self.part.instances == Instances::One
    }

    /// What its lease is called: where each host runs it, each has one of its own.
    fn lease_name(&self) -> String {
        match self.is_one() {
            true => self.part.name.clone(),
            false => format!("{}@{}", self.part.name, self.host),
        }
    }

    fn over(&self) -> String {
        facts::over(&self.part.name)
    }

    /// Stands by until this host may run the part, and runs it; again, if the lease is lost.
    pub(super) async fn live(mut self) -> anyhow::Result<PartEnd> {
        loop {
            if self.is_one() && facts::known(&*self.carrier, &self.over()).await?.is_some() {
                return Ok(PartEnd::Over);
            }
            let (carrier, name) = (self.carrier.clone(), self.lease_name());
            let mut leaving = self.leaving.clone();
            let lease = tokio::select! {
                lease = Lease::take(carrier, &name, &self.host) => lease?,
                () = leaving.now() => return Ok(PartEnd::Left),
                () = self.over_elsewhere() => return Ok(PartEnd::Over),
            };
            // It may have ended while this host stood by.
            if self.is_one() && facts::known(&*self.carrier, &self.over()).await?.is_some() {
                lease.give_up().await;
                return Ok(PartEnd::Over);
            }
            self.say(format_args!("runs here, epoch {}", lease.epoch));
            let mut lease = lease;
            match self.incarnation(&mut lease).await? {
                Incarnation::Ended(report) => {
                    if self.is_one() {
                        facts::agree(&*self.carrier, &self.over(), "ended").await?;
                    }
                    lease.give_up().await;
                    self.close_after_the_last().await?;
                    return Ok(PartEnd::Ended(report));
                }
                Incarnation::Left => {
                    lease.give_up().await;
                    self.say("is handed over");
                    return Ok(PartEnd::Left);
                }
                Incarnation::Lost(why) => {
                    terminal::warning(format_args!(
                        "part `{}` was ended here: {why}; this host stands by",
                        self.part.name
                    ));
                }
            }
        }
    }

    /// Whoever stands by need not wait for ever for a part that is over.
    async fn over_elsewhere(&self) {
        if !self.is_one() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Ok(Some(_)) = facts::known(&*self.carrier, &self.over()).await {
                return;
            }
        }
    }

    /// Where each host runs the part, the last one to end closes its ports: all that was sent is finished.
    async fn close_after_the_last(&self) -> anyhow::Result<()> {
        if self.is_one() {
            return Ok(());
        }
        let others = format!("{}@", self.part.name);
        let holders = lease::holders(&*self.carrier).await?;
        if holders
            .iter()
            .any(|holder| holder.name.starts_with(&others))
        {
            return Ok(());
        }
        for (port, channel) in self.outputs() {
            close_port(&*self.carrier, &channel, &port).await?;
        }
        Ok(())
    }

    fn say(&self, what: impl std::fmt::Display) {
        if self.printer.prints(crate::running::LogLevel::Info) && !self.printer.is_json() {
            terminal::note(format_args!("part `{}` {what}", self.part.name));
        }
    }

    fn outputs(&self) -> Vec<(String, Channel)> {
        let ports = self.parted.plan.remote_outputs(&self.part);
        let ports = ports.iter().filter_map(|it| {
            let channel = self.shape.channels[it.channel].clone()?;
            Some((format!("{}.{}", it.process, it.port), channel))
        });
        ports.collect()
    }

    fn inputs(&self) -> Vec<(String, Channel)> {
        let ports = self.parted.plan.remote_inputs(&self.part);
        let ports = ports.iter().filter_map(|it| {
            let channel = self.shape.channels[it.channel].clone()?;
            Some((format!("{}.{}", it.process, it.port), channel))
        });
        ports.collect()
    }

    /// Runs the part once, as long as the lease is kept.
    async fn incarnation(&mut self, lease: &mut Lease) -> anyhow::Result<Incarnation> {
        let epoch = lease.epoch;
        let mut leaving = self.leaving.clone();
        let taken_over = tokio::select! {
            joined = self.take_over(epoch) => joined?,
            () = lease.keep() => return Ok(Incarnation::Lost("its lease was lost".to_owned())),
            () = leaving.now() => return Ok(Incarnation::Left),
        };
        let TakenOver {
            mut lives,
            running,
            views,
            attempts,
        } = match taken_over {
            Ok(taken_over) => taken_over,
            Err(why) => return Ok(Incarnation::Lost(why)),
        };
        let lookout = Lookout::new(
            self.carrier.clone(),
            self.shape.lookout.clone(),
            &self.lease_name(),
            epoch,
        );
        let end = tokio::select! {
            end = lives.end(&running) => end,
            () = lease.keep() => Incarnation::Lost("its lease was lost".to_owned()),
            () = self.must_leave(&running) => Incarnation::Left,
            never = views.look_out(lookout, &running, &self.host) => match never {},
            never = attempts.tell(&*self.carrier, epoch) => match never {},
        };
        match &end {
            Incarnation::Ended(_) => {}
            Incarnation::Left => {
                let leave = async {
                    lives.leave().await;
                    // What cannot be told is counted anew.
                    let _ = attempts.tell_now(&*self.carrier, epoch).await;
                };
                tokio::select! {
                    () = leave => {}
                    () = lease.keep() => {}
                }
                lives.abandon(&running, "its host leaves").await;
            }
            Incarnation::Lost(why) => lives.abandon(&running, why).await,
        }
        Ok(end)
    }

    /// Ready when the host leaves. A part that reads standard input first has its time to finish what it has read.
    async fn must_leave(&self, running: &Running) {
        let mut leaving = self.leaving.clone();
        leaving.now().await;
        if self.reads_stdin() {
            let until = tokio::time::Instant::now() + leaving.grace();
            while !running.has_ended() && tokio::time::Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if running.has_ended() {
                // It ends by itself, and what it sent is on its way.
                std::future::pending::<()>().await;
            }
        }
    }

    fn reads_stdin(&self) -> bool {
        let plan = &self.parted.plan;
        let Some(stdin) = &plan.stdin else {
            return false;
        };
        let mut processes = self.part.processes.iter().map(|it| &plan.processes[*it]);
        processes.any(|it| {
            it.inputs
                .iter()
                .any(|(_, channel)| *channel == stdin.channel)
        })
    }

    /// Takes over the ports at remote channels, and starts the processes. The inner error says who has it instead.
    async fn take_over(&mut self, epoch: u64) -> anyhow::Result<Result<TakenOver, String>> {
        let parted = &self.parted;
        let mut network = parted.host.wire_part(
            &parted.description,
            &parted.components,
            &parted.arguments,
            &self.part.name,
        )?;
        let mut lives = Lives::default();
        let mut gate = StoredGate::default();
        let (mut outlets, mut inlets) = (Vec::new(), Vec::new());
        let mut views = PortViews::default();
        let mut once = Once::of(&self.parted.plan, &self.part);
        let inputs = self.inputs();
        let ports = inputs.iter().map(|(port, _)| port.clone()).collect();
        let attempts = Attempts::new(&self.lease_name(), ports);
        for (port, channel) in self.outputs() {
            let carrier = self.carrier.clone();
            let mut outlet = match Outlet::take_over(carrier, &channel, &port, epoch).await {
                Ok(outlet) => outlet,
                Err(OutletEnd::Refused(text)) => {
                    anyhow::bail!("channel `{}`: {text}", channel.name)
                }
                Err(_) => return Ok(Err(format!("a later host sends at `{port}`"))),
            };
            outlet = outlet.on_notice(notice);
            if !self.is_one() {
                outlet = outlet.leave_open();
            }
            if self.drops_newest(&channel) {
                outlet = outlet.drop_newest();
            }
            let receiver = network.output(&port, ChannelOptions::rendezvous())?;
            let statistics = receiver.statistics_later();
            gate.outlet(move || statistics().received, outlet.progress());
            once.output(&port, outlets.len(), &receiver);
            views.output(&port, &channel, &outlet, &receiver);
            outlets.push((outlet, receiver));
        }
        let once = once.ready();
        for (port, channel) in inputs {
            let carrier = self.carrier.clone();
            let inlet = match Inlet::take_over(carrier, &channel, &port, epoch).await {
                Ok(inlet) => inlet,
                Err(InletEnd::Refused(text)) => anyhow::bail!("channel `{}`: {text}", channel.name),
                Err(_) => return Ok(Err(format!("a later host receives at `{port}`"))),
            };
            let inlet = inlet.on_notice(notice);
            let (tell, finished) = watch::channel(0);
            let origins = once.of_input(&port);
            let inlet = match &origins {
                Some(origins) => inlet.note_inputs(origins.clone()),
                None => inlet,
            };
            let (counts, at) = (attempts.clone(), port.clone());
            let listener = move |count| {
                counts.finished(&at);
                if let Some(origins) = &origins {
                    origins.finished(count);
                }
                tell.send_replace(count);
            };
            let options = ChannelOptions::rendezvous();
            let sender = network.input_until_finished(&port, options, listener)?;
            views.input(&port, &channel, &inlet, finished.clone(), &sender);
            inlets.push((inlet, sender, finished));
        }
        attempts.go_on(&*self.carrier, &mut network).await?;
        let events = self.printer.clone();
        let counts = attempts.clone();
        let stream = self.stream.clone();
        let begun_anew = once.clone();
        network.on_event(move |event| {
            stream.note(&event);
            begun_anew.note(&event);
            counts.note(&event);
            events.print(&event);
        });
        self.stream.give(&mut network)?;
        // Starting may wait for permits.
        let starting = tokio::task::spawn_blocking(move || network.start());
        let running = starting.await.context("the part could not be started")??;
        self.stream.watch(&running);
        let gate = Arc::new(gate);
        for (index, (outlet, receiver)) in outlets.into_iter().enumerate() {
            lives.send(once.know_again(index, outlet), receiver);
        }
        for (inlet, sender, finished) in inlets {
            lives.receive(inlet, sender, finished, gate.clone());
        }
        let waiting = running.clone();
        lives.waiting = Some(tokio::task::spawn_blocking(move || waiting.wait()));
        Ok(Ok(TakenOver {
            lives,
            running,
            views,
            attempts,
        }))
    }

    fn drops_newest(&self, channel: &Channel) -> bool {
        let mut planned = self.parted.plan.channels.iter();
        planned
            .any(|it| it.label == channel.name && it.overflow == transputer::Overflow::DropNewest)
    }
}

/// A part that has been started here.
struct TakenOver {
    lives: Lives,
    running: Running,
    views: PortViews,
    attempts: Attempts,
}

/// Says what an outlet or inlet had to do because nothing moved.
fn notice(text: String) {
    terminal::warning(format_args!("{text}"));
}

/// What a part consists of while it runs here.
struct Lives {
    outlets: JoinSet<OutletEnd>,
    inlets: JoinSet<(InletEnd, Option<HostSender>)>,
    /// What inlets that have left offered messages at. A process that saw its inputs closed would finish, and its outputs
    /// would be closed for all hosts.
    left_open: Vec<HostSender>,
    stop_outlets: watch::Sender<bool>,
    stop_inlets: watch::Sender<bool>,
    ended: watch::Sender<Option<Ended>>,
    waiting: Option<JoinHandle<Report>>,
    /// As soon as its processes have ended.
    report: Option<Box<Report>>,
}

impl Default for Lives {
    fn default() -> Self {
        Self {
            outlets: JoinSet::new(),
            inlets: JoinSet::new(),
            left_open: Vec::new(),
            stop_outlets: watch::Sender::new(false),
            stop_inlets: watch::Sender::new(false),
            ended: watch::Sender::new(None),
            waiting: None,
            report: None,
        }
    }
}

impl Lives {
    fn send(&mut self, mut outlet: Outlet, receiver: HostReceiver) {
        let mut stop = self.stop_outlets.subscribe();
        self.outlets.spawn(async move {
            let mut source = GuestSource(receiver);
            let end = outlet.run(&mut source, &mut stop).await;
            match &end {
                OutletEnd::Poisoned { kind, reason } => source.0.poison_with(poison(kind, reason)),
                OutletEnd::Refused(text) => source.0.poison(text),
                // What is dropped here is closed for the process.
                _ => {}
            }
            end
        });
    }

    fn receive(
        &mut self,
        mut inlet: Inlet,
        sender: HostSender,
        finished: watch::Receiver<u64>,
        gate: Arc<StoredGate>,
    ) {
        let mut stop = self.stop_inlets.subscribe();
        let mut sink = GuestSink::new(sender, finished, self.ended.subscribe());
        self.inlets.spawn(async move {
            let end = inlet.run(&mut sink, &*gate, &mut stop).await;
            let left_open = match end {
                InletEnd::Left => sink.into_sender(),
                _ => None,
            };
            (end, left_open)
        });
    }

    /// Waits until the processes have ended, and all that is to be told or stored has been.
    async fn end(&mut self, running: &Running) -> Incarnation {
        loop {
            if let (None, true, true) = (
                &self.waiting,
                self.outlets.is_empty(),
                self.inlets.is_empty(),
            ) && let Some(report) = self.report.take()
            {
                return Incarnation::Ended(report);
            }
            tokio::select! {
                report = wait_for(&mut self.waiting) => {
                    self.waiting = None;
                    let failure = report.failures.first().map(|it| format!("process `{}` {}", it.name, it.outcome));
                    self.ended.send_replace(Some(Ended { failure }));
                    self.report = Some(Box::new(report));
                }
                Some(end) = self.outlets.join_next() => match end {
                    Ok(OutletEnd::Fenced) => return Incarnation::Lost("a later host sends for it".to_owned()),
                    Ok(OutletEnd::NotWanted { dropped }) if dropped > 0 => terminal::warning(format_args!(
                        "{dropped} messages were dropped, because nobody receives them any more"
                    )),
                    Ok(_) => {}
                    Err(error) => running.stop(&format!("an outlet failed: {error}")),
                },
                Some(end) = self.inlets.join_next() => match end {
                    Ok((InletEnd::Fenced, _)) => return Incarnation::Lost("a later host receives for it".to_owned()),
                    Ok(_) => {}
                    Err(error) => running.stop(&format!("an inlet failed: {error}")),
                },
            }
        }
    }

    /// Gives back what is not finished, and stores what was sent.
    async fn leave(&mut self) {
        self.stop_inlets.send_replace(true);
        while let Some(joined) = self.inlets.join_next().await {
            self.left_open
                .extend(joined.ok().and_then(|(_, open)| open));
        }
        self.stop_outlets.send_replace(true);
        let stored = async { while self.outlets.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_STORES, stored).await;
    }

    /// Ends the processes without telling anybody: another host goes on with them.
    async fn abandon(&mut self, running: &Running, why: &str) {
        self.outlets.abort_all();
        self.inlets.abort_all();
        while self.outlets.join_next().await.is_some() {}
        while self.inlets.join_next().await.is_some() {}
        running.stop(why);
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.await;
        }
    }
}

async fn wait_for(waiting: &mut Option<JoinHandle<Report>>) -> Report {
    let Some(waiting) = waiting else {
        return std::future::pending().await;
    };
    match waiting.await {
        Ok(report) => report,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
