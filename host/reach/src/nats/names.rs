//! What runs, channels, ports and keys are called at a server.

use crate::carrier::{Channel, Consumer, Writer};

/// The most characters of a name that are kept as they are.
const LONGEST: usize = 48;

/// A name as one word of letters, digits and `-`. `_` and `.` only stand between such words, so no two names of a run meet.
pub(super) fn token(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(plain) {
        return name.to_owned();
    }
    let mut word = String::new();
    for c in name.chars().take(LONGEST) {
        let c = if plain(c) { c } else { '-' };
        if c != '-' || !word.ends_with('-') {
            word.push(c);
        }
    }
    let digest = blake3::hash(name.as_bytes());
    format!("{word}-{}", &digest.to_hex()[..16])
}

/// The names of one run.
#[derive(Clone, Debug)]
pub(super) struct Names {
    run: String,
}

impl Names {
    pub(super) fn new(run: &str) -> Self {
        Self { run: token(run) }
    }

    pub(super) fn stream(&self, channel: &Channel) -> String {
        format!("T_{}_{}", self.run, token(&channel.name))
    }

    /// What the streams of all channels begin with.
    pub(super) fn streams(&self) -> String {
        format!("T_{}_", self.run)
    }

    pub(super) fn hints(&self, channel: &Channel) -> String {
        format!("h.{}.{}", self.run, token(&channel.name))
    }

    pub(super) fn facts(&self) -> String {
        format!("T_{}", self.run)
    }

    pub(super) fn leases(&self) -> String {
        format!("T_{}_alive_", self.run)
    }

    fn channel(&self, channel: &Channel) -> String {
        format!("t.{}.{}", self.run, token(&channel.name))
    }

    /// The subject of a log that nobody may write into yet.
    pub(super) fn nobody(&self, channel: &Channel) -> String {
        format!("{}.nobody", self.channel(channel))
    }

    /// The subjects of several senders.
    pub(super) fn anybody(&self, channel: &Channel) -> String {
        format!("{}.>", self.channel(channel))
    }

    pub(super) fn subject(&self, channel: &Channel, writer: &Writer) -> String {
        let Writer {
            port,
            epoch,
            generation,
        } = writer;
        let channel = self.channel(channel);
        format!("{channel}.{}.{epoch}.{generation}", token(port))
    }

    /// Who writes to a subject, if it is one of this channel's.
    pub(super) fn writer(&self, channel: &Channel, subject: &str) -> Option<Writer> {
        let rest = subject.strip_prefix(&self.channel(channel))?;
        let mut words = rest.strip_prefix('.')?.split('.');
        let [port, epoch, generation] = [words.next()?, words.next()?, words.next()?];
        let port = channel.from.iter().find(|it| token(it) == port)?;
        let writer = Writer {
            port: port.clone(),
            epoch: epoch.parse().ok()?,
            generation: generation.parse().ok()?,
        };
        words.next().is_none().then_some(writer)
    }
}

pub(super) fn consumer(consumer: &Consumer) -> String {
    match consumer {
        Consumer::Sole { epoch, renewal } => format!("in_{epoch}_{renewal}"),
        Consumer::Shared => "in".to_owned(),
    }
}

/// The consumer of this name; one that no host made counts as an earlier one.
pub(super) fn consumer_named(name: &str) -> Consumer {
    let numbers = || {
        let (epoch, renewal) = name.strip_prefix("in_")?.split_once('_')?;
        Some((epoch.parse().ok()?, renewal.parse().ok()?))
    };
    match numbers() {
        Some((epoch, renewal)) => Consumer::Sole { epoch, renewal },
        None => Consumer::Shared,
    }
}

/// A key in the characters that a bucket allows.
pub(super) fn key(name: &str) -> String {
    let mut key = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => key.push(byte.into()),
            _ => key.push_str(&format!("={byte:02X}")),
        }
    }
    key
}

/// What a key stands for, if [`key`] made it.
pub(super) fn name_of_key(key: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'=' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_have_words_that_differ() {
        assert_eq!(token("orders-2"), "orders-2");
        let names = [
            "a b",
            "a_b",
            "a.b",
            "a-b",
            "a->b",
            "",
            "é",
            &"x".repeat(90),
            &"x".repeat(91),
        ];
        let tokens: std::collections::BTreeSet<_> = names.iter().map(|it| token(it)).collect();
        assert_eq!(tokens.len(), names.len());
        for token in tokens {
            assert!(
                token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "{token}"
            );
        }
    }

    #[test]
    fn a_writer_is_known_by_its_subject() {
        let names = Names::new("orders_eu");
        let channel = Channel::new("a.out -> b.in", 8, "a.out", "b.in");
        let writer = Writer {
            port: "a.out".to_owned(),
            epoch: 7,
            generation: 2,
        };
        let subject = names.subject(&channel, &writer);
        assert_eq!(names.writer(&channel, &subject), Some(writer));
        for junk in [
            names.nobody(&channel),
            format!("{subject}.1"),
            "t.x.y.z.1.2".to_owned(),
        ] {
            assert_eq!(names.writer(&channel, &junk), None);
        }
    }

    #[test]
    fn keys_and_consumers_read_as_they_were_written() {
        for name in ["end.a.out -> b.in.x", "lease.é", "a=b", ""] {
            assert_eq!(name_of_key(&key(name)).as_deref(), Some(name));
        }
        assert_eq!(name_of_key("=F"), None);
        let sole = Consumer::Sole {
            epoch: 3,
            renewal: 4,
        };
        assert_eq!(consumer_named(&consumer(&sole)), sole);
        assert_eq!(
            consumer_named(&consumer(&Consumer::Shared)),
            Consumer::Shared
        );
    }
}
