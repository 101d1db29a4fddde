#![deny(unsafe_code, warnings)]

use transputer_guest::{Bytes, Error, Receiver, Sender, channel, select, spawn};

/// Names that the macro uses itself, and raw ones.
#[transputer_guest::process]
fn start(
    mut arguments: u64,
    r#type: Option<String>,
    inputs: transputer_guest::Receiver<(u8, Vec<Bytes>)>,
    outputs: Sender<Sender<u64>>,
    replies: Receiver<Sender<u64>>,
) -> Result<(), Error> {
    arguments += 1;
    let _ = (arguments, r#type, inputs);
    for reply in replies {
        outputs.send(&reply)?;
    }
    Ok(())
}

mod other {
    #[transputer_guest::process]
    pub(crate) fn nothing() -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

/// A message is given as it is, or by reference.
#[transputer_guest::process]
fn sends(names: Sender<String>, counts: Sender<u64>, replies: Sender<Sender<u64>>) -> Result<(), Error> {
    let mut name = String::from("Tony");
    names.send(&name)?;
    names.send(&mut name)?;
    for count in &[1, 2] {
        counts.send(count)?;
    }
    counts.send(3)?;
    counts.try_send(&"4".parse()?)?;
    select! {
        sent = send(names, &name) => sent,
        sent = send(counts, 5) => sent,
    }??;
    names.buffered().send(name)?;
    let (reply, answers) = channel(1)?;
    replies.send(reply)?;
    answers.receive()?;
    // The type of the channel's messages follows from the message.
    let (sender, receiver) = channel(1)?;
    sender.send(&6u8)?;
    let _: u8 = receiver.receive()?;
    let (sender, _receiver) = channel(1)?;
    sender.send(String::from("seven"))?;
    spawn("child").argument("number", 8u64).argument("text", &String::new()).start()?;
    Ok(())
}

fn main() {
    assert!(other::nothing().is_ok());
}
