//! Which components are run directly, and that it makes no difference to what they see.

use transputer::plan::Variable;
use transputer::{Component, Grants, Host, HostOptions, Outcome, Report, Verdict};
use transputer_tests::{Kit, guest_of, input, output, raw_guest};

/// A host with this seed that runs what it can directly, or nothing.
fn seeded(direct: bool, seed: u64) -> Host {
    ready(HostOptions {
        seed: Some(seed),
        direct,
        ..HostOptions::default()
    })
}

fn ready(options: HostOptions) -> Host {
    let options = HostOptions {
        max_processes: 10,
        ..options
    };
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
fn guests_of_the_sdk_go_directly_unless_they_use_sockets() {
    let host = ready(HostOptions::default());
    for (guest, direct) in [
        ("double", true),
        ("spawner", true),
        ("asks_chance", true),
        ("asks_wasi", false),
    ] {
        assert_eq!(guest_of(&host, guest).is_direct(), direct, "{guest}");
    }
    let host = ready(HostOptions {
        direct: false,
        ..HostOptions::default()
    });
    assert!(!guest_of(&host, "double").is_direct());
}

#[test]
fn a_seed_gives_the_same_chance_both_ways() {
    let told = |direct, seed| {
        let (answers, report) = answers(&seeded(direct, seed), Grants::default(), &CHANCE);
        assert_eq!(report.verdict(), Verdict::Succeeded);
        assert_eq!(answers.len(), CHANCE.len());
        answers
    };
    let first = told(true, 1);
    for seed in 1..4 {
        let directly = told(true, seed);
        assert_eq!(directly, told(true, seed), "seed {seed}, twice");
        assert_eq!(directly, told(false, seed), "seed {seed}, both ways");
    }
    assert_ne!(first, told(true, 2));
}

#[test]
fn without_a_seed_there_is_chance() {
    for direct in [true, false] {
        let host = ready(HostOptions {
            direct,
            ..HostOptions::default()
        });
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
    let granted = Grants {
        clocks: true,
        env: vec![Variable::Fixed {
            name: "LANG".to_owned(),
            value: "C".to_owned(),
        }],
        ..Grants::default()
    };
    for (grants, variables) in [(Grants::default(), "[]"), (granted, r#"[("LANG", "C")]"#)] {
        let told = |direct| answers(&seeded(direct, 1), grants.clone(), &questions).0;
        let directly = told(true);
        assert_eq!(directly, told(false));
        assert_eq!(directly[4..], [variables, "[]", "None"]);
    }
    let nothing_granted = |direct| {
        let host = ready(HostOptions {
            direct,
            ..HostOptions::default()
        });
        answers(&host, Grants::default(), &["step", "date", "step of date"]).0
    };
    assert_eq!(nothing_granted(true), nothing_granted(false));
}

/// How a process ended that was asked for this only.
fn ends(direct: bool, question: &str) -> Option<Outcome> {
    let host = ready(HostOptions {
        direct,
        ..HostOptions::default()
    });
    let (answers, report) = answers(&host, Grants::default(), &[question]);
    assert!(answers.is_empty(), "{answers:?}");
    let mut failures = report.failures.into_iter();
    failures.next().map(|failure| failure.outcome)
}

#[test]
fn an_exit_and_a_refusal_end_a_process_both_ways() {
    for direct in [true, false] {
        assert_eq!(ends(direct, "success"), None, "direct: {direct}");
        let failed = ends(direct, "failure");
        let Some(Outcome::Failed(text)) = &failed else {
            panic!("{failed:?}");
        };
        assert_eq!(text, "exit with status 1");
        let trapped = ends(direct, "too many bytes");
        assert!(matches!(trapped, Some(Outcome::Trapped(_))), "{trapped:?}");
    }
}

#[test]
fn what_a_guest_wants_called_first_is_called_both_ways() {
    for direct in [true, false] {
        let host = ready(HostOptions {
            direct,
            ..HostOptions::default()
        });
        let bytes = raw_guest("initializes", Kit::Ordinary);
        let component: Component = match host.component_from_bytes("plugin.wasm", &bytes) {
            Ok(component) => component,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(component.is_direct(), direct);
        let mut network = host.network("initializing");
        network.process("initializes", &component);
        let report = network.start().expect("it starts").wait();
        assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
    }
}
