//! The ends of one kind that a channel has, and who holds them.

use slab::Slab;

use crate::ids::Holder;

/// The number of an end among those of its kind at its channel.
pub(crate) type EndKey = usize;

#[derive(Default)]
pub(crate) struct Ends {
    holders: Slab<Holder>,
}

impl Ends {
    pub(crate) fn add(&mut self, holder: Holder) -> EndKey {
        self.holders.insert(holder)
    }

    pub(crate) fn remove(&mut self, key: EndKey) {
        self.holders.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.holders.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }

    pub(crate) fn holder(&self, key: EndKey) -> Holder {
        self.holders[key]
    }

    pub(crate) fn set_holder(&mut self, key: EndKey, holder: Holder) {
        self.holders[key] = holder;
    }

    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.holders.iter().map(|(_, holder)| *holder).collect()
    }
}
