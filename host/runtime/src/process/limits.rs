//! What one process may use.

use std::sync::Arc;
use std::time::Duration;

use transputer_core::channel::Payload;
use transputer_core::clock::Time;
use wasmtime::ResourceLimiter;

use super::outcome::{LimitKind, LimitOwner, Overrun};
use crate::limits::{Charge, OpenAccount, PLACE, Totals};
use crate::message::{Bytes, Message, Sender};
use transputer_network::plan::Limits;

const MIB: u64 = 1 << 20;

/// The limits of a process, all decided.
#[derive(Copy, Clone, Debug)]
pub(crate) struct ProcessLimits {
    pub(crate) memory: u64,
    pub(crate) message: usize,
    pub(crate) cpu: Option<Duration>,
    pub(crate) wall: Option<Duration>,
    pub(crate) operation: Option<Duration>,
    pub(crate) children: usize,
    pub(crate) channels: usize,
    pub(crate) ends: usize,
    pub(crate) log: Option<u32>,
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
        operation: limits.operation,
        children: limits.children.unwrap_or(CHILDREN) as usize,
        channels: limits.channels.unwrap_or(CHANNELS) as usize,
        ends: 2 * limits.channels.unwrap_or(CHANNELS) as usize,
        log: limits.log,
    })
}

/// Counts the bytes of all linear memories and tables of one process and of its messages that
/// wait, and ends it where they would exceed its limit.
#[derive(Debug)]
pub(crate) struct MemoryLimiter(OpenAccount);

/// Bytes that the engine spends on one table element.
const ELEMENT: u64 = 8;

impl MemoryLimiter {
    pub(crate) fn new(allowed: u64, totals: Arc<Totals>) -> Self {
        Self(OpenAccount::new(allowed, totals))
    }

    /// A message for a sender of this process, counted if it can come to wait in the channel.
    #[inline]
    pub(crate) fn message(
        &mut self,
        sender: &Sender,
        bytes: impl Into<Bytes>,
    ) -> wasmtime::Result<Message> {
        let mut message = Message::new(bytes);
        self.count(sender, &mut message)?;
        Ok(message)
    }

    /// Counts a message, likewise. At a rendezvous there is nothing to count: its sender waits
    /// with the message, and has no other.
    #[inline]
    pub(crate) fn count(&mut self, sender: &Sender, message: &mut Message) -> wasmtime::Result<()> {
        if sender.capacity() == 0 {
            return Ok(());
        }
        message.charge = Some(self.charge(message.size() as u64 + PLACE)?);
        Ok(())
    }

    /// Charges so many bytes of messages.
    pub(crate) fn charge(&mut self, bytes: u64) -> wasmtime::Result<Charge> {
        Ok(self.0.charge(bytes)?)
    }

    fn grow(&mut self, current: u64, desired: u64) -> wasmtime::Result<bool> {
        self.0
            .grow(desired.saturating_sub(current))
            .map_err(wasmtime::Error::new)?;
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

/// Counts the lines that a process logs, by the second.
#[derive(Debug)]
pub(crate) struct LogLimiter {
    allowed: Option<u32>,
    /// When the second began, and the lines in it.
    second: Time,
    lines: u64,
}

impl LogLimiter {
    pub(crate) fn new(allowed: Option<u32>) -> Self {
        Self {
            allowed,
            second: Time::ZERO,
            lines: 0,
        }
    }

    /// Counts a line.
    pub(crate) fn line(&mut self, now: impl FnOnce() -> Time) -> Result<(), Overrun> {
        let Some(allowed) = self.allowed else {
            return Ok(());
        };
        let now = now();
        if self.lines == 0 || now - self.second >= Duration::from_secs(1) {
            self.second = now;
            self.lines = 0;
        }
        self.lines += 1;
        if self.lines <= allowed.into() {
            return Ok(());
        }
        Err(Overrun {
            limit: LimitKind::Log,
            owner: LimitOwner::Process,
            allowed: allowed.into(),
            asked: self.lines,
        })
    }
}
