use transputer_guest::{Receiver, select};

fn wait(numbers: Receiver<u64>) {
    let _ = select! {
        number = take(numbers) => drop(number),
    };
}

fn main() {}
