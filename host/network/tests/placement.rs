//! What a network's file may say of several hosts: places, instances, remote channels, `[cluster]`.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use transputer_network::description::Description;
use transputer_network::diagnostics::{Diagnostic, Diagnostics};
use transputer_network::parts::Part;
use transputer_network::plan::{Cluster, Plan};
use transputer_network::policies::{Instances, Storage, Unfinished};
use transputer_network::signature::Direction::{Input, Output};
use transputer_network::validation::{check, check_on};

use support::signature;

fn parse(text: &str) -> Result<Description, Diagnostics> {
    Description::parse(text, "network.toml", Path::new("/n"))
}

fn plan(text: &str) -> Result<Plan, Diagnostics> {
    let signatures = BTreeMap::from([
        signature("reader", &[("lines", Output, "string")]),
        signature(
            "parser",
            &[("lines", Input, "string"), ("hits", Output, "u64")],
        ),
        signature("store", &[("hits", Input, "u64")]),
        signature("give", &[("ends", Output, "sender<u64>")]),
        signature("take", &[("ends", Input, "sender<u64>")]),
        signature("text", &[("lines", Input, "string")]),
    ]);
    check(&parse(text)?, &signatures, &[])
}

/// `line:column severity: message (hint)`.
fn brief(diagnostic: &Diagnostic) -> String {
    let hint = diagnostic.hint.as_ref();
    let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
    let place = match (diagnostic.line(), diagnostic.column()) {
        (Some(line), Some(column)) => format!("{line}:{column}"),
        _ => diagnostic.file.clone(),
    };
    format!(
        "{place} {}: {}{hint}",
        diagnostic.severity, diagnostic.message
    )
}

fn assert_refused(text: &str, expected: &[&str]) {
    let refused = plan(text).unwrap_err();
    let found: Vec<_> = refused.iter().map(brief).collect();
    assert_eq!(found, expected, "in this file:\n{text}");
}

/// Reader, parser and store, with more said of each process and each channel.
fn pipeline(processes: [&str; 3], channels: [&str; 2], rest: &str) -> String {
    let [reader, parser, store] = processes;
    let [lines, hits] = channels;
    format!(
        "[process.reader]\ncomponent = \"reader\"\n{reader}\n\
         [process.parser]\ncomponent = \"parser\"\n{parser}\n\
         [process.store]\ncomponent = \"store\"\n{store}\n\
         [[channel]]\nfrom = \"reader.lines\"\nto = \"parser.lines\"\n{lines}\n\
         [[channel]]\nfrom = \"parser.hits\"\nto = \"store.hits\"\n{hits}\n{rest}"
    )
}

const REMOTE: &str = "capacity = 8\nremote = true";

#[test]
fn answers_are_sent_once_only_between_remote_channels() {
    let places = |parser| ["place = \"edge\"", parser, "place = \"store\""];
    let restart =
        "[process.parser.restart]\nunfinished = \"redeliver-once\"\npolicy = \"on-failure\"";
    let once = format!("place = \"parsing\"\n{restart}");
    let planned = plan(&pipeline(places(&once), [REMOTE; 2], "")).unwrap();
    assert_eq!(
        planned.processes[1].restart.unfinished,
        Unfinished::RedeliverOnce
    );
    let refused = |line: u32| {
        format!(
            "{line}:14 error: `redeliver-once` is not possible for `parser`: it needs a single instance, one input, and \
             only `remote` channels, each with no other process on its side (use `redeliver`: after a takeover what it sent in \
             answer to its last messages comes twice)"
        )
    };
    let each = format!("place = \"parsing\"\ninstances = \"each\"\n{restart}");
    assert_refused(&pipeline(places(&each), [REMOTE; 2], ""), &[&refused(9)]);
    assert_refused(
        &pipeline(["", restart, ""], [REMOTE, ""], ""),
        &[&refused(7)],
    );
}

