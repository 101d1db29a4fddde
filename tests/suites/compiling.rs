//! What may be compiled is bounded, and compiling does not hold up what runs.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use transputer::{CacheFolder, CompileLimits, ComponentFault, Error, Host, HostOptions};
use transputer_tests::{
    Kit, StringEncoding, guest_file, guest_of, guest_of_fields, input, new_host, output,
};

/// The rest of a guest.
const RUN: &str =
    "(@custom \"transputer:signature\" \"{\\\"version\\\":1,\\\"process\\\":\\\"costly\\\"}\")
    (func (export \"run\") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))";

fn component(fields: &str) -> Vec<u8> {
    guest_of_fields(
        &format!("{RUN}{fields}"),
        Kit::Ordinary,
        StringEncoding::UTF8,
    )
    .expect("a component")
}

/// One function with so many variables and loops, of which each sets some.
fn variables(variables: u32, loops: u32) -> String {
    let mut body = String::new();
    for number in 0..loops {
        let (one, other) = (number % variables + 1, number * 7 % variables + 1);
        let _ = write!(
            body,
            "(loop (br_if 0 (local.get {one})) \
             (local.set {one} (i32.add (local.get {other}) (i32.const 1))))"
        );
    }
    let types = "i32 ".repeat(variables as usize);
    format!("(func (param i32) (local {types}) (loop $l {body} (br_if $l (local.get 0))))")
}

/// So many blocks in each other, and a table of branches to each of them.
fn branches(depth: u32) -> String {
    let targets: String = (0..depth).map(|target| format!("{target} ")).collect();
    let (begin, end) = ("(block ".repeat(depth as usize), ")".repeat(depth as usize));
    format!("(func (param i32) {begin}(br_table {targets} (local.get 0)){end})")
}

/// So many loops in each other, and variables that all of them carry.
fn nested_loops(variables: u32, depth: u32) -> String {
    let mut body = String::new();
    for number in 0..variables {
        let (one, other) = (number + 1, number * 31 % variables + 1);
        let _ = write!(
            body,
            "(local.set {one} (i64.add (local.get {one}) (local.get {other})))"
        );
    }
    let types = "i64 ".repeat(variables as usize);
    let (begin, end) = (
        "(loop ".repeat(depth as usize),
        "(br_if 0 (local.get 0)))".repeat(depth as usize),
    );
    format!("(func (param i32) (local {types}) {begin}{body}{end})")
}

fn host(limits: CompileLimits) -> Host {
    let options = HostOptions::default()
        .max_processes(16)
        .cache(CacheFolder::Off);
    new_host(options.compile_limits(limits))
}

fn refusal(host: &Host, bytes: &[u8]) -> String {
    match host.component_from_bytes("costly", bytes) {
        Err(Error::Component {
            fault: ComponentFault::TooCostly(why),
            ..
        }) => why,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was compiled"),
    }
}

/// Each of these, of 30 to 100 KB, took a compiler more than 30 seconds, or a gigabyte, or both.
#[test]
fn what_would_take_long_is_refused_before_it_is_compiled() {
    let host = host(CompileLimits::default());
    for fields in [
        variables(3_000, 3_000),
        branches(20_000),
        nested_loops(2_000, 2_000),
    ] {
        let why = refusal(&host, &component(&fields));
        assert!(why.contains("units of work in its function"), "{why}");
    }
}

#[test]
fn each_limit_holds_and_is_named() {
    let small = component("");
    let limits = CompileLimits::default();
    for (limits, named) in [
        (limits.bytes(1_000), "bytes"),
        (limits.functions(2), "functions"),
        (limits.function_work(3), "units of work in its function"),
        (limits.work(20), "units of work in all of its functions"),
    ] {
        let why = refusal(&host(limits), &small);
        assert!(why.contains(named), "{why}");
    }
    let path = guest_file("echo");
    match host(limits.bytes(1_000)).component(path) {
        Err(Error::Component {
            fault: ComponentFault::TooCostly(_),
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

/// What has no end, or does not say how long it is, is read as far as the limit and no further.
#[cfg(target_os = "linux")]
#[test]
fn a_file_without_end_is_refused_at_the_limit() {
    let limits = CompileLimits::default().bytes(1 << 20);
    let refused = |path: &Path| match host(limits).component(path) {
        Err(Error::Component {
            fault: ComponentFault::TooCostly(why),
            ..
        }) => assert!(why.contains("more than 1048576 bytes"), "{why}"),
        other => panic!("{other:?}"),
    };
    refused("/dev/zero".as_ref());
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let writes = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut pipe = File::create(pipe).expect("somebody reads it");
            while pipe.write_all(&[0; 4_096]).is_ok() {}
        }
    });
    refused(&pipe);
    writes.join().expect("nobody reads it any more");
}

/// A component can come through a pipe.
#[cfg(target_os = "linux")]
#[test]
fn a_component_is_read_from_a_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let writes = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, component(""))
    });
    let read = host(CompileLimits::default()).component(&pipe);
    assert_eq!(read.expect("a component").signature().process, "costly");
    writes.join().expect("it writes").expect("it is read");
}

