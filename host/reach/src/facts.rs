//! What hosts know of a whole run: which network it is, which parts of it have ended, and what one host left to the
//! next.

use bytes::Bytes;

use crate::carrier::{Bucket, Carrier, Exchange, Fault};
use crate::insist::insist;

/// What tells two texts apart, in a few characters.
pub fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

/// What it is called that a part has ended in this run.
pub fn over(part: &str) -> String {
    format!("over.{part}")
}

/// Sets a fact of the run, unless it is known; then what it is.
///
/// # Errors
/// If the carrier refuses.
pub async fn agree(carrier: &dyn Carrier, name: &str, value: &str) -> Result<String, Fault> {
    insist!({
        let bytes = Bytes::copy_from_slice(value.as_bytes());
        match carrier.exchange(Bucket::Facts, name, None, bytes).await? {
            Exchange::Done(_) => Ok(value.to_owned()),
            Exchange::Another => match known_once(carrier, name).await? {
                Some(known) => Ok(known),
                None => Err(Fault::Away("it is gone again".to_owned())),
            },
        }
    })
}

/// A fact of the run, if it is known.
///
/// # Errors
/// If the carrier refuses.
pub async fn known(carrier: &dyn Carrier, name: &str) -> Result<Option<String>, Fault> {
    insist!({ known_once(carrier, name).await })
}

async fn known_once(carrier: &dyn Carrier, name: &str) -> Result<Option<String>, Fault> {
    let value = carrier.get(Bucket::Facts, name).await?;
    Ok(value.map(|value| String::from_utf8_lossy(&value.bytes).into_owned()))
}

/// Says what whoever takes over goes on from; nothing, if a later epoch has said something.
///
/// # Errors
/// If the carrier refuses.
pub async fn say(carrier: &dyn Carrier, name: &str, epoch: u64, text: &str) -> Result<(), Fault> {
    insist!({
        let there = carrier.get(Bucket::Facts, name).await?;
        let said = there
            .as_ref()
            .and_then(|there| epoch_and_text(&there.bytes));
        if said.is_some_and(|(said, _)| said > epoch) {
            return Ok(());
        }
        let revision = there.map(|there| there.revision);
        let bytes = Bytes::from(format!("{epoch} {text}"));
        match carrier
            .exchange(Bucket::Facts, name, revision, bytes)
            .await?
        {
            Exchange::Done(_) => Ok(()),
            Exchange::Another => Err(Fault::Away("it was said at the same time".to_owned())),
        }
    })
}

/// What was [said](say) last.
///
/// # Errors
/// If the carrier refuses.
pub async fn said(carrier: &dyn Carrier, name: &str) -> Result<Option<String>, Fault> {
    insist!({
        let there = carrier.get(Bucket::Facts, name).await?;
        let said = there
            .as_ref()
            .and_then(|there| epoch_and_text(&there.bytes));
        Ok(said.map(|(_, text)| text.to_owned()))
    })
}

fn epoch_and_text(bytes: &[u8]) -> Option<(u64, &str)> {
    let (epoch, text) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
    Some((epoch.parse().ok()?, text))
}
