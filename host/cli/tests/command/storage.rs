//! Disks that are full, and caches that are broken, shared or out of reach.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use super::{network, transputer};

const ANSWERS: &str = r#"
[network]
name = "answers"

[process.answers]
component = "{guest:answers}"

[stdin]
to = "answers.lines"
format = "lines"

[stdout]
from = "answers.out"
format = "lines"
"#;

/// More than any buffer on the way holds.
fn many_lines() -> String {
    (0..20_000).map(|number| format!("{number}\n")).collect()
}

fn run(folder: &TempDir) -> assert_cmd::Command {
    let mut command = transputer();
    command.arg("run").arg(folder.path());
    command
}

/// Runs with compiled code in `cache`, and expects the right output.
fn run_with_cache(folder: &TempDir, cache: &Path) {
    run(folder)
        .env("XDG_CACHE_HOME", cache)
        .write_stdin("one\ntwo\n")
        .assert()
        .code(0)
        .stdout("one\ntwo\n");
}

/// All files in a folder and in those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn a_full_disk_behind_stdout_is_named() {
    let folder = network(ANSWERS);
    for lines in ["one\n", &many_lines()] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let input = folder.path().join("input");
        fs::write(&input, lines).unwrap();
        let ended = Command::new(env!("CARGO_BIN_EXE_transputer"))
            .arg("run")
            .arg(folder.path())
            .stdin(fs::File::open(&input).unwrap())
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .expect("it starts");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(stderr.contains("stdout: No space left"), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_ne!(ended.status.code(), Some(0), "{stderr}");
    }
}

#[test]
fn a_full_disk_behind_a_trace_is_named() {
    let folder = network(ANSWERS);
    run(&folder)
        .args(["--trace", "/dev/full"])
        .write_stdin(many_lines())
        .assert()
        .failure()
        .stdout(many_lines())
        .stderr(contains("the trace to /dev/full").and(contains("No space left")))
        .stderr(contains("panicked").not());
}

#[test]
fn a_full_disk_behind_the_dead_letters_is_named() {
    let folder = network(ANSWERS);
    let Some(small) = SmallDisk::mount(folder.path()) else {
        println!("SKIPPED: a small file system cannot be mounted here");
        return;
    };
    let left = small.0.join("left.jsonl");
    run(&folder)
        .arg("--dead-letter")
        .arg(&left)
        .write_stdin(many_lines())
        .assert()
        .failure()
        .stderr(contains("No space left").and(contains("panicked").not()));
    assert!(left.exists(), "what was accepted stays");
}

#[test]
fn a_full_disk_behind_the_cache_harms_nothing() {
    let folder = network(ANSWERS);
    let Some(small) = SmallDisk::mount(folder.path()) else {
        println!("SKIPPED: a small file system cannot be mounted here");
        return;
    };
    fs::create_dir(small.0.join("cache")).unwrap();
    // Whatever is left of it goes to this file.
    let _ = fs::write(small.0.join("filler"), vec![0; 1 << 20]);
    run_with_cache(&folder, &small.0.join("cache"));
}

/// A file system of 64 kB, as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Needs to be root.
    fn mount(folder: &Path) -> Option<Self> {
        let place = folder.join("small");
        fs::create_dir(&place).expect("it is new");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(&place)
            .stderr(Stdio::null())
            .status();
        let mounted = mounted.is_ok_and(|status| status.success());
        mounted.then_some(Self(place))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted shows when its folder cannot be removed.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn damaged_compiled_code_is_compiled_again() {
    let folder = network(ANSWERS);
    let cache = tempfile::tempdir().unwrap();
    run_with_cache(&folder, cache.path());
    let kept = files(cache.path());
    assert!(!kept.is_empty(), "it is kept");
    for damage in [cut_short, emptied, garbled] {
        for file in files(cache.path()) {
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, damage(&bytes)).unwrap();
        }
        run_with_cache(&folder, cache.path());
    }
}

fn cut_short(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() / 2].to_vec()
}

