//! doubleselect: the process that notices a number that comes twice.

use std::collections::HashSet;

use transputer_guest::{Error, Receiver, Sender};

/// Sends how many numbers came; fails if one came again.
#[transputer_guest::process]
fn unique(numbers: Receiver<u64>, count: Sender<u64>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for number in &numbers {
        if !seen.insert(number) {
            return Err(format!("{number} came twice").into());
        }
    }
    numbers.ended()?;
    count.send(seen.len() as u64)
}
