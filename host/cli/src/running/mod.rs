//! A running network, seen from the terminal.

mod debugging;
mod events;
mod framing;
mod pipe;
mod signals;
mod stdin;
mod stream;
mod summary;
mod throttle;
mod trace;
mod watch;

pub(crate) use debugging::Debugging;
pub(crate) use events::{Format, LogLevel, Printer, in_words};
pub(crate) use pipe::PipeWatch;
pub(crate) use signals::{Signal, Signals, on_signal};
pub(crate) use stream::Stream;
pub(crate) use summary::summarise;
pub(crate) use throttle::HELP as RATES;
pub(crate) use trace::Trace;
pub(crate) use watch::Watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use transputer::plan::Format as StreamFormat;
use transputer::{DeadLetterFile, Network, Report, Verdict};

use crate::exit::Exit;
use crate::otlp::Otlp;
use crate::terminal;
use crate::watching::{self, Watching};

/// What is written besides the network's streams.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) trace: Option<Trace>,
    pub(crate) dead_letters: Option<DeadLetterFile>,
    pub(crate) otlp: Option<Otlp>,
}

/// How a network runs.
pub(crate) struct Manners {
    pub(crate) printer: Printer,
    /// How its standard input is cut into messages.
    pub(crate) stdin: StreamFormat,
    /// How long it has to finish when it is asked to end.
    pub(crate) grace: Duration,
    /// Whether it runs in virtual time.
    pub(crate) seeded: bool,
    /// How it can be watched.
    pub(crate) watching: watching::Options,
}

/// Starts a network, with its events on stderr and its streams on the command's own, and
/// waits for its end.
pub(crate) fn run(
    mut network: Network,
    manners: Manners,
    files: Files,
    watch: Option<Watch>,
) -> anyhow::Result<Exit> {
    let Files {
        trace,
        dead_letters,
        otlp,
    } = files;
    let Manners {
        printer,
        stdin,
        grace,
        seeded,
        watching,
    } = manners;
    let watching = Watching::open(watching)?;
    let noted = watching.listener();
    let (stdin, closing) = stdin::Stdin::new(stdin).context("cannot open standard input")?;
    let signals = Signals::install(closing, grace, seeded)?;
    let pipe = PipeWatch::default();
    let events = printer.clone();
    if trace.is_some() {
        network.trace();
    }
    let trace = Arc::new(trace);
    let tracing = trace.clone();
    let otlp = Arc::new(otlp);
    let spans = Arc::downgrade(&otlp);
    let (gone, failed) = (pipe.clone(), pipe.clone());
    network
        .stdin(stdin)
        .stdout(pipe.stdout())
        .on_event(move |event| {
            noted(&event);
            if let Some(trace) = &*tracing {
                trace.note(&event);
            }
            if let Some(otlp) = spans.upgrade().as_deref().and_then(Option::as_ref) {
                otlp.note(&event);
            }
            if !gone.is_broken() {
                failed.note(&event);
                events.print(&event);
            }
        });
    let running = network.start()?;
    watching.start(&running);
    signals.watch(running.clone());
    pipe.watch(running.clone());
    let following = watch.map(|watch| watch.start(running.clone(), printer.clone()));
    let following = following
        .transpose()
        .inspect_err(|_| running.stop("cannot watch"))?;
    let report = running.wait();
    drop(following);
    let closed = dead_letters.map(|file| close(&file, &report, &printer));
    let closed = closed.transpose();
    if let Some(trace) = &*trace {
        trace.finish()?;
    }
    if let Some(otlp) = Arc::into_inner(otlp).flatten() {
        otlp.finish(&report);
    }
    if pipe.is_broken() {
        return closed.map(|_| Exit::Success);
    }
    summarise(&report, &printer);
    watching.end(&report, || signals.wait());
    closed?;
    if let Some(signal) = signals.first() {
        return Ok(Exit::Signalled(signal));
    }
    Ok(match report.verdict() {
        Verdict::Succeeded => pipe.exit().unwrap_or(Exit::Success),
        verdict => Exit::of_verdict(verdict),
    })
}

/// Closes the dead-letter file, and says what is left in it.
fn close(file: &DeadLetterFile, report: &Report, printer: &Printer) -> anyhow::Result<()> {
    let left = file.close(report)?;
    if printer.is_json() {
        terminal::print_json(&BTreeMap::from([("dead_letters", left)]));
    } else if !left.is_empty() {
        let path = file.path().display();
        terminal::warning(format_args!("messages left in {path}: {left}"));
    }
    Ok(())
}
