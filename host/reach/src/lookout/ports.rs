//! Whether the outlets and inlets of a part have told all that they know.

use tokio::sync::watch;

use super::Still;
use crate::inlet::Standing;
use crate::outlet::Progress;

type Count = Box<dyn Fn() -> u64 + Send + Sync>;
type Question = Box<dyn Fn() -> bool + Send + Sync>;

/// The outlets and inlets of a part, and what its processes have done at them, which they may not have noticed yet.
#[derive(Default)]
pub struct Ports {
    outlets: Vec<OutletView>,
    inlets: Vec<InletView>,
}

struct OutletView {
    channel: String,
    progress: watch::Receiver<Progress>,
    sends: Count,
    is_gone: Question,
}

struct InletView {
    channel: String,
    standing: watch::Receiver<Standing>,
    finished: watch::Receiver<u64>,
    is_gone: Question,
}

/// Which port of a part it is, among its outlets or its inlets.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PortIndex {
    /// A process sends there.
    Outlet(usize),
    /// A process receives there.
    Inlet(usize),
}

impl Ports {
    /// Adds an outlet. `sends` counts what the process has sent, and `is_gone` says whether it has closed or poisoned
    /// its end; both know it before the process goes on.
    pub fn outlet(
        &mut self,
        channel: &str,
        progress: watch::Receiver<Progress>,
        sends: impl Fn() -> u64 + Send + Sync + 'static,
        is_gone: impl Fn() -> bool + Send + Sync + 'static,
    ) -> PortIndex {
        self.outlets.push(OutletView {
            channel: channel.to_owned(),
            progress,
            sends: Box::new(sends),
            is_gone: Box::new(is_gone),
        });
        PortIndex::Outlet(self.outlets.len() - 1)
    }

    /// Adds an inlet. `finished` counts what the process has finished, and `is_gone` is as for an outlet.
    pub fn inlet(
        &mut self,
        channel: &str,
        standing: watch::Receiver<Standing>,
        finished: watch::Receiver<u64>,
        is_gone: impl Fn() -> bool + Send + Sync + 'static,
    ) -> PortIndex {
        self.inlets.push(InletView {
            channel: channel.to_owned(),
            standing,
            finished,
            is_gone: Box::new(is_gone),
        });
        PortIndex::Inlet(self.inlets.len() - 1)
    }

    /// What the part says of itself, if its processes all wait, at these ports among other things, and none of its
    /// outlets and inlets is about to free one of them or to tell something.
    ///
    /// To be called with waits that have lasted since before the call.
    pub fn still(&self, mark: u64, waits_at: &[PortIndex], waits: Vec<String>) -> Option<Still> {
        let mut still = Still {
            mark,
            waits,
            ..Still::default()
        };
        for (index, outlet) in self.outlets.iter().enumerate() {
            let waits = waits_at.contains(&PortIndex::Outlet(index));
            outlet.look(waits, &mut still)?;
        }
        for (index, inlet) in self.inlets.iter().enumerate() {
            let waits = waits_at.contains(&PortIndex::Inlet(index));
            inlet.look(waits, &mut still)?;
        }
        Some(still)
    }
}

impl OutletView {
    /// `None` if something is about to happen.
    fn look(&self, waits: bool, still: &mut Still) -> Option<()> {
        let progress = *self.progress.borrow();
        if progress.ended {
            return Some(());
        }
        let has_told = progress.settled == progress.taken && !progress.tells;
        // One that takes nothing now does not notice that the process sends no more, either.
        let notices_end = (self.is_gone)() != progress.closing && progress.takes;
        let has_noticed = (self.sends)() == progress.taken && !notices_end;
        if !has_told || !has_noticed || (waits && progress.takes) {
            return None;
        }
        if waits {
            still.sends.push(self.channel.clone());
        }
        if progress.unfinished > 0 {
            let keeps = (self.channel.clone(), progress.unfinished);
            still.keeps.push(keeps);
        }
        Some(())
    }
}

impl InletView {
    fn look(&self, waits: bool, still: &mut Still) -> Option<()> {
        let standing = *self.standing.borrow();
        if standing.ended {
            return Some(());
        }
        let has_noticed = *self.finished.borrow() == standing.finished;
        if !standing.settled || !has_noticed || (self.is_gone)() || (waits && standing.offers) {
            return None;
        }
        if waits {
            still.receives.push(self.channel.clone());
        }
        Some(())
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let outlets = self.outlets.iter();
        let outlets = outlets.map(|it| (&it.channel, *it.progress.borrow(), (it.is_gone)()));
        let inlets = self.inlets.iter();
        let inlets = inlets.map(|it| (&it.channel, *it.standing.borrow(), (it.is_gone)()));
        f.debug_struct("Ports")
            .field("outlets", &outlets.collect::<Vec<_>>())
            .field("inlets", &inlets.collect::<Vec<_>>())
            .finish()
    }
}
