//! What the host holds, and who pays for it.
//!
//! Whatever a guest makes and the host keeps beyond the call lies in a [`Held`]: messages, arguments,
//! monitors, links, reports. None can be made without saying who pays, so nothing comes to be kept
//! that is in nobody's account.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Charge;

/// Something that the host holds. When it is dropped, what it counts for is given back.
#[derive(Debug)]
pub(crate) struct Held<T> {
    value: T,
    payer: Payer,
}

/// Who pays for what the host holds.
#[derive(Debug, Default)]
enum Payer {
    /// The process with this charge.
    Process(Charge),
    /// The same, which pays for other copies with it.
    Shared(
        #[expect(dead_code, reason = "it is given back when the last copy is dropped")] Arc<Charge>,
    ),
    /// The embedding program, or the host itself, who are charged nothing.
    #[default]
    Program,
    /// Nobody: it takes no memory of its own, and lies with the process that waits to send it.
    Small,
}

impl<T> Held<T> {
    /// Something that a process pays for.
    pub(crate) fn by_process(value: T, charge: Charge) -> Self {
        let payer = Payer::Process(charge);
        Self { value, payer }
    }

    /// One of several copies that a process pays for together; or that nobody has to pay for.
    pub(crate) fn shared(value: T, charge: Option<Arc<Charge>>) -> Self {
        let payer = charge.map_or(Payer::Program, Payer::Shared);
        Self { value, payer }
    }

    /// Something of the embedding program's, or of the host's own.
    pub(crate) fn by_program(value: T) -> Self {
        let payer = Payer::Program;
        Self { value, payer }
    }

    /// Something that lies within what a process costs anyway.
    pub(crate) fn small(value: T) -> Self {
        let payer = Payer::Small;
        Self { value, payer }
    }

    /// It alone; what it counted for is given back.
    pub(crate) fn into_inner(self) -> T {
        self.value
    }

    /// It, and something else in its place.
    pub(crate) fn trade<U>(self, other: U) -> (T, Held<U>) {
        let payer = self.payer;
        (
            self.value,
            Held {
                value: other,
                payer,
            },
        )
    }

    /// Has it count for more, at the expense of the same process.
    pub(crate) fn add(&mut self, charge: Charge) {
        self.payer = match std::mem::take(&mut self.payer) {
            Payer::Process(mut before) => {
                let other = before.join(charge);
                debug_assert!(other.is_none(), "a process has one account");
                Payer::Process(before)
            }
            _ => Payer::Process(charge),
        };
    }

    /// So much of what it counts for, if a process pays.
    pub(crate) fn split_charge(&mut self, amount: u64) -> Option<Charge> {
        match &mut self.payer {
            Payer::Process(charge) => Some(charge.split(amount)),
            Payer::Shared(_) | Payer::Program | Payer::Small => None,
        }
    }

    /// All that it counts for, if a process pays.
    pub(crate) fn take_charge(&mut self) -> Option<Charge> {
        match std::mem::take(&mut self.payer) {
            Payer::Process(charge) => Some(charge),
            Payer::Shared(_) | Payer::Program | Payer::Small => None,
        }
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Held<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
