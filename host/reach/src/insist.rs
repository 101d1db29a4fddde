//! Trying again while the carrier is away.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// The pause before the second try; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// Pauses between tries.
pub(crate) struct Pauses(Duration);

impl Pauses {
    pub(crate) fn new() -> Self {
        Self(SHORTEST)
    }

    pub(crate) async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}

/// Waits until a value changes; for ever, if nobody is left to change it. Not in the arm of a `select`, which would wait
/// there without looking at the others.
pub(crate) async fn changed<T>(value: &mut watch::Receiver<T>) {
    if value.changed().await.is_err() {
        std::future::pending().await
    }
}

/// Tries a block until it succeeds, or is refused. What consists of several requests is tried as a whole: the server may
/// forget between them. (A function with an async closure would not be `Send`.)
macro_rules! insist {
    ($attempt:block) => {{
        let mut pauses = $crate::insist::Pauses::new();
        loop {
            let result: Result<_, $crate::carrier::Fault> = async $attempt.await;
            match result {
                Err($crate::carrier::Fault::Away(_) | $crate::carrier::Fault::Missing(_)) => {
                    pauses.wait().await;
                }
                done => break done,
            }
        }
    }};
}
pub(crate) use insist;
