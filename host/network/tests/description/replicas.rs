//! Many processes of one entry, channels for each of them, and arrays of ports.

use std::collections::BTreeMap;

use transputer_network::plan::Plan;
use transputer_network::signature::Direction::{Input, Output};
use transputer_network::signature::{Arity, Signature};
use transputer_network::validation::{ArgumentOverride, check};

use crate::{brief, parse, signature};

fn signatures() -> BTreeMap<String, Signature> {
    let mut signatures = BTreeMap::from([
        signature("source", &[], &[("jobs", Output, "u64")]),
        signature(
            "worker",
            &[("rank", "u32"), ("size", "option<u32>")],
            &[("jobs", Input, "u64"), ("results", Output, "u64")],
        ),
        signature(
            "node",
            &[],
            &[("left", Input, "u64"), ("right", Output, "u64")],
        ),
        signature(
            "cell",
            &[("row", "u8"), ("column", "u8")],
            &[("west", Input, "u64"), ("east", Output, "u64")],
        ),
        signature(
            "merge",
            &[],
            &[("inputs", Input, "u64"), ("log", Output, "string")],
        ),
        signature("split", &[], &[("halves", Output, "u64")]),
    ]);
    let port = |signatures: &mut BTreeMap<String, Signature>, of: &str, index: usize, arity| {
        signatures.get_mut(of).expect("it is there").ports[index].arity = arity;
    };
    port(&mut signatures, "merge", 0, Arity::List);
    port(&mut signatures, "merge", 1, Arity::Optional);
    port(&mut signatures, "split", 0, Arity::Array(2));
    signatures
}

fn plan(text: &str, overrides: &[&str]) -> Result<Plan, Vec<String>> {
    let overrides: Vec<ArgumentOverride> = overrides.iter().map(|o| o.parse().unwrap()).collect();
    let plan = parse(text).and_then(|description| check(&description, &signatures(), &overrides));
    plan.map_err(|diagnostics| diagnostics.iter().map(brief).collect())
}

const FARM: &str = "
[arguments]
size = 3
[process.source]
component = \"source\"
[process.worker]
component = \"worker\"
count = \"size\"
index = \"rank\"
[process.merge]
component = \"merge\"
[[channel]]
from = \"source.jobs\"
to = \"worker[*].jobs\"
[[channel]]
for = \"i in 0..size\"
name = \"results\"
from = \"worker[i].results\"
to = \"merge.inputs[i]\"
";

fn names(plan: &Plan) -> Vec<&str> {
    plan.processes
        .iter()
        .map(|process| &*process.name)
        .collect()
}

fn labels(plan: &Plan) -> Vec<&str> {
    plan.channels
        .iter()
        .map(|channel| &*channel.label)
        .collect()
}

#[test]
fn a_farm_has_as_many_workers_as_an_argument_says() {
    for (overrides, size) in [(&[][..], 3), (&["size=12"], 12), (&["size=1"], 1)] {
        let plan = plan(FARM, overrides).expect("it fits");
        assert_eq!(plan.processes.len(), size + 2);
        assert_eq!(plan.channels.len(), size + 1);
        let shared = &plan.channels[0];
        assert_eq!(shared.to.len(), size);
        let merge = plan.processes.last().expect("there are some");
        let ports: Vec<&str> = merge.inputs.iter().map(|(port, _)| &**port).collect();
        let expected: Vec<String> = (0..size).map(|index| format!("inputs[{index}]")).collect();
        assert_eq!(ports, expected, "by their numbers, not by their letters");
        assert_eq!(plan.warnings.len(), 0, "{}", plan.warnings);
    }
    let plan = plan(FARM, &[]).expect("it fits");
    assert_eq!(
        names(&plan),
        ["source", "worker[0]", "worker[1]", "worker[2]", "merge"]
    );
    assert_eq!(
        labels(&plan)[1..],
        ["results[0]", "results[1]", "results[2]"]
    );
    // {"rank": 2, "size": 3}
    assert_eq!(plan.processes[3].arguments, b"\xa2\x64rank\x02\x64size\x03");
}

#[test]
fn arguments_of_one_or_of_all() {
    let plan = plan(FARM, &["worker.size=7", "worker[1].size=8"]).expect("it fits");
    let sizes: Vec<u8> = plan.processes[1..4]
        .iter()
        .map(|it| it.arguments[12])
        .collect();
    assert_eq!(sizes, [7, 8, 7]);
}

