//! What must be stored before a finished message may leave the log.

use std::fmt;

use tokio::sync::watch;

use crate::carrier::Pending;
use crate::inlet::Gate;
use crate::outlet::Progress;

/// How many messages the process has sent at a port: those that the outlet's source has handed out, or is about to.
type Sends = Box<dyn Fn() -> u64 + Send + Sync>;

/// A gate that waits for outlets.
#[derive(Default)]
pub struct StoredGate {
    outlets: Vec<(Sends, watch::Receiver<Progress>)>,
}

impl StoredGate {
    /// Waits for this outlet as well. `sends` counts what the process has sent there; it must count a message before the
    /// process goes on, so that nothing is overlooked that lies between the process and the outlet.
    pub fn outlet(
        &mut self,
        sends: impl Fn() -> u64 + Send + Sync + 'static,
        progress: watch::Receiver<Progress>,
    ) {
        self.outlets.push((Box::new(sends), progress));
    }
}

impl Gate for StoredGate {
    fn passed(&self) -> Pending<'static, ()> {
        let open = |(sends, progress): &(Sends, watch::Receiver<Progress>)| {
            let mark = sends();
            let settled = progress.borrow().settled;
            (settled < mark).then(|| (mark, progress.clone()))
        };
        let waiting: Vec<_> = self.outlets.iter().filter_map(open).collect();
        Box::pin(async move {
            for (mark, mut progress) in waiting {
                // An outlet that has ended stores nothing any more.
                let _ = progress.wait_for(|now| now.settled >= mark).await;
            }
        })
    }
}

impl fmt::Debug for StoredGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredGate")
            .field("outlets", &self.outlets.len())
            .finish()
    }
}
