//! The numbers of a network in Prometheus' text form.

use std::fmt::Write as _;

use super::view::{Channel, Look, Process};

/// The type of the text.
pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One metric: its name, its type, and what it tells.
type Metric<T> = (&'static str, &'static str, &'static str, fn(&T) -> f64);

const NETWORK: [Metric<Look>; 11] = [
    (
        "running_seconds",
        "gauge",
        "Time since the network was started.",
        |look| look.at as f64 / 1e3,
    ),
    ("processes", "gauge", "Processes that live.", |look| {
        look.totals.living as f64
    }),
    (
        "processes_computing",
        "gauge",
        "Processes that compute, or do something outside the network.",
        |look| look.totals.running as f64,
    ),
    (
        "processes_started_total",
        "counter",
        "Processes that ever ran.",
        |look| look.totals.born as f64,
    ),
    (
        "processes_failed_total",
        "counter",
        "Processes that did not finish.",
        |look| look.totals.failed as f64,
    ),
    (
        "restarts_total",
        "counter",
        "Restarts of processes by their supervisors.",
        |look| look.totals.restarts as f64,
    ),
    (
        "deadlocks_total",
        "counter",
        "Deadlocks that were found.",
        |look| look.totals.deadlocks as f64,
    ),
    (
        "messages_sent_total",
        "counter",
        "Messages that channels have accepted.",
        |look| look.totals.sent as f64,
    ),
    (
        "messages_dropped_total",
        "counter",
        "Messages that were sent and never received.",
        |look| look.totals.dropped as f64,
    ),
    (
        "memory_bytes",
        "gauge",
        "Linear memories and tables of all processes.",
        |look| look.totals.memory as f64,
    ),
    (
        "bottlenecks",
        "gauge",
        "Channels that were full for most of the last seconds while a reader computed.",
        |look| look.bottlenecks.len() as f64,
    ),
];

const PROCESS: [Metric<Process>; 7] = [
    (
        "process_processor_seconds_total",
        "counter",
        "Processor time of this incarnation, sampled every 2 ms.",
        |one| one.cpu_seconds,
    ),
    (
        "process_memory_bytes",
        "gauge",
        "Linear memories and tables.",
        |one| one.memory as f64,
    ),
    (
        "process_messages_sent_total",
        "counter",
        "Messages that channels have accepted from it.",
        |one| one.sent as f64,
    ),
    (
        "process_messages_received_total",
        "counter",
        "Messages that it was handed.",
        |one| one.received as f64,
    ),
    (
        "process_restarts_total",
        "counter",
        "How often it was restarted.",
        |one| one.restarts as f64,
    ),
    (
        "process_waiting",
        "gauge",
        "1 while it waits for a communication or for the end of another.",
        |one| f64::from(matches!(one.state.as_str(), "waiting" | "joining")),
    ),
    (
        "process_down",
        "gauge",
        "1 while it has ended and is yet to be restarted.",
        |one| f64::from(one.state == "down"),
    ),
];

const CHANNEL: [Metric<Channel>; 8] = [
    (
        "channel_capacity",
        "gauge",
        "Messages that may wait in it; 0 is a rendezvous.",
        |one| one.capacity as f64,
    ),
    (
        "channel_messages",
        "gauge",
        "Messages that wait in it.",
        |one| one.waiting as f64,
    ),
    ("channel_bytes", "gauge", "Bytes of those.", |one| {
        one.bytes as f64
    }),
    (
        "channel_full_ratio",
        "gauge",
        "The share of the last seconds in which whoever sends had to wait.",
        |one| one.full,
    ),
    (
        "channel_sent_total",
        "counter",
        "Messages that it has accepted.",
        |one| one.sent as f64,
    ),
    (
        "channel_received_total",
        "counter",
        "Messages that receivers were handed.",
        |one| one.received as f64,
    ),
    (
        "channel_dropped_total",
        "counter",
        "Messages that it dropped.",
        |one| one.dropped as f64,
    ),
    (
        "channel_senders_waiting",
        "gauge",
        "Senders that wait.",
        |one| one.senders_waiting as f64,
    ),
];

/// What was seen, as text.
pub(super) fn text(look: &Look) -> String {
    let mut text = String::new();
    let network = format!("network=\"{}\"", escaped(&look.network));
    metrics(&mut text, &NETWORK, std::slice::from_ref(look), |_| {
        network.clone()
    });
    metrics(&mut text, &PROCESS, &look.processes, |process| {
        format!(
            "{network},process=\"{}\",component=\"{}\"",
            escaped(&process.name),
            escaped(&process.component)
        )
    });
    // Several channels may have one label.
    metrics(&mut text, &CHANNEL, &look.channels, |channel| {
        format!(
            "{network},channel=\"{}\",id=\"{}\"",
            escaped(&channel.label),
            channel.id
        )
    });
    text
}

fn metrics<T>(text: &mut String, metrics: &[Metric<T>], of: &[T], labels: impl Fn(&T) -> String) {
    let labels: Vec<String> = of.iter().map(labels).collect();
    for (name, kind, help, value) in metrics {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# HELP transputer_{name} {help}\n# TYPE transputer_{name} {kind}"
        );
        for (one, labels) in of.iter().zip(&labels) {
            let _ = writeln!(text, "transputer_{name}{{{labels}}} {}", value(one));
        }
    }
}

/// In a label's value, a backslash, a quotation mark and the end of a line are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_label() {
        let mut look = Look {
            network: "a\"} 1\nb\\".to_owned(),
            ..Look::default()
        };
        look.totals.living = 3;
        look.channels.push(Channel {
            label: "x\\\"y".to_owned(),
            id: 7,
            ..Channel::default()
        });
        let text = text(&look);
        assert!(
            text.contains("transputer_processes{network=\"a\\\"} 1\\nb\\\\\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("channel=\"x\\\\\\\"y\",id=\"7\"} 0\n"),
            "{text}"
        );
        for line in text.lines() {
            assert!(
                line.starts_with("# ") || line.starts_with("transputer_"),
                "{line}"
            );
        }
    }
}