#[test]
fn a_network_of_several_hosts_has_places_and_remote_channels() {
    let text = pipeline(
        [
            "place = \"edge\"",
            "place = \"parsing\"\ninstances = \"each\"",
            "place = \"parsing\"\ninstances = \"each\"",
        ],
        [REMOTE, "capacity = 2"],
        "[cluster]\nrun = \"orders\"\nservers = [\"tls://nats:4222\", \"nats://127.0.0.1:4222\"]\nstorage = \"memory\"\nreplicas = 3\nlease = \"2 s\"\n",
    );
    let plan = plan(&text).unwrap();
    let remote: Vec<_> = plan.channels.iter().map(|channel| channel.remote).collect();
    assert_eq!(remote, [true, false]);
    let places: Vec<_> = plan
        .processes
        .iter()
        .map(|it| it.place.as_deref())
        .collect();
    assert_eq!(places, [Some("edge"), Some("parsing"), Some("parsing")]);
    assert_eq!(plan.processes[1].instances, Instances::Each);
    let Cluster {
        run,
        servers,
        storage,
        replicas,
        lease,
        ..
    } = &plan.cluster;
    assert_eq!(run.as_deref(), Some("orders"));
    assert_eq!(servers.len(), 2);
    assert_eq!(
        (*storage, *replicas, *lease),
        (Storage::Memory, 3, Duration::from_secs(2))
    );
    let parts = plan.parts();
    let brief = |part: &Part| (part.name.clone(), part.processes.clone());
    let found: Vec<_> = parts.iter().map(brief).collect();
    assert_eq!(
        found,
        [
            ("reader".to_owned(), vec![0]),
            ("parser".to_owned(), vec![1, 2])
        ]
    );
    assert_eq!(parts[1].instances, Instances::Each);
    let outputs = plan.remote_outputs(&parts[0]);
    assert_eq!(
        (outputs.len(), outputs[0].process, outputs[0].port),
        (1, "reader", "lines")
    );
    let inputs = plan.remote_inputs(&parts[1]);
    assert_eq!(
        (inputs.len(), inputs[0].process, inputs[0].port),
        (1, "parser", "lines")
    );
    assert!(plan.remote_outputs(&parts[1]).is_empty());
}

#[test]
fn without_a_cluster_there_are_defaults_and_one_part() {
    let plan = plan(&pipeline(["", "", ""], ["", ""], "")).unwrap();
    assert_eq!(plan.cluster, Cluster::default());
    assert_eq!(plan.cluster.lease, Duration::from_secs(5));
    assert_eq!(plan.cluster.replicas, 1);
    let parts = plan.parts();
    assert_eq!((parts.len(), parts[0].place.as_deref()), (1, None));
}

#[test]
fn links_groups_and_dead_letters_join_parts() {
    let remote = [REMOTE, REMOTE];
    let placed = "place = \"x\"";
    let apart = plan(&pipeline([placed, placed, placed], remote, "")).unwrap();
    assert_eq!(apart.parts().len(), 3);
    let linked = "place = \"x\"\nlinks = [\"store\"]";
    let linked = plan(&pipeline([linked, placed, placed], remote, "")).unwrap();
    let processes: Vec<_> = linked
        .parts()
        .into_iter()
        .map(|part| part.processes)
        .collect();
    assert_eq!(processes, [vec![0, 2], vec![1]]);
    let grouped = "[[group]]\nname = \"g\"\nmembers = [\"parser\", \"store\"]";
    let grouped = plan(&pipeline([placed, placed, placed], remote, grouped)).unwrap();
    let processes: Vec<_> = grouped
        .parts()
        .into_iter()
        .map(|part| part.processes)
        .collect();
    assert_eq!(processes, [vec![0], vec![1, 2]]);
    let letters =
        "place = \"x\"\nrestart = { policy = \"always\", dead-letter = \"letters.lines\" }";
    let reader = "[process.letters]\ncomponent = \"text\"\nplace = \"x\"";
    let lettered = plan(&pipeline([placed, letters, placed], remote, reader)).unwrap();
    let processes: Vec<_> = lettered
        .parts()
        .into_iter()
        .map(|part| part.processes)
        .collect();
    assert_eq!(processes, [vec![0], vec![1, 3], vec![2]]);
}

