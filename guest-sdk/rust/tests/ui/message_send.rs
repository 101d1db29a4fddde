use transputer_guest::{Error, Sender};

fn sends(numbers: Sender<u64>, texts: Sender<String>) -> Result<(), Error> {
    numbers.send("one")?;
    texts.send("two")?;
    texts.try_send(&3)
}

fn main() {}
