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

use std::sync::Arc;

use transputer::{Network, Verdict};

use crate::exit::Exit;

/// Starts a network, with its events on stderr and its streams on the command's own, and
/// waits for its end.
pub(crate) fn run(
    mut network: Network,
    printer: Printer,
    trace: Option<Trace>,
    watch: Option<Watch>,
) -> anyhow::Result<Exit> {
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
    if let Some(trace) = &*trace {
        trace.finish()?;
    }
    if pipe.is_broken() {
        return Ok(Exit::Success);
    }
    summarise(&report, &printer);
    Ok(match report.verdict() {
        _ if interrupt.happened() => Exit::Interrupted,
        Verdict::Succeeded if pipe.failed() => Exit::HostTrouble,
        verdict => Exit::of_verdict(verdict),
    })
}
