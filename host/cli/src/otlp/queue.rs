//! Spans that wait to be sent, and the thread that sends them.
//!
//! The lock is a leaf, and is not held while anything is sent.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::client::Client;
use crate::exit::BadInput;
use crate::terminal::{self, counted};

/// The most spans that wait.
const ROOM: usize = 16_384;

/// The most that are sent together, and how long fewer wait for others.
const TOGETHER: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);

/// How long the end of the command waits for the collector.
const END: Duration = Duration::from_secs(10);

/// The variables that name the service that spans belong to.
const NAME: &str = "OTEL_SERVICE_NAME";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

pub(super) struct Queue {
    shared: Arc<Shared>,
    client: Arc<Client>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Signalled when there is enough to send, at the end, and when all is sent.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<SpanData>,
    /// Nothing more will come.
    ended: bool,
    /// Everything is sent, or given up.
    done: bool,
    sent: usize,
    /// Those that there was no room for.
    crowded_out: usize,
    /// Those that the collector did not take.
    lost: usize,
    why: String,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// # Errors
    /// If the collector's address is wrong, or no thread can be had.
    pub(super) fn open(
        collector: Option<&str>,
        network: &str,
        client: &Arc<Client>,
    ) -> anyhow::Result<Queue> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(client.clone());
        if let Some(collector) = collector {
            exporter = exporter.with_endpoint(of_traces(collector));
        }
        let mut exporter = exporter
            .build()
            .map_err(|error| BadInput::new(format!("--otlp: {error}")))?;
        exporter.set_resource(&resource(network));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .context("cannot send spans")?;
        let shared = Arc::<Shared>::default();
        let (its, clients) = (shared.clone(), client.clone());
        std::thread::Builder::new()
            .name("otlp".to_owned())
            .spawn(move || runtime.block_on(its.send_all(&exporter, &clients)))
            .context("cannot start a thread that sends spans")?;
        Ok(Queue {
            shared,
            client: client.clone(),
        })
    }

    pub(super) fn push(&self, span: SpanData) {
        let mut state = self.shared.state();
        if state.waiting.len() >= ROOM {
            state.crowded_out += 1;
            return;
        }
        state.waiting.push(span);
        if state.waiting.len() == TOGETHER {
            self.shared.changed.notify_all();
        }
    }

    /// Sends what is left, and says what could not be sent.
    pub(super) fn finish(self) {
        let mut state = self.shared.state();
        state.ended = true;
        self.shared.changed.notify_all();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, END, |state| !state.done);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // What is being sent may or may not arrive: nobody knows.
        let unsent = state.lost + if state.done { 0 } else { state.waiting.len() };
        if unsent > 0 || !state.done {
            let why = match state.why.as_str() {
                "" => self
                    .client
                    .failure()
                    .unwrap_or_else(|| format!("no answer in {END:?}")),
                why => why.to_owned(),
            };
            terminal::warning(format_args!(
                "{} did not reach the collector: {why}",
                counted(unsent.max(1), "span")
            ));
        }
        if state.crowded_out > 0 {
            terminal::warning(format_args!(
                "{} of the network left out, because the collector was too slow for them",
                counted(state.crowded_out, "span")
            ));
        }
        if let (refused @ 1.., why) = self.client.refused() {
            terminal::warning(format_args!(
                "the collector has refused {}: {why}",
                counted(usize::try_from(refused).unwrap_or(usize::MAX), "span")
            ));
        }
    }
}

impl Shared {
    async fn send_all(&self, exporter: &SpanExporter, client: &Client) {
        while let Some(batch) = self.next() {
            let count = batch.len();
            let sent = exporter.export(batch).await;
            let mut state = self.state();
            match sent {
                Ok(()) => state.sent += count,
                Err(error) => {
                    let first = state.lost == 0;
                    state.lost += count;
                    state.why = client.failure().unwrap_or_else(|| error.to_string());
                    if first && !state.ended {
                        terminal::warning(format_args!(
                            "spans do not reach the collector: {}",
                            state.why
                        ));
                    }
                }
            }
        }
        self.state().done = true;
        self.changed.notify_all();
    }

    /// What to send next, once there is enough or it has waited long enough; nothing at the end.
    fn next(&self) -> Option<Vec<SpanData>> {
        let began = Instant::now();
        let mut state = self.state();
        loop {
            let waits = state.waiting.len();
            let left = PAUSE.saturating_sub(began.elapsed());
            if waits >= TOGETHER || waits > 0 && (state.ended || left.is_zero()) {
                let rest = state.waiting.split_off(waits.min(TOGETHER));
                return Some(std::mem::replace(&mut state.waiting, rest));
            }
            if state.ended {
                return None;
            }
            let pause = if left.is_zero() { PAUSE } else { left };
            let waited = self.changed.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Where a collector takes spans: at the usual path, unless its address has one.
fn of_traces(collector: &str) -> String {
    let bare = collector.trim_end_matches('/');
    match bare.split_once("://") {
        Some((_, rest)) if !rest.contains('/') => format!("{bare}/v1/traces"),
        _ => collector.to_owned(),
    }
}

/// Who the spans are of: the network, unless a variable names the service.
fn resource(network: &str) -> Resource {
    let named = |name: &str, what: &str| {
        std::env::var(name).is_ok_and(|value| value.contains(what) && !value.is_empty())
    };
    let resource = Resource::builder();
    match named(NAME, "") || named(ATTRIBUTES, "service.name=") {
        true => resource.build(),
        false => resource.with_service_name(network.to_owned()).build(),
    }
}

#[cfg(test)]
mod tests {
    use super::of_traces;

    #[test]
    fn an_address_without_a_path_gets_the_usual_one() {
        for (given, sent_to) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
            ("http://a.example/in/v1", "http://a.example/in/v1"),
        ] {
            assert_eq!(of_traces(given), sent_to);
        }
    }
}
