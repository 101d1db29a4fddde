//! Operations that give up: at once, and at a deadline.

use std::fmt::Debug;
use std::time::Duration;

use transputer_guest::{Error, Outcome, Sender, channel, now, spawn};

/// Lets every operation that can wait run out of patience, and checks that nothing was lost by
/// it. Spawns `component`, which waits for a message at its input `input`; sends three `numbers`, and
/// how many checks it made.
#[transputer_guest::process]
fn patience(component: String, numbers: Sender<u64>, checks: Sender<u64>) -> Result<(), Error> {
    let mut passed = messages()?;
    passed += ends()?;
    passed += loops()?;
    passed += children(&component)?;
    passed += batches(numbers)?;
    checks.send(passed)
}

fn same<T: PartialEq + Debug>(found: T, expected: T) -> Result<u64, Error> {
    if found == expected {
        return Ok(1);
    }
    Err(format!("expected {expected:?}, found {found:?}").into())
}

fn messages() -> Result<u64, Error> {
    let (sender, receiver) = channel::<u64>(1)?;
    let mut passed = same(receiver.try_receive(), Err(Error::WouldBlock))?;
    passed += same(receiver.receive_by(now()), Err(Error::TimedOut))?;
    passed += same(sender.try_send(1), Ok(()))?;
    passed += same(sender.try_send(2), Err(Error::WouldBlock))?;
    let soon = Duration::from_millis(1);
    passed += same(sender.send_timeout(3, soon), Err(Error::TimedOut))?;
    passed += same(receiver.receive_by(now()), Ok(1))?;
    passed += same(receiver.receive_timeout(soon), Err(Error::TimedOut))?;
    Ok(passed)
}

/// Ends in messages: they are the sender's again when it gave up.
fn ends() -> Result<u64, Error> {
    let (carrier, arrivals) = channel::<Sender<u64>>(0)?;
    let (reply, replies) = channel::<u64>(1)?;
    let mut passed = same(arrivals.try_receive().err(), Some(Error::WouldBlock))?;
    passed += same(arrivals.receive_by(now()).err(), Some(Error::TimedOut))?;
    passed += same(carrier.try_send(&reply), Err(Error::WouldBlock))?;
    passed += same(carrier.send_by(&reply, now()), Err(Error::TimedOut))?;
    passed += same(reply.send(7), Ok(()))?;
    passed += same(replies.receive(), Ok(7))?;

    let (carrier, arrivals) = channel::<Sender<u64>>(1)?;
    passed += same(carrier.try_send(&reply), Ok(()))?;
    passed += same(reply.send(8), Err(Error::Moved))?;
    let arrived = arrivals.try_receive()?;
    passed += same(arrived.try_send(9), Ok(()))?;
    passed += same(replies.try_receive(), Ok(9))?;
    Ok(passed)
}

/// Numbers collected for a channel of capacity 2, of which only those are sent that fit. The rest
/// goes out with the process's next operation.
fn batches(numbers: Sender<u64>) -> Result<u64, Error> {
    let numbers = numbers.buffered();
    for n in 0..3 {
        numbers.send(n)?;
    }
    let mut passed = same(numbers.try_flush(), Err(Error::WouldBlock))?;
    passed += same(numbers.flush_by(now()), Err(Error::TimedOut))?;
    Ok(passed)
}

fn loops() -> Result<u64, Error> {
    let (sender, receiver) = channel::<u64>(2)?;
    sender.send(1)?;
    sender.send(2)?;
    let late: Vec<Result<u64, Error>> = receiver.messages().by(now()).collect();
    let mut passed = same(late, vec![Ok(1), Ok(2), Err(Error::TimedOut)])?;
    sender.send(3)?;
    let ready: Vec<Result<u64, Error>> = receiver.messages().ready().collect();
    passed += same(ready, vec![Ok(3), Err(Error::WouldBlock)])?;
    sender.close();
    passed += same(receiver.messages().ready().count(), 0)?;
    Ok(passed)
}

fn children(component: &str) -> Result<u64, Error> {
    let (sender, receiver) = channel::<u64>(0)?;
    let child = spawn(component).input("input", receiver).start()?;
    let mut passed = same(child.try_wait(), None)?;
    passed += same(child.wait_by(now()), None)?;
    passed += same(child.wait_timeout(Duration::from_millis(1)), None)?;
    sender.send(0)?;
    passed += same(child.wait_timeout(Duration::MAX), Some(Outcome::Finished))?;
    passed += same(child.try_wait(), Some(Outcome::Finished))?;
    Ok(passed)
}
