//! A NATS server of the test's own, with a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The program to test with: as `TRANSPUTER_NATS_SERVER` says, or the one that `tools/nats` has installed, or the
/// system's.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TRANSPUTER_NATS_SERVER") {
        return Some(named.into());
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = |folder: &Path| folder.join("target/nats/bin/nats-server");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&paths).map(|folder| folder.join("nats-server"));
    package
        .ancestors()
        .map(installed)
        .chain(folders)
        .chain([PathBuf::from("/usr/sbin/nats-server")])
        .find(|path| path.is_file())
}

/// Says that there is no server, so that nobody takes it for a success.
pub(crate) fn not_checked(what: &str) {
    eprintln!("NOT CHECKED: {what}: there is no nats-server; `tools/nats` installs one");
}

pub(crate) struct Server {
    folder: TempDir,
    program: PathBuf,
    port: u16,
    extra: String,
    child: Child,
}

impl Server {
    /// Starts one, or says that there is none to start.
    pub(crate) fn start(what: &str) -> Option<Self> {
        Self::start_with(what, "")
    }

    /// The same with more in its configuration.
    pub(crate) fn start_with(what: &str, extra: &str) -> Option<Self> {
        let Some(program) = program() else {
            not_checked(what);
            return None;
        };
        Some(Self::start_program(program, extra))
    }

    /// The same without JetStream.
    pub(crate) fn start_without_jetstream(what: &str) -> Option<Self> {
        Self::start_with(what, "jetstream: disabled")
    }

    /// Starts this program.
    pub(crate) fn start_program(program: PathBuf, extra: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let child = spawn(&program, folder.path(), -1, extra);
        let port = port_of(folder.path(), child.id());
        let extra = extra.to_owned();
        let server = Self {
            folder,
            program,
            port,
            extra,
            child,
        };
        server.wait();
        server
    }

    /// Starts three that are one cluster; not with a server that is too old for that.
    pub(crate) fn start_cluster(what: &str) -> Option<Vec<Self>> {
        let Some(program) = program() else {
            not_checked(what);
            return None;
        };
        if is_old(&program) {
            eprintln!(
                "NOT CHECKED: {what}: nats-server 2.9 is no use in a cluster; `tools/nats` installs a newer one"
            );
            return None;
        }
        let ports = free_ports(6);
        let routes: Vec<_> = ports[3..]
            .iter()
            .map(|port| format!("nats://127.0.0.1:{port}"))
            .collect();
        let start = |index: usize| {
            let (port, route) = (ports[index], ports[index + 3]);
            let extra = format!(
                "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{}] }}",
                routes.join(", ")
            );
            let folder = tempfile::tempdir().expect("a folder");
            let child = spawn(&program, folder.path(), port.into(), &extra);
            Self {
                folder,
                program: program.clone(),
                port,
                extra,
                child,
            }
        };
        let servers: Vec<_> = (0..3).map(start).collect();
        servers.iter().for_each(Self::wait);
        Some(servers)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was; without what it had stored, if `forget`.
    pub(crate) fn restart(&mut self, forget: bool) {
        self.kill();
        if forget {
            let _ = std::fs::remove_dir_all(self.folder.path().join("store"));
        }
        self.child = spawn(
            &self.program,
            self.folder.path(),
            self.port.into(),
            &self.extra,
        );
        self.wait();
    }

    /// Waits until it listens.
    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < until,
                "nats-server does not start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(program: &Path, folder: &Path, port: i32, extra: &str) -> Child {
    let path = folder.display();
    let config = format!(
        "server_name: \"n{port}\"\nlisten: \"127.0.0.1:{port}\"\nports_file_dir: \"{path}\"\n\
         {}\n{extra}\n",
        match extra.contains("jetstream: disabled") {
            true => String::new(),
            false => format!("jetstream {{ store_dir: \"{path}/store\" }}"),
        }
    );
    std::fs::write(folder.join("conf"), config).expect("there is room");
    let log = std::fs::File::options()
        .append(true)
        .create(true)
        .open(folder.join("log"));
    Command::new(program)
        .arg("-c")
        .arg(folder.join("conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("a log"))
        .spawn()
        .expect("nats-server can be started")
}

/// The port that it chose, which it writes into a file.
fn port_of(folder: &Path, id: u32) -> u16 {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let files = std::fs::read_dir(folder).expect("a folder").flatten();
        let ports = files.filter(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            name.ends_with(".ports") && name.contains(&id.to_string())
        });
        for file in ports {
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            let port = text.split("127.0.0.1:").nth(1);
            let digits = port.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
            if let Some(port) = digits.and_then(|digits: String| digits.parse().ok()) {
                return port;
            }
        }
        assert!(Instant::now() < until, "nats-server writes no port");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a server is of the version of Debian 12.
pub(crate) fn is_old(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("v2.9."))
}

/// Ports that nobody listens at.
fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let listeners: Vec<_> = (0..count).map(bind).collect();
    let ports = listeners
        .iter()
        .map(|it| it.local_addr().expect("a port").port());
    ports.collect()
}
