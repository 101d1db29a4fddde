//! Networks in one file.

use std::path::Path;
use std::process::Command as Program;

use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use super::{network, transputer, write};

pub(super) const ECHO: &str = "
[network]
name = \"echoing\"
doc = \"Says it again.\"
[components]
echo = \"{guest:echo}\"
[process.echo]
component = \"echo\"
[stdin]
to = \"echo.lines\"
[stdout]
from = \"echo.out\"
";

/// A pack of a network of one process, in a folder of its own.
fn packed(extra: &[&str]) -> TempDir {
    let source = network(ECHO);
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("echo.pack");
    let mut command = transputer();
    command
        .arg("pack")
        .arg(source.path())
        .arg("--output")
        .arg(&pack)
        .args(extra);
    command
        .assert()
        .success()
        .stderr(contains("packed `echoing`"));
    folder
}

#[test]
fn a_pack_runs_without_its_sources_and_without_a_compiler() {
    let folder = packed(&[]);
    let run = |more: &[&str]| {
        let mut command = transputer();
        // Nothing to be found in.
        command
            .env("PATH", folder.path())
            .current_dir(folder.path());
        command
            .args(["run", "echo.pack"])
            .args(more)
            .write_stdin("once\ntwice\n");
        command.assert()
    };
    run(&[]).success().stdout("once\ntwice\n");
    run(&["--arg", "nothing=1"])
        .code(2)
        .stderr(contains("no process has an argument `nothing`"));
    run(&["--verify", "public.pem"])
        .code(4)
        .stderr(contains("cannot read public.pem"));
}

#[test]
fn the_same_network_makes_the_same_pack() {
    let (one, other) = (packed(&[]), packed(&[]));
    let read = |folder: &TempDir| std::fs::read(folder.path().join("echo.pack")).unwrap();
    assert_eq!(read(&one), read(&other));
}

#[test]
fn a_pack_holds_digests_versions_and_a_bill_of_materials() {
    let folder = packed(&[]);
    let unpacked = unpack(folder.path());
    let json = |name: &str| -> serde_json::Value {
        let text = std::fs::read(unpacked.path().join(name)).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let blob = |digest: &serde_json::Value| {
        let digest = digest
            .as_str()
            .unwrap()
            .strip_prefix("sha256:")
            .unwrap()
            .to_owned();
        format!("blobs/sha256/{digest}")
    };
    let index = json("index.json");
    let manifest = json(&blob(&index["manifests"][0]["digest"]));
    assert_eq!(
        manifest["artifactType"],
        "application/vnd.transputer.network.v1"
    );
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.title"],
        "echoing"
    );
    let config = json(&blob(&manifest["config"]["digest"]));
    assert_eq!(config["transputer"], env!("CARGO_PKG_VERSION"));
    assert_eq!(config["components"][0]["name"], "echo");
    let layers = manifest["layers"].as_array().unwrap();
    let types: Vec<&str> = layers
        .iter()
        .map(|it| it["mediaType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "application/vnd.transputer.network.file.v1+toml",
            "application/wasm",
            "application/vnd.cyclonedx+json"
        ]
    );
    let bill = json(&blob(&layers[2]["digest"]));
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let component = &bill["components"][0];
    let hash = component["hashes"][0]["content"].as_str().unwrap();
    assert_eq!(layers[1]["digest"], format!("sha256:{hash}"));
    // It says by which tools it was made.
    assert!(!component["properties"].as_array().unwrap().is_empty());
}

/// The files of a pack.
fn unpack(folder: &Path) -> TempDir {
    let unpacked = tempfile::tempdir().unwrap();
    let mut tar = Program::new("tar");
    tar.arg("xf")
        .arg(folder.join("echo.pack"))
        .arg("-C")
        .arg(unpacked.path());
    assert!(tar.status().unwrap().success());
    unpacked
}

#[test]
fn what_was_changed_is_refused() {
    let folder = packed(&[]);
    let file = folder.path().join("echo.pack");
    let whole = std::fs::read(&file).unwrap();
    let run = |bytes: &[u8]| {
        write(folder.path(), "echo.pack", bytes);
        let mut command = transputer();
        command.arg("run").arg(&file).write_stdin("").assert()
    };
    // A byte of the doc, in the network file and in what the manifest says of it.
    let changed = |before: &[u8]| {
        let mut windows = whole.windows(before.len());
        let at = windows.position(|bytes| bytes == before).expect("its doc");
        let mut changed = whole.clone();
        changed[at + before.len() - 1] = b'B';
        changed
    };
    run(&changed(b"doc = \"S"))
        .code(2)
        .stderr(contains("echo.pack: it is damaged: expected a blob of"));
    run(&changed(b"description\":\"S")).code(2).stderr(contains(
        "echo.pack: it is damaged: its manifest is not there, or not what its index says",
    ));
    run(&whole[..whole.len() / 2])
        .code(2)
        .stderr(contains("echo.pack: it is damaged"));
    run(&whole).success();
}

#[test]
fn a_pack_is_signed_and_its_signature_is_checked() {
    let keys = tempfile::tempdir().unwrap();
    // Pairs that OpenSSL has made.
    write(keys.path(), "key.pem", PRIVATE);
    write(keys.path(), "public.pem", PUBLIC);
    write(keys.path(), "other.pem", OTHER);
    let key = |name: &str| keys.path().join(name).display().to_string();
    let folder = packed(&["--sign", &key("key.pem")]);
    let run = |folder: &TempDir, public: &str| {
        let mut command = transputer();
        let file = folder.path().join("echo.pack");
        command
            .arg("run")
            .arg(file)
            .args(["--verify", &key(public)]);
        command.write_stdin("signed\n").assert()
    };
    run(&folder, "public.pem").success().stdout("signed\n");
    run(&folder, "other.pem")
        .code(2)
        .stderr(contains("its signature is not of this key"));
    run(&packed(&[]), "public.pem")
        .code(2)
        .stderr(contains("it is not signed"));
    run(&folder, "key.pem")
        .code(2)
        .stderr(contains("holds no public key"));
    let mut command = transputer();
    command
        .args(["run", "--verify", &key("public.pem")])
        .arg(network(ECHO).path());
    command
        .assert()
        .code(2)
        .stderr(contains("is no pack").and(contains("--verify")));
}

pub(super) const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
MC4CAQAwBQYDK2VwBCIEIDaNjg9nnUcfv3AopifT9LtW11ICSHjJBFvcTIM+2sc+\n\
-----END PRIVATE KEY-----\n";
pub(super) const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VwAyEAt8q3bEFBhOB4tJF90kLFqLKJP66TZm4Z5GsyhxbsXEc=\n\
-----END PUBLIC KEY-----\n";
pub(super) const OTHER: &str = "-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VwAyEAs4ZLgiJQWpo3MQeL9EwMpisorsmT8RIfW1rTMaq9KL4=\n\
-----END PUBLIC KEY-----\n";
