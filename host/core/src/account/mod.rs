//! Accounts: what is held for whom, within limits.
//!
//! A [`Total`] says how much there is of one thing, and how much of it is in use; totals lie within
//! others. An [`Account`] takes from one for a single process. Whatever is held for the process
//! has a [`Charge`], which gives its share back when it is dropped.
//!
//! # Invariants
//!
//! 1. A total never has more in use than it allows, but for what was [added](Total::add) unasked.
//! 2. Of an account, `credit + returned + charges + fixed` is what it has taken from its total. So the sum
//!    of all charges is never more than the total has in use.
//! 3. After an account is closed, and its last charge dropped, it has given everything back.
//!
//! # What it costs
//!
//! An account takes [`QUANTUM`] ahead of need. As long as its credit lasts, a charge is one atomic step
//! on it, and its return one on another line of the cache: owner and receivers don't contend. What others
//! have returned becomes credit when that has run out. Credit is taken away from an account
//! ([`Accounts::release_surplus`]) by the same kind of step as it is spent, so that none is spent twice.
//!
//! `tests/loom_account.rs` tries all interleavings of these steps.

mod total;

use std::fmt;

use slab::Slab;

pub use total::{Over, Total};

use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// What an account takes ahead of need, if there is as much.
#[cfg(not(loom))]
pub const QUANTUM: u64 = 64 << 10;
/// Small enough for a model's total.
#[cfg(loom)]
pub const QUANTUM: u64 = 2;

/// References to its account that an owner makes at once.
const SPARE: usize = 32;

/// In [`Shared::returned`]: the account is closed.
const CLOSED: u64 = 1 << 63;

/// What several accounts share, so that one can use what another has taken ahead.
#[derive(Debug)]
pub struct Accounts<L>(Mutex<Slab<Arc<Shared<L>>>>);

/// What is held for one process; closed when dropped. Its charges may last longer.
pub struct Account<L: Copy> {
    shared: Arc<Shared<L>>,
    /// For charges to come.
    spare: Vec<Arc<Shared<L>>>,
    /// What is held for as long as the account is open.
    fixed: u64,
    accounts: Arc<Accounts<L>>,
    key: usize,
}

/// What an account and its charges share.
#[derive(Debug)]
struct Shared<L> {
    total: Arc<Total<L>>,
    /// Taken from the total, and not charged. Whoever lowers it owns the difference.
    credit: OwnLine,
    /// What dropped charges have given back, and `CLOSED`.
    returned: OwnLine,
}

/// A number on a line of the cache that nothing else is on.
#[derive(Debug)]
#[repr(align(64))]
struct OwnLine(AtomicU64);

/// A share of an account, which is given back when it is dropped.
pub struct Charge<L: Copy> {
    shared: Arc<Shared<L>>,
    amount: u64,
}

impl<L> Default for Accounts<L> {
    fn default() -> Self {
        Self(Mutex::new(Slab::new()))
    }
}

impl<L: Copy> Accounts<L> {
    /// Gives back to the totals what accounts have taken ahead and not used.
    pub fn release_surplus(&self) {
        self.without_surplus(|| ());
    }

    /// Does something while nobody has anything ahead. Under the lock, so that what one has just been
    /// taken, and the total not yet given, is missing to nobody else.
    fn without_surplus<R>(&self, then: impl FnOnce() -> R) -> R {
        let accounts = lock(&self.0);
        accounts
            .iter()
            .for_each(|(_, account)| account.release_surplus());
        then()
    }
}

impl<L: Copy> Account<L> {
    /// An account that takes from this total.
    pub fn open(total: Arc<Total<L>>, accounts: &Arc<Accounts<L>>) -> Self {
        let shared = Arc::new(Shared {
            total,
            credit: OwnLine(AtomicU64::new(0)),
            returned: OwnLine(AtomicU64::new(0)),
        });
        let key = lock(&accounts.0).insert(shared.clone());
        Self {
            shared,
            spare: Vec::new(),
            fixed: 0,
            accounts: accounts.clone(),
            key,
        }
    }

    /// Charges so much, until the charge is dropped.
    ///
    /// # Errors
    /// Which total has no more.
    #[inline]
    pub fn charge(&mut self, amount: u64) -> Result<Charge<L>, Over<L>> {
        if !self.shared.spend_credit(amount) {
            self.provide(amount, QUANTUM)?;
        }
        let shared = self.spare.pop().unwrap_or_else(|| self.make_spare());
        Ok(Charge { shared, amount })
    }

