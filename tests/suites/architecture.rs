//! What the project's crates may depend on, as `ARCHITECTURE.md` says, against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What one crate may depend on.
struct Rule {
    name: &'static str,
    /// Those of the project's crates that it may name among its dependencies.
    ours: &'static [&'static str],
    /// What must not be among its dependencies or theirs; `*` at the end stands for anything.
    never: &'static [&'static str],
}

/// What guests are written with may use the core, for tests on the machine itself.
const GUESTS: &[&str] = &[
    "transputer-network",
    "transputer-abi",
    "wasmtime*",
    "tokio*",
];

const RULES: &[Rule] = &[
    Rule {
        name: "transputer-core",
        ours: &[],
        never: &["wasm*", "wit-*", "cranelift*", "tokio*", "async-nats"],
    },
    Rule {
        name: "transputer-network",
        ours: &["transputer-core"],
        never: &["wasmtime*", "cranelift*", "tokio*"],
    },
    Rule {
        name: "transputer-abi",
        ours: &["transputer-core"],
        never: &["transputer", "transputer-network"],
    },
    Rule {
        name: "transputer",
        ours: &["transputer-core", "transputer-network", "transputer-abi"],
        never: &["transputer-cli", "clap", "transputer-reach", "async-nats"],
    },
    Rule {
        name: "transputer-reach",
        ours: &[],
        never: &["wasmtime*", "cranelift*", "clap"],
    },
    Rule {
        name: "transputer-cli",
        ours: &[
            "transputer",
            "transputer-core",
            "transputer-network",
            "transputer-reach",
        ],
        never: &[],
    },
    Rule {
        name: "transputer-python",
        ours: &["transputer", "transputer-cli", "transputer-core"],
        never: &[],
    },
    Rule {
        name: "transputer-guest-macros",
        ours: &[],
        never: GUESTS,
    },
    Rule {
        name: "transputer-guest",
        ours: &["transputer-guest-macros", "transputer-core"],
        never: GUESTS,
    },
];

/// Who depends on whom, by the names of packages.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The dependencies of the workspace. Without `development`, only what a user of the crates gets.
fn graph(metadata: &Metadata, development: bool) -> Graph {
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.to_string()))
        .collect();
    let resolve = metadata
        .resolve
        .as_ref()
        .expect("dependencies are resolved");
    let mut graph = Graph::new();
    for node in &resolve.nodes {
        let needed = graph.entry(names[&node.id].clone()).or_default();
        for dependency in &node.deps {
            let mut kinds = dependency.dep_kinds.iter().map(|info| info.kind);
            if development || kinds.any(|kind| kind != DependencyKind::Development) {
                needed.insert(names[&dependency.pkg].clone());
            }
        }
    }
    graph
}

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    MetadataCommand::new()
        .manifest_path(manifest)
        // Packages for other platforms need not be on this machine.
        .other_options([
            "--locked".to_owned(),
            "--filter-platform".to_owned(),
            platform,
        ])
        .exec()
        .expect("cargo metadata runs")
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// Everything that a crate depends on, each with the way to it.
fn reached(graph: &Graph, from: &str) -> BTreeMap<String, String> {
    let mut ways = BTreeMap::new();
    let mut open = vec![(from.to_owned(), from.to_owned())];
    while let Some((name, way)) = open.pop() {
        for next in graph.get(&name).into_iter().flatten() {
            if !ways.contains_key(next) {
                let way = format!("{way} -> {next}");
                ways.insert(next.clone(), way.clone());
                open.push((next.clone(), way));
            }
        }
    }
    ways
}

/// What breaks the rules. A crate that does not exist breaks none.
fn violations(graph: &Graph, rules: &[Rule]) -> Vec<String> {
    let mut found = Vec::new();
    for rule in rules {
        let direct = graph.get(rule.name).into_iter().flatten();
        for name in direct {
            let is_ours = rules.iter().any(|rule| rule.name == name);
            if is_ours && !rule.ours.contains(&name.as_str()) {
                found.push(format!("{} may not depend on {name}", rule.name));
            }
        }
        for (name, way) in reached(graph, rule.name) {
            if rule.never.iter().any(|pattern| matches(pattern, &name)) {
                found.push(format!("{} may not depend on {name}: {way}", rule.name));
            }
        }
    }
    found
}

/// The crates among `names` that depend on themselves by way of others.
fn circles(graph: &Graph, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .filter_map(|name| reached(graph, name).remove(*name))
        .collect()
}

fn rule_names() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.name).collect()
}

#[test]
fn no_crate_depends_on_what_it_must_not() {
    let graph = graph(&metadata(), false);
    assert!(
        reached(&graph, "transputer").contains_key("wasmtime"),
        "cargo metadata was misread: the runtime does without wasmtime"
    );
    let found = violations(&graph, RULES);
    assert!(
        found.is_empty(),
        "see ARCHITECTURE.md:\n{}",
        found.join("\n")
    );
}

/// `cargo package` cannot check a crate that its own dependency needs for its tests.
#[test]
fn published_crates_form_no_circle_even_in_their_tests() {
    let found = circles(&graph(&metadata(), true), &rule_names());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_published_crate_has_a_rule() {
    let metadata = metadata();
    let published: Vec<_> = metadata
        .workspace_packages()
        .into_iter()
        // `publish = false` is an empty list of registries.
        .filter(|package| package.publish.is_none())
        .map(|package| package.name.to_string())
        .collect();
    let missing: Vec<_> = published
        .iter()
        .filter(|name| !rule_names().contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no rule in this file for {missing:?}");
    // Guards against a renamed crate, whose rule would check nothing.
    for name in ["transputer-core", "transputer-network", "transputer"] {
        assert!(
            published.iter().any(|found| found == name),
            "no crate {name}"
        );
    }
}

fn made_up(edges: &[(&str, &str)]) -> Graph {
    let mut graph = Graph::new();
    for (from, to) in edges {
        let needed = graph.entry((*from).to_owned()).or_default();
        needed.insert((*to).to_owned());
    }
    graph
}

#[test]
fn a_forbidden_dependency_is_found_however_far_away() {
    let graph = made_up(&[
        ("transputer-network", "transputer-core"),
        ("transputer-core", "channel-library"),
        ("channel-library", "tokio-util"),
    ]);
    let found = violations(&graph, RULES);
    let way = "transputer-core -> channel-library -> tokio-util";
    assert_eq!(
        found,
        [
            format!("transputer-core may not depend on tokio-util: {way}"),
            format!("transputer-network may not depend on tokio-util: transputer-network -> {way}"),
        ]
    );
}

#[test]
fn a_crate_that_reaches_upwards_is_found() {
    let graph = made_up(&[("transputer-guest", "transputer-cli")]);
    let found = violations(&graph, RULES);
    assert_eq!(found, ["transputer-guest may not depend on transputer-cli"]);
}

#[test]
fn a_circle_is_found() {
    let graph = made_up(&[
        ("transputer", "transputer-abi"),
        ("transputer-abi", "helper"),
        ("helper", "transputer"),
    ]);
    let found = circles(&graph, &["transputer"]);
    assert_eq!(
        found,
        ["transputer -> transputer-abi -> helper -> transputer"]
    );
}
