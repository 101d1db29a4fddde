//! A spawn that the host refuses.

use transputer_guest::Error;
use transputer_guest::stackless::{Receiver, Sender, spawn};

/// Tries to spawn `component`, giving it its own ports; sends the refusal through the output that
/// it has got back.
#[transputer_guest::process]
async fn spawn_refused(
    component: String,
    numbers: Receiver<u64>,
    texts: Sender<String>,
) -> Result<(), Error> {
    let spawned = spawn(&component)
        .input("numbers", numbers)
        .output("texts", texts)
        .start()
        .await;
    let Err(mut refused) = spawned else {
        return Err(format!("`{component}` was spawned").into());
    };
    let texts: Sender<String> = refused.take_output("texts").ok_or("the output is lost")?;
    let mut numbers: Receiver<u64> = refused.take_input("numbers").ok_or("the input is lost")?;
    while numbers.next().await?.is_some() {}
    texts.send(refused.to_string()).await
}
