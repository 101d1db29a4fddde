//! Debian's registry (the package `docker-registry`), on a port of its own, with a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};

use tempfile::TempDir;

pub(super) struct Registry {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Registry {
    /// Starts one, or says that there is none to start, so that nobody takes that for a success.
    pub(super) fn start(what: &str) -> Option<Self> {
        Self::start_with(what, |_| String::new())
    }

    /// The same with more in its configuration, which may name files in the folder that is handed over.
    pub(super) fn start_with(what: &str, extra: impl FnOnce(&Path) -> String) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("NOT CHECKED: {what}: there is no docker-registry; tools/setup installs it");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let extra = extra(folder.path());
        let data = folder.path().join("data");
        let configuration = format!(
            "version: 0.1\n\
             log: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {data:?}}}}}\n\
             {extra}\n"
        );
        let configuration = match extra.contains("http:") {
            true => configuration,
            false => configuration + "http: {addr: \"127.0.0.1:0\", secret: of-a-test}\n",
        };
        let file = folder.path().join("registry.yml");
        std::fs::write(&file, configuration).expect("a file");
        let mut child = Program::new(program)
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the registry starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let address = address(&mut log);
        // Nobody else empties the pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Some(Self {
            child,
            address,
            folder,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl super::Listens for Registry {
    fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&paths).map(|folder| folder.join("docker-registry"));
    found.find(|path| path.is_file())
}

/// Where it listens, which its log says once it does.
fn address(log: &mut impl std::io::BufRead) -> String {
    const SAID: &str = "listening on ";
    let mut said = String::new();
    for line in log.lines() {
        let line = line.expect("its log is text");
        if let Some(start) = line.find(SAID) {
            let rest = &line[start + SAID.len()..];
            let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ':'));
            return rest[..end.unwrap_or(rest.len())].to_owned();
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("the registry has ended:\n{said}");
}
