//! Hosts as programs of their own, and what they share.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use transputer_tests::{guest_file, repository};

use super::server::Server;

/// Longer than anything takes, unless it never ends.
const EVER: Duration = Duration::from_secs(120);

/// The command, which `tools/test` has built.
pub(crate) fn transputer() -> Command {
    let tests = std::env::current_exe().expect("a test has a file");
    let folder = tests.ancestors().nth(2).expect("tests lie in `deps`");
    let path = folder.join("transputer");
    assert!(path.is_file(), "the command is not built: run `tools/test`");
    let mut command = Command::new(path);
    command
        .current_dir(repository())
        .env_remove("TRANSPUTER_NATS");
    command
}

pub(crate) fn example(name: &str) -> String {
    let path = repository().join("examples").join(name);
    fs::read_to_string(path).expect("an example")
}

/// The network of the example, with other settings, in a folder of its own beside the example's.
pub(crate) struct Network {
    pub(crate) folder: PathBuf,
}

impl Network {
    pub(crate) fn with(change: impl FnOnce(String) -> String) -> Self {
        let pipeline = repository().join("examples/pipeline").display().to_string();
        let text = example("cluster/network.toml").replace("../pipeline", &pipeline);
        Self::new(&change(text))
    }

    /// A network with this file. `{guest NAME}` stands for a component of `tests/guests`.
    pub(crate) fn new(text: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-{}-{count}", std::process::id());
        let folder = repository().join("target/tests").join(name);
        fs::create_dir_all(&folder).expect("there is room");
        let mut file = String::new();
        for (index, piece) in text.split("{guest ").enumerate() {
            match piece.split_once('}') {
                Some((name, rest)) if index > 0 => {
                    file.push_str(&guest_file(name).display().to_string());
                    file.push_str(rest);
                }
                _ => file.push_str(piece),
            }
        }
        fs::write(folder.join("network.toml"), file).expect("there is room");
        Self { folder }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A host: a command that runs.
pub(crate) struct Host {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: tempfile::NamedTempFile,
}

impl Host {
    pub(crate) fn start(network: &Path, server: &Server, on: &str, name: &str) -> Self {
        let stderr = tempfile::NamedTempFile::new().expect("a file");
        let mut command = transputer();
        command.arg("run").arg(network);
        command.args(["--on", on, "--host", name, "--nats", &server.url()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.reopen().expect("a file"))
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            stderr,
        }
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.stderr.path()).unwrap_or_default()
    }

    /// Waits until it says this.
    pub(crate) fn until_it_says(&self, what: &str) {
        wait_until(
            || self.said().contains(what),
            || format!("{what:?} in {}", self.said()),
        );
    }

    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("it was piped");
        let written = stdin
            .write_all(text.as_bytes())
            .and_then(|()| stdin.flush());
        if let Err(error) = written {
            panic!("it does not read: {error}: {}", self.said());
        }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.expect("there is `kill`").success());
    }

    /// Its end: its exit code, and what it printed.
    pub(crate) fn end(self) -> (Option<i32>, String) {
        let (code, bytes) = self.end_in_bytes();
        (code, String::from_utf8(bytes).expect("it is text"))
    }

    pub(crate) fn end_in_bytes(mut self) -> (Option<i32>, Vec<u8>) {
        drop(self.stdin.take());
        let mut stdout = self.child.stdout.take().expect("it was piped");
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.read_to_end(&mut bytes);
            bytes
        });
        let stderr = self.stderr.path().to_owned();
        let said = || fs::read_to_string(&stderr).unwrap_or_default();
        wait_until(
            || matches!(self.child.try_wait(), Ok(Some(_))),
            || format!("its end: {}", said()),
        );
        let status = self.child.wait().expect("it has ended");
        (status.code(), reading.join().expect("it reads"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn wait_until(mut done: impl FnMut() -> bool, what: impl Fn() -> String) {
    let until = Instant::now() + EVER;
    while !done() {
        assert!(Instant::now() < until, "waited in vain for {}", what());
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn status(network: &Path, server: &Server) -> Value {
    let output = transputer()
        .args(["cluster", "status", "--json", "--nats", &server.url()])
        .arg(network)
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Which host runs a part.
pub(crate) fn holder(network: &Path, server: &Server, part: &str) -> Option<String> {
    let status = status(network, server);
    let leases = status["leases"].as_array()?;
    let lease = leases.iter().find(|lease| lease["part"] == part)?;
    Some(lease["host"].as_str()?.to_owned())
}

/// How many messages are in all channels, and how many were sent into the first one.
pub(crate) fn traffic(network: &Path, server: &Server) -> (u64, u64) {
    let status = status(network, server);
    let channels = status["channels"].as_array().expect("channels");
    let number = |channel: &Value, key: &str| channel[key].as_u64().unwrap_or(0);
    let inside = channels.iter().map(|it| number(it, "messages")).sum();
    (inside, channels.first().map_or(0, |it| number(it, "sent")))
}
