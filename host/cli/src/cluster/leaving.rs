//! When this host is to leave.

use std::time::Duration;

use tokio::sync::watch;

/// Tells all parts that the host leaves.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    told: watch::Receiver<bool>,
    grace: Duration,
}

impl Leaving {
    pub(crate) fn new(grace: Duration) -> (watch::Sender<bool>, Self) {
        let (tell, told) = watch::channel(false);
        (tell, Self { told, grace })
    }

    /// Waits until it does.
    pub(super) async fn now(&mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            std::future::pending().await
        }
    }

    pub(super) fn grace(&self) -> Duration {
        self.grace
    }
}
