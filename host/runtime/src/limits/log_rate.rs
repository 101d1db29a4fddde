//! How many lines a second may be logged.

use std::sync::Mutex;
use std::time::Duration;

use transputer_core::clock::Time;

use crate::host::lock;
use crate::process::{LimitKind, LimitOwner, Overrun};

/// Counts lines by the second.
#[derive(Debug)]
pub(crate) struct LogRate {
    allowed: u32,
    second: Mutex<Second>,
}

#[derive(Debug)]
struct Second {
    began: Time,
    lines: u64,
}

impl LogRate {
    pub(super) fn new(allowed: u32) -> Self {
        Self {
            allowed,
            second: Mutex::new(Second {
                began: Time::ZERO,
                lines: 0,
            }),
        }
    }

    /// Counts a line.
    pub(crate) fn line(&self, now: Time) -> Result<(), Overrun> {
        let mut second = lock(&self.second);
        if second.lines == 0 || now - second.began >= Duration::from_secs(1) {
            *second = Second {
                began: now,
                lines: 0,
            };
        }
        second.lines += 1;
        if second.lines <= self.allowed.into() {
            return Ok(());
        }
        Err(Overrun {
            limit: LimitKind::Log,
            owner: LimitOwner::Process,
            allowed: self.allowed.into(),
            asked: second.lines,
        })
    }
}
