//! From events to spans.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use opentelemetry::trace::{
    Event as SpanEvent, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId,
    TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use transputer::{Event, HeardFrom, Host, Lifetime, Outcome, ProcessId, Report, Verdict};

use crate::printable::one_line;

/// The most log lines of one span, and the most bytes of those that wait for the ends of their processes.
const LINES: usize = 128;
const BYTES: usize = 8 << 20;

/// Makes the spans of a network.
pub(super) struct Spans {
    trace: TraceId,
    /// The number of the network's span. That of a process follows from its own.
    root: u64,
    network: String,
    scope: InstrumentationScope,
    /// Whose clock tells how long processes lived, and what it and the system's told at the same moment.
    host: Host,
    began: (Duration, SystemTime),
    logs: Mutex<Logs>,
}

/// Log lines of processes that have not ended.
#[derive(Default)]
struct Logs {
    of: HashMap<String, SpanEvents>,
    bytes: usize,
}

/// A process or one of its incarnations, at its end.
struct Ended<'e> {
    id: ProcessId,
    name: &'e str,
    component: &'e str,
    incarnation: u64,
    outcome: &'e Outcome,
    lifetime: &'e Lifetime,
}

impl Spans {
    pub(super) fn new(network: &str, host: &Host) -> anyhow::Result<Spans> {
        let mut chance = [0; 24];
        getrandom::fill(&mut chance).context("cannot make numbers for spans")?;
        let (trace, root) = chance.split_at(16);
        let trace = u128::from_le_bytes(trace.try_into().unwrap_or_default());
        let root = u64::from_le_bytes(root.try_into().unwrap_or_default());
        let scope = InstrumentationScope::builder("transputer");
        Ok(Spans {
            trace: TraceId::from(trace.max(1)),
            // So that no number of a process makes it zero, which would be none.
            root: root >> 2 | 1 << 62,
            network: one_line(network),
            scope: scope.with_version(env!("CARGO_PKG_VERSION")).build(),
            host: host.clone(),
            began: (host.time(), SystemTime::now()),
            logs: Mutex::default(),
        })
    }

    /// The span that an event ends, if it does.
    pub(super) fn note(&self, event: &Event) -> Option<SpanData> {
        Some(match event {
            Event::Log {
                process,
                level,
                line,
            } => {
                let attributes = vec![
                    KeyValue::new("level", level.to_string()),
                    KeyValue::new("line", line.clone()),
                ];
                self.keep(process, line.len(), "log", attributes);
                return None;
            }
            Event::Deadlock(deadlock) => {
                let cycle = deadlock.cycle.join(" -> ");
                for stuck in &deadlock.stuck {
                    let attributes = vec![KeyValue::new("cycle", cycle.clone())];
                    self.keep(&stuck.process, cycle.len(), "deadlock", attributes);
                }
                return None;
            }
            Event::Ended(report) => self.of_process(&Ended {
                id: report.id,
                name: &report.name,
                component: &report.component,
                incarnation: report.restarts + 1,
                outcome: &report.outcome,
                lifetime: &report.lifetime,
            }),
            Event::Restarting(report) => self.of_process(&Ended {
                id: report.id,
                name: &report.name,
                component: &report.component,
                incarnation: report.incarnation,
                outcome: &report.outcome,
                lifetime: &report.lifetime,
            }),
            _ => return None,
        })
    }

    /// Keeps something that happened to a process until its end.
    fn keep(&self, process: &str, bytes: usize, name: &'static str, attributes: Vec<KeyValue>) {
        let timestamp = self.now();
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let full = logs.bytes + bytes > BYTES;
        let of = match logs.of.get_mut(process) {
            Some(of) => of,
            None => logs.of.entry(process.to_owned()).or_default(),
        };
        if full || of.events.len() >= LINES {
            of.dropped_count = of.dropped_count.saturating_add(1);
            return;
        }
        of.events
            .push(SpanEvent::new(name, timestamp, attributes, 0));
        logs.bytes += bytes;
    }

