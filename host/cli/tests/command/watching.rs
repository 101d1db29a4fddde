//! A running network, watched: the live page, metrics, `ps`, and pictures.

use std::process::Command;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use super::exploring::STUCK;
use super::page::Page;
use super::raw::put_guest;
use super::{network, transputer};

/// A fast sender, and a reader that computes over each message.
const HELD_UP: &str = r#"
[process.source]
component = "{guest:count}"
arguments = { limit = 1000000000 }

[process.slow]
component = "labours.wasm"

[[channel]]
from = "source.numbers"
to = "slow.numbers"
capacity = 16
"#;

fn held_up() -> tempfile::TempDir {
    let folder = network(HELD_UP);
    put_guest(folder.path(), "labours");
    folder
}

fn named<'v>(list: &'v Value, key: &str, name: &str) -> &'v Value {
    let mut items = list.as_array().expect("a list").iter();
    let found = items.find(|item| item[key] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn the_page_tells_what_everybody_does_and_marks_the_bottleneck() {
    let folder = held_up();
    let page = Page::of(folder.path(), &[]);
    // A look sees one thing after the other, while they go on.
    let look = page.wait_for(|look| {
        let found = |list: &str, index: usize, key: &str| look[list][index][key].clone();
        found("bottlenecks", 0, "label").is_string()
            && found("processes", 0, "state") == "waiting"
            && found("processes", 1, "state") == "running"
            && found("channels", 0, "waiting") == 16
    });
    let channel = "source.numbers -> slow.numbers";
    assert_eq!(look["bottlenecks"][0]["label"], channel);
    assert_eq!(look["bottlenecks"][0]["reader"], "slow");
    let (source, slow) = (
        named(&look["processes"], "name", "source"),
        named(&look["processes"], "name", "slow"),
    );
    assert_eq!(source["state"], "waiting");
    assert_eq!(source["waits"][0]["operation"], "send");
    assert_eq!(source["waits"][0]["port"], "numbers");
    assert_eq!(source["waits"][0]["with"][0], "slow");
    assert_eq!(slow["state"], "running");
    assert!(
        slow["cpu_seconds"].as_f64() > source["cpu_seconds"].as_f64(),
        "{look}"
    );
    assert!(slow["memory"].as_u64() >= Some(2 * 65_536), "{slow}");
    let channel = named(&look["channels"], "label", channel);
    assert_eq!(
        (&channel["capacity"], &channel["waiting"]),
        (&16.into(), &16.into())
    );
    // What has been sent has been received, or waits.
    let sent = source["sent"].as_u64().expect("a number");
    let received = slow["received"].as_u64().expect("a number");
    assert!(received >= 1 && sent >= received, "{source} {slow}");
    let picture = &look["picture"];
    assert_eq!(picture["boxes"].as_array().map(Vec::len), Some(2));
    assert_eq!(picture["arrows"][0]["channels"][0], channel["id"]);
    // The last minutes are kept.
    let history = page.get("/api/history");
    let history: Vec<Value> = serde_json::from_str(&history.body).expect("a list");
    let first = history[0]["at"].as_u64().expect("a time");
    let then = page.get(&format!("/api/then?at={first}"));
    let then: Value = serde_json::from_str(&then.body).expect("JSON");
    assert_eq!(then["at"], first);
}

#[test]
fn the_page_is_whole_without_the_network_of_networks() {
    let folder = held_up();
    let page = Page::of(folder.path(), &[]);
    for (path, kind) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/format.js", "text/javascript"),
        ("/picture.js", "text/javascript"),
        ("/tables.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = page.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.head.contains(&format!("content-type: {kind}")),
            "{}",
            answer.head
        );
        assert!(
            answer
                .head
                .contains("content-security-policy: default-src 'none'"),
            "{}",
            answer.head
        );
        let outside = answer.body.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !outside.contains("http:") && !outside.contains("https:"),
            "{path}"
        );
        for unsafe_way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!answer.body.contains(unsafe_way), "{path}: {unsafe_way}");
        }
    }
    assert_eq!(page.get("/nothing").status, 404);
    assert_eq!(page.get("/api/then").status, 400);
}

