//! Where hosts meet: each case runs with the server in memory, in virtual time, and with NATS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use transputer_reach::carrier::{Carrier, Pending};
use transputer_reach::memory::{Chaos, MemoryServer};
use transputer_reach::nats::{NatsCarrier, NatsOptions};

use super::server::Server;

pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// Longer than anything takes, unless it never ends.
pub(crate) const EVER: Duration = Duration::from_secs(60);

/// Where hosts connect to.
pub(crate) struct World {
    connect: Box<dyn Fn() -> Pending<'static, Arc<dyn Carrier>>>,
    _server: Option<Server>,
}

impl World {
    pub(crate) async fn host(&self) -> Arc<dyn Carrier> {
        (self.connect)().await
    }

    pub(crate) fn memory() -> Self {
        let server = MemoryServer::new(1, Chaos::none(), LEASE);
        Self {
            connect: Box::new(move || {
                let carrier: Arc<dyn Carrier> = Arc::new(server.connect());
                Box::pin(std::future::ready(carrier))
            }),
            _server: None,
        }
    }

    pub(crate) fn nats(server: Server) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let run = format!("run {}", RUNS.fetch_add(1, Ordering::Relaxed));
        let url = server.url();
        Self {
            connect: Box::new(move || {
                let mut options = NatsOptions::new(vec![url.clone()], &run, "test");
                options.lease = LEASE;
                Box::pin(async move {
                    let carrier = NatsCarrier::connect(&options).await.expect("it connects");
                    let carrier: Arc<dyn Carrier> = Arc::new(carrier);
                    carrier
                })
            }),
            _server: Some(server),
        }
    }
}

pub(crate) fn in_memory<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { case(World::memory()).await });
}

pub(crate) fn with_nats<F: Future<Output = ()>>(name: &str, case: impl FnOnce(World) -> F) {
    let Some(server) = Server::start(name) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime
        .unwrap()
        .block_on(async { case(World::nats(server)).await });
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(EVER, future).await.expect("it ends")
}

/// Each case as a test on each carrier.
#[allow(unused_macros)]
macro_rules! on_every_carrier {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $case() { $crate::support::world::in_memory(super::$case); })*
        }
        mod nats {
            $(#[test] fn $case() { $crate::support::world::with_nats(stringify!($case), super::$case); })*
        }
    };
}
#[allow(unused_imports)]
pub(crate) use on_every_carrier;
