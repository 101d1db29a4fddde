//! Files that are not processes: each gets an error of its own that says what to do.

use std::borrow::Cow;

use transputer::{CacheFolder, ChannelOptions, HostOptions, Outcome, Report, Verdict};
use transputer_tests::{
    guest, guest_file, guest_of, guest_that_imports, host, input, new_host, output,
};
use wasm_encoder::{ComponentSection, CustomSection};

fn refusal(bytes: &[u8]) -> String {
    let result = host().component_from_bytes("plugin.wasm", bytes);
    let error = result.expect_err("it is refused").to_string();
    assert!(error.starts_with("plugin.wasm: "), "{error}");
    error
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is valid")
}

/// A real guest's bytes.
fn real() -> Vec<u8> {
    std::fs::read(guest_file("double")).expect("it is readable")
}

fn with_section(mut component: Vec<u8>, contents: &[u8]) -> Vec<u8> {
    CustomSection {
        name: Cow::Borrowed("transputer:signature"),
        data: Cow::Borrowed(contents),
    }
    .append_to_component(&mut component);
    component
}

#[test]
fn a_missing_file_is_named() {
    let error = host()
        .component("no/such/file.wasm")
        .expect_err("it is not there");
    assert!(
        error
            .to_string()
            .starts_with("cannot read no/such/file.wasm: "),
        "{error}"
    );
}

#[test]
fn what_is_not_wasm_is_shown() {
    let error = refusal(b"#!/bin/sh\necho hello\n");
    assert!(error.contains("not a WebAssembly file"), "{error}");
    assert!(error.contains("`#!/bin/s`"), "{error}");
    assert!(refusal(b"").contains("empty"));
}

#[test]
fn a_core_module_is_told_from_a_component() {
    let error = refusal(&component("(module (func (export \"run\")))"));
    assert!(
        error.contains("a core WebAssembly module, not a component"),
        "{error}"
    );
    assert!(error.contains("wasm32-wasip2"), "{error}");
}

#[test]
fn a_component_of_another_world_lacks_run() {
    let error = refusal(&component("(component)"));
    assert!(error.contains("lacks the export `run`"), "{error}");
}

#[test]
fn every_import_that_is_lacking_is_named() {
    let error = refusal(&component(
        r#"(component
            (import "acme:store/read@1.0.0" (instance (export "get" (func))))
            (import "acme:store/write@1.0.0" (instance))
            (import "wasi:clocks/wall-clock@0.2.0" (instance)))"#,
    ));
    assert!(
        error.contains("`acme:store/read@1.0.0`, `acme:store/write@1.0.0`"),
        "{error}"
    );
    assert!(!error.contains("wall-clock"), "{error}");
}

/// A process that imports an interface of WASI which the host does not offer, and does this.
fn with_http(does: &str) -> Report {
    let package = "package wasi:http@0.2.10;
        interface types {
            resource fields { constructor(); }
            handle: func(fields: borrow<fields>) -> result<fields>;
        }";
    let bytes = guest_that_imports(
        "wasi:http/types@0.2.10",
        package,
        r#"(import "wasi:http/types@0.2.10" "[constructor]fields" (func $fields (result i32)))"#,
        &format!(
            r#"(@custom "transputer:signature" "{{\"version\":1,\"process\":\"asks\"}}")
            (func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32) {does} (i32.const 0))"#
        ),
    );
    let mut network = host().network("http");
    let component = host().component_from_bytes("asks.wasm", &bytes);
    network.process("asks", &component.expect("it may import it"));
    network.start().expect("it starts").wait()
}

#[test]
fn what_wasi_has_and_the_host_does_not_offer_may_be_imported() {
    assert_eq!(with_http("").verdict(), Verdict::Succeeded);
}

#[test]
fn calling_what_the_host_does_not_offer_is_a_trap_that_names_it() {
    let report = with_http("(drop (call $fields))");
    let Outcome::Trapped(trap) = &report.failures[0].outcome else {
        panic!("{report:?}");
    };
    let named = "`wasi:http/types@0.2.10#[constructor]fields`, which this host does not offer";
    assert!(trap.reason.contains(named), "{trap:?}");
}