    /// The same, for rare charges, and where somebody else holds the account as well.
    ///
    /// # Errors
    /// As [`charge`](Self::charge).
    pub fn charge_seldom(&self, amount: u64) -> Result<Charge<L>, Over<L>> {
        if !self.shared.spend_credit(amount) {
            self.provide(amount, 0)?;
        }
        let shared = self.shared.clone();
        Ok(Charge { shared, amount })
    }

    /// Charges so much for as long as the account is open, or until it is [freed](Self::free_fixed).
    ///
    /// # Errors
    /// As [`charge`](Self::charge).
    pub fn fix(&mut self, amount: u64) -> Result<(), Over<L>> {
        // Such amounts are large and seldom: nothing is taken ahead for them.
        if !self.shared.spend_credit(amount) {
            self.provide(amount, 0)?;
        }
        self.fixed += amount;
        Ok(())
    }

    /// Gives back all that is fixed.
    pub fn free_fixed(&mut self) {
        self.shared.total.give(std::mem::take(&mut self.fixed));
    }

    /// Takes from the total what the credit lacks, and so much ahead if there is as much.
    #[cold]
    fn provide(&self, amount: u64, ahead: u64) -> Result<(), Over<L>> {
        let shared = &self.shared;
        let credit = shared.take_credit();
        let Some(lacking) = amount.checked_sub(credit) else {
            shared.credit.0.fetch_add(credit - amount, Ordering::AcqRel);
            return Ok(());
        };
        let with_ahead = lacking.saturating_add(ahead);
        if ahead > 0 && shared.total.take(with_ahead).is_ok() {
            shared.credit.0.fetch_add(ahead, Ordering::AcqRel);
            return Ok(());
        }
        if shared.total.take(lacking).is_ok() {
            return Ok(());
        }
        shared.credit.0.fetch_add(credit, Ordering::AcqRel);
        self.accounts.without_surplus(|| shared.total.take(amount))
    }

    #[cold]
    fn make_spare(&mut self) -> Arc<Shared<L>> {
        let more = std::iter::repeat_n(&self.shared, SPARE).cloned();
        self.spare.extend(more);
        self.shared.clone()
    }
}

impl<L: Copy> Drop for Account<L> {
    fn drop(&mut self) {
        lock(&self.accounts.0).remove(self.key);
        self.free_fixed();
        let returned = self.shared.returned.0.swap(CLOSED, Ordering::AcqRel);
        let credit = self.shared.credit.0.swap(0, Ordering::AcqRel);
        self.shared.total.give(returned + credit);
    }
}

impl<L: Copy> Shared<L> {
    #[inline]
    fn spend_credit(&self, amount: u64) -> bool {
        let credit = self.credit.0.load(Ordering::Relaxed);
        let Some(left) = credit.checked_sub(amount) else {
            return false;
        };
        let spent =
            self.credit
                .0
                .compare_exchange(credit, left, Ordering::AcqRel, Ordering::Relaxed);
        spent.is_ok()
    }

    /// All of its credit, and what was returned.
    fn take_credit(&self) -> u64 {
        let returned = self.returned.0.fetch_and(CLOSED, Ordering::AcqRel);
        if returned & CLOSED != 0 {
            // Whoever closed it has given everything back.
            return 0;
        }
        returned + self.credit.0.swap(0, Ordering::AcqRel)
    }

    fn release_surplus(&self) {
        self.total.give(self.take_credit());
    }
}

impl<L: Copy> Charge<L> {
    /// Takes another charge in; gives it back if it is to another account.
    pub fn join(&mut self, mut other: Self) -> Option<Self> {
        if !Arc::ptr_eq(&self.shared, &other.shared) {
            return Some(other);
        }
        self.amount += std::mem::take(&mut other.amount);
        None
    }

    /// So much of it as a charge by itself.
    #[must_use]
    pub fn split(&mut self, amount: u64) -> Self {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        Self {
            shared: self.shared.clone(),
            amount,
        }
    }
}

impl<L: Copy> Drop for Charge<L> {
    #[inline]
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let before = self
            .shared
            .returned
            .0
            .fetch_add(self.amount, Ordering::AcqRel);
        if before & CLOSED != 0 {
            self.shared.total.give(self.amount);
        }
    }
}

impl<L: Copy> fmt::Debug for Account<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("fixed", &self.fixed)
            .finish_non_exhaustive()
    }
}

impl<L: Copy> fmt::Debug for Charge<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Charge").field(&self.amount).finish()
    }
}
