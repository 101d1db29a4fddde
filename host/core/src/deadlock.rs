//! Deadlock.