#[test]
fn a_function_that_is_lacking_in_a_known_interface_is_named() {
    let error = refusal(&component(
        r#"(component
            (import "transputer:csp/channel@0.1.0" (instance (export "teleport" (func)))))"#,
    ));
    assert!(error.contains("teleport"), "{error}");
}

#[test]
fn every_truncation_is_refused_and_none_panics() {
    let whole = real();
    let step = whole.len() / 97;
    for end in (0..whole.len()).step_by(step) {
        refusal(&whole[..end]);
    }
    refusal(&whole[..whole.len() - 1]);
}

#[test]
fn a_process_without_a_signature_is_told_how_to_get_one() {
    let mut stripped = real();
    // The section is found by its name: with another one, there is none.
    let name = b"transputer:signature";
    let at = stripped
        .windows(name.len())
        .position(|window| window == name)
        .expect("the SDK adds a signature");
    stripped[at] = b'T';
    let error = refusal(&stripped);
    assert!(error.contains("carries no signature"), "{error}");
}

#[test]
fn a_broken_signature_is_refused() {
    for contents in [&b"\xff\xfe"[..], b"{", b"{\"version\":7}", b"[]"] {
        let error = refusal(&with_section(real(), contents));
        assert!(error.contains("signature"), "{error}");
    }
}

#[test]
fn wiring_that_does_not_fit_names_both_sides() {
    let mut network = host().network("misfit");
    network.process("echo", &guest("echo"));
    network.process("double", &guest("double"));
    let options = ChannelOptions::rendezvous();
    let mut refused = |from: &str, to: &str| {
        let error = network
            .connect(from, to, options)
            .expect_err("it does not fit");
        error.to_string()
    };
    let types = refused("echo.out", "double.numbers");
    assert!(types.contains("`echo.out` carries `list<u8>`"), "{types}");
    assert!(types.contains("`double.numbers` carries `u64`"), "{types}");
    let direction = refused("double.numbers", "echo.lines");
    assert!(
        direction.contains("is an input, not an output"),
        "{direction}"
    );
    let port = refused("double.doubles", "echo.lines");
    assert!(
        port.contains("no port `doubles`") && port.contains("doubled"),
        "{port}"
    );
    let process = refused("triple.out", "echo.lines");
    assert!(process.contains("no process `triple`"), "{process}");
    let shape = refused("double", "echo.lines");
    assert!(shape.contains("process.port"), "{shape}");
}

#[test]
fn what_is_missing_at_the_start_is_listed_at_once() {
    let mut network = host().network("unfinished");
    network
        .process("count", &guest("count"))
        .argument("limt", 3);
    network.process("double", &guest("double"));
    let error = network.start().expect_err("it is not complete").to_string();
    for missing in [
        "no argument `limt`",
        "lacks its argument `limit: u64`",
        "output port `count.numbers` is not wired",
        "input port `double.numbers` is not wired",
        "output port `double.doubled` is not wired",
    ] {
        assert!(error.contains(missing), "{missing}: {error}");
    }
}

#[test]
fn an_argument_of_the_wrong_type_is_refused() {
    let mut network = host().network("mistyped");
    network
        .process("count", &guest("count"))
        .argument("limit", "many");
    let _numbers = output(&mut network, "count.numbers");
    let error = network.start().expect_err("it does not fit").to_string();
    assert!(
        error.contains("`limit`") && error.contains("`u64`"),
        "{error}"
    );
}

#[test]
fn a_port_wired_twice_is_refused() {
    let mut network = host().network("twice");
    network.process("double", &guest("double"));
    let _first = input(&mut network, "double.numbers");
    let second = network.input("double.numbers", ChannelOptions::rendezvous());
    let error = second.expect_err("it is wired already").to_string();
    assert!(error.contains("wired twice"), "{error}");
}

