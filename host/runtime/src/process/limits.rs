//! What one process may use.

use std::sync::Arc;
use std::time::Duration;

use transputer_core::ProcessId;
use transputer_core::channel::{Poison, PoisonKind, Reason};
use wasmtime::ResourceLimiter;

use super::Process;
use super::measures::Measures;
use super::outcome::Overrun;
use crate::limits::{Account, Charge, ENTRY, Held, Totals};
use crate::message::{Bytes, Carried, Message, Sender};
use crate::text::Text;
use transputer_network::plan::Limits;

const MIB: u64 = 1 << 20;

/// The limits of a process, all decided.
#[derive(Copy, Clone, Debug)]
pub(crate) struct ProcessLimits {
    /// What was given: the process shares that with all that descends from it.
    pub(crate) given: Limits,
    pub(crate) memory: u64,
    pub(crate) message: usize,
    pub(crate) operation: Option<Duration>,
    pub(crate) children: usize,
    pub(crate) channels: usize,
    pub(crate) ends: usize,
}

/// What a batch may have besides a message of the largest size: many small ones, with their lengths.
const BESIDES: usize = 64 << 10;

impl ProcessLimits {
    /// Bytes that a batch may have.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.message.saturating_add(BESIDES)
    }

    /// Bytes that the lists of one host call may hold together: twice a batch.
    pub(crate) fn call_bytes(&self) -> usize {
        self.batch_bytes().saturating_mul(2)
    }
}

/// Defaults for what a network file leaves open.
const MEMORY: u64 = 64 * MIB;
pub(crate) const MESSAGE: usize = 16 << 20;
const CHILDREN: usize = 100_000;
const CHANNELS: usize = 65_536;

impl ProcessLimits {
    /// The limits of a process for which none were asked for.
    pub(crate) fn defaults(largest_memory: u64) -> Self {
        Self {
            given: Limits::default(),
            memory: MEMORY.min(largest_memory),
            message: MESSAGE,
            operation: None,
            children: CHILDREN,
            channels: CHANNELS,
            ends: 2 * CHANNELS,
        }
    }
}

/// The limits asked for, with defaults for the others. Limits that the host cannot give are refused,
/// never silently lowered.
pub(crate) fn checked_limits(limits: Limits, largest_memory: u64) -> Result<ProcessLimits, String> {
    let defaults = ProcessLimits::defaults(largest_memory);
    let memory = limits.memory.unwrap_or(defaults.memory);
    if memory > largest_memory {
        return Err(format!(
            "its memory limit of {memory} bytes is more than the {largest_memory} bytes that \
             each of so many processes can have; lower it, or lower `max_processes`"
        ));
    }
    let message = match limits.message {
        None => defaults.message,
        Some(message) => usize::try_from(message)
            .ok()
            .filter(|&message| message <= u32::MAX as usize)
            .ok_or_else(|| {
                format!(
                    "its message limit of {message} bytes is more than a message can have (4 GiB)"
                )
            })?,
    };
    let count = |limit: Option<u32>, default| limit.map_or(default, |most| most as usize);
    let channels = count(limits.channels, defaults.channels);
    Ok(ProcessLimits {
        given: limits,
        memory,
        message,
        operation: limits.operation,
        children: count(limits.children, defaults.children),
        channels,
        ends: 2 * channels,
    })
}

/// Counts the bytes of a process's linear memories, tables and waiting messages, and ends the process
/// when they would exceed its limit.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    account: Account,
    /// Where its memories and tables are told who watches.
    measures: Arc<Measures>,
    /// Bytes that were told.
    told: u64,
    /// What its messages are marked with, where that is noted.
    mark: Option<ProcessId>,
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        self.measures.shrinks(self.told);
    }
}

/// Bytes that the engine spends on one table element.
const ELEMENT: u64 = 8;

impl MemoryLimiter {
    pub(crate) fn new(process: &Process, totals: &Totals) -> Self {
        let total = process.budget.memory(&process.spec.limits);
        Self {
            account: Account::open(total, &totals.accounts),
            measures: process.measures.clone(),
            told: 0,
            mark: process.notes_senders().then_some(process.id),
        }
    }

