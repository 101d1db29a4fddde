//! Returns an error.

use transputer_guest::Sender;

/// Returns the error that it is given, and sends nothing.
#[transputer_guest::process]
fn returns_err(text: String, out: Sender<u64>) -> Result<(), String> {
    drop(out);
    Err(text)
}
