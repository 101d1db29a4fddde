//! Requests to a collector, by HTTP without TLS.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::net::TcpStream;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of an answer.
const ANSWER: usize = 64 << 10;

/// Sends requests, each over a connection of its own, and remembers what went wrong.
#[derive(Debug, Default)]
pub(super) struct Client(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Why the last request was not answered.
    failure: Option<String>,
    /// Spans that the collector has refused although it took the others, and why.
    refused: u64,
    why: String,
}

impl Client {
    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the last request was not answered, if it was not.
    pub(super) fn failure(&self) -> Option<String> {
        self.told().failure.clone()
    }

    /// How many spans the collector has refused although it took the others, and why.
    pub(super) fn refused(&self) -> (u64, String) {
        let told = self.told();
        (told.refused, told.why.clone())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = tokio::time::timeout(PATIENCE, post(request)).await;
        let sent = sent.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in {PATIENCE:?}")));
        let mut told = self.told();
        match sent {
            Ok(response) => {
                told.failure = None;
                let answer = ExportTraceServiceResponse::decode(response.body().clone());
                if let Some(partly) = answer.ok().and_then(|answer| answer.partial_success) {
                    told.refused += u64::try_from(partly.rejected_spans).unwrap_or(0);
                    told.why = partly.error_message;
                }
                Ok(response)
            }
            Err(error) => {
                let text = format!("{error:#}");
                told.failure = Some(text.clone());
                Err(text.into())
            }
        }
    }
}

async fn post(mut request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
    let uri = request.uri().clone();
    let authority = uri
        .authority()
        .context("the collector's address has no host")?;
    let host = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(80);
    request
        .headers_mut()
        .insert(HOST, authority.as_str().parse()?);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse()?;
    let stream = TcpStream::connect((host, port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with the runtime.
    drop(tokio::spawn(connection));
    let response = sender.send_request(request.map(Full::new)).await?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer: {error}"))?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}
