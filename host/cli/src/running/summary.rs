//! What is printed about a network at its end.

use std::collections::BTreeMap;

use transputer::{Outcome, ProcessReport, Report, Trap, Verdict};

use super::events::{LogLevel, Printer, with_core_dump};
use crate::line::Line;
use crate::stderr;
use crate::terminal::{self, BOLD, ERROR, WARNING, counted};

/// How many traps are shown with their backtraces. The first is the likeliest cause of the others.
const SHOWN: usize = 10;

/// Prints traps in full, and the network's end in a line; that the other failures happened was
/// told when they did. Nothing is said of a
/// success, unless messages were lost or the log is detailed.
pub(crate) fn summarise(report: &Report, printer: &Printer) {
    printer.print_withheld();
    if printer.is_json() {
        return terminal::print_json(&BTreeMap::from([("report", report)]));
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
        print_trap(failure, trap, printer.has_told(failure));
    }
    if traps.len() > SHOWN {
        let more = counted(traps.len() - SHOWN, "process");
        stderr::print(
            &Line::new()
                .next()
                .text(format_args!("and {more} more that trapped")),
        );
    }
    let succeeded = report.verdict() == Verdict::Succeeded;
    if !succeeded {
        stderr::print(&Line::new());
    }
    if !succeeded || printer.prints(LogLevel::Debug) {
        terminal::note_line(&verdict(report));
    }
    let bad_lines = [
        (report.bad_lines.skipped, "skipped"),
        (report.bad_lines.cut, "cut"),
    ];
    for (lines, fate) in bad_lines.into_iter().filter(|(lines, _)| *lines > 0) {
        if printer.prints(LogLevel::Warn) {
            let lines = counted(usize::try_from(lines).unwrap_or(usize::MAX), "line");
            terminal::warning(format_args!("{lines} of stdin {fate}"));
        }
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

/// How often processes were restarted, and what became of the messages that they were working on.
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

fn verdict(report: &Report) -> Line {
    let processes = counted(
        usize::try_from(report.processes).unwrap_or(usize::MAX),
        "process",
    );
    let unfinished = format!(": {} of {processes} did not finish", report.failed);
    let line = Line::new().text("network `").name(&report.network);
    match report.verdict() {
        Verdict::Succeeded => line.text(format_args!(
            "` succeeded: {processes} finished, {} sent",
            counted(
                usize::try_from(report.sent).unwrap_or(usize::MAX),
                "message"
            )
        )),
        Verdict::Failed => line.text("` ").styled(ERROR, "failed").text(unfinished),
        Verdict::Deadlocked => {
            let found = usize::try_from(report.deadlocked).unwrap_or(usize::MAX);
            let deadlocks = counted(found, "deadlock");
            line.text("` had ")
                .styled(ERROR, deadlocks)
                .text(unfinished)
        }
        Verdict::Stopped => {
            let reason = report.stopped.as_deref().unwrap_or_default();
            let line = line.text("` was ").styled(WARNING, "stopped");
            line.text(format_args!(" ({reason})")).text(unfinished)
        }
    }
}

/// Prints where a process trapped; and why, unless that was told when it happened.
fn print_trap(failure: &ProcessReport, trap: &Trap, told: bool) {
    let mut line = Line::new()
        .next()
        .styled(BOLD, &failure.name)
        .text(format_args!(" (process {}, component ", failure.id.0))
        .name(&failure.component)
        .text(") ");
    line = match (told, trap.backtrace.is_empty()) {
        (true, false) => line.text("trapped in"),
        (true, true) => line.text("trapped"),
        (false, _) => line.text(&failure.outcome),
    };
    for (index, frame) in trap.backtrace.iter().enumerate() {
        line = line.next().text(format_args!("  {index:>2}: ")).name(frame);
    }
    stderr::print(&with_core_dump(line, &failure.outcome));
}
