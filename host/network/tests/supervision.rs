//! What a network's file may say of restarts, groups, links and dead letters.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use transputer_network::description::Description;
use transputer_network::diagnostics::{Diagnostic, Diagnostics};
use transputer_network::plan::Plan;
use transputer_network::policies::{Backoff, Restart, RestartPolicy, Strategy, Unfinished};
use transputer_network::signature::Direction::{Input, Output};
use transputer_network::validation::check;

use support::signature;

fn plan(text: &str) -> Result<Plan, Diagnostics> {
    let signatures = BTreeMap::from([
        signature("source", &[("numbers", Output, "u64")]),
        signature(
            "worker",
            &[("numbers", Input, "u64"), ("out", Output, "u64")],
        ),
        signature("sink", &[("numbers", Input, "u64")]),
        signature("bytes", &[("letters", Input, "list<u8>")]),
        signature("texts", &[("letters", Input, "string")]),
        signature("idle", &[]),
    ]);
    let description = Description::parse(text, "network.toml", Path::new("/n"))?;
    check(&description, &signatures, &[])
}

/// `line:column severity: message (hint)`.
fn brief(diagnostic: &Diagnostic) -> String {
    let hint = diagnostic.hint.as_ref();
    let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
    format!(
        "{}:{} {}: {}{hint}",
        diagnostic.line().unwrap(),
        diagnostic.column().unwrap(),
        diagnostic.severity,
        diagnostic.message
    )
}

/// A worker between a source and a sink, with more said about it.
fn with_worker(more: &str) -> String {
    format!(
        "[process.s]\ncomponent = \"source\"\n[process.t]\ncomponent = \"sink\"\n\
         [process.b]\ncomponent = \"bytes\"\n\
         [[channel]]\nfrom = \"s.numbers\"\nto = \"w.numbers\"\n\
         [[channel]]\nname = \"results\"\nfrom = \"w.out\"\nto = \"t.numbers\"\n\
         [process.w]\ncomponent = \"worker\"\n{more}"
    )
}

#[test]
fn a_plan_holds_how_processes_are_supervised() {
    let text = with_worker(
        r#"links = ["s"]
[process.w.restart]
policy = "always"
intensity = 7
period = "1 min"
backoff = { initial = "1 s", factor = 3, maximum = "1 min" }
unfinished = "dead-letter"
attempts = 5
dead-letter = "b.letters"
"#,
    );
    let plan = plan(&text).unwrap();
    let worker = plan.processes.iter().find(|process| process.name == "w");
    let worker = worker.unwrap();
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    let expected = Restart::always()
        .intensity(7, minute)
        .backoff(Backoff::exponential(second, 3, minute))
        .unfinished(Unfinished::DeadLetter)
        .attempts(5);
    assert_eq!(worker.restart, expected);
    assert_eq!(worker.links, ["s"]);
    let source = plan.processes.iter().find(|process| process.name == "s");
    assert_eq!(source.unwrap().links, ["w"], "a link holds both ways");
    let letters = &plan.channels[worker.dead_letters.unwrap()];
    assert_eq!(letters.label, "dead letters -> b.letters");
    assert_eq!((letters.from.len(), letters.capacity), (0, 64));
}

#[test]
fn a_policy_alone_has_defaults_for_everything_else() {
    let text = "[process.a]\ncomponent = \"idle\"\nrestart = \"on-failure\"";
    assert_eq!(
        plan(text).unwrap().processes[0].restart,
        Restart::on_failure()
    );
    let text = "[process.a]\ncomponent = \"idle\"";
    assert_eq!(plan(text).unwrap().processes[0].restart, Restart::never());
    let text = "[process.a]\ncomponent = \"idle\"\n\
                restart = { policy = \"always\", backoff = \"none\" }";
    let expected = Restart::always().backoff(Backoff::none());
    assert_eq!(plan(text).unwrap().processes[0].restart, expected);
}

#[test]
fn members_of_a_group_have_its_policy_unless_they_have_their_own() {
    let text = r#"
[process.a]
component = "idle"
[process.b]
component = "idle"
restart = "never"
[process.c]
component = "idle"
[[group]]
name = "g"
members = ["b", "a"]
strategy = "rest-for-one"
restart = "always"
intensity = 1
period = "2 s"
"#;
    let plan = plan(text).unwrap();
    let policies: Vec<_> = plan.processes.iter().map(|p| p.restart.policy).collect();
    let expected = [
        RestartPolicy::Always,
        RestartPolicy::Never,
        RestartPolicy::Never,
    ];
    assert_eq!(policies, expected);
    let group = &plan.groups[0];
    assert_eq!(group.strategy, Strategy::RestForOne);
    assert_eq!(group.members, ["b", "a"]);
    assert_eq!(group.intensity.restarts, 1);
}