fn emptied(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

/// In the midst of the code.
fn garbled(bytes: &[u8]) -> Vec<u8> {
    let mut garbled = bytes.to_vec();
    let middle = bytes.len() / 2;
    garbled[middle..middle + 4].fill(!bytes[middle]);
    garbled
}

#[test]
fn without_a_cache_folder_the_host_goes_on_and_says_so_once() {
    let folder = network(ANSWERS);
    let no_folder = folder.path().join("network.toml");
    let said = contains("Not a directory")
        .count(1)
        .and(contains("--no-cache"));
    run(&folder)
        .env("XDG_CACHE_HOME", &no_folder)
        .write_stdin("one\n")
        .assert()
        .code(0)
        .stdout("one\n")
        .stderr(said);
    for option in ["--no-cache", "--quiet"] {
        run(&folder)
            .arg(option)
            .env("XDG_CACHE_HOME", &no_folder)
            .write_stdin("one\n")
            .assert()
            .code(0)
            .stdout("one\n")
            .stderr("");
    }
}

#[test]
fn a_cache_folder_that_was_asked_for_must_be_there() {
    let folder = network(ANSWERS);
    run(&folder)
        .arg("--cache")
        .arg(folder.path().join("network.toml"))
        .write_stdin("one\n")
        .assert()
        .code(4)
        .stdout("")
        .stderr(contains("the cache of compiled components").and(contains("network.toml")));
    let cache = folder.path().join("cache");
    run(&folder)
        .arg("--cache")
        .arg(&cache)
        .write_stdin("one\n")
        .assert()
        .code(0)
        .stdout("one\n")
        .stderr("");
    assert!(!files(&cache).is_empty(), "it is used");
}

/// As systemd's DynamicUser, and containers with a root that cannot be written.
#[test]
fn a_user_without_a_home_can_run_networks() {
    let folder = network(ANSWERS);
    let command = folder.path().join("transputer");
    let become_nobody = |home: &[&str]| {
        let mut run = Command::new("setpriv");
        run.args(["--reuid=65534", "--regid=65534", "--clear-groups", "env"])
            .args(home)
            .env_remove("XDG_CACHE_HOME")
            .current_dir(folder.path())
            .stdin(Stdio::null());
        run
    };
    // Another user may reach neither the folder of the command nor those of the guests.
    fs::copy(env!("CARGO_BIN_EXE_transputer"), &command).unwrap();
    fs::copy(super::guest("answers"), folder.path().join("answers.wasm")).unwrap();
    let text = ANSWERS.replace("{guest:answers}", "answers.wasm");
    fs::write(folder.path().join("network.toml"), text).unwrap();
    open_to_all(folder.path());
    let works = become_nobody(&[])
        .args(["./transputer", "--version"])
        .output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: nobody else can be run as here");
        return;
    }
    for home in [&["HOME=/nonexistent"][..], &["-u", "HOME"]] {
        let ended = become_nobody(home)
            .args(["./transputer", "run", "."])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{stderr}");
    }
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    for path in files(folder).iter().map(PathBuf::as_path).chain([folder]) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = network(ANSWERS);
    let cache = tempfile::tempdir().unwrap();
    let ours = cache.path().join("transputer");
    fs::create_dir(&ours).unwrap();
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o777)).unwrap();
    let said = || contains("can be written by other users").and(contains("transputer"));
    run(&folder)
        .env("XDG_CACHE_HOME", cache.path())
        .write_stdin("one\n")
        .assert()
        .code(0)
        .stdout("one\n")
        .stderr(said());
    assert!(files(&ours).is_empty(), "nothing is kept in it");
    run(&folder)
        .arg("--cache")
        .arg(&ours)
        .write_stdin("one\n")
        .assert()
        .code(4)
        .stdout("")
        .stderr(said());
}

#[test]
fn two_hosts_at_once_share_a_new_cache() {
    let folder = network(ANSWERS);
    let input = folder.path().join("input");
    fs::write(&input, "one\ntwo\n").unwrap();
    for _ in 0..4 {
        let cache = tempfile::tempdir().unwrap();
        let start = || {
            Command::new(env!("CARGO_BIN_EXE_transputer"))
                .arg("run")
                .arg(folder.path())
                .env("XDG_CACHE_HOME", cache.path())
                .stdin(fs::File::open(&input).unwrap())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts")
        };
        let hosts = [start(), start()];
        for host in hosts {
            let ended = host.wait_with_output().expect("it can be waited for");
            assert_eq!(ended.stdout, b"one\ntwo\n", "{ended:?}");
            assert!(ended.status.success(), "{ended:?}");
        }
    }
}
