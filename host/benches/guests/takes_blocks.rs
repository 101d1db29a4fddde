//! The end of a stream of large messages.

use transputer_guest::{Bytes, Error, Receiver, Sender, now};

/// Adds up the numbers in the blocks' first 8 bytes, and their last bytes.
#[transputer_guest::process]
fn takes_blocks(blocks: Receiver<Bytes>, measured: Sender<(u64, u64)>) -> Result<(), Error> {
    let start = now();
    let mut sum = 0;
    for block in blocks {
        let (number, rest) = block
            .split_first_chunk()
            .ok_or("a block without a number")?;
        sum += u64::from_le_bytes(*number) + rest.last().map_or(0, |&last| u64::from(last));
    }
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    measured.send((nanoseconds, sum))
}
