//! Why a member did not pass a barrier.

use thiserror::Error;

use crate::channel::Poison;

/// Why [`Barrier::sync`](super::Barrier::sync) failed.
///
/// ```
/// use transputer_core::{Barrier, Poison, PoisonKind, SyncError};
///
/// let barrier = Barrier::new("phase");
/// barrier.poison(Poison::new(PoisonKind::Poisoned, "no more phases"));
/// assert!(matches!(barrier.sync_blocking(), Err(SyncError::Poisoned(_))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The barrier came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// Another sync of the same membership waits, or has not been polled to its end.
    #[error("another sync of this membership is not over yet")]
    Overloaded,
}

/// Why [`Barrier::sync_by`](super::Barrier::sync_by) failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyncTimeoutError {
    /// Not all members arrived in time.
    #[error("the deadline passed before all members arrived")]
    TimedOut,
    /// The barrier came to an abnormal end.
    #[error("{0}")]
    Poisoned(Poison),
    /// Another sync of the same membership waits, or has not been polled to its end.
    #[error("another sync of this membership is not over yet")]
    Overloaded,
}

impl From<SyncError> for SyncTimeoutError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Poisoned(poison) => Self::Poisoned(poison),
            SyncError::Overloaded => Self::Overloaded,
        }
    }
}
