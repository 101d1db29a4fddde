//! A running network, for those who watch it: the live page, `transputer top`, `ps`, and Prometheus.
//!
//! ```text
//! view       what is shown: a look at the network, with rates, and what holds it up
//! rates      what changes between two looks, and how full channels were of late
//! history    the last minutes of it
//! events     the last things that happened
//! boxes      the picture of it: who is drawn, and where
//! sampler    the thread that looks
//! metrics    the same numbers for Prometheus
//! http       the page, and who may see it
//! socket     one look for whoever connects: `top` and `ps`
//! runtime    where sockets lie
//! client     looks at networks of other commands
//! screen     what `top` draws
//! numbers    how numbers are written
//! ```
//!
//! Everything here only reads. A look is paid by whoever asks for it; only with `--http` somebody looks
//! all the time, about once a second, and less often where a look takes long. Text of guests is made
//! printable before it is kept, and is nobody's markup: it leaves as JSON, or as a label of a metric.

mod boxes;
#[cfg(unix)]
pub(crate) mod client;
mod events;
mod history;
mod http;
mod metrics;
#[cfg(unix)]
pub(crate) mod numbers;
mod rates;
#[cfg(unix)]
mod runtime;
mod sampler;
#[cfg(unix)]
pub(crate) mod screen;
#[cfg(unix)]
mod socket;
pub(crate) mod view;

use std::sync::Arc;

use serde_json::json;
use transputer::{Event, Report, Running};

pub(crate) use http::Address;
use sampler::Sampler;

use crate::line::Line;
use crate::stderr;
use crate::terminal;

/// How a network can be watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Where the page is served.
    pub(crate) http: Option<Address>,
    /// Whether the page stays when the network has ended.
    pub(crate) stay: bool,
    /// Whether `top` and `ps` find it.
    pub(crate) socket: bool,
}

/// A network that can be watched.
pub(crate) struct Watching {
    sampler: Arc<Sampler>,
    http: Option<http::Server>,
    #[cfg(unix)]
    _socket: Option<socket::Socket>,
    stay: bool,
}

impl Watching {
    /// Opens what is asked for, before the network runs, and says where the page is.
    ///
    /// # Errors
    /// If the address cannot be had. It is not an error if no socket can be made: nobody may ever ask for one.
    pub(crate) fn open(options: Options) -> anyhow::Result<Watching> {
        let sampler = Arc::new(Sampler::new(options.http.is_some()));
        let http = match &options.http {
            Some(address) => {
                let server = http::Server::open(address, &sampler)?;
                say(&server.link());
                Some(server)
            }
            None => None,
        };
        Ok(Watching {
            #[cfg(unix)]
            _socket: options
                .socket
                .then(|| socket::Socket::open(&sampler))
                .flatten(),
            sampler,
            http,
            stay: options.stay,
        })
    }

    /// What is told of events. Called by workers, so it is quick.
    pub(crate) fn listener(&self) -> impl Fn(&Event) + Send + Sync + use<> {
        let sampler = self.sampler.clone();
        move |event| sampler.note(event)
    }

    /// Begins to look at the network.
    pub(crate) fn start(&self, running: &Running) {
        self.sampler.start(running);
    }

    /// Shows the end to those who watch. Returns when they have seen it or, if the page is to stay,
    /// when `until` does.
    pub(crate) fn end(self, report: &Report, until: impl FnOnce()) {
        self.sampler.end(report);
        if let Some(http) = &self.http {
            if self.stay {
                terminal::note("the network has ended; the page stays until Ctrl-C");
                until();
            } else {
                http.wait_until_seen();
            }
        }
    }
}

/// Says where the page is.
fn say(link: &str) {
    if stderr::is_json() {
        return terminal::print_json(&json!({ "page": link }));
    }
    terminal::note_line(&Line::new().text("the page is at ").name(link));
}
