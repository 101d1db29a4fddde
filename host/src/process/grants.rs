//! What a process may reach outside its network, as WASI sees it.

use std::net::SocketAddr;
use std::time::Duration;

use transputer_core::clock::Clock;
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

use crate::network::plan::{Directory, Grants, Variable};

/// A WASI context that holds what was granted and nothing else.
///
/// # Errors
/// A directory that cannot be opened, named.
pub(crate) fn wasi(grants: &Grants, virtual_clock: Option<Clock>) -> Result<WasiCtx, String> {
    let mut builder = WasiCtxBuilder::new();
    if grants.stdio {
        builder.inherit_stdout().inherit_stderr();
    }
    for variable in &grants.env {
        match variable {
            Variable::Fixed { name, value } => {
                builder.env(name, value);
            }
            Variable::Inherited(name) => {
                if let Ok(value) = std::env::var(name) {
                    builder.env(name, value);
                }
            }
        }
    }
    for directory in &grants.directories {
        open(&mut builder, directory)?;
    }
    network(&mut builder, &grants.network);
    if let Some(clock) = virtual_clock {
        builder
            .monotonic_clock(VirtualClock(clock.clone()))
            .wall_clock(VirtualClock(clock))
            .insecure_random_seed(0);
    }
    Ok(builder.build())
}

fn open(builder: &mut WasiCtxBuilder, directory: &Directory) -> Result<(), String> {
    let permissions = if directory.write {
        FsPerms::ReadWrite
    } else {
        FsPerms::ReadOnly
    };
    builder
        .preopened_dir(&directory.host, &directory.guest, permissions)
        .map(|_| ())
        .map_err(|error| {
            format!(
                "the directory {} that it is granted cannot be opened: {error:#}",
                directory.host.display()
            )
        })
}

fn network(builder: &mut WasiCtxBuilder, addresses: &[SocketAddr]) {
    let addresses = addresses.to_vec();
    builder
        .allow_tcp(!addresses.is_empty())
        .allow_udp(!addresses.is_empty())
        .socket_addr_check(move |address, _use| {
            let allowed = addresses.contains(&address);
            Box::pin(async move { allowed })
        });
}

/// The network's clock for WASI, so that a seeded run sees virtual time only.
struct VirtualClock(Clock);

impl HostMonotonicClock for VirtualClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.now().as_nanos()
    }
}

impl HostWallClock for VirtualClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.now().as_nanos())
    }
}
