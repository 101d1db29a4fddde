//! How one side of a channel ended, as the other side reads it.

use bytes::Bytes;

use crate::carrier::{Bucket, Carrier, Channel, Exchange, Fault, Hint, Stamp};
use crate::insist::insist;

/// The longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 4096;

/// How one side of a channel ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// A sender sent this many, of which the last has this place in the log.
    Closed {
        /// The last message.
        last: Stamp,
        /// Its place.
        place: u64,
    },
    /// A receiver wants no more.
    NotWanted,
    /// It failed.
    Poisoned {
        /// In what way, in one word.
        kind: String,
        /// What it said.
        reason: String,
    },
}

impl Ending {
    /// One side failed in this way, for this reason.
    pub fn poisoned(kind: &str, reason: &str) -> Self {
        let cut = reason.floor_char_boundary(LONGEST_REASON);
        Self::Poisoned {
            kind: kind.to_owned(),
            reason: reason[..cut].to_owned(),
        }
    }

    fn encode(&self) -> Bytes {
        let text = match self {
            Self::Closed { last, place } => format!("closed {last} {place}"),
            Self::NotWanted => "not-wanted".to_owned(),
            Self::Poisoned { kind, reason } => format!("poison {kind} {reason}"),
        };
        text.into()
    }

    /// What a value says; anything that no host wrote is poison.
    fn decode(bytes: &[u8]) -> Self {
        let junk = || Self::poisoned("failed", "what is kept of its end is not readable");
        let Ok(text) = std::str::from_utf8(bytes) else {
            return junk();
        };
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "closed" => {
                let mut numbers = rest.split(' ').map(str::parse);
                match [(); 4].map(|()| numbers.next()) {
                    [Some(Ok(epoch)), Some(Ok(number)), Some(Ok(place)), None] => Self::Closed {
                        last: Stamp { epoch, number },
                        place,
                    },
                    _ => junk(),
                }
            }
            "not-wanted" => Self::NotWanted,
            "poison" => match rest.split_once(' ') {
                Some((kind, reason)) => Self::poisoned(kind, reason),
                None => junk(),
            },
            _ => junk(),
        }
    }
}

fn key(channel: &Channel, port: &str) -> String {
    format!("end.{}.{port}", channel.name)
}

/// How the side at this port ended, if it has.
pub(crate) async fn read(
    carrier: &dyn Carrier,
    channel: &Channel,
    port: &str,
) -> Result<Option<Ending>, Fault> {
    let value = carrier.get(Bucket::Facts, &key(channel, port)).await?;
    Ok(value.map(|value| Ending::decode(&value.bytes)))
}

/// Says how the side at this port ended. Of two endings the poison stays.
pub(crate) async fn write(
    carrier: &dyn Carrier,
    channel: &Channel,
    port: &str,
    ending: &Ending,
) -> Result<(), Fault> {
    let key = key(channel, port);
    insist!({
        let there = carrier.get(Bucket::Facts, &key).await?;
        if let Some(there) = &there {
            let known = Ending::decode(&there.bytes);
            if known == *ending || matches!(known, Ending::Poisoned { .. }) {
                return Ok(());
            }
        }
        let revision = there.map(|value| value.revision);
        let bytes = ending.encode();
        match carrier
            .exchange(Bucket::Facts, &key, revision, bytes)
            .await?
        {
            Exchange::Done(_) => Ok(()),
            Exchange::Another => Err(Fault::Away("somebody else wrote it".to_owned())),
        }
    })?;
    // Whoever misses it finds the value later.
    let _ = carrier.hint(channel, Hint::Ended).await;
    Ok(())
}

/// Says that nobody sends at a port any more, after several have; all that they sent must be finished.
///
/// # Errors
/// If the carrier refuses.
pub async fn close_port(carrier: &dyn Carrier, channel: &Channel, port: &str) -> Result<(), Fault> {
    let last = Stamp::default();
    write(carrier, channel, port, &Ending::Closed { last, place: 0 }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_reads_as_it_was_written() {
        let closed = Ending::Closed {
            last: Stamp::new(3, 14),
            place: 15,
        };
        let poisoned = Ending::poisoned("trapped", "process x trapped: out of bounds");
        for ending in [
            closed,
            Ending::NotWanted,
            poisoned,
            Ending::poisoned("failed", ""),
        ] {
            assert_eq!(Ending::decode(&ending.encode()), ending);
        }
    }

    #[test]
    fn anything_else_is_poison() {
        for junk in [
            "",
            "closed",
            "closed 1 2",
            "closed 1 2 3 4",
            "closed a 2 3",
            "poison",
            "x",
        ] {
            let read = Ending::decode(junk.as_bytes());
            assert!(matches!(read, Ending::Poisoned { .. }), "{junk}: {read:?}");
        }
        assert!(matches!(
            Ending::decode(&[0xff, 0xfe]),
            Ending::Poisoned { .. }
        ));
        let long = "é".repeat(5000);
        let Ending::Poisoned { reason, .. } = Ending::poisoned("failed", &long) else {
            panic!("it is poison");
        };
        assert!(reason.len() <= LONGEST_REASON);
    }
}
