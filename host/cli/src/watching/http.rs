//! The live page, over HTTP.
//!
//! Who may see it: on the loopback, whoever can reach it there. A request that names another host in
//! `Host`, or comes from another page (`Origin`), is refused, so that no web page that happens to be open can
//! read it, not even by a name that resolves to this machine. On any other address a token is needed as well.
//! Nothing can be changed: only GET and HEAD are answered, and bodies are not read.

mod access;
mod answer;

use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, watch};

use access::Access;
pub(crate) use access::Address;

use super::sampler::Sampler;

/// Connections that are open at once.
const CONNECTIONS: usize = 64;

/// How long a connection may take to say what it wants, and to last.
const PATIENCE: Duration = Duration::from_secs(10);
const LASTS: Duration = Duration::from_secs(120);

/// The most bytes of a request's head.
const HEAD: usize = 16 << 10;

/// How long those who watch have to fetch the end.
const END: Duration = Duration::from_secs(2);

/// The page's server, with a thread of its own.
pub(super) struct Server {
    sampler: Arc<Sampler>,
    access: Arc<Access>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and begins to serve.
    pub(super) fn open(address: &Address, sampler: &Arc<Sampler>) -> anyhow::Result<Server> {
        let cannot = || format!("cannot serve the page at {address}");
        let wanted = (address.host(), address.port()).to_socket_addrs();
        let wanted: Vec<SocketAddr> = wanted.with_context(cannot)?.collect();
        let listener = TcpListener::bind(wanted.as_slice()).with_context(cannot)?;
        listener.set_nonblocking(true).with_context(cannot)?;
        let bound = listener.local_addr().with_context(cannot)?;
        let access = Arc::new(Access::new(address, bound)?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .with_context(cannot)?;
        let (stop, stopped) = watch::channel(false);
        let (at, of) = (access.clone(), sampler.clone());
        let thread = std::thread::Builder::new()
            .name("page".to_owned())
            .spawn(move || runtime.block_on(serve(listener, at, of, stopped)))
            .with_context(cannot)?;
        Ok(Server {
            sampler: sampler.clone(),
            access,
            stop,
            thread: Some(thread),
        })
    }

    /// What to open in a browser.
    pub(super) fn link(&self) -> String {
        self.access.link()
    }

    /// Waits until those who watch have been given the end, if anybody watches.
    pub(super) fn wait_until_seen(&self) {
        self.sampler.wait_until_seen(END);
    }
}

impl Drop for Server {
    /// Lets answers that have begun be finished.
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: TcpListener,
    access: Arc<Access>,
    sampler: Arc<Sampler>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Some(accepted) = before(stopped.changed(), listener.accept()).await else {
            break;
        };
        let Ok((stream, _)) = accepted else {
            // Too many files are open, or the peer has gone: others may have better luck.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let (access, sampler, mut stopped) = (access.clone(), sampler.clone(), stopped.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let answer = answer::to(&request, &access, &sampler);
                async move { Ok::<_, std::convert::Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(HEAD)
                .serve_connection(TokioIo::new(stream), answer);
            let mut connection = pin!(connection);
            let lasting = tokio::time::timeout(LASTS, connection.as_mut());
            if before(stopped.changed(), lasting).await.is_none() {
                connection.as_mut().graceful_shutdown();
                // It may have gone.
                let _ = connection.await;
            }
            drop(place);
        });
    }
    // Until the last connection has ended, or is too slow.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(Duration::from_millis(500), places.acquire_many(all)).await;
}

/// What a future comes to, unless another is done before it.
async fn before<T>(end: impl Future, work: impl Future<Output = T>) -> Option<T> {
    let (mut end, mut work) = (pin!(end), pin!(work));
    poll_fn(
        |context| match (work.as_mut().poll(context), end.as_mut().poll(context)) {
            (Poll::Ready(output), _) => Poll::Ready(Some(output)),
            (Poll::Pending, Poll::Ready(_)) => Poll::Ready(None),
            (Poll::Pending, Poll::Pending) => Poll::Pending,
        },
    )
    .await
}
