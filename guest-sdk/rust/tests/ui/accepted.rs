#![deny(unsafe_code, warnings)]

use transputer_guest::{Bytes, Error, Receiver, Sender};

/// Names that the macro uses itself, and raw ones.
#[transputer_guest::process]
fn start(
    mut arguments: u64,
    r#type: Option<String>,
    inputs: transputer_guest::Receiver<(u8, Vec<Bytes>)>,
    outputs: Sender<Sender<u64>>,
    replies: Receiver<Sender<u64>>,
) -> Result<(), Error> {
    arguments += 1;
    let _ = (arguments, r#type, inputs);
    for reply in replies {
        outputs.send(&reply)?;
    }
    Ok(())
}

mod other {
    #[transputer_guest::process]
    pub(crate) fn nothing() -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

fn main() {
    assert!(other::nothing().is_ok());
}
