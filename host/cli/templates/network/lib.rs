//! The processes of the network: each function with `#[process]` is one.

use transputer_guest::{Error, Sender, process};

/// Sends a greeting to `whom`, as many times as asked.
#[process]
fn greeter(whom: String, times: u32, greetings: Sender<String>) -> Result<(), Error> {
    for _ in 0..times {
        greetings.send(format!("Hello, {whom}!"))?;
    }
    Ok(())
}

// Without a host, channels are in memory, and a process is a function: `cargo test` runs this.
#[cfg(test)]
mod tests {
    use transputer_guest::{Error, channel};

    use super::greeter;

    #[test]
    fn greets_as_often_as_asked() -> Result<(), Error> {
        let (greetings, said) = channel(8)?;
        greeter("you".to_owned(), 2, greetings)?;
        let said: Vec<String> = said.into_iter().collect();
        assert_eq!(said, ["Hello, you!", "Hello, you!"]);
        Ok(())
    }
}
