//! Calls of the host, one kind after the other.

use std::hint::black_box;

use transputer_guest::{Bytes, Error, Instant, Message, Prepared, Receiver, Sender, channel, now};

/// Is told a kind of call and how many of them to make, and answers with how many
/// nanoseconds they took; as often as it is asked.
#[transputer_guest::process]
fn calls(orders: Receiver<(String, u64)>, took: Sender<u64>) -> Result<(), Error> {
    while let Some((kind, count)) = next(&orders)? {
        let time = match kind.as_str() {
            "now" => clock(count),
            "try_receive" => nothing_there(count)?,
            "number" => send_and_receive(count, &7_u64)?,
            "kibibyte" => send_and_receive(count, &Bytes(vec![1; 1 << 10]))?,
            "mebibyte" => send_and_receive(count, &Bytes(vec![1; 1 << 20]))?,
            "alternation" => alternation(count)?,
            kind => return Err(format!("there is no call `{kind}`").into()),
        };
        took.send(time)?;
    }
    Ok(())
}

fn next(orders: &Receiver<(String, u64)>) -> Result<Option<(String, u64)>, Error> {
    match orders.receive() {
        Ok(order) => Ok(Some(order)),
        Err(Error::Closed) => Ok(None),
        Err(error) => Err(error),
    }
}

fn nanoseconds_since(start: Instant) -> u64 {
    now().nanoseconds() - start.nanoseconds()
}

fn clock(count: u64) -> u64 {
    let start = now();
    for _ in 0..count {
        black_box(now());
    }
    nanoseconds_since(start)
}

fn nothing_there(count: u64) -> Result<u64, Error> {
    let (_sender, receiver) = channel::<u64>(1)?;
    let start = now();
    for _ in 0..count {
        if receiver.try_receive() != Err(Error::WouldBlock) {
            return Err("an empty channel held something".into());
        }
    }
    Ok(nanoseconds_since(start))
}

/// Through a channel of one, so that neither has to wait.
fn send_and_receive<T: Message>(count: u64, message: &T) -> Result<u64, Error> {
    let (sender, receiver) = channel::<T>(1)?;
    let start = now();
    for _ in 0..count {
        sender.send(message)?;
        black_box(receiver.receive()?);
    }
    Ok(nanoseconds_since(start))
}

/// Among two channels, one of which has a message.
fn alternation(count: u64) -> Result<u64, Error> {
    let (_nobody, never) = channel::<u64>(1)?;
    let (sender, receiver) = channel::<u64>(1)?;
    let mut prepared = Prepared::fair()?;
    let guards = [prepared.receive(&never)?, prepared.receive(&receiver)?];
    let start = now();
    for number in 0..count {
        sender.send(number)?;
        let mut chosen = prepared.wait()?;
        match chosen.received(&guards[1]) {
            Some(received) => black_box(received?),
            None => return Err("the wrong guard was chosen".into()),
        };
    }
    Ok(nanoseconds_since(start))
}