#[test]
fn what_a_remote_channel_cannot_be_is_refused() {
    assert_refused(
        &pipeline(
            ["", "", ""],
            [
                "remote = true",
                "capacity = 1\noverflow = \"drop-oldest\"\nremote = true",
            ],
            "",
        ),
        &[
            "13:10 error: two hosts cannot meet at a message, so a remote channel is no rendezvous (give the channel a `capacity` of 1 or more)",
            "19:10 error: a remote channel cannot drop the oldest message, which a receiver may be working on (write `overflow = \"block\"` or `\"drop-newest\"`)",
        ],
    );
    assert_refused(
        "[process.a]\ncomponent = \"give\"\n[process.b]\ncomponent = \"take\"\n[[channel]]\nfrom = \"a.ends\"\nto = \"b.ends\"\ncapacity = 1\nremote = true",
        &[
            "6:8 error: `a.ends` sends `sender<u64>`, and the channel is `remote`: ends of channels cannot leave their host (send values instead, or keep both processes on one host)",
        ],
    );
}

#[test]
fn what_must_be_on_one_host_and_is_not_is_refused() {
    let places = [
        "place = \"edge\"",
        "place = \"parsing\"",
        "place = \"parsing\"\ninstances = \"each\"",
    ];
    assert_refused(
        &pipeline(places, ["", ""], ""),
        &[
            "13:6 error: `reader` is placed on `edge`, `parser` on `parsing`: the channel between them must be `remote` (add `remote = true` and a `capacity` of 1 or more to the channel, or let both processes have the same `place` and `instances`)",
            "17:6 error: `store` runs on each host of `parsing`, `parser` on one of them: the channel between them must be `remote` (add `remote = true` and a `capacity` of 1 or more to the channel, or let both processes have the same `place` and `instances`)",
        ],
    );
    let linked = [
        "place = \"edge\"\nlinks = [\"parser\"]",
        "place = \"parsing\"",
        "place = \"edge\"",
    ];
    assert_refused(
        &pipeline(
            linked,
            [REMOTE, REMOTE],
            "[[group]]\nname = \"g\"\nmembers = [\"store\", \"parser\"]",
        ),
        &[
            "4:10 error: `reader` is placed on `edge`, `parser` on `parsing`: they cannot be linked (links hold on one host; a process of another host hears of a failure by their channel)",
            "23:21 error: `store` is placed on `edge`, `parser` on `parsing`: they cannot be in one group (the members of a group are supervised together, on one host)",
        ],
    );
}

#[test]
fn standard_streams_stay_on_one_host() {
    let text = "[process.a]\ncomponent = \"text\"\nplace = \"x\"\n[process.b]\ncomponent = \"text\"\nplace = \"y\"\n[stdin]\nto = [\"a.lines\", \"b.lines\"]";
    assert_refused(
        text,
        &[
            "8:18 error: `a` is placed on `x`, `b` on `y`: they cannot share standard input (give it to one of them)",
        ],
    );
    let text = "[process.a]\ncomponent = \"reader\"\nplace = \"x\"\n[process.b]\ncomponent = \"reader\"\nplace = \"x\"\ninstances = \"each\"\n[stdout]\nfrom = [\"a.lines\", \"b.lines\"]";
    assert_refused(
        text,
        &[
            "9:20 error: `b` runs on each host of `x`, `a` on one of them: they cannot share standard output (let one of them write it)",
        ],
    );
}

