//! What the libraries log by `tracing`, on stderr, for whoever asks by `RUST_LOG`.

use std::fmt;

use anstyle::Style;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Registry};

use crate::line::Line;
use crate::stderr;
use crate::terminal::{self, DIM, ERROR, GOOD, WARNING};

/// The variable that says what is logged.
const VARIABLE: &str = "RUST_LOG";

/// Log lines of processes are events of the network, which are printed anyway.
const PROCESSES: &str = "transputer::process";

/// Prints what `RUST_LOG` asks for, from now on. Whoever has brought the command along may have a
/// subscriber already: then that one is told.
pub(crate) fn subscribe() {
    let Some(wanted) = std::env::var(VARIABLE)
        .ok()
        .filter(|wanted| !wanted.is_empty())
    else {
        return;
    };
    let filter = match EnvFilter::try_new(&wanted) {
        Ok(filter) => filter,
        Err(error) => {
            terminal::warning(format_args!("{VARIABLE} is not understood: {error}"));
            return;
        }
    };
    let subscriber = Registry::default().with(filter).with(Printer);
    // An error means that there is one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct Printer;

impl<S: Subscriber> Layer<S> for Printer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() == PROCESSES {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = metadata.level().to_string().to_lowercase();
        if stderr::is_json() {
            let log = json!({
                "level": level,
                "target": metadata.target(),
                "message": fields.message,
                "fields": fields.others,
            });
            return terminal::print_json(&json!({ "trace": log }));
        }
        let mut text = fields.message;
        for (name, value) in fields.others {
            text.push_str(&format!(" {name}={value}"));
        }
        let line = Line::new()
            .styled(style(*metadata.level()), level)
            .text(" ");
        stderr::print_event(&line.styled(DIM, metadata.target()).text(": ").text(text));
    }
}

fn style(level: Level) -> Style {
    match level {
        Level::ERROR => ERROR,
        Level::WARN => WARNING,
        Level::INFO => GOOD,
        _ => DIM,
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => {
                self.others.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}