#[test]
fn foreign_hosts_and_origins_and_anything_but_reading_are_refused() {
    let folder = held_up();
    let page = Page::of(folder.path(), &[]);
    let own = format!("Host: {}\r\n", page.host());
    assert_eq!(
        page.request("GET", "/api/now", "Host: evil.example\r\n")
            .status,
        403
    );
    assert_eq!(
        page.request(
            "GET",
            "/api/now",
            &format!("{own}Origin: http://evil.example\r\n")
        )
        .status,
        403
    );
    assert_eq!(
        page.request("GET", "/metrics", "Host: localhost:1\r\n")
            .status,
        403
    );
    let posted = page.request("POST", "/api/now", &format!("{own}Content-Length: 0\r\n"));
    assert_eq!(posted.status, 405);
    assert!(posted.head.contains("allow: get, head"), "{}", posted.head);
    assert_eq!(page.request("HEAD", "/", &own).body, "");
    let origin = format!("{own}Origin: http://{}\r\n", page.host());
    assert_eq!(page.request("GET", "/", &origin).status, 200);
}

#[test]
fn an_address_that_others_reach_needs_the_token() {
    let folder = held_up();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transputer"));
    command
        .arg("run")
        .arg(folder.path())
        .args(["--http", "0.0.0.0:0"]);
    let page = Page::serve(command);
    let (_, token) = page.link.split_once("?token=").expect("a token");
    assert!(token.len() >= 32, "{token}");
    let own = format!("Host: {}\r\n", page.host());
    for path in ["/", "/api/now", "/metrics", "/?token=wrong"] {
        assert_eq!(page.get(path).status, 401, "{path}");
    }
    let moved = page.get(&format!("/?token={token}"));
    assert_eq!(moved.status, 303);
    assert!(
        moved.head.contains("httponly") && moved.head.contains("samesite=strict"),
        "{}",
        moved.head
    );
    assert!(
        moved.head.contains("location: /\r\n") || moved.head.ends_with("location: /"),
        "{}",
        moved.head
    );
    let with = |header: String| {
        page.request("GET", "/", &format!("{own}{header}\r\n"))
            .status
    };
    assert_eq!(with(format!("Cookie: transputer-token={token}")), 200);
    assert_eq!(with(format!("Authorization: Bearer {token}")), 200);
    assert_eq!(
        with(format!("Cookie: transputer-token={}", "0".repeat(32))),
        401
    );
}

#[test]
fn metrics_are_in_prometheus_form() {
    let folder = held_up();
    let page = Page::of(folder.path(), &[]);
    page.wait_for(|look| look["totals"]["sent"].as_u64() > Some(16));
    let answer = page.get("/metrics");
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        answer.head
    );
    let value = |series: &str| -> f64 {
        let line = answer
            .body
            .lines()
            .find_map(|line| line.strip_prefix(series));
        let line = line.unwrap_or_else(|| panic!("no {series} in {}", answer.body));
        line.trim().parse().expect("a number")
    };
    let network = folder
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert_eq!(
        value(&format!("transputer_processes{{network=\"{network}\"}}")),
        2.0
    );
    let source = format!("{{network=\"{network}\",process=\"source\",component=");
    let line = answer
        .body
        .lines()
        .find(|line| line.starts_with(&format!("transputer_process_messages_sent_total{source}")));
    assert!(line.is_some(), "{}", answer.body);
    assert!(
        answer
            .body
            .contains("# TYPE transputer_channel_full_ratio gauge")
    );
    assert!(
        answer
            .body
            .contains("channel=\"source.numbers -> slow.numbers\",id=\"")
    );
}

