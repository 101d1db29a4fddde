//! The network's log.
//!
//! `println!` goes there as well, with level info, `eprintln!` and `dbg!` with level debug, unless the network file grants the
//! process the host's standard output.

use crate::bindings::transputer::csp::process as raw;

/// How serious a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Every step.
    Trace,
    /// What helps in finding a mistake.
    Debug,
    /// What an operator wants to know.
    Info,
    /// What is not as it should be.
    Warn,
    /// What keeps the process from its work.
    Error,
}

/// Writes a line to the network's log; the host cuts lines longer than 4 KiB. The macros
/// [`trace!`](crate::trace), [`debug!`](crate::debug), [`info!`](crate::info),
/// [`warn!`](crate::warn) and [`error!`](crate::error) format it.
pub fn log(level: Level, line: &str) {
    let level = match level {
        Level::Trace => raw::Level::Trace,
        Level::Debug => raw::Level::Debug,
        Level::Info => raw::Level::Info,
        Level::Warn => raw::Level::Warn,
        Level::Error => raw::Level::Error,
    };
    raw::log(level, line);
}

/// Logs every step; formats like `println!`.
#[macro_export]
macro_rules! trace {
    ($($line:tt)+) => { $crate::log($crate::Level::Trace, &::std::format!($($line)+)) };
}

/// Logs what helps in finding a mistake; formats like `println!`.
#[macro_export]
macro_rules! debug {
    ($($line:tt)+) => { $crate::log($crate::Level::Debug, &::std::format!($($line)+)) };
}

/// Logs what an operator wants to know; formats like `println!`.
///
/// ```no_run
/// let lines = 3;
/// transputer_guest::info!("{lines} lines read");
/// ```
#[macro_export]
macro_rules! info {
    ($($line:tt)+) => { $crate::log($crate::Level::Info, &::std::format!($($line)+)) };
}

/// Logs what is not as it should be; formats like `println!`.
#[macro_export]
macro_rules! warn {
    ($($line:tt)+) => { $crate::log($crate::Level::Warn, &::std::format!($($line)+)) };
}

/// Logs what keeps the process from its work; formats like `println!`.
#[macro_export]
macro_rules! error {
    ($($line:tt)+) => { $crate::log($crate::Level::Error, &::std::format!($($line)+)) };
}