#[test]
fn a_ring_a_row_and_a_grid() {
    let ring = "
[process.node]
component = \"node\"
count = 3
[[channel]]
for = \"i in 0..3\"
from = \"node[i].right\"
to = \"node[(i + 1) % 3].left\"
";
    let plan_of = |text: &str| plan(text, &[]).expect("it fits");
    let ring = plan_of(ring);
    assert_eq!(
        labels(&ring),
        [
            "node[0].right -> node[1].left",
            "node[1].right -> node[2].left",
            "node[2].right -> node[0].left"
        ]
    );
    let grid = "
[arguments]
rows = 2
columns = 3
[process.cell]
component = \"cell\"
count = [\"rows\", \"columns\"]
index = [\"row\", \"column\"]
[[channel]]
for = [\"y in 0..rows\", \"x in 0..=columns - 1\"]
from = \"cell[y][x].east\"
to = \"cell[y][(x + 1) % columns].west\"
";
    let grid = plan_of(grid);
    assert_eq!(grid.processes.len(), 6);
    assert_eq!(grid.processes[5].name, "cell[1][2]");
    assert_eq!(
        grid.processes[5].arguments,
        b"\xa2\x63row\x01\x66column\x02"
    );
    assert_eq!(grid.channels[5].label, "cell[1][2].east -> cell[1][0].west");
}

#[test]
fn arrays_of_ports_are_wired_end_by_end() {
    let text = |from: &str, to: &str| {
        format!(
            "[process.split]\ncomponent = \"split\"\n[process.merge]\ncomponent = \"merge\"\n\
             [[channel]]\nfrom = \"split.halves[0]\"\nto = \"merge.inputs[0]\"\n\
             [[channel]]\nfrom = \"{from}\"\nto = \"{to}\"\n"
        )
    };
    let plan_of = |from: &str, to: &str| plan(&text(from, to), &[]);
    let fits = plan_of("split.halves[1]", "merge.inputs[1]").expect("it fits");
    // A port that may be left out is.
    assert!(fits.processes[1].outputs.is_empty());
    let cases = [
        (
            "split.halves[2]",
            "merge.inputs[1]",
            "9:8 error: `split.halves[2]` does not exist: `split.halves` is an array of 2 ports \
             (its ends are `split.halves[0]` to `split.halves[1]`)",
        ),
        (
            "split.halves",
            "merge.inputs[1]",
            "9:8 error: `split.halves` is an array of ports, and each of its ends is wired by itself \
             (write `split.halves[0]`, or `split.halves[i]` with `for = \"i in 0..4\"`)",
        ),
        (
            "split.halves[1]",
            "merge.inputs[2]",
            "3:10 error: port `merge.inputs[1]` of component `merge` is not wired; it receives `u64` \
             (wire it: the indices of an array of ports are 0, 1, 2 and so on, without a gap)",
        ),
        (
            "split.halves[1]",
            "merge.inputs[0]",
            "10:6 error: `merge.inputs[0]` is wired twice \
             (a port is an end of one channel; a channel may have a list of ports)",
        ),
        (
            "split.halves[1]",
            "merge.inputs[-1]",
            "10:6 error: `merge.inputs[-1]` means `inputs[-1]` (indices begin with 0)",
        ),
        (
            "split.halves[1]",
            "merge.inputs[*]",
            "10:6 error: `merge.inputs[*]` means all ends of an array \
             (name one, as in `inputs[0]`, or each in its turn by `for`)",
        ),
        (
            "split.halves[1]",
            "merge.log[0]",
            "10:6 error: `merge.log` is one port, not an array of ports",
        ),
        (
            "split.halves[1",
            "merge.inputs[1]",
            "9:8 error: \"split.halves[1\" is not a port: \"[1\" is no index",
        ),
    ];
    for (from, to, expected) in cases {
        let found = plan_of(from, to).expect_err(expected);
        let expected_there = found.iter().any(|found| found.starts_with(expected));
        assert!(expected_there, "{from} -> {to}: {found:#?}");
    }
    let empty = plan("[process.merge]\ncomponent = \"merge\"\n", &[]).expect("it may be empty");
    assert!(
        empty
            .warnings
            .to_string()
            .contains("`merge.inputs` is empty")
    );
}

#[test]
fn counts_and_indices_that_make_no_sense() {
    let ring = |count: &str, each: &str, to: &str| {
        format!(
            "[arguments]\nsize = 3\n[process.node]\ncomponent = \"node\"\ncount = {count}\n\
             [[channel]]\n{each}from = \"node[i].right\"\nto = \"{to}\"\n"
        )
    };
    let each = "for = \"i in 0..size\"\n";
    let cases = [
        (
            ring("\"size\"", each, "node[i + 1].left"),
            "9:6 error: `node[i + 1].left` with i = 2 has the index 3, and the indices of `node` are 0 to 2 \
             (let `i` end earlier, or begin again at 0 with `% 3`, as in a ring: `node[(i + 1) % 3]`)",
        ),
        (
            ring("\"size\"", each, "node.left"),
            "9:6 error: `node.left` does not say which of 3 processes it means \
             (name one, as in `node[0].left`, all with `node[*].left`, or each in its turn by `for`)",
        ),
        (
            ring("\"size\"", "", "node[0].left"),
            "7:8 error: an index here has no value: nothing is called `i` here \
             (an index is made of numbers and of `size`)",
        ),
        (
            ring("\"sise\"", each, "node[i].left"),
            "5:9 error: `count` of process `node` is the argument `sise`, and [arguments] has no whole number of that name \
             (did you mean `size`?)",
        ),
        (
            ring("0", each, "node[i].left"),
            "5:9 error: `count` of process `node` is 0 (there is at least 1 process of a name)",
        ),
        (
            ring("1000000", each, "node[i].left"),
            "5:9 error: with `node` the network has more than 10000 processes",
        ),
        (
            ring("3", "for = \"i of 3\"\n", "node[i].left"),
            "7:7 error: `for` is a variable with its values, such as \"i in 0..4\", or a list of them; of \"i of 3\", it has no ` in `",
        ),
        (
            ring("3", "for = \"i in 0..size * 100000\"\n", "node[i % 3].left"),
            "7:7 error: the network has more than 10000 channels",
        ),
        (
            ring("1000", "for = \"i in 0..1000\"\n", "node[*].left"),
            "9:6 error: with `node[*].left` the network names processes more than 250000 times \
             (let fewer channels or lists name all processes of a `count`)",
        ),
        (
            ring("3", each, "node[i / 0].left"),
            "9:6 error: an index here has no value with i = 0: it divides by zero",
        ),
        (
            "[process.node]\ncomponent = \"node\"\n[[channel]]\nfrom = \"node[0].right\"\nto = \"node.left\"\n".to_owned(),
            "4:8 error: `node[0].right` has an index, and `node` is one process (write `node.right`, or give the process a `count`)",
        ),
        (
            "[process.cell]\ncomponent = \"cell\"\ncount = [2, 2]\nindex = \"row\"\n".to_owned(),
            "4:9 error: `index` names 1 arguments, and `count` has 2 dimensions (name one argument for each dimension)",
        ),
    ];
    for (text, expected) in cases {
        let found = plan(&text, &[]).expect_err(expected);
        let there = found.iter().any(|found| found.starts_with(expected));
        assert!(there, "expected {expected}\nfound {found:#?}\nin\n{text}");
    }
}

#[test]
fn what_is_wrong_with_all_is_said_once() {
    let text = "[process.worker]\ncomponent = \"worker\"\ncount = 5\n";
    let found = plan(text, &[]).expect_err("nothing is wired");
    let expected =
        "1:10 error: process `worker[0]` needs the argument `rank: u32` (and 4 more like this)";
    assert!(
        found.iter().any(|found| found.starts_with(expected)),
        "{found:#?}"
    );
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn links_and_groups_mean_some_or_all() {
    let text = format!(
        "{FARM}[[group]]\nname = \"workers\"\nmembers = [\"worker[*]\"]\n\
         [process.other]\ncomponent = \"merge\"\nlinks = [\"worker[0]\", \"source\"]\n"
    );
    let plan = plan(&text, &[]).expect("it fits");
    assert_eq!(
        plan.groups[0].members,
        ["worker[0]", "worker[1]", "worker[2]"]
    );
    assert_eq!(plan.processes[1].links, ["other"]);
    assert_eq!(plan.processes[2].links, [""; 0]);
}
