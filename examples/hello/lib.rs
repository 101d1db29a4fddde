//! The smallest process: it sends one message, and ends.

use transputer_guest::{Error, Sender, process};

/// Greets somebody, once.
#[process]
fn greeter(name: String, greetings: Sender<String>) -> Result<(), Error> {
    greetings.send(format!("Hello, {name}!"))
}
