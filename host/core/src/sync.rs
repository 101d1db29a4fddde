//! Locks and atomics: the standard library's, or loom's in a build with `--cfg loom`.
//!
//! Reference counts are always the standard library's: no invariant rests on them.

pub(crate) use std::sync::Arc;
use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Locks `mutex`, even if a thread panicked while it held it: what these mutexes
/// protect is consistent at every point where foreign code can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
