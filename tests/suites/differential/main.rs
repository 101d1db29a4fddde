//! The two ways to instantiate a component make no difference to what it does and how it ends.
//!
//! Only the texts of traps differ, which are wasmtime's in one way.

mod generator;

use transputer::{CacheFolder, Event, Host, HostOptions, Outcome};
use transputer_tests::{
    Events, Kit, StringEncoding, encode, guest_of_fields, raw_guest, repository, run,
};

use generator::{Generated, generate};

/// What can be seen of a process.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Why it did not load, if so, in a word.
    refused: bool,
    outcome: String,
    log: Vec<String>,
    sent: u64,
    dropped: u64,
}

const NOT_INSTANTIATED: &str = "cannot be instantiated: ";

/// A host for each way: with core modules by themselves, and without.
fn hosts() -> [Host; 2] {
    [true, false].map(|core_modules| {
        let options = HostOptions::default()
            .max_processes(16)
            .cache(CacheFolder::Off)
            .core_modules(core_modules);
        Host::new(options).expect("a host can be set up")
    })
}

/// Runs a component, and tells whether its core module ran by itself.
fn look(host: &Host, bytes: &[u8]) -> (Seen, bool) {
    let component = match host.component_from_bytes("generated", bytes) {
        Ok(component) => component,
        Err(_) => {
            let seen = Seen {
                refused: true,
                outcome: String::new(),
                log: Vec::new(),
                sent: 0,
                dropped: 0,
            };
            return (seen, false);
        }
    };
    let mut network = host.network("alone");
    network.process("it", &component);
    let events = Events::of(&mut network);
    let report = run(network);
    let outcome = match report.failures.first().map(|failure| &failure.outcome) {
        None => "finished".to_owned(),
        Some(Outcome::Trapped(_)) => "trapped".to_owned(),
        // How an initializer trapped stands behind that.
        Some(Outcome::Failed(text)) if text.starts_with(NOT_INSTANTIATED) => {
            NOT_INSTANTIATED.into()
        }
        Some(outcome) => outcome.to_string(),
    };
    let events = events.list();
    let lines = events.iter().filter_map(|event| match event {
        Event::Log { line, .. } => Some(line.clone()),
        _ => None,
    });
    let log = lines.collect();
    let seen = Seen {
        refused: false,
        outcome,
        log,
        sent: report.sent,
        dropped: report.dropped,
    };
    (seen, component.runs_core_module())
}

/// Runs a component both ways; what was seen, and whether it can go by its core module.
#[track_caller]
fn same(hosts: &[Host; 2], what: &str, bytes: &[u8]) -> (Seen, bool) {
    let [(first, by_itself), (second, _)] = [0, 1].map(|way| look(&hosts[way], bytes));
    assert_eq!(first, second, "{what}");
    (first, by_itself)
}

fn text(name: &str) -> String {
    let file = repository().join(format!("tests/suites/differential/{name}.wat"));
    std::fs::read_to_string(file).expect("it is there")
}

#[test]
fn texts_in_utf_16_are_read_as_such() {
    let hosts = hosts();
    for encoding in [StringEncoding::UTF16, StringEncoding::CompactUTF16] {
        let mut fields = text("utf16");
        if encoding == StringEncoding::CompactUTF16 {
            // This bit of a length says that it is not Latin-1.
            fields = fields.replace("(i32.const 4))\n", "(i32.const 0x80000004))\n");
        }
        let bytes = guest_of_fields(&fields, Kit::Ordinary, encoding).expect("a component");
        let (seen, by_itself) = same(&hosts, "utf16", &bytes);
        assert_eq!(seen.log, ["hi\u{e9}!"]);
        assert!(!by_itself);
    }
}

#[test]
fn the_lifted_function_runs_whatever_it_is_called() {
    let bytes = wat::parse_str(text("lifts_another")).expect("a component");
    let (seen, by_itself) = same(&hosts(), "lifts_another", &bytes);
    assert_eq!(seen.log, ["this is `honest`"]);
    assert!(!by_itself);
}

#[test]
fn exits_have_the_same_status_and_calls_at_the_wrong_time_trap() {
    let hosts = hosts();
    for (name, outcome) in [
        ("exits_with_3", "failed: exit with status 1"),
        ("exits_at_start", NOT_INSTANTIATED),
        ("reenters_allocates", "trapped"),
        ("reenters_returned", "trapped"),
    ] {
        let bytes = guest_of_fields(&text(name), Kit::Own, StringEncoding::UTF8);
        let (seen, by_itself) = same(&hosts, name, &bytes.expect("a component"));
        assert_eq!(seen.outcome, outcome, "{name}");
        assert!(by_itself, "{name}");
    }
}

/// A component whose types the host does not have is refused in the same way.
#[test]
fn an_import_of_another_type_is_refused_both_ways() {
    let bytes = wat::parse_str(text("lifts_another").replace(
        "(export \"log\" (func (param \"level\" $level) (param \"line\" string)))",
        "(export \"log\" (func (param \"level\" $level) (param \"line\" (list u8))))",
    ));
    let (seen, _) = same(&hosts(), "another type", &bytes.expect("a component"));
    assert!(seen.refused);
}

#[test]
fn generated_components_do_the_same_both_ways() {
    let hosts = hosts();
    let (mut by_itself, mut finished) = (0, 0);
    let seeds = 0..64;
    for seed in seeds.clone() {
        let Generated { text, encoding } = generate(seed);
        let bytes =
            encode(&text, encoding).unwrap_or_else(|error| panic!("{seed}: {error}\n{text}"));
        let (seen, goes) = same(&hosts, &format!("seed {seed}:\n{text}"), &bytes);
        by_itself += u64::from(goes);
        finished += u64::from(seen.outcome == "finished");
    }
    // They are neither all of one form, nor do they all end at once.
    let all = seeds.end;
    assert!(
        (all / 4..all).contains(&by_itself),
        "{by_itself} by themselves"
    );
    assert!((all / 8..all).contains(&finished), "{finished} finished");
}

#[test]
fn guests_of_compilers_still_run_by_themselves() {
    let bytes = raw_guest("initializes", Kit::Ordinary);
    let (seen, by_itself) = same(&hosts(), "initializes", &bytes);
    assert_eq!(seen.outcome, "finished");
    assert!(by_itself);
}

/// Components of all versions of WASI 0.2 run in one network.
#[test]
fn versions_of_wasi_run_side_by_side() {
    for host in &hosts() {
        let mut network = host.network("versions");
        for version in 0..=12 {
            let text = text("wasi_version").replace("VERSION", &version.to_string());
            let bytes = wat::parse_str(text).expect("a component");
            let component = match host.component_from_bytes("version", &bytes) {
                Ok(component) => component,
                Err(error) => panic!("0.2.{version}: {error}"),
            };
            network.process(&format!("version-{version}"), &component);
        }
        let report = run(network);
        assert_eq!((report.processes, report.failed), (13, 0), "{report:?}");
    }
}
