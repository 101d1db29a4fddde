//! select8: leaving an alternation from within.

// That is the point: no arm of these alternations comes to its end.
#![allow(unreachable_code)]

use transputer_guest::{Error, Receiver, select};

/// Breaks out of the loops around alternations, from a lone guard, from skip, and from a guard beside
/// others, and arrives.
#[transputer_guest::process]
fn select8(fives: Receiver<u64>) -> Result<(), Error> {
    let mut left = 0;
    loop {
        select! { five = receive(fives) => { five?; left += 1; break } }?;
    }
    loop {
        select! { skip => { left += 1; break } }?;
    }
    'outer: loop {
        loop {
            select! {
                five = receive(fives) => { five?; left += 1; break 'outer }
                skip => { left += 1; break 'outer }
            }?;
        }
    }
    match left {
        3 => Ok(()),
        other => Err(format!("left {other} alternations instead of 3").into()),
    }
}
