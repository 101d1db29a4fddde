//! The ends of one kind that a channel has, and who holds them.

use crate::process::Holder;

/// The number of an end among those of its kind at its channel.
pub(crate) type EndKey = usize;

#[derive(Default)]
pub(crate) struct Ends {
    holders: Vec<Option<Holder>>,
    free: Vec<EndKey>,
}

impl Ends {
    pub(crate) fn add(&mut self, holder: Holder) -> EndKey {
        match self.free.pop() {
            Some(key) => {
                self.holders[key] = Some(holder);
                key
            }
            None => {
                self.holders.push(Some(holder));
                self.holders.len() - 1
            }
        }
    }

    pub(crate) fn remove(&mut self, key: EndKey) {
        debug_assert!(self.holders[key].is_some(), "an end is removed once");
        self.holders[key] = None;
        self.free.push(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.holders.len() - self.free.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn holder(&self, key: EndKey) -> Holder {
        self.holders[key].expect("an end in use is in the table")
    }

    pub(crate) fn set_holder(&mut self, key: EndKey, holder: Holder) {
        self.holders[key] = Some(holder);
    }

    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.holders.iter().copied().flatten().collect()
    }
}
