use transputer_guest::{Receiver, Sender};

struct Unknown;

#[transputer_guest::process]
fn borrowed(text: &str, bytes: &[u8], number: &u64) {
    let _ = (text, bytes, number);
}

#[transputer_guest::process]
fn no_payload(input: Receiver, output: Sender<>) {
    let _ = (input, output);
}

#[transputer_guest::process]
fn not_a_message(value: Unknown, input: Receiver<Unknown>) {
    let _ = (value, input);
}

#[transputer_guest::process]
fn bad_return() -> u64 {
    0
}

fn main() {}
