//! Leaves a loop over its input, and goes on with the same receiver.

use transputer_guest::{Error, Receiver, Sender, select};

/// Takes numbers in a loop up to the first 0, one more with `receive`, one more in an
/// alternation, and the rest in a loop; passes all of them on.
#[transputer_guest::process]
fn leaves_loop(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    for n in &numbers {
        out.send(n)?;
        if n == 0 {
            break;
        }
    }
    out.send(numbers.receive()?)?;
    select! {
        n = receive(numbers) => out.send(n?)?,
    }?;
    for n in numbers {
        out.send(n)?;
    }
    Ok(())
}
