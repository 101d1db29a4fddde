//! What is wrong with a network's file, and what it comes to if nothing is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use transputer_network::description::{Description, Format};
use transputer_network::diagnostics::{Problem, Problems};
use transputer_network::plan::{Directory, Limits, Overflow, Plan, Totals, Variable};
use transputer_network::signature::Direction::{Input, Output};
use transputer_network::signature::{Argument, Direction, PayloadType, Port, Signature};
use transputer_network::validation::{ArgumentOverride, check};

fn ty(text: &str) -> PayloadType {
    PayloadType::parse(text).unwrap()
}

fn signature(
    process: &str,
    arguments: &[(&str, &str)],
    ports: &[(&str, Direction, &str)],
) -> (String, Signature) {
    let argument = |(name, text): &(&str, &str)| Argument {
        name: (*name).to_owned(),
        ty: ty(text),
    };
    let port = |(name, direction, text): &(&str, Direction, &str)| Port {
        name: (*name).to_owned(),
        direction: *direction,
        ty: ty(text),
    };
    let signature = Signature {
        process: process.to_owned(),
        doc: String::new(),
        arguments: arguments.iter().map(argument).collect(),
        ports: ports.iter().map(port).collect(),
    };
    (process.to_owned(), signature)
}

fn signatures() -> BTreeMap<String, Signature> {
    BTreeMap::from([
        signature(
            "generator",
            &[("count", "u64"), ("limit", "option<u16>")],
            &[("numbers", Output, "u64")],
        ),
        signature(
            "filter",
            &[("prime", "u64")],
            &[("candidates", Input, "u64"), ("survivors", Output, "u64")],
        ),
        signature("sink", &[], &[("numbers", Input, "u64")]),
        signature("printer", &[], &[("lines", Input, "string")]),
        signature("idle", &[], &[]),
        signature(
            "copy",
            &[],
            &[("from", Input, "list<u8>"), ("to", Output, "list<u8>")],
        ),
        signature("give", &[], &[("ends", Output, "sender<u64>")]),
    ])
}

fn parse(text: &str) -> Result<Description, Problems> {
    Description::parse(text, "network.toml", Path::new("/networks/sieve"))
}

fn plan(text: &str, overrides: &[&str]) -> Result<Plan, Problems> {
    let overrides: Vec<ArgumentOverride> = overrides.iter().map(|o| o.parse().unwrap()).collect();
    check(&parse(text)?, &signatures(), &overrides)
}

/// `line:column severity: message (hint)`, so that a table of cases stays readable.
fn brief(problem: &Problem) -> String {
    let mut text = match (problem.line(), problem.column()) {
        (Some(line), Some(column)) => format!("{line}:{column}"),
        _ => problem.file.clone(),
    };
    text.push_str(&format!(" {}: {}", problem.severity, problem.message));
    if let Some(hint) = &problem.hint {
        text.push_str(&format!(" ({hint})"));
    }
    text
}

fn assert_problems(text: &str, problems: &Problems, expected: &[&str]) {
    let found: Vec<String> = problems.iter().map(brief).collect();
    assert_eq!(found, expected, "in this file:\n{text}");
}

