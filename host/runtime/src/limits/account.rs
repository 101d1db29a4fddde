//! What one process has of memory: its linear memories and tables, and the bytes of its messages
//! that wait in channels.
//!
//! A message that enters a buffered channel carries a [`Charge`] to the account of the process
//! that sent it, for that is who can be stopped. The charge is given back when the message is
//! dropped or its bytes are handed to whoever receives it.
//!
//! # What it costs
//!
//! The process alone adds to `sent`, everybody else alone to `returned`: a send costs no atomic
//! step that others could contend for, a receive costs one addition. The totals of network and host
//! are asked once in a [`QUANTUM`] of bytes. Accounts are never freed but used again for later
//! processes, so that a message needs no count of references to its account.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::total::{Totals, Which};
use crate::host::lock;
use crate::process::{LimitKind, LimitOwner, Overrun};

/// What an account takes from the totals ahead of need, in bytes.
const QUANTUM: u64 = 64 << 10;

/// What a buffered message counts for besides its bytes: its place in the channel.
pub(crate) const PLACE: u64 = 64;

/// In [`Account::last`]: the process lives, or nobody uses the account.
const OPEN: u64 = u64::MAX;

/// The memory of one process.
#[derive(Debug)]
pub(crate) struct Account {
    /// Bytes of messages that were ever charged. Only the process adds.
    sent: AtomicU64,
    /// Of those, the bytes that were given back.
    returned: AtomicU64,
    /// `sent` can come to this before more must be taken from the totals.
    enough: AtomicU64,
    /// What `sent` was when the process ended, `OPEN` before.
    last: AtomicU64,
    bill: Mutex<Bill>,
}

/// What changes seldom.
#[derive(Debug, Default)]
struct Bill {
    /// What the process may have.
    allowed: u64,
    /// Bytes of its memories and tables.
    resident: u64,
    /// Bytes that were taken from the totals.
    taken: u64,
    totals: Option<Arc<Totals>>,
}

/// Every account that there is, and those that nobody uses.
#[derive(Default)]
struct Accounts {
    all: Vec<&'static Account>,
    free: Vec<&'static Account>,
}

static ACCOUNTS: Mutex<Accounts> = Mutex::new(Accounts {
    all: Vec::new(),
    free: Vec::new(),
});

const MEMORY: Which = |totals| &totals.memory;

/// Bytes that a message counts for; given back when dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    account: &'static Account,
    bytes: u64,
}

/// The account of a process that lives; closed when dropped.
#[derive(Debug)]
pub(crate) struct OpenAccount(&'static Account);

impl OpenAccount {
    /// An account of `allowed` bytes.
    pub(crate) fn new(allowed: u64, totals: Arc<Totals>) -> Self {
        let mut accounts = lock(&ACCOUNTS);
        let account = accounts.free.pop().unwrap_or_else(|| {
            let account: &'static Account = Box::leak(Box::new(Account {
                sent: AtomicU64::new(0),
                returned: AtomicU64::new(0),
                enough: AtomicU64::new(0),
                last: AtomicU64::new(OPEN),
                bill: Mutex::default(),
            }));
            accounts.all.push(account);
            account
        });
        drop(accounts);
        let mut bill = lock(&account.bill);
        bill.allowed = allowed;
        bill.totals = Some(totals);
        drop(bill);
        Self(account)
    }

    /// Charges a message of so many bytes, while it waits in a channel.
    ///
    /// # Errors
    /// Over the limit of the process, or over a total.
    pub(crate) fn charge(&mut self, bytes: u64) -> Result<Charge, Overrun> {
        let account = self.0;
        let sent = account.sent.load(Ordering::Relaxed) + bytes;
        if sent > account.enough.load(Ordering::Relaxed) {
            account.provide(sent, 0)?;
        }
        account.sent.store(sent, Ordering::Release);
        Ok(Charge { account, bytes })
    }

    /// Adds to the bytes of memories and tables.
    ///
    /// # Errors
    /// As [`charge`](Self::charge).
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), Overrun> {
        self.0.provide(self.0.sent.load(Ordering::Relaxed), bytes)
    }
}

