//! Networks in registries: Debian's, and some that are up to no good.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use super::packing::ECHO;
use super::{network, transputer};

mod debian;
mod fake;
mod hostile;
mod server;
mod tokens;

/// A registry at an address of this machine.
trait Listens {
    /// Its host and port.
    fn address(&self) -> &str;

    fn oci(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.address())
    }

    fn port(&self) -> &str {
        self.address().rsplit_once(':').expect("a port").1
    }
}

/// Somebody's account on a machine: a home with nothing in it.
struct User(TempDir);

impl User {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn home(&self) -> &Path {
        self.0.path()
    }

    /// The command in this home, which knows no credentials but those in it.
    fn transputer(&self) -> Command {
        let mut command = transputer();
        for name in [
            "DOCKER_CONFIG",
            "DOCKER_AUTH_CONFIG",
            "REGISTRY_AUTH_FILE",
            "TRANSPUTER_REGISTRY_USER",
            "TRANSPUTER_REGISTRY_PASSWORD",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "XDG_RUNTIME_DIR",
            "XDG_CACHE_HOME",
        ] {
            command.env_remove(name);
        }
        command.env("HOME", self.home()).current_dir(self.home());
        command
    }

    /// A pack of a network that echoes, in this home.
    fn packs(&self, extra: &[&str]) {
        let source = network(ECHO);
        let mut command = self.transputer();
        command.arg("pack").arg(source.path()).args(extra);
        command.args(["--output", "echo.pack"]);
        command.assert().success();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.home().join(name)).expect("a file")
    }
}
