//! select3: which operations wait, and which don't.

use transputer_guest::{Error, Receiver, Sender, channel, select};

const NEVER: &str = "a guard won that could not";

/// A channel of which only the receiver is left.
fn without_sender() -> Result<Receiver<u64>, Error> {
    Ok(channel(0)?.1)
}

/// A channel of which only the sender is left.
fn without_receiver() -> Result<Sender<u64>, Error> {
    Ok(channel(0)?.0)
}

/// Fails for all but the error that a closed channel gives.
fn closed_error(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::Closed) => Ok(()),
        other => Err(format!("{other:?} from a closed channel").into()),
    }
}

/// Performs one case; what is expected of it is in the suite.
#[transputer_guest::process]
fn select3(case: String) -> Result<(), Error> {
    let (sender, receiver) = channel::<u64>(0)?;
    let (buffered, taken) = channel::<u64>(1)?;
    match case.as_str() {
        "send to a free buffer" => buffered.send(7),
        "send to a full buffer" => {
            buffered.send(7)?;
            buffered.send(7)
        }
        "send with nobody receiving" => sender.send(7),
        "receive with nobody sending" => receiver.receive().map(drop),
        "receive after the close" => {
            let closed = without_sender()?;
            for _ in 0..10 {
                closed_error(closed.receive().map(drop))?;
            }
            Ok(())
        }
        "send after the close" => closed_error(without_receiver()?.send(7)),
        "select without guards" => select! {
            _ = receive(receiver) if false => NEVER,
            _ = send(sender, &7) if false => NEVER,
        }
        .map(drop),
        "select receive with nobody sending" => select! {
            _ = receive(receiver) => (),
        },
        "select send with nobody receiving" => select! {
            _ = send(sender, &7) => (),
        },
        "select on idle channels" => select! {
            _ = receive(receiver) => (),
            _ = receive(taken) => (),
        },
        "select both ends of one channel" => select! {
            _ = send(sender, &1) => (),
            _ = receive(receiver) => (),
        },
        "select skip" => select! { skip => () },
        "select skip beside an off receive" => select! {
            _ = receive(receiver) if false => return Err(NEVER.into()),
            skip => (),
        },
        "select skip beside an off send" => select! {
            _ = send(sender, &7) if false => return Err(NEVER.into()),
            skip => (),
        },
        "select skip beside idle ends" => select! {
            _ = receive(receiver) => return Err(NEVER.into()),
            _ = send(sender, &7) => return Err(NEVER.into()),
            skip => (),
        },
        "select send to a free buffer" => select! {
            sent = send(buffered, &7) => sent?,
            skip => return Err("a ready send lost to skip".into()),
        },
        "select receive from a buffer" => {
            buffered.send(7)?;
            select! {
                seven = receive(taken) => seven.map(drop)?,
                skip => return Err("a ready receive lost to skip".into()),
            }
        }
        "select receive after the close" => {
            let closed = without_sender()?;
            select! {
                outcome = receive(closed) => closed_error(outcome.map(drop)),
            }?
        }
        "select send after the close" => {
            let closed = without_receiver()?;
            select! {
                outcome = send(closed, &7) => closed_error(outcome),
            }?
        }
        unknown => Err(format!("there is no case `{unknown}`").into()),
    }
}
