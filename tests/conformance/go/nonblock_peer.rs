//! nonblock: the process that waits on the channels that are tested.

use transputer_guest::{Error, Message, Receiver, Sender};

/// One type's turn: there, and back.
fn exchange<T: Message + PartialEq>(
    (from, there): (&Receiver<T>, &T),
    (to, back): (&Sender<T>, &T),
    strobe: &Sender<()>,
) -> Result<(), Error> {
    if from.receive()? != *there {
        return Err("a message arrived changed".into());
    }
    strobe.send(())?;
    to.send(back)?;
    strobe.send(())
}

/// Receives and sends what `nonblock_main` tries, and tells it so after every step.
#[transputer_guest::process]
fn nonblock_peer(
    from_i32: Receiver<i32>,
    to_i32: Sender<i32>,
    from_i64: Receiver<i64>,
    to_i64: Sender<i64>,
    from_bool: Receiver<bool>,
    to_bool: Sender<bool>,
    from_text: Receiver<String>,
    to_text: Sender<String>,
    strobe: Sender<()>,
) -> Result<(), Error> {
    exchange((&from_i32, &123), (&to_i32, &234), &strobe)?;
    exchange((&from_i64, &123_456), (&to_i64, &234_567), &strobe)?;
    exchange((&from_bool, &true), (&to_bool, &true), &strobe)?;
    let (there, back) = ("hello".to_owned(), "hello again".to_owned());
    exchange((&from_text, &there), (&to_text, &back), &strobe)
}