    fn take_logs(&self, process: &str) -> SpanEvents {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = logs.of.remove(process).unwrap_or_default();
        let texts = taken.events.iter().flat_map(|event| &event.attributes);
        let texts = texts.filter(|attribute| attribute.key.as_str() != "level");
        let bytes: usize = texts.map(|it| it.value.as_str().len()).sum();
        logs.bytes = logs.bytes.saturating_sub(bytes);
        taken
    }

    fn of_process(&self, ended: &Ended<'_>) -> SpanData {
        let lifetime = ended.lifetime;
        let parent = lifetime
            .spawned_by
            .map_or(self.network_span(), |parent| self.span_of(parent));
        let end = self.now();
        let mut span = self.span(
            self.span_of(ended.id),
            parent,
            ended.name,
            end - lifetime.lasted,
        );
        span.end_time = end;
        span.attributes = vec![
            KeyValue::new("transputer.network", self.network.clone()),
            KeyValue::new("transputer.component", one_line(ended.component)),
            KeyValue::new("transputer.process", number(ended.id.0)),
            KeyValue::new("transputer.incarnation", number(ended.incarnation)),
            KeyValue::new("transputer.outcome", outcome(ended.outcome)),
        ];
        if lifetime.heard_from_others > 0 {
            let others = number(lifetime.heard_from_others);
            span.attributes
                .push(KeyValue::new("transputer.messages_without_link", others));
        }
        span.status = match ended.outcome {
            Outcome::Finished | Outcome::Stopped(_) => Status::Unset,
            other => Status::error(one_line(other)),
        };
        span.events = self.take_logs(ended.name);
        let mut links = SpanLinks::default();
        links.links = lifetime.heard_from.iter().map(|it| self.link(it)).collect();
        span.links = links;
        span
    }

    fn link(&self, heard: &HeardFrom) -> Link {
        let attributes = vec![
            KeyValue::new("transputer.channel", one_line(&heard.channel)),
            KeyValue::new("transputer.messages", number(heard.messages)),
        ];
        Link::new(self.context(self.span_of(heard.process)), attributes, 0)
    }

    /// The span of the whole network, which has ended.
    pub(super) fn of_network(&self, report: &Report) -> SpanData {
        let (_, began) = self.began;
        let mut span = self.span(self.network_span(), SpanId::INVALID, &self.network, began);
        span.end_time = self.now();
        span.attributes = vec![
            KeyValue::new("transputer.network", self.network.clone()),
            KeyValue::new("transputer.processes", number(report.processes)),
            KeyValue::new("transputer.failed", number(report.failed)),
            KeyValue::new("transputer.restarts", number(report.restarts)),
            KeyValue::new("transputer.deadlocks", number(report.deadlocked)),
            KeyValue::new("transputer.sent", number(report.sent)),
            KeyValue::new("transputer.dropped", number(report.dropped)),
        ];
        span.status = match report.verdict() {
            Verdict::Succeeded | Verdict::Stopped => Status::Unset,
            Verdict::Failed => Status::error("processes did not finish"),
            Verdict::Deadlocked => Status::error("deadlock"),
        };
        span
    }

    fn span(&self, own: SpanId, parent: SpanId, name: &str, start: SystemTime) -> SpanData {
        SpanData {
            span_context: self.context(own),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: one_line(name).into(),
            start_time: start,
            end_time: start,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }

    fn context(&self, span: SpanId) -> SpanContext {
        let sampled = TraceFlags::SAMPLED;
        SpanContext::new(self.trace, span, sampled, false, TraceState::NONE)
    }

    fn network_span(&self) -> SpanId {
        SpanId::from(self.root)
    }

    fn span_of(&self, process: ProcessId) -> SpanId {
        SpanId::from(self.root.wrapping_add(process.0))
    }

    /// The time of the system, as it would be if the host's clock went with it: of a seeded run that is virtual.
    fn now(&self) -> SystemTime {
        let (clock, system) = self.began;
        system + self.host.time().saturating_sub(clock)
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::Failed(_) => "failed",
        Outcome::Trapped(_) => "trapped",
        Outcome::Killed(_) => "killed",
        Outcome::Stopped(_) => "stopped",
        _ => "ended",
    }
}

/// Numbers have a sign there.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
