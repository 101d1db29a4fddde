//! Alternations that are built once.

use transputer_guest::{Error, Prepared, Receiver, Sender, channel, now};

/// A buffer of one number: receives while it is empty, sends while it is not. First checks what
/// can be checked without others.
#[transputer_guest::process]
fn prepared(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    stale_ends()?;
    priority_and_patience()?;
    taken_in_advance()?;
    let mut prepared = Prepared::fair()?;
    let receives = prepared.receive(&numbers)?;
    let sends = prepared.send(&out)?;
    loop {
        let mut chosen = prepared.wait()?;
        if let Some(number) = chosen.received(&receives) {
            prepared.switch(&receives, false);
            prepared.offer(&sends, number?)?;
        }
        if let Some(sent) = chosen.offered(&sends) {
            sent?;
            prepared.switch(&receives, true);
        }
    }
}

/// An end that has moved is never mistaken for one that came after it.
fn stale_ends() -> Result<(), Error> {
    let (carrier, _arrivals) = channel::<Receiver<u64>>(1)?;
    let (_sender, moves) = channel::<u64>(1)?;
    let mut prepared = Prepared::fair()?;
    let guard = prepared.receive(&moves)?;
    carrier.send(&moves)?;
    let (other, _stays) = channel::<u64>(1)?;
    other.send(1)?;
    let mut chosen = prepared.wait()?;
    match chosen.received(&guard) {
        Some(Err(Error::Moved)) => Ok(()),
        other => Err(format!("a receiver that has moved gave {other:?}").into()),
    }
}

fn priority_and_patience() -> Result<(), Error> {
    let (to_first, first) = channel::<u64>(2)?;
    let (to_second, second) = channel::<u64>(2)?;
    let mut prepared = Prepared::priority()?;
    let first = prepared.receive(&first)?;
    let second = prepared.receive(&second)?;
    let full = prepared.send(&to_first)?;
    let mut passed = prepared.try_wait().err() == Some(Error::WouldBlock);
    passed &= prepared.wait_by(now()).err() == Some(Error::TimedOut);
    for n in 1..=2 {
        to_first.send(n)?;
        to_second.send(n + 10)?;
    }
    passed &= prepared.wait()?.received(&first) == Some(Ok(1));
    prepared.switch(&first, false);
    passed &= prepared.wait()?.received(&second) == Some(Ok(11));
    prepared.offer(&full, 3)?;
    passed &= prepared.wait()?.received(&second) == Some(Ok(12));
    passed &= prepared.wait()?.offered(&full) == Some(Ok(()));
    passed &= prepared.try_wait().err() == Some(Error::WouldBlock);
    prepared.offer(&full, 4)?;
    prepared.withdraw(&full);
    prepared.switch(&first, true);
    passed &= prepared.wait()?.received(&first) == Some(Ok(2));
    passed &= prepared.wait()?.received(&first) == Some(Ok(3));
    prepared.switch(&first, false);
    prepared.switch(&second, false);
    passed &= prepared.wait().err() == Some(Error::NoGuard);
    match passed {
        true => Ok(()),
        false => Err("priority, or patience, was not kept".into()),
    }
}

/// What a loop took in advance is ready for an alternation as well.
fn taken_in_advance() -> Result<(), Error> {
    let (sender, receiver) = channel::<u64>(8)?;
    for n in 0..4 {
        sender.send(n)?;
    }
    let begun: Vec<u64> = (&receiver).into_iter().take(1).collect();
    let mut prepared = Prepared::fair()?;
    let guard = prepared.receive(&receiver)?;
    let mut rest = Vec::new();
    for _ in 0..3 {
        rest.extend(prepared.wait()?.received(&guard).transpose()?);
    }
    match (begun.as_slice(), rest.as_slice()) {
        ([0], [1, 2, 3]) => Ok(()),
        other => Err(format!("a loop and an alternation took {other:?}").into()),
    }
}
