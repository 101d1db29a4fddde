//! Looks at networks that run in other commands, over their sockets.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::runtime;
use super::view::Look;

/// The most bytes of a look.
const LARGEST: u64 = 256 << 20;

/// How long a network is waited for; one look at a large one takes a while.
const PATIENCE: Duration = Duration::from_secs(10);

/// A network in another command.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Network {
    /// The number of the command's process.
    pub(crate) pid: u32,
    #[serde(flatten)]
    pub(crate) look: Look,
}

/// Looks at every network of this user. Those that end meanwhile are left out.
pub(crate) fn networks() -> io::Result<Vec<Network>> {
    let mut networks = Vec::new();
    for (pid, path) in runtime::sockets()? {
        match look(&path) {
            Ok(Some(look)) => networks.push(Network { pid, look }),
            Ok(None) => {}
            // Its command was killed, and could not take the socket away.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = std::fs::remove_file(&path);
            }
            Err(_) => {}
        }
    }
    Ok(networks)
}

/// `None` if the network has not begun, or has ended.
fn look(path: &Path) -> io::Result<Option<Look>> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LARGEST)).read_line(&mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let look = serde_json::from_str(&line);
    look.map(Some).map_err(io::Error::from)
}

/// Those of the networks that a user means: by the number of the process, by the name, or all.
pub(crate) fn chosen(networks: Vec<Network>, which: Option<&str>) -> Vec<Network> {
    let Some(which) = which else { return networks };
    let means =
        |network: &Network| network.pid.to_string() == which || network.look.network == which;
    networks.into_iter().filter(means).collect()
}
