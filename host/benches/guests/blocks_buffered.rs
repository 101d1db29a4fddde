//! A source of large messages for channels that hold many.

use transputer_guest::{Bytes, Error, Sender};

/// Sends so many blocks of `size` bytes, each with its number in the first 8; many at a
/// time where they are small enough.
#[transputer_guest::process]
fn blocks_buffered(count: u64, size: u32, blocks: Sender<Bytes>) -> Result<(), Error> {
    let blocks = blocks.buffered();
    let mut block = Bytes(vec![1; usize::try_from(size)?]);
    for number in 0..count {
        block[..8].copy_from_slice(&number.to_le_bytes());
        blocks.send(&block)?;
    }
    Ok(())
}
