//! What one process may use.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use super::outcome::{LimitKind, Overrun};
use crate::network::plan::Limits;

const MIB: u64 = 1 << 20;

/// The limits of a process, all decided.
#[derive(Copy, Clone, Debug)]
pub(crate) struct ProcessLimits {
    pub(crate) memory: u64,
    pub(crate) message: usize,
    pub(crate) cpu: Option<Duration>,
    pub(crate) wall: Option<Duration>,
    pub(crate) children: usize,
    pub(crate) ends: usize,
}

/// Defaults for what a network file leaves open.
const MEMORY: u64 = 64 * MIB;
const MESSAGE: u64 = 16 * MIB;
const CHILDREN: u32 = 100_000;
const CHANNELS: u32 = 65_536;

/// The limits asked for, with defaults for the others; refused if the host cannot hold
/// them, never silently lowered.
pub(crate) fn checked_limits(limits: Limits, largest_memory: u64) -> Result<ProcessLimits, String> {
    let memory = limits.memory.unwrap_or(MEMORY.min(largest_memory));
    if memory > largest_memory {
        return Err(format!(
            "its memory limit of {memory} bytes is more than the {largest_memory} bytes that \
             each of so many processes can have; lower it, or lower `max_processes`"
        ));
    }
    let message = limits.message.unwrap_or(MESSAGE);
    let message = usize::try_from(message)
        .ok()
        .filter(|&message| message <= u32::MAX as usize)
        .ok_or_else(|| {
            format!("its message limit of {message} bytes is more than a message can have (4 GiB)")
        })?;
    Ok(ProcessLimits {
        memory,
        message,
        cpu: limits.cpu,
        wall: limits.wall,
        children: limits.children.unwrap_or(CHILDREN) as usize,
        ends: 2 * limits.channels.unwrap_or(CHANNELS) as usize,
    })
}

/// Counts the bytes of all linear memories and tables of one process, and ends it where
/// they would exceed its limit.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    allowed: u64,
    used: u64,
}

/// Bytes that the engine spends on one table element.
const ELEMENT: u64 = 8;

impl MemoryLimiter {
    pub(crate) fn new(allowed: u64) -> Self {
        Self { allowed, used: 0 }
    }

    fn grow(&mut self, current: u64, desired: u64) -> wasmtime::Result<bool> {
        let asked = self.used.saturating_add(desired.saturating_sub(current));
        if asked > self.allowed {
            return Err(wasmtime::Error::new(Overrun {
                limit: LimitKind::Memory,
                allowed: self.allowed,
                asked,
            }));
        }
        self.used = asked;
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(current as u64, desired as u64)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let bytes = |elements: usize| (elements as u64).saturating_mul(ELEMENT);
        self.grow(bytes(current), bytes(desired))
    }
}
