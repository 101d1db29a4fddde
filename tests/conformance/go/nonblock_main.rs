//! nonblock: the process that never waits on the channels that are tested.

use transputer_guest::{Error, Message, Receiver, Sender, select, yield_now};

/// How often an operation is tried.
const MOST_TRIES: u32 = 10_000;

/// Tries to send until the peer receives.
fn offer<T: Message>(sender: &Sender<T>, message: &T) -> Result<(), Error> {
    for _ in 0..MOST_TRIES {
        match sender.try_send(message) {
            Err(Error::WouldBlock) => yield_now(),
            sent => return sent,
        }
    }
    Err("nobody received".into())
}

/// Asks until the peer sends.
fn poll<T: Message>(receiver: &Receiver<T>) -> Result<T, Error> {
    for _ in 0..MOST_TRIES {
        match receiver.try_receive() {
            Err(Error::WouldBlock) => yield_now(),
            received => return received,
        }
    }
    Err("nobody sent".into())
}

/// Fails if there is something to receive.
fn is_empty<T: Message>(receiver: &Receiver<T>) -> Result<(), Error> {
    if !matches!(receiver.try_receive(), Err(Error::WouldBlock)) {
        return Err("a message came from nowhere".into());
    }
    select! {
        _ = receive(receiver) => Err("a guard without a message won".into()),
        skip => Ok(()),
    }?
}

/// One type's turn: there, and back. `strobe` tells that the peer has finished a step, which
/// in a buffered channel it does before its message is taken.
fn exchange<T: Message + PartialEq>(
    (to, there): (&Sender<T>, &T),
    (from, back): (&Receiver<T>, &T),
    strobe: &Receiver<()>,
    buffered: bool,
) -> Result<(), Error> {
    offer(to, there)?;
    strobe.receive()?;
    if buffered {
        strobe.receive()?;
    }
    if poll(from)? != *back {
        return Err("a message arrived changed".into());
    }
    if !buffered {
        strobe.receive()?;
    }
    Ok(())
}

/// Exchanges messages of four types with `nonblock_peer`, without ever waiting for them.
#[transputer_guest::process]
fn nonblock_main(
    buffered: bool,
    to_i32: Sender<i32>,
    from_i32: Receiver<i32>,
    to_i64: Sender<i64>,
    from_i64: Receiver<i64>,
    to_bool: Sender<bool>,
    from_bool: Receiver<bool>,
    to_text: Sender<String>,
    from_text: Receiver<String>,
    strobe: Receiver<()>,
) -> Result<(), Error> {
    is_empty(&from_i32)?;
    is_empty(&from_i64)?;
    is_empty(&from_bool)?;
    is_empty(&from_text)?;
    exchange((&to_i32, &123), (&from_i32, &234), &strobe, buffered)?;
    exchange(
        (&to_i64, &123_456),
        (&from_i64, &234_567),
        &strobe,
        buffered,
    )?;
    exchange((&to_bool, &true), (&from_bool, &true), &strobe, buffered)?;
    let (there, back) = ("hello".to_owned(), "hello again".to_owned());
    exchange((&to_text, &there), (&from_text, &back), &strobe, buffered)
}
