//! Counts how often it runs while another process is in one call.

use transputer_guest::{Error, Receiver, Sender, yield_now};

/// Between two messages, lets others run, over and over; tells how often it came to run again.
#[transputer_guest::process]
fn counts_turns(told: Receiver<Vec<u8>>, turns: Sender<u64>) -> Result<(), Error> {
    told.receive()?;
    let mut count = 0;
    loop {
        match told.try_receive() {
            Ok(_) => break,
            Err(Error::WouldBlock) => {}
            Err(error) => return Err(error),
        }
        yield_now();
        count += 1;
    }
    turns.send(count)?;
    Ok(())
}
