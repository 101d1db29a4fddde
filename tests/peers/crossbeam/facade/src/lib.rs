//! crossbeam-channel's interface over transputer-core: as much of it as crossbeam-channel's own
//! tests need, and as thin as it can be.
//!
//! transputer-core's messages own all that they hold, and its alternation is over one type of
//! message; crossbeam-channel's are not. So what crosses the core's channels here is a ticket, and
//! the message lies in a table under the ticket's number. Its `Select` also wants the message of a
//! send only after the choice: then the receiver, which has the ticket, waits for the message.

mod receiver;
mod select;
mod select_macro;
mod sender;
mod table;
mod time;

use transputer_core::Options;

pub use crossbeam_channel::{
    RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySelectError, TrySendError,
};
pub use receiver::{IntoIter, Iter, Receiver, TryIter};
pub use select::{Select, SelectedOperation};
pub use sender::Sender;
pub use time::{after, never, tick};

/// A channel in which `capacity` messages may wait; 0 is a rendezvous.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    open(capacity, Some(capacity))
}

/// A channel whose capacity is more than any test sends: the core's channels are always bounded.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    open(usize::MAX, None)
}

fn open<T>(capacity: usize, shown: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let (core_sender, core_receiver) = transputer_core::channel(Options::bounded(capacity));
    let table = table::Table::new(shown);
    (
        Sender::new(core_sender, table.clone()),
        Receiver::new(core_receiver, table),
    )
}