impl Drop for OpenAccount {
    /// The process is gone with its memories; its messages may still wait.
    fn drop(&mut self) {
        lock(&self.0.bill).resident = 0;
        let sent = self.0.sent.load(Ordering::Relaxed);
        self.0.last.store(sent, Ordering::SeqCst);
        self.0.settle();
    }
}

impl Account {
    /// Bytes of messages that wait when so many were sent.
    fn waiting(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.returned.load(Ordering::SeqCst))
    }

    /// Makes sure of what is needed for this `sent`, and for so many bytes more of memories.
    #[cold]
    fn provide(&self, sent: u64, more: u64) -> Result<(), Overrun> {
        let missing = match self.try_provide(sent, more) {
            Err(overrun) if overrun.owner != LimitOwner::Process => overrun,
            done => return done,
        };
        settle();
        self.try_provide(sent, more).map_err(|_| missing)
    }

    fn try_provide(&self, sent: u64, more: u64) -> Result<(), Overrun> {
        let mut bill = lock(&self.bill);
        let waiting = self.waiting(sent);
        let resident = bill.resident.saturating_add(more);
        let needed = resident.saturating_add(waiting);
        if needed > bill.allowed {
            return Err(Overrun {
                limit: LimitKind::Memory,
                owner: LimitOwner::Process,
                allowed: bill.allowed,
                asked: needed,
            });
        }
        // Memories grow seldom, and by a lot: nothing is taken ahead for them.
        let ahead = if more == 0 { QUANTUM } else { 0 };
        let wanted = needed.saturating_add(ahead).min(bill.allowed);
        let taken = bill.taken;
        if let Some(totals) = &bill.totals
            && needed > taken
        {
            let all = totals.take(MEMORY, wanted - taken).map(|()| wanted);
            let provided = all.or_else(|_| totals.take(MEMORY, needed - taken).map(|()| needed))?;
            bill.taken = provided;
        }
        bill.resident = resident;
        let room = bill.taken.min(bill.allowed).saturating_sub(resident);
        let enough = sent.saturating_sub(waiting) + room;
        self.enough.store(enough, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back to the totals what isn't needed any more, and an account of nothing to the
    /// next process.
    fn settle(&'static self) {
        let mut bill = lock(&self.bill);
        let sent = self.sent.load(Ordering::Acquire);
        let last = self.last.load(Ordering::SeqCst);
        let needed = bill.resident + self.waiting(sent);
        if needed < bill.taken
            && let Some(totals) = &bill.totals
        {
            totals.give(MEMORY, bill.taken - needed);
            bill.taken = needed;
            self.enough.store(sent, Ordering::Relaxed);
        }
        if last == OPEN || self.returned.load(Ordering::SeqCst) != last {
            return;
        }
        *bill = Bill::default();
        self.sent.store(0, Ordering::Relaxed);
        self.returned.store(0, Ordering::Relaxed);
        self.enough.store(0, Ordering::Relaxed);
        self.last.store(OPEN, Ordering::SeqCst);
        drop(bill);
        lock(&ACCOUNTS).free.push(self);
    }
}

/// Gives back to the totals what accounts have taken ahead and not used.
pub(crate) fn settle() {
    let all = lock(&ACCOUNTS).all.clone();
    all.iter().for_each(|account| account.settle());
}

impl Charge {
    /// Takes another charge in; gives it back if it is to another account.
    pub(crate) fn join(&mut self, mut other: Charge) -> Option<Charge> {
        if !std::ptr::eq(self.account, other.account) {
            return Some(other);
        }
        self.bytes += std::mem::take(&mut other.bytes);
        None
    }
}

impl Charge {
    /// So many of its bytes as a charge by themselves.
    pub(crate) fn split(&mut self, bytes: u64) -> Charge {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Charge {
            account: self.account,
            bytes,
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let account = self.account;
        account.returned.fetch_add(self.bytes, Ordering::SeqCst);
        if account.last.load(Ordering::SeqCst) != OPEN {
            account.settle();
        }
    }
}
