//! The abnormal end of a channel.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::channel::reason::Reason;

/// Who or what poisoned a channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoisonKind {
    /// The holder of an end asked for it.
    Poisoned,
    /// A process that held an end trapped.
    PeerTrapped,
    /// A process that held an end returned an error.
    PeerFailed,
    /// The host killed a process that held an end.
    PeerKilled,
    /// Every process that could help is waiting as well.
    Deadlock,
}

/// The abnormal end of a channel, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Poison {
    /// Who or what poisoned the channel.
    pub kind: PoisonKind,
    /// The reason, for people.
    pub reason: Reason,
    cause: Option<Cause>,
}

/// What is behind a poison, for programs: the core does not know what it is. Two of them are equal
/// if they are the same one. A pointer to a pointer is one word, and results of operations, which
/// have room for a poison, are moved at each of them.
#[derive(Clone)]
struct Cause(Arc<Arc<dyn Any + Send + Sync>>);

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cause {}

impl Hash for Cause {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).cast::<()>().hash(state);
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cause")
    }
}

impl Poison {
    /// A poison of this kind, with this reason.
    pub fn new(kind: PoisonKind, reason: impl Into<Reason>) -> Self {
        Poison {
            kind,
            reason: reason.into(),
            cause: None,
        }
    }

    /// Adds what is behind it, for programs that know its type.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use transputer_core::{Poison, PoisonKind};
    ///
    /// struct ExitStatus(i32);
    ///
    /// let poison = Poison::new(PoisonKind::PeerFailed, "`sort` exited with status 2");
    /// let poison = poison.caused_by(Arc::new(ExitStatus(2)));
    /// assert_eq!(poison.cause::<ExitStatus>().map(|status| status.0), Some(2));
    /// ```
    #[must_use]
    pub fn caused_by(mut self, cause: Arc<impl Any + Send + Sync>) -> Self {
        self.cause = Some(Cause(Arc::new(cause)));
        self
    }

    /// What is behind it, if that is of this type.
    pub fn cause<T: Any>(&self) -> Option<&T> {
        self.cause.as_ref()?.0.downcast_ref()
    }
}

impl fmt::Display for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            PoisonKind::Poisoned => "the channel is poisoned",
            PoisonKind::PeerTrapped => "a process at this channel trapped",
            PoisonKind::PeerFailed => "a process at this channel failed",
            PoisonKind::PeerKilled => "a process at this channel was killed",
            PoisonKind::Deadlock => "deadlock",
        };
        write!(f, "{what}: {}", self.reason)
    }
}
