//! What is said of a network at its end.

use std::collections::BTreeMap;

use transputer::{Outcome, ProcessReport, Report, Trap, Verdict};

use super::events::{LogLevel, Printer, print_json};
use crate::terminal::{self, BOLD, ERROR, WARNING, counted, printable};

/// How many traps are shown with their backtraces. The first is the likeliest cause of the others.
const SHOWN: usize = 10;

/// Prints traps in full, and the network's end in a line; that the other failures happened was
/// told when they did. Nothing is said of a
/// success, unless messages were lost or the log is detailed.
pub(crate) fn summarise(report: &Report, printer: &Printer) {
    if printer.is_json() {
        return print_json(&BTreeMap::from([("report", report)]));
    }
    let traps: Vec<(&ProcessReport, &Trap)> = report
        .failures
        .iter()
        .filter_map(|failure| match &failure.outcome {
            Outcome::Trapped(trap) => Some((failure, trap)),
            _ => None,
        })
        .collect();
    for (failure, trap) in traps.iter().take(SHOWN) {
        print_trap(failure, trap);
    }
    if traps.len() > SHOWN {
        let more = counted(traps.len() - SHOWN, "process");
        anstream::eprintln!("\nand {more} more that trapped");
    }
    let succeeded = report.verdict() == Verdict::Succeeded;
    if !succeeded {
        anstream::eprintln!();
    }
    if !succeeded || printer.prints(LogLevel::Debug) {
        terminal::note(verdict(report));
    }
    if report.dropped > 0 && printer.prints(LogLevel::Warn) {
        terminal::warning(format_args!(
            "{} sent and never received",
            counted(
                usize::try_from(report.dropped).unwrap_or(usize::MAX),
                "message"
            )
        ));
    }
}

fn verdict(report: &Report) -> String {
    let name = &report.network;
    let processes = counted(
        usize::try_from(report.processes).unwrap_or(usize::MAX),
        "process",
    );
    let unfinished = format!("{} of {processes} did not finish", report.failed);
    match report.verdict() {
        Verdict::Succeeded => format!(
            "network `{name}` succeeded: {processes} finished, {} sent",
            counted(
                usize::try_from(report.sent).unwrap_or(usize::MAX),
                "message"
            )
        ),
        Verdict::Failed => format!("network `{name}` {ERROR}failed{ERROR:#}: {unfinished}"),
        Verdict::Deadlocked => format!(
            "network `{name}` had {ERROR}{}{ERROR:#}: {unfinished}",
            counted(report.deadlocks.len(), "deadlock")
        ),
        Verdict::Stopped => {
            let reason = report.stopped.as_deref().unwrap_or_default();
            format!("network `{name}` was {WARNING}stopped{WARNING:#} ({reason}): {unfinished}")
        }
    }
}

fn print_trap(failure: &ProcessReport, trap: &Trap) {
    anstream::eprintln!(
        "\n{BOLD}{}{BOLD:#} (process {}, component {}) {}",
        printable(&failure.name),
        failure.id.0,
        printable(&failure.component),
        printable(&failure.outcome.to_string())
    );
    for (index, frame) in trap.backtrace.iter().enumerate() {
        anstream::eprintln!("  {index:>2}: {}", printable(frame));
    }
}
