//! A running network, seen from the terminal.

mod events;
mod interrupt;
mod pipe;
mod summary;
mod trace;
mod watch;

pub(crate) use events::{Format, LogLevel, Printer};
pub(crate) use interrupt::Interrupt;
pub(crate) use pipe::PipeWatch;
pub(crate) use summary::summarise;
pub(crate) use trace::Trace;
pub(crate) use watch::Watch;

use events::print_json;

use std::collections::BTreeMap;
use std::sync::Arc;

use transputer::{DeadLetterFile, Network, Report, Verdict};

use crate::exit::Exit;
use crate::terminal;

/// What is written besides the network's streams.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) trace: Option<Trace>,
    pub(crate) dead_letters: Option<DeadLetterFile>,
}

/// Starts a network, with its events on stderr and its streams on the command's own, and
/// waits for its end.
pub(crate) fn run(
    mut network: Network,
    printer: Printer,
    files: Files,
    watch: Option<Watch>,
) -> anyhow::Result<Exit> {
    let Files {
        trace,
        dead_letters,
    } = files;
    let interrupt = Interrupt::install()?;
    let pipe = PipeWatch::default();
    let events = printer.clone();
    if trace.is_some() {
        network.trace();
    }
    let trace = Arc::new(trace);
    let tracing = trace.clone();
    let (gone, failed) = (pipe.clone(), pipe.clone());
    network
        .stdin(std::io::stdin())
        .stdout(pipe.stdout())
        .on_event(move |event| {
            if let Some(trace) = &*tracing {
                trace.note(&event);
            }
            if !gone.is_broken() {
                failed.note(&event);
                events.print(&event);
            }
        });
    let running = network.start()?;
    interrupt.watch(running.clone());
    pipe.watch(running.clone());
    let watching = watch.map(|watch| watch.start(running.clone(), printer.clone()));
    let watching = watching
        .transpose()
        .inspect_err(|_| running.stop("cannot watch"))?;
    let report = running.wait();
    drop(watching);
    let closed = dead_letters.map(|file| close(&file, &report, &printer));
    let closed = closed.transpose();
    if let Some(trace) = &*trace {
        trace.finish()?;
    }
    if pipe.is_broken() {
        return closed.map(|_| Exit::Success);
    }
    summarise(&report, &printer);
    closed?;
    Ok(match report.verdict() {
        _ if interrupt.happened() => Exit::Interrupted,
        Verdict::Succeeded if pipe.failed() => Exit::HostTrouble,
        verdict => Exit::of_verdict(verdict),
    })
}

/// Closes the dead-letter file, and says what is left in it.
fn close(file: &DeadLetterFile, report: &Report, printer: &Printer) -> anyhow::Result<()> {
    let left = file.close(report)?;
    if printer.is_json() {
        print_json(&BTreeMap::from([("dead_letters", left)]));
    } else if !left.is_empty() {
        let path = file.path().display();
        terminal::warning(format_args!("messages left in {path}: {left}"));
    }
    Ok(())
}
