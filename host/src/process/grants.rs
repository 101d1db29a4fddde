//! What a process may reach outside its network, as WASI sees it.

use std::net::SocketAddr;
use std::time::Duration;

use transputer_core::clock::Clock;
use wasmtime_wasi::{
    Deterministic, FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder,
};

use crate::network::plan::{Directory, Grants, Variable};

/// A WASI context that holds what was granted and nothing else.
///
/// # Errors
/// A directory that cannot be opened, named.
pub(crate) fn wasi(grants: &Grants, seeded: Option<Seeded>) -> Result<WasiCtx, String> {
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
    if let Some(seeded) = seeded {
        seeded.replace_chance(&mut builder);
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

/// What a process gets instead of the system's clocks and randomness, so that a seeded run
/// is the same each time.
pub(crate) struct Seeded {
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
}

/// Random bytes that a seeded process gets before they come again.
const RANDOM_BYTES: usize = 4_096;

impl Seeded {
    fn replace_chance(self, builder: &mut WasiCtxBuilder) {
        let mut dice = fastrand::Rng::with_seed(self.seed);
        let mut bytes = vec![0; RANDOM_BYTES];
        dice.fill(&mut bytes);
        builder
            .monotonic_clock(VirtualClock(self.clock.clone()))
            .wall_clock(VirtualClock(self.clock))
            .secure_random(Deterministic::new(bytes.clone()))
            .insecure_random(Deterministic::new(bytes))
            .insecure_random_seed(dice.u128(..));
    }
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
