//! Returns an error.

use transputer_guest::stackless::Sender;

/// Returns the error that it is given, and sends nothing.
#[transputer_guest::process]
async fn returns_err(text: String, out: Sender<u64>) -> Result<(), String> {
    drop(out);
    Err(text)
}
