//! Spawns processes one after the other.

use transputer_guest::{Error, Sender, channel, spawn};

/// Spawns `children` processes of `component`, which doubles numbers; sends each a number, receives
/// its double, and waits for its end. Then sends the sum.
#[transputer_guest::process]
fn churns(children: u64, component: String, total: Sender<u64>) -> Result<(), Error> {
    let mut sum: u64 = 0;
    for n in 0..children {
        let (ask, numbers) = channel::<u64>(0)?;
        let (doubled, answers) = channel::<u64>(0)?;
        let child = spawn(&component)
            .input("numbers", numbers)
            .output("doubled", doubled)
            .start()?;
        ask.send(n)?;
        sum += answers.receive()?;
        drop(ask);
        child.wait().ok()?;
    }
    total.send(sum)
}
