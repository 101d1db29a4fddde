//! What became of a network as spans for an OpenTelemetry collector: one for the network, and within it one for each
//! process, or for each of its incarnations.
//!
//! ```text
//! spans     from events to spans
//! queue     spans that wait to be sent, and the thread that sends them
//! client    HTTP, without TLS
//! ```
//!
//! Whoever tells of an event never waits for the collector. What there is no room for, and what the collector did not take, is
//! counted, and told at the end.

mod client;
mod queue;
mod spans;

use std::sync::Arc;

use transputer::{Event, Host, Report};

use crate::exit::BadInput;
use client::Client;
use queue::Queue;
use spans::Spans;

/// Whether spans are sent, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The collector; where it is empty, the variables of OpenTelemetry say, or this machine's is meant.
    pub(crate) collector: Option<String>,
    /// Whether spans are linked with those of the processes whose messages they received.
    pub(crate) links: bool,
}

/// The spans of one network.
pub(crate) struct Otlp {
    spans: Spans,
    queue: Queue,
}

/// Where the variables say that the collector is.
const VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

impl Otlp {
    /// Begins the network's span, if spans are wanted.
    ///
    /// # Errors
    /// If the collector's address is wrong, or no thread can be had.
    pub(crate) fn open(
        options: &Options,
        network: &str,
        host: &Host,
    ) -> anyhow::Result<Option<Otlp>> {
        let Some(given) = &options.collector else {
            return Ok(None);
        };
        let given = Some(given.as_str()).filter(|given| !given.is_empty());
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let from = given.map(str::to_owned);
        let from = from.or_else(|| VARIABLES.iter().find_map(set));
        if from.is_some_and(|url| url.starts_with("https:")) {
            return Err(BadInput::new(
                "spans are sent by http:// only: name a collector on this machine or in its network, which sends them on",
            )
            .into());
        }
        let client = Arc::new(Client::default());
        Ok(Some(Otlp {
            queue: Queue::open(given, network, &client)?,
            spans: Spans::new(network, host)?,
        }))
    }

    /// Keeps an event. Called by workers, so it is quick.
    pub(crate) fn note(&self, event: &Event) {
        if let Some(span) = self.spans.note(event) {
            self.queue.push(span);
        }
    }

    /// Ends the network's span, and sends what is left. Says what could not be sent.
    pub(crate) fn finish(self, report: &Report) {
        self.queue.push(self.spans.of_network(report));
        self.queue.finish();
    }
}
