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
    if report.restarts > 0 && printer.prints(LogLevel::Info) {
        terminal::note(restarts(report));
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

/// How often processes were restarted, and what became of the messages that they had in hand.
fn restarts(report: &Report) -> String {
    let count = |count: u64, noun| counted(usize::try_from(count).unwrap_or(usize::MAX), noun);
    let unfinished = &report.unfinished;
    let fates = [
        (unfinished.redelivered, "redelivered"),
        (unfinished.dead_lettered, "sent to dead letters"),
        (unfinished.dropped, "dropped"),
    ];
    let fates = fates.into_iter().filter(|(messages, _)| *messages > 0);
    let fates: Vec<String> = fates
        .map(|(messages, fate)| format!("{} {fate}", count(messages, "unfinished message")))
        .collect();
    let restarts = count(report.restarts, "restart");
    match fates.is_empty() {
        true => restarts,
        false => format!("{restarts}, {}", fates.join(", ")),
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