#[test]
fn dead_letters_may_go_to_a_channel_by_its_name() {
    let text = with_worker("restart = { policy = \"on-failure\", dead-letter = \"results\" }");
    // Now the port of `b` is wired for nothing.
    assert_eq!(plan(&text).unwrap_err().len(), 1);
    let text = text.replace("[process.b]\ncomponent = \"bytes\"\n", "");
    let found = plan(&text).unwrap();
    let worker = found.processes.iter().find(|process| process.name == "w");
    let letters = worker.unwrap().dead_letters.unwrap();
    assert_eq!(found.channels[letters].label, "results");
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let text = r#"[process.a]
component = "idle"
restart = "somtimes"
[process.b]
component = "idle"
[process.b.restart]
intensity = -1
period = "0 s"
backoff = { initial = "10 s", maximum = "1 s" }
unfinished = "keep"
attempts = 0
dead_letter = "x"
[[group]]
members = []
strategy = "one-for-al"
"#;
    let diagnostics = plan(text).unwrap_err();
    let found: Vec<String> = diagnostics.iter().map(brief).collect();
    let expected = [
        "3:11 error: `restart` is `never`, `on-failure` or `always`; found \"somtimes\"",
        "6:1 error: restart of process `b` has no `policy` (add one, such as `policy = \"on-failure\"`)",
        "7:13 error: `intensity` is a whole number from 0 to 4294967295; found `-1`",
        "8:10 error: `period` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"0 s\"`",
        "9:11 error: `maximum` is 1s, which is less than `initial`, 10s (the first wait is `initial`, and none is longer than `maximum`)",
        "10:14 error: `unfinished` is `redeliver`, `redeliver-once`, `drop` or `dead-letter`; found \"keep\"",
        "11:12 error: `attempts` is at least 1",
        "12:1 error: restart of process `b` has no key `dead_letter` (did you mean `dead-letter`?)",
        "13:1 error: a group has no `name` (add one, such as `name = \"store\"`)",
        "14:11 error: `members` lists no process",
        "15:12 error: `strategy` is `one-for-one`, `one-for-all` or `rest-for-one`; found \"one-for-al\" (did you mean `one-for-all`?)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn names_and_types_that_do_not_fit_are_reported_at_once() {
    let text = r#"[process.s]
component = "source"
[process.w]
component = "worker"
links = ["w", "nobody"]
[process.w.restart]
policy = "on-failure"
intensity = 1
dead-letter = "x.letters"
[process.x]
component = "texts"
restart = { policy = "on-failure", unfinished = "dead-letter" }
[process.y]
component = "sink"
restart = { policy = "on-failure", dead-letter = "nums" }
[[channel]]
name = "numbers"
from = "s.numbers"
to = "w.numbers"
[[channel]]
from = "w.out"
to = "y.numbers"
[[group]]
name = "g"
members = ["w", "v", "x", "x"]
"#;
    let diagnostics = plan(text).unwrap_err();
    let found: Vec<String> = diagnostics.iter().map(brief).collect();
    let expected = [
        "5:10 error: process `w` is linked with itself",
        "5:15 error: there is no process `nobody` (the processes are `s`, `w`, `x` and `y`)",
        "8:13 error: process `w` is in group `g`, which counts the restarts of all its members (give the group this `intensity` and `period`)",
        "9:15 error: `w.numbers` receives `u64`, but its dead letters go to `x.letters`, which takes `string` (dead letters need the same type as every input of the process, or `list<u8>`, which takes any message as its bytes)",
        "12:49 error: process `x` has no `dead-letter` to send messages to (add one: `dead-letter = \"process.port\"`)",
        "15:50 error: there is no channel `nums` (did you mean `numbers`?)",
        "25:17 error: there is no process `v` (the processes are `s`, `w`, `x` and `y`)",
        "25:27 error: process `x` is in group `g` twice (a process is supervised by one group, once)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn dead_letters_of_a_process_that_is_never_restarted_are_odd() {
    let text = with_worker("restart = { policy = \"never\", dead-letter = \"b.letters\" }");
    let warnings = plan(&text).unwrap().warnings;
    let found: Vec<String> = warnings.iter().map(brief).collect();
    let expected = "16:45 warning: process `w` is never restarted, so it has no dead letters \
                    (give it another `policy`)";
    assert_eq!(found, [expected]);
}
