//! What a process may reach outside its network, as WASI sees it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use transputer_core::clock::{Clock, Time};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{
    Deterministic, FsPerms, HostMonotonicClock, HostWallClock, ResourceTable, WasiCtx,
    WasiCtxBuilder,
};

use super::printed::Printed;
use super::resources::Room;
use crate::network::Level;
use transputer_network::plan::{Directory, Grants, Variable};

/// The directories of a grant, opened once, when the network starts.
///
/// Every process with the grant gets these handles: children, later incarnations and replacements
/// as well. The paths are never followed again, since processes may have changed by then what is there.
#[derive(Clone, Default)]
pub(crate) struct OpenDirectories(WasiFilesystemCtx);

impl OpenDirectories {
    /// Opens all directories of a grant.
    ///
    /// # Errors
    /// Names the directory that cannot be opened.
    pub(crate) fn open(directories: &[Directory]) -> Result<Self, String> {
        let mut builder = WasiCtxBuilder::new();
        let mut directories = directories.iter();
        directories.try_for_each(|directory| open(&mut builder, directory))?;
        Ok(Self(builder.build().filesystem().clone()))
    }
}

impl fmt::Debug for OpenDirectories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenDirectories").finish_non_exhaustive()
    }
}

/// What a process has of WASI.
pub(crate) struct Wasi {
    pub(crate) ctx: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) room: Room,
}

/// A WASI context that holds what was granted, and nothing else. What the process prints goes to the streams
/// that `printed` gives, unless it may write to the host's.
pub(crate) fn wasi(
    grants: &Grants,
    printed: impl Fn(Level) -> Printed,
    directories: &OpenDirectories,
    clock: &Clock,
    born: Time,
    seeded: Option<Seeded>,
) -> Wasi {
    let mut builder = WasiCtxBuilder::new();
    if grants.stdio {
        builder.inherit_stdout().inherit_stderr();
    } else {
        builder.stdout(printed(Level::Info));
        builder.stderr(printed(Level::Debug));
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
    network(&mut builder, &grants.network);
    if let Some(seeded) = seeded {
        seeded.replace_chance(&mut builder);
    }
    if !grants.clocks {
        builder.wall_clock(StoppedClock).monotonic_clock(OwnTime {
            clock: clock.clone(),
            started: born,
        });
    }
    let mut ctx = builder.build();
    ctx.filesystem().clone_from(&directories.0);
    let mut table = ResourceTable::new();
    let room = Room::new(&mut table, grants.directories.len());
    Wasi { ctx, table, room }
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
        .socket_addr_check(move |address, purpose| {
            let allowed = match purpose {
                // Every connection begins with this: any local port.
                SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                    address.ip().is_unspecified() && address.port() == 0
                }
                SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => false,
                _ => addresses.contains(&address),
            };
            Box::pin(async move { allowed })
        });
}

/// What a process gets instead of the system's clocks and randomness, so that a seeded run
/// is the same each time.
pub(crate) struct Seeded {
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
}

/// Random bytes that a seeded process gets before they repeat.
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

/// The wall clock of a process without a grant: it stands at the beginning of 1970.
struct StoppedClock;

impl HostWallClock for StoppedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// The monotonic clock of a process without a grant: the time since the process started, too coarse to
/// measure others with. Sleeping, and measuring its own work, still make sense.
struct OwnTime {
    clock: Clock,
    started: Time,
}

/// A step of [`OwnTime`], in nanoseconds.
const STEP: u64 = 1_000_000;

impl HostMonotonicClock for OwnTime {
    fn resolution(&self) -> u64 {
        STEP
    }

    fn now(&self) -> u64 {
        let own = (self.clock.look().as_nanos()).saturating_sub(self.started.as_nanos());
        own - own % STEP
    }
}

/// The network's clock for WASI, so that a seeded run sees virtual time only.
struct VirtualClock(Clock);

impl HostMonotonicClock for VirtualClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.look().as_nanos()
    }
}

impl HostWallClock for VirtualClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.look().as_nanos())
    }
}
