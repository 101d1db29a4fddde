//! What is promised at a channel whose other end may be on another host.

use std::time::Duration;

use transputer_guest::{Error, Receiver, Sender, now, select, sleep};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(3600);

/// Tries, offers and waits at a channel `numbers` that holds two, and of which nobody takes anything before `go`. Then
/// everything comes back as an answer. Tells what it found.
#[transputer_guest::process]
fn guards_across(
    numbers: Sender<u64>,
    go: Sender<()>,
    answers: Receiver<u64>,
    told: Sender<String>,
) -> Result<(), Error> {
    let mut tries = 0;
    for number in 1..=2 {
        // It may say that it would block while it is known that there is room, for a moment.
        while let Err(error) = numbers.try_send(number) {
            tries += 1;
            if error != Error::WouldBlock || tries > 10_000 {
                return Err(error);
            }
            sleep(Duration::from_millis(1));
        }
    }
    for _ in 0..50 {
        tell_if(
            &told,
            numbers.try_send(99) != Err(Error::WouldBlock),
            "more than two fit",
        )?;
        sleep(Duration::from_millis(2));
    }
    told.send(format!("try: {:?}", numbers.try_send(98)))?;
    told.send(format!("deadline: {:?}", numbers.send_timeout(97, SHORT)))?;
    let sent = select! {
        sent = send(numbers, &96) => sent.is_ok(),
        at(now() + SHORT) => false,
    }?;
    told.send(format!("send guard: {sent}"))?;
    told.send(format!("try to receive: {:?}", answers.try_receive()))?;
    let received = select! {
        number = receive(answers) => number.is_ok(),
        at(now() + SHORT) => false,
    }?;
    told.send(format!("receive guard: {received}"))?;
    go.send(())?;
    let sent = select! {
        sent = send(numbers, &3) => sent.is_ok(),
        at(now() + LONG) => false,
    }?;
    told.send(format!("send guard with room: {sent}"))?;
    for _ in 0..3 {
        let number = select! {
            number = receive(answers) => number?,
            at(now() + LONG) => 0,
        }?;
        told.send(format!("answer: {number}"))?;
    }
    numbers.close();
    told.send(format!("after the last: {:?}", answers.receive()))
}

fn tell_if(told: &Sender<String>, wrong: bool, what: &str) -> Result<(), Error> {
    if wrong {
        told.send(what.to_owned())?;
    }
    Ok(())
}