    /// A message for a sender of this process. Only one that takes no memory, at a channel where it
    /// cannot come to wait without its sender, costs nothing.
    #[inline]
    pub(crate) fn message(
        &mut self,
        sender: &Sender,
        bytes: impl Into<Bytes>,
    ) -> wasmtime::Result<Message> {
        let bytes = bytes.into();
        if let Some(mark) = self.mark {
            return self.marked_message(bytes, mark);
        }
        let bytes = match sender.capacity() {
            0 => match Message::if_small(bytes) {
                Ok(message) => return Ok(message),
                Err(bytes) => bytes,
            },
            _ => bytes,
        };
        let charge = self.charge(Message::charged(bytes.len(), 0))?;
        Ok(Message::of_process(bytes, Carried::default(), charge))
    }

    /// The same with who sends it, which counts as much as an end.
    #[cold]
    fn marked_message(&mut self, bytes: Bytes, mark: ProcessId) -> wasmtime::Result<Message> {
        let charge = self.charge(Message::charged(bytes.len(), 1))?;
        Ok(Message::of_process(bytes, Carried::none_of(mark), charge))
    }

    /// Whether its messages are marked, and so must be sent one by one.
    pub(crate) fn marks(&self) -> bool {
        self.mark.is_some()
    }

    /// A message with ends, likewise.
    pub(crate) fn message_with_ends(
        &mut self,
        bytes: Vec<u8>,
        mut ends: Carried,
    ) -> wasmtime::Result<Message> {
        if let Some(mark) = self.mark {
            ends.note(mark);
        }
        let charge = self.charge(Message::charged(bytes.len(), ends.len()))?;
        Ok(Message::of_process(bytes.into(), ends, charge))
    }

    /// Charges entries of a table of the host's, `bytes` each, up to this many, when it grows; the table
    /// itself never shrinks either. The first few are part of what any process costs.
    pub(crate) fn cover(
        &mut self,
        covered: &mut usize,
        entries: usize,
        bytes: u64,
    ) -> wasmtime::Result<()> {
        const FREE: usize = 16;
        if entries <= (*covered).max(FREE) {
            return Ok(());
        }
        let grown = entries.next_power_of_two();
        let more = (grown - (*covered).max(FREE)) as u64;
        self.fix(more * bytes)?;
        *covered = grown;
        Ok(())
    }

    /// Charges so many bytes for as long as the process lives.
    pub(crate) fn fix(&mut self, bytes: u64) -> Result<(), Overrun> {
        Ok(self.account.fix(bytes)?)
    }

    /// A poison of this process's, whose reason is charged for as long as a channel or anybody else
    /// has it.
    pub(crate) fn poison(&mut self, reason: Text) -> wasmtime::Result<Poison> {
        let charge = self.charge(reason.len() as u64 + ENTRY)?;
        let reason = Reason::keeping(reason.into_string(), Arc::new(charge));
        Ok(Poison::new(PoisonKind::Poisoned, reason))
    }

    /// Charges so many bytes that the host keeps of this process after its end, when its memories are
    /// gone.
    pub(crate) fn charge_at_end(&mut self, bytes: u64) -> Option<Charge> {
        self.account.free_fixed();
        self.account.charge(bytes).ok()
    }

    /// Charges so many bytes of what the host keeps.
    pub(crate) fn charge(&mut self, bytes: u64) -> wasmtime::Result<Charge> {
        Ok(self.try_charge(bytes)?)
    }

    /// Something that the host keeps for this process, and that counts for so many bytes.
    pub(crate) fn hold<T>(&mut self, value: T, bytes: u64) -> wasmtime::Result<Held<T>> {
        Ok(Held::by_process(value, self.charge(bytes)?))
    }

    /// A copy of a message that the process has received and not finished.
    ///
    /// # Errors
    /// Without memory for it.
    pub(crate) fn copy(&self, message: &Message) -> Result<Message, Overrun> {
        let size = Message::charged(message.bytes.len(), message.ends.len());
        let charge = self.account.charge_seldom(size)?;
        let copy = message.bytes.clone();
        Ok(Message::of_process(copy, Carried::default(), charge))
    }

    /// Like `charge`, for a caller that can go on without.
    pub(crate) fn try_charge(&mut self, bytes: u64) -> Result<Charge, Overrun> {
        Ok(self.account.charge(bytes)?)
    }

    fn grow(&mut self, current: u64, desired: u64) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        self.fix(more)?;
        self.told += more;
        self.measures.grows(more);
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
