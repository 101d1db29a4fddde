//! select8: leaving an alternation from within.

use transputer_guest::{Error, Receiver, select, yield_now};

/// Breaks out of the loops around alternations, at the third five or round: from a lone guard, from
/// skip, and from a guard beside others, past the loop in between.
#[transputer_guest::process]
fn select8(fives: Receiver<u64>) -> Result<(), Error> {
    let mut taken = 0;
    loop {
        select! { five = receive(fives) => { taken += five?; if taken == 15 { break } } }?;
    }
    let mut rounds = 0;
    loop {
        select! { skip => { rounds += 1; if rounds == 3 { break } } }?;
    }
    'outer: loop {
        loop {
            select! {
                five = receive(fives) => { taken += five?; if taken == 30 { break 'outer } }
                skip => { yield_now(); continue 'outer }
            }?;
        }
    }
    match (taken, rounds) {
        (30, 3) => Ok(()),
        other => Err(format!("left the loops at {other:?}").into()),
    }
}
