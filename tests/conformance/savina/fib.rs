//! Fibonacci numbers, with a process for every call.

use transputer_guest::{Error, Receiver, Sender, channel, spawn};

/// Spawns the call for `n`.
fn call(n: u32, together: u32) -> Result<Receiver<u64>, Error> {
    let (result, answer) = channel(1)?;
    spawn("fib")
        .argument("n", n)
        .argument("together", together)
        .output("result", result)
        .start()?;
    Ok(answer)
}

/// Sends the `n`-th Fibonacci number. Calls run side by side down to the depth `together`, and one
/// after the other below it, which bounds how many processes live at once.
#[transputer_guest::process]
fn fib(n: u32, together: u32, result: Sender<u64>) -> Result<(), Error> {
    if n < 2 {
        return result.send(u64::from(n));
    }
    let deeper = together.saturating_sub(1);
    let left = call(n - 1, deeper)?;
    let sum = if together == 0 {
        left.receive()? + call(n - 2, deeper)?.receive()?
    } else {
        let right = call(n - 2, deeper)?;
        left.receive()? + right.receive()?
    };
    result.send(sum)
}
