//! How much there is of one thing.

use crate::sync::{Arc, AtomicU64, Ordering};

/// How much of one thing somebody may use, and how much is in use; possibly a part of what several
/// may use together. `L` says which thing it is, and whose.
#[derive(Debug)]
pub struct Total<L> {
    label: L,
    allowed: u64,
    used: AtomicU64,
    above: Option<Arc<Total<L>>>,
}

/// More was asked for than a total allows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Over<L> {
    /// Which total.
    pub label: L,
    /// What it allows.
    pub allowed: u64,
    /// What would have been, or is, in use.
    pub asked: u64,
}

impl<L: Copy> Total<L> {
    /// A total of so much, or of as much as there is, within another one.
    pub fn new(label: L, allowed: Option<u64>, above: Option<Arc<Total<L>>>) -> Arc<Self> {
        Arc::new(Self {
            label,
            allowed: allowed.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            above,
        })
    }

    /// How much is in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// Whether anything limits this one, or one above.
    pub fn is_limited(&self) -> bool {
        self.levels().any(|total| total.allowed != u64::MAX)
    }

    /// Takes so much, here and above, or nothing.
    ///
    /// # Errors
    /// Who has not as much.
    pub fn take(&self, amount: u64) -> Result<(), Over<L>> {
        self.take_here(amount)?;
        match &self.above {
            None => Ok(()),
            Some(above) => above.take(amount).inspect_err(|_| self.give_here(amount)),
        }
    }

    /// Takes so much whether it is there or not.
    pub fn add(&self, amount: u64) {
        for total in self.levels() {
            total.used.fetch_add(amount, Ordering::AcqRel);
        }
    }

    /// Gives back what was taken.
    pub fn give(&self, amount: u64) {
        if amount > 0 {
            self.levels().for_each(|total| total.give_here(amount));
        }
    }

    /// Uses up so much for good, whether it is there or not.
    ///
    /// # Errors
    /// Who has used more than it may, the nearest first.
    pub fn spend(&self, amount: u64) -> Result<(), Over<L>> {
        self.add(amount);
        self.check()
    }

    /// Whether as much is in use as may be, or less.
    ///
    /// # Errors
    /// As for [`spend`](Self::spend).
    pub fn check(&self) -> Result<(), Over<L>> {
        self.levels().try_for_each(|total| {
            let used = total.used();
            match used <= total.allowed {
                true => Ok(()),
                false => Err(total.over(used)),
            }
        })
    }

    /// This one, and those above.
    fn levels(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |total| total.above.as_deref())
    }

    fn take_here(&self, amount: u64) -> Result<(), Over<L>> {
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let asked = used.saturating_add(amount);
            if asked > self.allowed {
                return Err(self.over(asked));
            }
            // Never more than is allowed, not even for a moment: others would be refused for it.
            match self
                .used
                .compare_exchange_weak(used, asked, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(now) => used = now,
            }
        }
    }

    fn give_here(&self, amount: u64) {
        self.used.fetch_sub(amount, Ordering::AcqRel);
    }

    fn over(&self, asked: u64) -> Over<L> {
        Over {
            label: self.label,
            allowed: self.allowed,
            asked,
        }
    }
}