/// Texts that cannot be read, each with everything that is wrong with it.
const UNREADABLE: &[(&str, &[&str])] = &[
    (
        "",
        &["1:1 error: the network has no process (add one: `[process.name]` with a `component`)"],
    ),
    (
        "[process.a]\ncomponent = \"x\"\ncomponent = \"y\"\ncapacity = 1",
        &[
            "3:1 error: `component` is here for the second time (remove or rename one of the two)",
            "4:1 error: process `a` has no key `capacity` (the keys here are `component`, `arguments`, `limits`, `grants`, `restart` and `links`)",
        ],
    ),
    (
        "[process.a]\ncomponent = \"x\"\n[process.a]\n",
        &["3:10 error: `a` is here for the second time (remove or rename one of the two)"],
    ),
    (
        "[netwrk]\n[network]\nnam = \"x\"\ndoc = 3\n",
        &[
            "1:2 error: a network's description has no key `netwrk` (did you mean `network`?)",
            "3:1 error: [network] has no key `nam` (did you mean `name`?)",
            "4:7 error: `doc` is a string; found `3`",
        ],
    ),
    (
        "limits = 3\nprocess = [1]\nchannel = { a = 1 }\nstdin = \"x\"",
        &[
            "1:10 error: `limits` is a table; found `3`",
            "2:11 error: `process` is a table; found an array",
            "3:11 error: `channel` is a list of tables, each under `[[channel]]`; found a table",
            "4:9 error: `stdin` is a table; found `\"x\"`",
        ],
    ),
    (
        "[process.\"a.b\"]\ncompnent = \"x\"",
        &[
            "1:10 error: \"a.b\" is no name for a process (use letters, digits, `_` and `-`)",
            "1:10 error: process `a.b` has no `component` (add one, such as `component = \"filter\"`)",
            "2:1 error: process `a.b` has no key `compnent` (did you mean `component`?)",
        ],
    ),
    (
        "[process.a]\ncomponent = \"\"\n[components]\nb = 1",
        &[
            "2:13 error: `component` is empty (name a `.wasm` file, or a folder with a Cargo package)",
            "4:5 error: `b` is a string; found `1`",
        ],
    ),
    (
        "[limits]\nmemory = \"64 MB?\"\nmessage = \"1 XiB\"\ncpu = \"2\"\nwall = 0\nchildren = -1\nchannels = 4294967296",
        &[
            "2:10 error: `memory` is a size, such as \"64 MiB\" or a number of bytes; found `\"64 MB?\"`",
            "3:11 error: `message` is a size, such as \"64 MiB\" or a number of bytes; found `\"1 XiB\"`",
            "4:7 error: `cpu` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"2\"`",
            "5:8 error: `wall` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `0`",
            "6:12 error: `children` is a whole number from 0 to 4294967295; found `-1`",
            "7:12 error: `channels` is a whole number from 0 to 4294967295; found `4294967296`",
        ],
    ),
    (
        "[limits]\nmemory = \"1 KiB\"\nmessage = \"99999999999 EiB\"\nwall = \"0 s\"",
        &[
            "2:10 error: `memory` is 1024 bytes, and a process needs at least one page (give it `64 KiB` or more)",
            "3:11 error: `message` is a size, such as \"64 MiB\" or a number of bytes; found `\"99999999999 EiB\"`",
            "4:8 error: `wall` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"0 s\"`",
        ],
    ),
    (
        "[limits]\noperation = \"0 s\"\nlog = \"1 MiB\"\nprocesses = 3",
        &[
            "2:13 error: `operation` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"0 s\"`",
            "3:7 error: `log` is a whole number from 0 to 4294967295; found `\"1 MiB\"`",
            "4:1 error: [limits] has no key `processes` (the keys here are `memory`, `message`, `cpu`, `wall`, `operation`, `children`, `channels` and `log`)",
        ],
    ),
    (
        "[network]\nat_capacity = \"never\"\n[process.a]\ncomponent = \"x\"\ngrants = { clocks = 1 }",
        &[
            "2:15 error: `at_capacity` is \"fail\", \"wait\", or a time to wait, such as \"2 s\"; found `\"never\"`",
            "5:21 error: `clocks` is `true` or `false`; found `1`",
        ],
    ),
    (
        "[network.limits]\nmemory = -1\nprocesses = 1\nchannels = 0\ncpu = 1\nwall = \"1 s\"\n[process.a]\ncomponent = \"x\"\n[process.b]\ncomponent = \"x\"\n[stdin]\nto = \"a.in\"\nformat = \"lines\"",
        &[
            "2:10 error: `memory` is a whole number from 0 to 18446744073709551615; found `-1`",
            "3:13 error: `processes` = 1, and the network begins with 2 (allow 2 or more)",
            "4:12 error: `channels` = 0, and the network begins with 1 (allow 1 or more)",
            "5:7 error: `cpu` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `1`",
            "6:1 error: [network.limits] has no key `wall` (the keys here are `memory`, `processes`, `channels` and `cpu`)",
        ],
    ),
    (
        "[process.a]\ncomponent = \"x\"\n[process.a.grants]\nstdio = \"yes\"\nenv = [\"A=B\", 3]\nnetwork = [\"localhost:80\"]\nspawn = \"x\"",
        &[
            "4:9 error: `stdio` is `true` or `false`; found `\"yes\"`",
            "5:8 error: \"A=B\" is no name for an environment variable (to give it a value, write `env = { NAME = \"value\" }`)",
            "5:15 error: `env` is a list of the host's variables, such as [\"HOME\"], or a table of values, such as { LANG = \"C\" }; found `3`",
            "6:12 error: \"localhost:80\" is no address with a port (write `127.0.0.1:8080` or `[::1]:8080`; names of hosts are not looked up)",
            "7:9 error: `spawn` is a list of names from [components]; found `\"x\"`",
        ],
    ),
    (
        "[process.a]\ncomponent = \"x\"\n[process.a.grants]\ndirectories = [\n{ host = \"d\", guest = \"data\" },\n{ hst = \"d\", guest = \"/d\" },\n7,\n{ host = \"a\", guest = \"/d\" },\n{ host = \"b\", guest = \"/d\" },\n]",
        &[
            "5:23 error: `guest` is an absolute path; found \"data\" (write \"/data\")",
            "6:1 error: a directory of grants of process `a` has no `host` (add one, such as `host = \"data\"`)",
            "6:3 error: a directory of grants of process `a` has no key `hst` (did you mean `host`?)",
            "7:1 error: `directories` is a list of tables, such as [{ host = \"data\", guest = \"/data\" }]; found `7`",
            "9:1 error: two directories are called `/d`",
        ],
    ),
    (
        "[[channel]]\nfrom = \"generator\"\nto = [\"printer.lines\", 3]\ncapacity = -1\noverflow = \"drop-oldset\"\n[[channel]]\nto = []\noverflow = \"drop-oldest\"\nname = \" \"",
        &[
            "2:8 error: \"generator\" is no port (write the process, a dot, and its port: \"process.port\")",
            "3:24 error: `to` is a port such as \"process.port\", or a list of ports; found `3`",
            "4:12 error: `capacity` is a whole number from 0 to 4294967295; found `-1`",
            "5:12 error: `overflow` is `block`, `drop-oldest` or `drop-newest`; found \"drop-oldset\" (did you mean `drop-oldest`?)",
            "6:1 error: a channel has no `from` (add one, such as `from = \"process.port\"`)",
            "7:6 error: `to` lists no port",
            "8:12 error: a rendezvous holds no messages that could be dropped (give the channel a `capacity` of 1 or more, or leave `overflow` out)",
            "9:8 error: \" \" is no name for a channel (use a few printable characters)",
        ],
    ),
    (
        "[stdin]\nto = \"a.b.c\"\nformat = \"line\"\n[stdout]\nto = \"a.b\"",
        &[
            "2:6 error: \"a.b.c\" is no port (write the process, a dot, and its port: \"process.port\")",
            "3:10 error: `format` is `lines`, `bytes` or `cbor`; found \"line\" (did you mean `lines`?)",
            "4:1 error: [stdout] has no `from` (add one, such as `from = \"process.port\"`)",
            "5:1 error: [stdout] has no key `to` (the keys here are `from`, `format` and `capacity`)",
        ],
    ),
    (
        "[arguments]\nbig = 170141183460469231731687303715884105728\n[process.a]\ncomponent = \"x\"",
        &["2:7 error: `big` has a number that is out of all bounds"],
    ),
];