/// Who has the page open when the network ends in a deadlock sees who was stuck.
#[test]
fn a_deadlock_stays_on_the_page_as_its_cycle() {
    let folder = network(STUCK);
    let page = Page::of(folder.path(), &["--stay"]);
    let look = page.wait_for(|look| look["ended"].is_string());
    assert_eq!(look["ended"], "ended in a deadlock");
    let deadlock = &look["deadlocks"][0];
    assert_eq!(deadlock["size"], 2);
    let mut cycle: Vec<&str> = deadlock["cycle"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    cycle.sort_unstable();
    assert_eq!(cycle, ["first", "second"]);
    assert_eq!(look["stuck"].as_array().map(Vec::len), Some(2), "{look}");
    assert_eq!(
        named(&look["processes"], "name", "first")["state"],
        "waiting"
    );
    assert_eq!(look["picture"]["arrows"].as_array().map(Vec::len), Some(2));
    let told = look["events"].as_array().expect("a list");
    assert!(
        told.iter().any(|event| event["text"]
            .as_str()
            .is_some_and(|text| text.contains("deadlock of 2 processes"))),
        "{told:?}"
    );
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = held_up();
    transputer()
        .arg("run")
        .arg(folder.path())
        .args(["--http", &address])
        .assert()
        .code(4)
        .stderr(contains(format!("cannot serve the page at {address}")).and(contains("in use")));
    transputer()
        .args(["run", "--http", "nonsense"])
        .assert()
        .code(2)
        .stderr(contains("expected a port, or an address and a port"));
    transputer()
        .args(["run", "--stay"])
        .assert()
        .code(2)
        .stderr(contains("--http"));
}

#[cfg(unix)]
#[test]
fn ps_finds_what_runs_by_sockets_that_are_the_users_alone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let runtime = tempfile::tempdir().expect("a folder");
    let sockets = runtime.path().join("sockets");
    let folder = held_up();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transputer"));
    command
        .arg("run")
        .arg(folder.path())
        .args(["--http", "127.0.0.1:0"]);
    command.env("TRANSPUTER_RUNTIME", &sockets);
    let page = Page::serve(command);
    page.wait_for(|look| look["totals"]["living"] == 2);
    assert_eq!(
        std::fs::metadata(&sockets).expect("a folder").mode() & 0o777,
        0o700
    );

    let ps = |arguments: &[&str]| {
        let mut command = transputer();
        command
            .arg("ps")
            .args(arguments)
            .env("TRANSPUTER_RUNTIME", &sockets);
        command
    };
    let pid = page.child.id().to_string();
    let output = ps(&["--json"]).output().expect("it runs");
    let networks: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(networks[0]["pid"], page.child.id());
    assert_eq!(
        named(&networks[0]["processes"], "name", "source")["component"],
        named(&networks[0]["processes"], "name", "source")["component"]
    );
    ps(&[&pid]).assert().success().stdout(
        contains("COMMAND")
            .and(contains("slow"))
            .and(contains("source")),
    );
    ps(&["nobody"])
        .assert()
        .code(2)
        .stderr(contains("no network \"nobody\" runs here"));

    // A command that is killed leaves its socket, which the next `ps` removes.
    drop(page);
    let left = sockets.join(format!("{pid}.sock"));
    assert!(left.exists());
    ps(&[])
        .assert()
        .success()
        .stdout("")
        .stderr(contains("no network runs here"));
    assert!(!left.exists());

    // A folder that others can get into is not used.
    std::fs::set_permissions(&sockets, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    ps(&[])
        .assert()
        .code(4)
        .stderr(contains("not a folder that is this user's alone"));
}

/// The picture in the repository's README is the one that the command draws.
#[test]
fn the_readme_shows_an_example_as_it_is_drawn() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("a README");
    let mut command = transputer();
    command.arg("graph").arg(root.join("examples/supervised"));
    let output = command.output().expect("it runs");
    let drawn = String::from_utf8(output.stdout).expect("text");
    assert!(
        readme.contains(&format!("```mermaid\n{drawn}```\n")),
        "{drawn}"
    );
}

#[test]
fn a_network_is_drawn_in_three_languages() {
    let folder = network(
        "[process.a]\ncomponent = \"{guest:double}\"\n\
         [process.z]\ncomponent = \"{guest:double}\"\nrestart = \"on-failure\"\n\
         [stdin]\nto = \"a.numbers\"\nformat = \"cbor\"\n\
         [[channel]]\nname = \"a<b>\\\"&'\"\nfrom = \"a.doubled\"\nto = \"z.numbers\"\ncapacity = 8\n\
         [stdout]\nfrom = \"z.doubled\"\n",
    );
    let graph = |language: &str| {
        let mut command = transputer();
        let output = command
            .arg("graph")
            .arg(folder.path())
            .args(["--as", language])
            .output();
        let output = output.expect("it runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    let mermaid = graph("mermaid");
    assert!(mermaid.starts_with("flowchart LR\n"), "{mermaid}");
    let label = "a#60;b#62;#34;#38;#39; · u64 · 8";
    assert!(
        mermaid.contains(&format!("n0 -->|\"{label}\"| n1")),
        "{mermaid}"
    );
    let dot = graph("dot");
    assert!(
        dot.contains("n0 -> n1 [label=\"a<b>\\\"&' · u64 · 8\"];"),
        "{dot}"
    );
    let svg = graph("svg");
    assert!(svg.starts_with("<svg xmlns="), "{svg}");
    assert!(
        svg.contains("a&lt;b&gt;&quot;&amp;&#39;") && !svg.contains("a<b>"),
        "{svg}"
    );
    assert!(
        svg.contains("restarts on-failure") && svg.contains("u64 · 8"),
        "{svg}"
    );
}