/// Nothing of the default limits is in the way of ordinary guests; and whoever trusts a component can
/// do without limits.
#[test]
fn what_is_within_the_limits_is_compiled() {
    let costly = component(&branches(100));
    assert!(
        host(CompileLimits::default())
            .component_from_bytes("some", &costly)
            .is_ok()
    );
    let refused = CompileLimits::default().function_work(100);
    refusal(&host(refused), &costly);
    assert!(
        host(CompileLimits::none())
            .component_from_bytes("some", &costly)
            .is_ok()
    );
}

/// Threads that compile give way to those that run processes.
#[cfg(target_os = "linux")]
#[test]
fn compiling_beside_processes_has_a_low_priority() {
    let host = host(CompileLimits::default());
    let mut network = host.network("waiting");
    network.process("echo", &guest_of(&host, "echo"));
    let lines = input(&mut network, "echo.lines");
    let out = output(&mut network, "echo.out");
    let running = network.start().expect("there is room");
    lines.send(b"here").expect("it receives");
    assert_eq!(out.receive().expect("it answers"), b"here");
    host.component_from_bytes("some", &component(""))
        .expect("it is a guest");
    let priorities = |named: &str| -> Vec<i32> {
        let tasks = std::fs::read_dir("/proc/self/task").expect("this process has threads");
        let stats =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
        // `number (name) state parent ...`; the priority is the 17th number behind the name.
        let found = stats.filter_map(|stat| {
            let (head, tail) = stat.rsplit_once(')')?;
            let matches = head.contains(named);
            matches
                .then(|| tail.split_whitespace().nth(16)?.parse().ok())
                .flatten()
        });
        found.collect()
    };
    // The kernel keeps 15 letters of a name.
    let compiling = priorities("transputer-comp");
    assert!(!compiling.is_empty());
    let least = compiling.iter().min();
    let workers = priorities("(transputer-0");
    assert!(!workers.is_empty());
    assert!(least > workers.iter().max(), "{compiling:?} {workers:?}");
    drop(lines);
    running.wait();
}

/// A component whose core module has so many imports, all of them one function, and calls another one so
/// often.
fn imports(imports: u32, calls: u32) -> String {
    let (mut imported, mut wired) = (String::new(), String::new());
    for number in 0..imports {
        let name = format!("wasi:random/random@0.2.{number}");
        let _ = write!(
            imported,
            "(import \"{name}\" \"get-random-bytes\" (func (param i64 i32)))"
        );
        let _ = write!(wired, "(with \"{name}\" (instance $chance))");
    }
    let calls = "(call $nothing)".repeat(calls as usize);
    format!(
        r#"(component
          (import "transputer:csp/channel@0.1.0" (instance $channel
            (export "sender" (type (sub resource))) (export "receiver" (type (sub resource)))))
          (alias export $channel "sender" (type $sender))
          (alias export $channel "receiver" (type $receiver))
          (core module $stub (func (export "f") (param i64 i32)))
          (core module $guest {imported} (memory (export "memory") 1)
            (func $nothing)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x1000))
            (func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
              (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
            (func $many {calls}))
          (core instance $stubs (instantiate $stub))
          (alias core export $stubs "f" (core func $f))
          (core instance $chance (export "get-random-bytes" (func $f)))
          (core instance $instance (instantiate $guest {wired}))
          (alias core export $instance "memory" (core memory $memory))
          (type $input (tuple string (own $receiver)))
          (type $output (tuple string (own $sender)))
          (func $run
            (param "args" (list u8)) (param "inputs" (list $input)) (param "outputs" (list $output))
            (result (result (error string)))
            (canon lift (core func $instance "run")
              (memory $memory) (realloc (core func $instance "cabi_realloc"))))
          (export "run" (func $run))
          (@custom "transputer:signature" "{{\"version\":1,\"process\":\"quad\"}}"))"#
    )
}

/// Rewriting a module once took time in proportion to its imports times its calls.
#[test]
fn many_imports_and_many_calls_are_compiled() {
    let host = host(CompileLimits::default());
    let bytes = wat::parse_str(imports(10_000, 200_000)).expect("a component");
    let component = host.component_from_bytes("quad", &bytes);
    let component = component.expect("it is within the limits");
    let mut network = host.network("quad");
    network.process("quad", &component);
    let report = network.start().expect("there is room").wait();
    assert_eq!(report.failed, 0, "{report:?}");
}
