//! Spans for an OpenTelemetry collector, which here is a thread of the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use assert_cmd::Command;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use predicates::prelude::*;
use predicates::str::contains;
use prost::Message as _;

use super::{network, transputer};

/// Takes spans over HTTP, as a collector does, and keeps them.
struct Collector {
    address: String,
    requests: Receiver<Request>,
}

struct Request {
    head: String,
    content: ExportTraceServiceRequest,
}

impl Collector {
    /// One that answers every request with this status and content.
    fn answering(status: &'static str, answer: ExportTraceServiceResponse) -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port that is free");
        let address = listener.local_addr().expect("it has one").to_string();
        let (tell, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let request = read(&stream);
                reply(stream, status, &answer.encode_to_vec());
                if tell.send(request).is_err() {
                    break;
                }
            }
        });
        Collector { address, requests }
    }

    fn open() -> Collector {
        Collector::answering("200 OK", ExportTraceServiceResponse::default())
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that has come, once the command has ended.
    fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter();
        let resources = requests.flat_map(|request| request.content.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a request");
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    Request {
        head,
        content: ExportTraceServiceRequest::decode(&body[..]).expect("a request of OTLP"),
    }
}

fn reply(mut stream: TcpStream, status: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The command may have given up.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn run(folder: &Path, otlp: &str, more: &[&str]) -> Command {
    let mut command = transputer();
    command
        .arg("run")
        .arg(folder)
        .arg(format!("--otlp={otlp}"))
        .args(more);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next();
    assert!(found.next().is_none(), "several spans are called {name}");
    span.unwrap_or_else(|| panic!("no span is called {name}: {spans:?}"))
}

fn attribute(attributes: &[KeyValue], key: &str) -> Value {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    let value = found.and_then(|found| found.value.clone()?.value);
    value.unwrap_or_else(|| panic!("no {key} in {attributes:?}"))
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    match attribute(attributes, key) {
        Value::StringValue(text) => text,
        other => panic!("{key} is {other:?}"),
    }
}

fn number(attributes: &[KeyValue], key: &str) -> i64 {
    match attribute(attributes, key) {
        Value::IntValue(number) => number,
        other => panic!("{key} is {other:?}"),
    }
}

/// A sender, two in a chain after it, and what they make on standard output.
const CHAIN: &str = r#"
[network]
name = "chain"

[process.count]
component = "{guest:count}"
arguments = { limit = 5 }

[process.double]
component = "{guest:double}"

[process.again]
component = "{guest:double}"

[[channel]]
name = "numbers"
from = "count.numbers"
to = "double.numbers"

[[channel]]
from = "double.doubled"
to = "again.numbers"
capacity = 8

[stdout]
from = "again.doubled"
format = "lines"
"#;

#[test]
fn each_process_is_a_span_within_that_of_its_network() {
    let folder = network(CHAIN);
    let collector = Collector::open();
    run(folder.path(), &collector.url(), &[])
        .assert()
        .success()
        .stdout("0\n4\n8\n12\n16\n");
    let requests = collector.requests();
    for request in &requests {
        assert!(
            request.head.starts_with("POST /v1/traces HTTP/1.1\r\n"),
            "{}",
            request.head
        );
        let head = request.head.to_lowercase();
        assert!(
            head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        assert!(
            head.contains(&format!("host: {}", collector.address)),
            "{head}"
        );
    }
    let resources: Vec<_> = requests
        .into_iter()
        .flat_map(|request| request.content.resource_spans)
        .collect();
    let of_all = resources[0].resource.as_ref().expect("a resource");
    assert_eq!(text(&of_all.attributes, "service.name"), "chain");
    let spans: Vec<Span> = resources
        .into_iter()
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    assert_eq!(spans.len(), 4);
    let whole = named(&spans, "chain");
    assert!(whole.parent_span_id.is_empty());
    assert_eq!(number(&whole.attributes, "transputer.processes"), 3);
    for name in ["count", "double", "again"] {
        let span = named(&spans, name);
        assert_eq!(span.trace_id, whole.trace_id);
        assert_eq!(span.parent_span_id, whole.span_id);
        assert_ne!(span.span_id, whole.span_id);
        assert_eq!(text(&span.attributes, "transputer.outcome"), "finished");
        assert!(whole.start_time_unix_nano <= span.start_time_unix_nano);
        assert!(span.start_time_unix_nano < span.end_time_unix_nano);
        assert!(span.end_time_unix_nano <= whole.end_time_unix_nano);
        assert!(span.links.is_empty(), "nobody has asked for links");
    }
}

#[test]
fn spans_are_linked_with_those_whose_messages_they_received() {
    let folder = network(CHAIN);
    let collector = Collector::open();
    run(folder.path(), &collector.url(), &["--otlp-links"])
        .assert()
        .success()
        .stdout("0\n4\n8\n12\n16\n");
    let spans = collector.spans();
    assert!(named(&spans, "count").links.is_empty());
    for (to, from, channel) in [
        ("double", "count", "numbers"),
        ("again", "double", "double.doubled -> again.numbers"),
    ] {
        let [link] = &named(&spans, to).links[..] else {
            panic!("{spans:?}");
        };
        let from = named(&spans, from);
        assert_eq!(
            (&link.span_id, &link.trace_id),
            (&from.span_id, &from.trace_id)
        );
        assert_eq!(text(&link.attributes, "transputer.channel"), channel);
        assert_eq!(number(&link.attributes, "transputer.messages"), 5);
    }
}

#[test]
fn children_are_within_their_parents_and_linked_along_their_channels() {
    let folder = network(
        "[components]\necho = \"{guest:echo}\"\n\
         [process.spawner]\ncomponent = \"{guest:spawner}\"\n\
         arguments = { length = 2, component = \"echo\" }\ngrants.spawn = [\"echo\"]\n\
         [stdin]\nto = \"spawner.lines\"\n[stdout]\nfrom = \"spawner.out\"\n",
    );
    let collector = Collector::open();
    run(folder.path(), &collector.url(), &["--otlp-links"])
        .write_stdin("one\ntwo\n")
        .assert()
        .success()
        .stdout("one\ntwo\n");
    let spans = collector.spans();
    let parent = named(&spans, "spawner");
    let (first, second) = (named(&spans, "link 0"), named(&spans, "link 1"));
    assert_eq!(first.parent_span_id, parent.span_id);
    assert_eq!(second.parent_span_id, parent.span_id);
    assert_eq!(second.links[0].span_id, first.span_id);
    assert_eq!(parent.links[0].span_id, second.span_id);
    assert_eq!(
        number(&parent.links[0].attributes, "transputer.messages"),
        2
    );
    // Those of the command itself are nobody's.
    assert!(first.links.is_empty());
}

#[test]
fn failures_and_log_lines_are_told_by_their_span() {
    let fails = network(
        "[process.fails]\ncomponent = \"{guest:returns_err}\"\narguments = { text = \"no <b>\\n\" }\n\
         [stdout]\nfrom = \"fails.out\"\n",
    );
    let collector = Collector::open();
    run(fails.path(), &collector.url(), &["--quiet"])
        .assert()
        .code(1);
    let spans = collector.spans();
    let failed = named(&spans, "fails").status.clone().expect("a status");
    assert_eq!(
        (failed.code, failed.message.as_str()),
        (2, "failed: no <b>\\n")
    );

    let talks = network(
        "[process.talks]\ncomponent = \"{guest:logs}\"\n\
         [stdout]\nfrom = \"talks.identity\"\nformat = \"json\"\n",
    );
    let collector = Collector::open();
    run(talks.path(), &collector.url(), &["--quiet"])
        .assert()
        .success();
    let spans = collector.spans();
    let lines = &named(&spans, "talks").events;
    let levels: Vec<_> = lines
        .iter()
        .map(|line| text(&line.attributes, "level"))
        .collect();
    assert_eq!(levels, ["trace", "debug", "info", "warn", "error", "info"]);
    assert_eq!(text(&lines[2].attributes, "line"), "at level info");
}

#[test]
fn a_collector_that_cannot_be_reached_or_refuses_is_no_failure_but_told() {
    let folder = network(CHAIN);
    // Nobody listens at a port that has just been given back.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port that is free");
    let address = nobody.local_addr().expect("it has one");
    drop(nobody);
    run(folder.path(), &format!("http://{address}"), &[])
        .assert()
        .success()
        .stdout("0\n4\n8\n12\n16\n")
        .stderr(contains(
            "4 spans did not reach the collector: Connection refused",
        ));

    let refusing = Collector::answering("400 Bad Request", ExportTraceServiceResponse::default());
    run(folder.path(), &refusing.url(), &["--format", "json"])
        .assert()
        .success()
        .stderr(
            contains("\"warning\":\"4 spans did not reach the collector: ").and(contains("400")),
        );

    let partly = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too many".to_owned(),
        }),
    };
    let partly = Collector::answering("200 OK", partly);
    run(folder.path(), &partly.url(), &[])
        .assert()
        .success()
        .stderr(contains("the collector has refused 2 spans: too many"));
}

#[test]
fn where_the_collector_is_can_be_told_by_the_usual_variables() {
    let folder = network(CHAIN);
    let collector = Collector::open();
    let mut command = transputer();
    command
        .arg("run")
        .arg("--otlp")
        .arg(folder.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
        .env("OTEL_SERVICE_NAME", "shop")
        .assert()
        .success();
    let requests = collector.requests();
    assert!(
        requests[0].head.contains("api-key: secret\r\n"),
        "{}",
        requests[0].head
    );
    let of_all = requests[0].content.resource_spans[0].resource.as_ref();
    let of_all = &of_all.expect("a resource").attributes;
    assert_eq!(text(of_all, "service.name"), "shop");

    run(folder.path(), "https://collector.example", &[])
        .assert()
        .code(2)
        .stderr(contains("http:// only"));
    run(folder.path(), "no address", &[])
        .assert()
        .code(2)
        .stderr(contains("no address"));
    transputer()
        .args(["run", "--otlp-links"])
        .assert()
        .code(2)
        .stderr(contains("--otlp"));
}
