//! Greets somebody a few times.

use transputer_guest::{Error, Sender, process};

/// Sends a greeting to `whom`, as many times as asked.
#[process]
fn greeter(whom: String, times: u32, greetings: Sender<String>) -> Result<(), Error> {
    for _ in 0..times {
        greetings.send(&format!("Hello, {whom}!"))?;
    }
    Ok(())
}
