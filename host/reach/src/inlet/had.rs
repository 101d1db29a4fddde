//! What a receiver has had of each sender.

use std::collections::BTreeMap;

use crate::carrier::{Delivery, Side, Stamp};

/// The last message of each port. Of a port with several senders, the last one of each epoch: they are sent side by side.
#[derive(Debug, Default)]
pub(super) struct Had(BTreeMap<(String, u64), Stamp>);

impl Had {
    /// Whether a message was had.
    pub(super) fn has(&self, delivery: &Delivery, senders: Side) -> bool {
        self.before(delivery, senders) >= delivery.stamp
    }

    /// Notes a message; how many before it have not been seen, although they must have been.
    pub(super) fn note(&mut self, delivery: &Delivery, senders: Side) -> u64 {
        let (before, stamp) = (self.before(delivery, senders), delivery.stamp);
        self.0.insert(key(delivery, senders), stamp);
        match before.epoch == stamp.epoch {
            true => stamp.number.saturating_sub(before.number + 1),
            // The first ones may have been finished before this receiver came.
            false => 0,
        }
    }

    fn before(&self, delivery: &Delivery, senders: Side) -> Stamp {
        let known = self.0.get(&key(delivery, senders));
        known.copied().unwrap_or_default()
    }

    /// The last message of a sole sender.
    pub(super) fn last(&self, port: &str) -> Stamp {
        let known = self.0.get(&(port.to_owned(), 0));
        known.copied().unwrap_or_default()
    }
}

fn key(delivery: &Delivery, senders: Side) -> (String, u64) {
    match senders {
        Side::Sole => (delivery.port.clone(), 0),
        Side::Shared => (delivery.port.clone(), delivery.stamp.epoch),
    }
}
