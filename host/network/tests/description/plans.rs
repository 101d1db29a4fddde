//! What a file without mistakes comes to: arguments, wiring, limits and grants.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use transputer_network::description::Format;
use transputer_network::plan::{Directory, Limits, Overflow, Totals, Variable};
use transputer_network::validation::ArgumentOverride;

use crate::{assert_diagnostics, brief, plan};

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
        assert_diagnostics(text, &plan(GENERATOR, &[text]).unwrap_err(), expected);
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
    let defaults = Limits::default()
        .memory(64 << 20)
        .message(3 << 19)
        .cpu(Duration::from_secs(2))
        .wall(Duration::from_millis(500))
        .children(3)
        .channels(4)
        .operation(Duration::from_secs(10))
        .log(1_000);
    let own = defaults.memory(128 << 10).cpu(Duration::from_secs(1));
    assert_eq!(plan.processes[0].limits, own);
    let totals = Totals::default()
        .memory(1 << 30)
        .processes(20)
        .channels(30)
        .cpu(Duration::from_secs(60));
    assert_eq!(plan.totals, totals);
    assert_eq!(plan.processes[1].limits, defaults);

    let grants = &plan.processes[0].grants;
    assert!(grants.stdio && !plan.processes[1].grants.stdio);
    assert_eq!(grants.env, [Variable::Inherited("HOME".to_owned())]);
    let data = Directory::new("/networks/sieve/data", "/data").write(true);
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