#[test]
fn compiled_code_is_cached_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || {
        HostOptions::default()
            .cache(CacheFolder::At(folder.path().to_owned()))
            .max_processes(10)
    };
    let first = new_host(options());
    guest_of(&first, "double");
    assert_eq!(first.cache_use().0, 0, "nothing can be in an empty cache");
    assert!(first.cache_use().1 > 0);
    let second = new_host(options());
    guest_of(&second, "double");
    assert_eq!(second.cache_use().1, 0, "nothing is compiled twice");
    assert!(second.cache_use().0 > 0);
}

#[test]
fn over_capacity_the_start_fails_and_nothing_is_left_running() {
    let small = new_host(HostOptions::default().max_processes(3));
    let parks = guest_of(&small, "parks");
    let mut network = small.network("crowd");
    let mut inputs = Vec::new();
    for number in 0..4 {
        network.process(&format!("parks-{number}"), &parks);
        inputs.push(input(&mut network, &format!("parks-{number}.input")));
    }
    let error = network.start().expect_err("there is no room").to_string();
    assert!(error.contains("4 are to start"), "{error}");
    assert!(error.contains("`max_processes` = 3"), "{error}");
    assert_eq!(small.running_processes(), 0);
}

#[test]
fn more_processes_than_the_kernel_has_mappings_for_are_refused_by_name() {
    let options = HostOptions::default().max_processes(u32::MAX / 8);
    let error = transputer::Host::new(options).expect_err("no machine has room for so many");
    let error = error.to_string();
    assert!(error.contains("processes"), "{error}");
    assert!(error.contains("`max_processes`"), "{error}");
}

#[test]
fn several_processes_share_a_component() {
    let host = host();
    let file = guest_file("several");
    let one = |process: &str| host.component(format!("{}:{process}", file.display()));
    let numbers = one("numbers").expect("it has this process");
    assert_eq!(numbers.signature().process, "numbers");
    let doubles = numbers.process("doubles").expect("and this one");
    assert!(!numbers.runs_the_same_as(&doubles));
    assert!(doubles.runs_the_same_as(&numbers.process("doubles").expect("again")));
    let mut network = host.network("several");
    network.process("numbers", &numbers).argument("count", 3);
    network.process("doubles", &doubles);
    let asks = numbers.process("asks").expect("and this one");
    network
        .process("asks", &asks)
        .argument("number", 21)
        .may_spawn("doubles", &doubles);
    let options = ChannelOptions::rendezvous();
    network
        .connect("numbers.numbers", "doubles.numbers", options)
        .expect("they fit");
    let doubled = output(&mut network, "doubles.doubled");
    let answer = output(&mut network, "asks.answer");
    let running = network.start().expect("it starts");
    let received: Vec<u64> = (0..3)
        .map(|_| doubled.receive_value().expect("a number"))
        .collect();
    assert_eq!(received, [0, 2, 4]);
    assert_eq!(answer.receive_value::<u64>().expect("an answer"), 42);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

#[test]
fn which_of_several_processes_is_said_or_asked_for() {
    let file = guest_file("several");
    let error = |path: String| {
        host()
            .component(path)
            .expect_err("it is refused")
            .to_string()
    };
    let all = error(file.display().to_string());
    assert!(all.contains("it has several processes, `"), "{all}");
    for process in ["numbers", "doubles", "asks"] {
        assert!(all.contains(&format!("`{process}`")), "{all}");
    }
    let none = error(format!("{}:halves", file.display()));
    assert!(
        none.contains("it has no process `halves`; it has `"),
        "{none}"
    );
    let bytes = std::fs::read(&file).expect("it is readable");
    let named = host().component_from_bytes("plugin:doubles", &bytes);
    assert_eq!(named.expect("it has one").signature().process, "doubles");
    // A colon in the name of a component that has one process means nothing.
    let bytes = real();
    let named = host().component_from_bytes("plugin:3", &bytes);
    assert_eq!(named.expect("it has one").signature().process, "double");
}