#[test]
fn dead_letters_stay_on_one_host() {
    let letters =
        "place = \"x\"\nrestart = { policy = \"always\", dead-letter = \"letters.lines\" }";
    let elsewhere = "[process.letters]\ncomponent = \"text\"\nplace = \"y\"";
    let hint =
        "(dead letters never wait, so they stay on their host: name a process that runs there)";
    let placed = "place = \"x\"";
    assert_refused(
        &pipeline([placed, letters, placed], [REMOTE, REMOTE], elsewhere),
        &[&format!(
            "7:46 error: `parser` is placed on `x`, `letters` on `y`: dead letters of the one cannot go to the other {hint}"
        )],
    );
    let remote = "place = \"x\"\nrestart = { policy = \"always\", dead-letter = \"letters\" }";
    let channel = "[process.other]\ncomponent = \"reader\"\nplace = \"x\"\n[process.letters]\ncomponent = \"text\"\nplace = \"x\"\n[[channel]]\nname = \"letters\"\nfrom = \"other.lines\"\nto = \"letters.lines\"\ncapacity = 4\nremote = true";
    assert_refused(
        &pipeline([placed, remote, placed], [REMOTE, REMOTE], channel),
        &[&format!(
            "7:46 error: the dead letters of process `parser` go to `letters`, which is `remote` {hint}"
        )],
    );
}

#[test]
fn what_makes_no_sense_of_places_and_clusters_is_refused() {
    let text = "[process.a]\ncomponent = \"x\"\nplace = \"two words\"\n[process.b]\ncomponent = \"x\"\ninstances = \"all\"\n[[channel]]\nfrom = \"a.b\"\nto = \"b.a\"\nremote = 1\n[cluster]\nrun = \"a.b\"\nservers = [\"localhost\", \"nats://me:secret@host\", \"tls://\"]\nstorage = \"disk\"\nreplicas = 2\nlease = \"10 ms\"\nlabel = \"x\"";
    let refused = parse(text).unwrap_err();
    let found: Vec<_> = refused.iter().map(brief).collect();
    assert_eq!(
        found,
        [
            "3:9 error: \"two words\" is not a valid name for a place (use letters, digits, `_` and `-`)",
            "6:13 error: process `b` has `instances`, but no `place` (add one, such as `place = \"parsing\"`: the label of the hosts that may run it)",
            "6:13 error: `instances` is `one` or `each`; found \"all\"",
            "10:10 error: `remote` is `true` or `false`; found `1`",
            "12:7 error: \"a.b\" is not a valid name for a run (use letters, digits, `_` and `-`)",
            "13:12 error: \"localhost\" is not the address of a server (write `nats://host:4222`, or `tls://host:4222`)",
            "13:25 error: credentials never stand in a network's file (leave them out, and name a file with `--credentials`)",
            "13:50 error: \"tls://\" is not the address of a server (write `nats://host:4222`, or `tls://host:4222`)",
            "14:11 error: `storage` is `file` or `memory`; found \"disk\"",
            "15:12 error: `replicas` is 1, 3 or 5; found `2` (a majority of the servers decides, so an even number only adds work)",
            "16:9 error: a `lease` of less than a second is lost whenever a host is busy (write `lease = \"1 s\"` or more)",
            "17:1 error: [cluster] has no key `label` (the keys here are `run`, `servers`, `storage`, `replicas` and `lease`)",
        ]
    );
}

#[test]
fn a_host_has_labels_that_are_places() {
    let placed = pipeline(
        ["place = \"edge\"", "place = \"parsing\"", ""],
        [REMOTE, "capacity = 1"],
        "",
    );
    plan(&placed).expect("without `--on` it runs as a whole");
    let refused = check_on(
        &parse(&placed).unwrap(),
        &["edge".to_owned(), "parsin".to_owned()],
    );
    let found: Vec<_> = refused.unwrap_err().iter().map(brief).collect();
    assert_eq!(
        found,
        [
            "7:10 error: process `store` has no `place`, and `--on` starts only processes of the places that it names (add one, such as `place = \"parsing\"`; without `--on` all processes run here)",
            "--on error: no process has the place `parsin` (did you mean `parsing`?)",
        ]
    );
    let all = pipeline(
        ["place = \"a\"", "place = \"b\"", "place = \"b\""],
        [REMOTE, ""],
        "",
    );
    let all = parse(&all).unwrap();
    check_on(&all, &["b".to_owned(), "a".to_owned()]).unwrap();
    let refused = check_on(&all, &["store".to_owned()]).unwrap_err();
    assert_eq!(
        brief(&refused.0[0]),
        "--on error: no process has the place `store` (the places are `a` and `b`)"
    );
}
