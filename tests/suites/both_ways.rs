//! Which core modules are run by themselves, and that guests see no difference.

use transputer::plan::Variable;
use transputer::{Component, Grants, Host, HostOptions, Outcome, Report, Verdict};
use transputer_tests::{Kit, guest_of, input, output, raw_guest};

/// A host with this seed that runs core modules by themselves, or none.
fn seeded(core_modules: bool, seed: u64) -> Host {
    ready(HostOptions::default().seed(seed).core_modules(core_modules))
}

fn ready(options: HostOptions) -> Host {
    let options = options.max_processes(10);
    Host::new(options).expect("a host can be set up")
}

/// What `asks_chance` answers to each of these questions, and how it ended.
fn answers(host: &Host, grants: Grants, questions: &[&str]) -> (Vec<String>, Report) {
    let asks = guest_of(host, "asks_chance");
    let mut network = host.network("asking");
    network.process("asks", &asks).grants(grants);
    let asked = input(&mut network, "asks.questions");
    let answered = output(&mut network, "asks.answers");
    let running = network.start().expect("it starts");
    let answers = questions.iter().map_while(|question| {
        asked.send_value(question).ok()?;
        answered.receive_value::<String>().ok()
    });
    let answers = answers.collect();
    drop(asked);
    (answers, running.wait())
}

const CHANCE: [&str; 9] = [
    "order",
    "seed",
    "number",
    "bytes",
    "no bytes",
    "insecure number",
    "insecure bytes",
    "number",
    "order",
];

#[test]
fn core_modules_of_guests_run_by_themselves_unless_they_use_sockets() {
    let host = ready(HostOptions::default());
    for (guest, core_modules) in [
        ("double", true),
        ("spawner", true),
        ("asks_chance", true),
        ("asks_wasi", false),
    ] {
        assert_eq!(
            guest_of(&host, guest).runs_core_module(),
            core_modules,
            "{guest}"
        );
    }
    let host = ready(HostOptions::default().core_modules(false));
    assert!(!guest_of(&host, "double").runs_core_module());
}

#[test]
fn a_seed_gives_the_same_chance_both_ways() {
    let told = |core_modules, seed| {
        let (answers, report) = answers(&seeded(core_modules, seed), Grants::default(), &CHANCE);
        assert_eq!(report.verdict(), Verdict::Succeeded);
        assert_eq!(answers.len(), CHANCE.len());
        answers
    };
    let first = told(true, 1);
    for seed in 1..4 {
        let by_itself = told(true, seed);
        assert_eq!(by_itself, told(true, seed), "seed {seed}, twice");
        assert_eq!(by_itself, told(false, seed), "seed {seed}, both ways");
    }
    assert_ne!(first, told(true, 2));
}

#[test]
fn without_a_seed_there_is_chance() {
    for core_modules in [true, false] {
        let host = ready(HostOptions::default().core_modules(core_modules));
        let told = || answers(&host, Grants::default(), &["seed", "number", "bytes"]).0;
        let (one, other) = (told(), told());
        assert!(
            one.iter().zip(&other).all(|(one, other)| one != other),
            "{one:?} {other:?}"
        );
    }
}

#[test]
fn grants_are_the_same_both_ways() {
    let questions = [
        "time",
        "step",
        "date",
        "step of date",
        "variables",
        "arguments",
        "folder",
    ];
    let granted = Grants::default().clocks(true).variable(Variable::Fixed {
        name: "LANG".to_owned(),
        value: "C".to_owned(),
    });
    for (grants, variables) in [(Grants::default(), "[]"), (granted, r#"[("LANG", "C")]"#)] {
        let told = |core_modules| answers(&seeded(core_modules, 1), grants.clone(), &questions).0;
        let by_itself = told(true);
        assert_eq!(by_itself, told(false));
        assert_eq!(by_itself[4..], [variables, "[]", "None"]);
    }
    let nothing_granted = |core_modules| {
        let host = ready(HostOptions::default().core_modules(core_modules));
        answers(&host, Grants::default(), &["step", "date", "step of date"]).0
    };
    assert_eq!(nothing_granted(true), nothing_granted(false));
}

/// After how many looks at each clock ten milliseconds of virtual time have passed.
fn looks(direct: bool, clocks: bool) -> Vec<u64> {
    let host = seeded(direct, 1);
    let mut network = host.network("looking");
    network
        .process("looks", &guest_of(&host, "waits_by_looking"))
        .argument("wall", clocks)
        .grants(Grants::default().clocks(clocks));
    let looks = output(&mut network, "looks.looks");
    let running = network.start().expect("it starts");
    let looks = looks.values().map_while(Result::ok).collect();
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    looks
}

#[test]
fn each_look_at_a_clock_is_a_microsecond_of_virtual_time() {
    assert_eq!(looks(true, true), [10_000; 3]);
    assert_eq!(looks(false, true), [10_000; 3]);
    // What is not granted is coarse.
    let coarse = looks(true, false);
    assert_eq!((coarse.len(), coarse[0]), (2, 10_000));
    assert!((9_001..=10_000).contains(&coarse[1]), "{coarse:?}");
    assert_eq!(looks(false, false), coarse);
}

/// How a process ended that was asked for this only.
fn ends(core_modules: bool, question: &str) -> Option<Outcome> {
    let host = ready(HostOptions::default().core_modules(core_modules));
    let (answers, report) = answers(&host, Grants::default(), &[question]);
    assert!(answers.is_empty(), "{answers:?}");
    let mut failures = report.failures.into_iter();
    failures.next().map(|failure| failure.outcome)
}

#[test]
fn an_exit_and_a_refusal_end_a_process_both_ways() {
    for core_modules in [true, false] {
        assert_eq!(
            ends(core_modules, "success"),
            None,
            "core modules: {core_modules}"
        );
        let failed = ends(core_modules, "failure");
        let Some(Outcome::Failed(text)) = &failed else {
            panic!("{failed:?}");
        };
        assert_eq!(text, "exit with status 1");
        let trapped = ends(core_modules, "too many bytes");
        assert!(matches!(trapped, Some(Outcome::Trapped(_))), "{trapped:?}");
    }
}

#[test]
fn what_a_guest_wants_called_first_is_called_both_ways() {
    for core_modules in [true, false] {
        let host = ready(HostOptions::default().core_modules(core_modules));
        let bytes = raw_guest("initializes", Kit::Ordinary);
        let component: Component = match host.component_from_bytes("plugin.wasm", &bytes) {
            Ok(component) => component,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(component.runs_core_module(), core_modules);
        let mut network = host.network("initializing");
        network.process("initializes", &component);
        let report = network.start().expect("it starts").wait();
        assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    }
}
