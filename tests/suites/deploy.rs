//! Whether the files in `deploy/` deploy a network that runs. `tools/deploy` checks their syntax.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use transputer::description::Description;
use transputer_tests::repository;

fn file(name: &str) -> String {
    fs::read_to_string(repository().join("deploy").join(name)).expect("it is there")
}

/// The command, which `tools/test` has built.
fn transputer() -> Command {
    let tests = std::env::current_exe().expect("a test has a file");
    let folder = tests.ancestors().nth(2).expect("tests lie in `deps`");
    let mut command = Command::new(folder.join("transputer"));
    command.current_dir(repository());
    command
}

/// The lines of a comment that are commands: those that begin with this word.
fn commands(text: &str, word: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("#   "));
    let commands = lines.filter(|line| line.starts_with(word));
    commands
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// The folder that the Dockerfile copies into the image, built as it says.
fn network() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let network = folder.path().join("network");
    let text = file("Dockerfile");
    let build = commands(&text, "target/dist/transputer build");
    let [build] = &build[..] else {
        panic!("the Dockerfile says how to build the network once: {build:?}")
    };
    let arguments = build[1..].iter().map(|word| match word.as_str() {
        "deploy/network" => network.display().to_string(),
        word => word.to_owned(),
    });
    let built = transputer().args(arguments).output().expect("it runs");
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{errors}");
    fs::write(network.join("network.toml"), file("visits.toml")).expect("there is room");
    (folder, network)
}

#[test]
fn the_network_of_the_image_runs_as_its_entry_point_does() {
    let (_folder, network) = network();
    let checked = transputer()
        .args(["check", "--on", "edge"])
        .arg(&network)
        .output();
    let checked = checked.expect("it runs");
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{errors}");
    assert!(!errors.contains("not built"), "{errors}");
    let log = fs::File::open(repository().join("examples/pipeline/access.log"));
    let ran = transputer()
        .arg("run")
        .arg(&network)
        .arg("--no-build")
        .stdin(Stdio::from(log.expect("a log")))
        .output()
        .expect("it runs");
    let expected = repository().join("examples/cluster/expected.txt");
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        fs::read_to_string(expected).expect("it is there"),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn the_network_is_that_of_the_example() {
    let example = fs::read_to_string(repository().join("examples/cluster/network.toml"));
    let without_components = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("component ="));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(
        without_components(&file("visits.toml")),
        without_components(&example.expect("it is there"))
    );
}

/// What stands behind each `--on`.
fn labels(text: &str) -> BTreeSet<String> {
    let behind = text.split("\"--on\", \"").skip(1);
    behind
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

#[test]
fn every_place_has_a_deployment_and_a_container() {
    let text = file("visits.toml");
    let description = Description::parse(&text, "visits.toml", &repository().join("deploy"));
    let description = description.expect("it is a network");
    let places: BTreeSet<_> = description
        .processes
        .iter()
        .filter_map(|process| Some(process.place.as_ref()?.get_ref().clone()))
        .collect();
    assert_eq!(places.len(), 3);
    assert_eq!(labels(&file("kubernetes.yaml")), places);
    assert_eq!(labels(&file("compose.yaml")), places);
}

#[test]
fn pods_have_time_to_drain_and_no_privileges() {
    let text = file("kubernetes.yaml");
    for pod in text.split("\n---\n") {
        let value = |key: &str| -> &str {
            let found = pod.split_once(key);
            let (_, rest) = found.unwrap_or_else(|| panic!("no {key} in\n{pod}"));
            rest.split([',', '\n']).next().unwrap_or_default().trim()
        };
        let time: u64 = value("terminationGracePeriodSeconds:")
            .parse()
            .expect("seconds");
        let grace = pod
            .split("\"--grace\", \"")
            .nth(1)
            .and_then(|it| it.split_once("s\""));
        let grace: u64 = grace.expect("it is given").0.parse().expect("seconds");
        // What was sent has five seconds more to be stored.
        assert!(time > grace + 5, "{time} s, and --grace of {grace} s");
        assert_eq!(value("runAsNonRoot:"), "true");
        assert_eq!(value("readOnlyRootFilesystem:"), "true");
        assert_eq!(value("allowPrivilegeEscalation:"), "false");
        assert_eq!(value("emptyDir:"), "{}");
        for probe in ["startupProbe:", "readinessProbe:"] {
            assert!(pod.contains(probe), "{probe}");
        }
    }
}

#[test]
fn the_account_has_room_for_the_networks_streams() {
    let text = file("nats.conf");
    let most = text.split_once("max_streams:").expect("it is limited").1;
    let most: usize = most
        .split(',')
        .next()
        .and_then(|it| it.trim().parse().ok())
        .expect("a number");
    let remote = file("visits.toml").matches("remote = true").count();
    assert_eq!(most, remote + 2);
}
