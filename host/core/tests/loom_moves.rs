//! A look for ends that nobody can get at does not trust what it saw while they moved.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p transputer-core --test loom_moves --release`.
#![cfg(loom)]

use loom::thread;
use transputer_core::channel::{Inspect, Moves};
use transputer_core::{Holder, Options, ProcessId, Receiver, Sender, channel};

const OWNER: Holder = Holder::Process(ProcessId(1));

/// The receiver of another channel, as the owner tries in vain to send it away: it seems to lie in
/// a message for a moment.
fn send_in_vain(carrier: &Sender<u64>, end: &Receiver<u64>) {
    let _moving = carrier.moving_ends();
    end.set_holder(Holder::Transit(carrier.id()));
    assert!(carrier.try_send(1).is_err(), "there is no room");
    end.set_holder(OWNER);
}

/// Whether the end seemed to lie in a message at two looks, and nothing moved meanwhile.
fn seems_lost(carrier: &dyn Inspect, end: &dyn Inspect) -> bool {
    let look = || end.snapshot().receivers == [Holder::Transit(carrier.id())];
    let before: Moves = carrier.moves();
    look() && look() && carrier.moves().are_still_since(&before)
}

#[test]
fn an_end_that_comes_back_never_seems_lost() {
    loom::model(|| {
        let (carrier, _full) = channel::<u64>(Options::rendezvous());
        let (_sender, end) = channel::<u64>(Options::rendezvous());
        end.set_holder(OWNER);
        let (carrying, carried) = (carrier.inspect(), end.inspect());
        let looking = thread::spawn(move || seems_lost(&*carrying, &*carried));
        // Each of two looks may meet another attempt.
        send_in_vain(&carrier, &end);
        send_in_vain(&carrier, &end);
        assert!(!looking.join().unwrap());
    });
}

#[test]
fn an_end_that_was_sent_before_seems_so() {
    loom::model(|| {
        let (carrier, _never) = channel::<u64>(Options::bounded(1));
        let (_sender, end) = channel::<u64>(Options::rendezvous());
        {
            let _moving = carrier.moving_ends();
            end.set_holder(Holder::Transit(carrier.id()));
            carrier.try_send(1).unwrap();
        }
        assert!(seems_lost(&*carrier.inspect(), &*end.inspect()));
    });
}