#[test]
fn everything_wrong_with_a_text_is_reported_at_once() {
    for (text, expected) in UNREADABLE {
        assert_problems(text, &parse(text).unwrap_err(), expected);
    }
}

#[test]
fn several_mistakes_in_the_syntax_are_reported_at_once() {
    let text = "a = [1\n[process.x]\ncomponent = \"y\nb = 'z'";
    let problems = parse(text).unwrap_err();
    assert!(problems.len() >= 2, "{problems}");
    let lines: Vec<_> = problems.iter().filter_map(Problem::line).collect();
    assert!(lines.is_sorted() && lines.contains(&3), "{problems}");
    for problem in &problems {
        assert!(
            problem.message.starts_with("this is not TOML: "),
            "{problem}"
        );
    }
}

/// Networks that do not fit together.
const MISFITS: &[(&str, &[&str])] = &[
    (
        "[process.g]\ncomponent = \"generator\"\narguments = { count = 3 }\n[process.p]\ncomponent = \"printer\"\n[[channel]]\nfrom = \"g.numbers\"\nto = \"p.lines\"",
        &[
            "8:6 error: `g.numbers` sends `u64`, but `p.lines` receives `string` (both ends of a channel need the same type; put a process in between that converts)",
        ],
    ),
    (
        "[process.f]\ncomponent = \"filter\"\narguments.prime = 2",
        &[
            "1:10 error: port `f.candidates` of component `filter` is not wired; it receives `u64` (add a [[channel]] with `to = \"f.candidates\"`, or wire it to [stdin])",
            "1:10 error: port `f.survivors` of component `filter` is not wired; it sends `u64` (add a [[channel]] with `from = \"f.survivors\"`, or wire it to [stdout])",
        ],
    ),
    (
        "[process.f]\ncomponent = \"filter\"\narguments.prime = 2\n[[channel]]\nfrom = \"f.candidates\"\nto = \"f.survivors\"",
        &[
            "5:8 error: `f.candidates` receives, and cannot stand in `from` (of the ports of `f`, `survivors` sends)",
            "6:6 error: `f.survivors` sends, and cannot stand in `to` (of the ports of `f`, `candidates` receives)",
        ],
    ),
    (
        "[process.c]\ncomponent = \"copy\"\n[[channel]]\nfrom = \"c.to\"\nto = \"c.from\"\n[[channel]]\nfrom = \"c.tto\"\nto = \"cc.from\"\n[stdout]\nfrom = \"c.to\"\nformat = \"bytes\"",
        &[
            "7:8 error: process `c` has no port `tto` (did you mean `to`?)",
            "8:6 error: there is no process `cc` (did you mean `c`?)",
            "10:8 error: `c.to` is wired twice (a port is an end of one channel; a channel may have a list of ports)",
        ],
    ),
    (
        "[process.c]\ncomponent = \"copy\"\n[process.d]\ncomponent = \"copy\"\n[[channel]]\nname = \"n\"\nfrom = [\"c.to\", \"c.to\"]\nto = \"d.from\"\n[[channel]]\nname = \"n\"\nfrom = \"d.to\"\nto = \"c.from\"",
        &[
            "7:17 error: `c.to` is wired twice (a port is an end of one channel; a channel may have a list of ports)",
            "10:8 error: two channels are called `n` (rename one of them)",
        ],
    ),
    (
        "[process.g]\ncomponent = \"generator\"\narguments = { count = \"3\", limit = 70000, limt = 1 }\n[stdout]\nfrom = \"g.numbers\"",
        &[
            "3:23 error: argument `count` of process `g`: expected `u64` (0 to 18446744073709551615), found `\"3\"`",
            "3:36 error: argument `limit` of process `g`: expected `u16` (0 to 65535), found `70000`",
            "3:43 error: process `g` has no argument `limt` (did you mean `limit`?)",
        ],
    ),
    (
        "[arguments]\ncout = 3\n[process.g]\ncomponent = \"generator\"\n[stdout]\nfrom = \"g.numbers\"",
        &[
            "2:1 warning: no process has an argument `cout` (did you mean `count`?)",
            "3:10 error: process `g` needs the argument `count: u64` (add `arguments = { count = ... }` to it, or pass `--arg g.count=...`)",
        ],
    ),
    (
        "[components]\nfilter = \"filter\"\nbare = \"b.wasm\"\n[process.a]\ncomponent = \"fliter\"\n[process.b]\ncomponent = \"bare\"\n[process.i]\ncomponent = \"idle\"\ngrants.spawn = [\"filtr\", \"other\"]",
        &[
            "2:10 warning: no process uses the component `filter` (remove it, or let a process run or spawn it)",
            "3:8 error: the component `bare` carries no signature (in Rust, put `#[transputer_guest::process]` on the process's function; in other languages, append a custom section `transputer:signature` to the component)",
            "5:13 error: the component `fliter` carries no signature (did you mean `filter`?)",
            "10:17 error: process `i` may spawn `filtr`, but [components] has no such name (did you mean `filter`?)",
            "10:26 error: process `i` may spawn `other`, but [components] has no such name (add it: `other = \"folder\"`)",
        ],
    ),
    (
        "[process.s]\ncomponent = \"sink\"\n[process.g]\ncomponent = \"generator\"\narguments.count = 1\n[stdin]\nto = \"s.numbers\"\n[stdout]\nfrom = \"g.numbers\"\nformat = \"bytes\"",
        &[
            "6:1 error: `s.numbers` receives `u64`, but [stdin] has the format `lines` (`lines` there needs `string` or `list<u8>`)",
            "10:10 error: `g.numbers` sends `u64`, but [stdout] has the format `bytes` (`bytes` there needs `list<u8>`)",
        ],
    ),
    (
        "[process.g]\ncomponent = \"give\"\n[stdout]\nfrom = \"g.ends\"\nformat = \"cbor\"",
        &[
            "5:10 error: `g.ends` sends `sender<u64>`, but [stdout] has the format `cbor` (`cbor` there needs a type without ends of channels)",
        ],
    ),
    (
        "[process.p]\ncomponent = \"printer\"\n[stdout]\nfrom = \"p.lines\"",
        &[
            "4:8 error: `p.lines` receives, and cannot stand in `from` of [stdout] (no port of `p` sends)",
        ],
    ),
];

#[test]
fn everything_that_does_not_fit_is_reported_at_once() {
    for (text, expected) in MISFITS {
        assert_problems(text, &plan(text, &[]).unwrap_err(), expected);
    }
}

/// A network with one process, which sets `limit` itself and `count` not.
const GENERATOR: &str = "
[arguments]
count = 1
[process.g]
component = \"generator\"
arguments.limit = 2
[stdout]
from = \"g.numbers\"
";

#[test]
fn overrides_without_effect_are_errors() {
    let cases: &[(&str, &[&str])] = &[
        (
            "coun=1",
            &["--arg error: no process has an argument `coun` (did you mean `count`?)"],
        ),
        ("x.count=1", &["--arg error: there is no process `x`"]),
        (
            "g.counts=1",
            &["--arg error: process `g` has no argument `counts` (did you mean `count`?)"],
        ),
        (
            "count=many",
            &[
                "--arg error: argument `count` of process `g`: expected `u64` (0 to 18446744073709551615), found `many`",
            ],
        ),
        (
            "limit=9",
            &[
                "--arg error: every process that has an argument `limit` sets its own (pass `--arg g.limit=9`)",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_problems(text, &plan(GENERATOR, &[text]).unwrap_err(), expected);
    }
    for text in ["count", "=1", "a.=1", ".a=1", "a.b.c=1", ""] {
        let error = text.parse::<ArgumentOverride>().unwrap_err();
        let expected = format!("expected `name=value` or `process.name=value`, found {text:?}");
        assert_eq!(error.to_string(), expected);
    }
    let with_equals: ArgumentOverride = "a=b=c.d".parse().unwrap();
    assert_eq!(with_equals.value, "b=c.d");
    assert_eq!(with_equals.to_string(), "a=b=c.d");
}

#[test]
fn the_narrower_argument_goes_before_the_wider() {
    let arguments = |overrides: &[&str]| {
        let plan = plan(GENERATOR, overrides).unwrap();
        plan.processes[0].arguments.clone()
    };
    let cbor = |count: u8, limit: u8| {
        [
            &[0xa2, 0x65][..],
            b"count",
            &[count, 0x65],
            b"limit",
            &[limit],
        ]
        .concat()
    };
    assert_eq!(arguments(&[]), cbor(1, 2));
    assert_eq!(arguments(&["count=5"]), cbor(5, 2));
    assert_eq!(arguments(&["count=5", "count=6"]), cbor(6, 2));
    assert_eq!(arguments(&["g.count=7", "count=5"]), cbor(7, 2));
    assert_eq!(arguments(&["g.limit=3"]), cbor(1, 3));
}

#[test]
fn an_optional_argument_may_be_left_out() {
    let text = GENERATOR.replace("arguments.limit = 2", "");
    let plan = plan(&text, &[]).unwrap();
    assert_eq!(plan.processes[0].arguments, b"\xa1\x65count\x01");
}

const SIEVE: &str = r#"
[network]
name = "primes"
doc = "Primes, one process for each."

[arguments]
prime = 2

[components]
filter = "guests/filter"
generator = "/opt/generator.wasm"
odd = "odd.wasm"

[process.numbers]
component = "generator"
arguments = { count = 18446744073709551615 }
limits = { memory = 131072, cpu = "1 s" }
[process.numbers.grants]
stdio = true
env = ["HOME"]
directories = [{ host = "data", guest = "/data", write = true }]
network = ["127.0.0.1:8080", "[::1]:9"]
spawn = ["filter"]

[process.two]
component = "filter"
grants.env = { LANG = "C", A = "" }

[process.three]
component = "filter"
arguments.prime = 3

[process.sink]
component = "sink"

[[channel]]
from = "numbers.numbers"
to = ["two.candidates", "three.candidates"]
capacity = 128
overflow = "drop-newest"

[[channel]]
name = "survivors"
from = ["two.survivors", "three.survivors"]
to = "sink.numbers"

[process.copy]
component = "copy"

[limits]
memory = "64 MiB"
message = "1.5MiB"
cpu = "2 s"
wall = "500 ms"
children = 3
channels = 4
operation = "10 s"
log = 1000

[network.limits]
memory = "1 GiB"
processes = 20
channels = 30
cpu = "1 min"

[stdin]
to = "copy.from"
format = "bytes"

[stdout]
from = "copy.to"
format = "cbor"
capacity = 0
"#;

#[test]
fn a_plan_resolves_every_name() {
    let plan = plan(SIEVE, &[]).unwrap();
    assert_eq!(plan.name, "primes");
    assert_eq!(plan.doc, "Primes, one process for each.");

    let warnings: Vec<String> = plan.warnings.iter().map(brief).collect();
    assert_eq!(
        warnings,
        [
            "12:7 warning: no process uses the component `odd` (remove it, or let a process run or spawn it)"
        ]
    );

    let components: Vec<_> = plan
        .components
        .iter()
        .map(|c| (&*c.name, c.path.clone()))
        .collect();
    let base = Path::new("/networks/sieve");
    let expected = [
        ("filter", base.join("guests/filter")),
        ("generator", PathBuf::from("/opt/generator.wasm")),
        ("sink", base.join("sink")),
        ("copy", base.join("copy")),
    ];
    assert_eq!(components, expected);

    let process = |name: &str| plan.processes.iter().find(|p| p.name == name).unwrap();
    let names: Vec<&str> = plan.processes.iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["numbers", "two", "three", "sink", "copy"]);
    assert_eq!(plan.components[process("two").component].name, "filter");
    assert_eq!(process("two").arguments, b"\xa1\x65prime\x02");
    assert_eq!(process("three").arguments, b"\xa1\x65prime\x03");
    assert_eq!(process("sink").arguments, b"\xa0");
    assert_eq!(process("numbers").outputs, [("numbers".to_owned(), 0)]);
    assert_eq!(process("three").inputs, [("candidates".to_owned(), 0)]);
    assert_eq!(process("three").outputs, [("survivors".to_owned(), 1)]);
    assert_eq!(process("copy").inputs, [("from".to_owned(), 2)]);
    assert_eq!(process("copy").outputs, [("to".to_owned(), 3)]);
    assert_eq!(process("numbers").spawn, [0]);
    assert!(process("two").spawn.is_empty());

    let channels: Vec<_> = plan
        .channels
        .iter()
        .map(|c| (&*c.label, c.capacity, c.overflow, c.payload.as_str()))
        .collect();
    let expected = [
        (
            "numbers.numbers -> two.candidates, three.candidates",
            128,
            Overflow::DropNewest,
            "u64",
        ),
        ("survivors", 0, Overflow::Block, "u64"),
        ("stdin -> copy.from", 64, Overflow::Block, "list<u8>"),
        ("copy.to -> stdout", 0, Overflow::Block, "list<u8>"),
    ];
    assert_eq!(channels, expected);
    assert_eq!(plan.channels[0].from[0].to_string(), "numbers.numbers");
    assert_eq!(plan.channels[0].to.len(), 2);
    assert!(plan.channels[2].from.is_empty() && plan.channels[3].to.is_empty());

    let stdin = plan.stdin.as_ref().unwrap();
    assert_eq!((stdin.channel, stdin.format), (2, Format::Bytes));
    let stdout = plan.stdout.as_ref().unwrap();
    assert_eq!((stdout.channel, stdout.format), (3, Format::Cbor));
}

#[test]
fn a_plan_holds_limits_and_grants() {
    let plan = plan(SIEVE, &[]).unwrap();
    let defaults = Limits {
        memory: Some(64 << 20),
        message: Some(3 << 19),
        cpu: Some(Duration::from_secs(2)),
        wall: Some(Duration::from_millis(500)),
        children: Some(3),
        channels: Some(4),
        operation: Some(Duration::from_secs(10)),
        log: Some(1_000),
    };
    let own = Limits {
        memory: Some(128 << 10),
        cpu: Some(Duration::from_secs(1)),
        ..defaults
    };
    assert_eq!(plan.processes[0].limits, own);
    let totals = Totals {
        memory: Some(1 << 30),
        processes: Some(20),
        channels: Some(30),
        cpu: Some(Duration::from_secs(60)),
    };
    assert_eq!(plan.totals, totals);
    assert_eq!(plan.processes[1].limits, defaults);

    let grants = &plan.processes[0].grants;
    assert!(grants.stdio && !plan.processes[1].grants.stdio);
    assert_eq!(grants.env, [Variable::Inherited("HOME".to_owned())]);
    let data = Directory {
        host: PathBuf::from("/networks/sieve/data"),
        guest: "/data".to_owned(),
        write: true,
    };
    assert_eq!(grants.directories, [data]);
    let addresses: [SocketAddr; 2] = [([127, 0, 0, 1], 8080).into(), "[::1]:9".parse().unwrap()];
    assert_eq!(grants.network, addresses);
    let fixed = |name: &str, value: &str| Variable::Fixed {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        plan.processes[1].grants.env,
        [fixed("LANG", "C"), fixed("A", "")]
    );
}

#[test]
fn a_network_is_called_like_its_folder() {
    let description = parse("[process.a]\ncomponent = \"idle\"").unwrap();
    assert_eq!(description.name, "sieve");
}

#[test]
fn a_folder_stands_for_the_file_in_it() {
    let folder = std::env::temp_dir().join(format!("transputer-read-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("network.toml"),
        "[process.a]\ncomponent = \"idle\"",
    )
    .unwrap();
    let from_folder = Description::read(&folder).unwrap();
    let from_file = Description::read(&folder.join("network.toml")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(from_folder.name, from_file.name);
    assert_eq!(from_folder.component_files()[0].path, folder.join("idle"));

    let missing = Description::read(&folder).unwrap_err().to_string();
    let expected = format!(
        "{}: error: the network's description cannot be read: ",
        folder.display()
    );
    assert!(missing.starts_with(&expected), "{missing}");
    assert!(
        missing.ends_with("help: name a folder that holds a `network.toml`, or the file itself")
    );
}

#[test]
fn a_component_that_cannot_be_opened_is_reported_where_it_is_named() {
    let text = "[components]\nfilter = \"guests/filter\"\n[process.a]\ncomponent = \"filtr\"";
    let description = parse(text).unwrap();
    let files = description.component_files();
    let problems: Vec<String> = files
        .iter()
        .map(|file| brief(&description.component_problem(file, "no such file")))
        .collect();
    let expected = [
        "2:10 error: no such file",
        "4:13 error: no such file (did you mean `filter`?)",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_problem_shows_its_line() {
    let text = "# é\n[process.a]\n\tcomponent = \"é\"\n\tlimts = { memory = 1 }";
    let shown = parse(text).unwrap_err().to_string();
    let expected = "\
network.toml:4:2: error: process `a` has no key `limts`
  |
4 | \tlimts = { memory = 1 }
  | \t^^^^^
help: did you mean `limits`?";
    assert_eq!(shown, expected);
}

#[test]
fn a_long_line_is_shown_in_part() {
    let text = format!(
        "[process.a]\ncomponent = \"{}\"\nx = [{}]\ny = 1",
        "c".repeat(500),
        "1, ".repeat(300)
    );
    let text = text
        .replace("x = [", "arguments = { z = [")
        .replace("]\ny = 1", "], z = 1 }");
    let shown = parse(&text).unwrap_err().to_string();
    assert!(
        shown.lines().all(|line| line.chars().count() <= 200),
        "{shown}"
    );
    let lines: Vec<&str> = shown.lines().collect();
    let caret = lines[3].find('^').unwrap();
    assert_eq!(&lines[2][caret..], "z = 1 }", "{shown}");
}

#[test]
fn a_flood_of_problems_is_counted_instead_of_shown() {
    let text: String = (0..1_000).map(|n| format!("key{n} = 1\n")).collect();
    let problems = parse(&text).unwrap_err();
    assert_eq!(problems.len(), 501);
    assert_eq!(problems.0[499].line(), Some(500));
    assert_eq!(
        problems.0[500].to_string(),
        "network.toml: error: 500 more problems are not shown"
    );
}

/// Pieces that descriptions are made of, so that random texts get far.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[process.a]\n".to_owned()),
        Just("[[channel]]\n".to_owned()),
        Just("[stdin]\n".to_owned()),
        Just("[limits]\n".to_owned()),
        Just("component = \"copy\"\n".to_owned()),
        Just("from = \"a.to\"\n".to_owned()),
        Just("to = [\"a.from\"]\n".to_owned()),
        Just("capacity = 1\n".to_owned()),
        Just("grants.directories = [{}]\n".to_owned()),
        "[a-z]{1,9} = [-0-9a-z\"'\\[\\]{}=., é\u{0}]{0,12}\n",
        "\\PC{0,20}",
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_reading_or_checking_panic(text in fragments()) {
        match plan(&text, &["count=1"]) {
            Ok(plan) => prop_assert!(!plan.warnings.has_errors()),
            Err(problems) => {
                prop_assert!(problems.has_errors());
                prop_assert!(!problems.to_string().is_empty());
            }
        }
    }
}
