//! What a part that stands still says of itself.

use std::fmt::Write as _;

/// The most waits that are told, and the longest text of one.
const MOST_WAITS: usize = 200;
const LONGEST: usize = 400;

/// A part of a network none of whose processes can go on by itself, and whose outlets and inlets have told all that they
/// know: all that was taken is stored, and of all that is finished the log has heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Still {
    /// Another one whenever a process has gone on meanwhile.
    pub mark: u64,
    /// The channels from which processes wait to receive.
    pub receives: Vec<String>,
    /// The channels to which processes wait to send.
    pub sends: Vec<String>,
    /// Messages that outlets keep, because they are not known to be finished: of which channel, how many.
    pub keeps: Vec<(String, u64)>,
    /// What each process waits for, in words.
    pub waits: Vec<String>,
}

/// What is published: which incarnation of the part says it, and how often it has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) epoch: u64,
    pub(super) beat: u64,
    pub(super) still: Still,
}

impl Said {
    pub(super) fn encode(&self) -> String {
        let still = &self.still;
        let mut text = format!("{} {} {}\n", self.epoch, self.beat, still.mark);
        let mut line = |word: &str, rest: &str| {
            // Writing into a string does not fail.
            let _ = writeln!(text, "{word} {rest}");
        };
        still.receives.iter().for_each(|it| line("receives", it));
        still.sends.iter().for_each(|it| line("sends", it));
        for (channel, count) in &still.keeps {
            line("keeps", &format!("{count} {channel}"));
        }
        for wait in still.waits.iter().take(MOST_WAITS) {
            let wait = wait.replace('\n', " ");
            line("waits", &wait[..wait.floor_char_boundary(LONGEST)]);
        }
        if let Some(more @ 1..) = still.waits.len().checked_sub(MOST_WAITS) {
            line("waits", &format!("and {more} more"));
        }
        text
    }

    /// What a value says, if a host wrote it: anybody with the credentials may have written anything.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut numbers = lines.next()?.split(' ').map(str::parse);
        let [Some(Ok(epoch)), Some(Ok(beat)), Some(Ok(mark)), None] =
            [(); 4].map(|()| numbers.next())
        else {
            return None;
        };
        let mut still = Still {
            mark,
            ..Still::default()
        };
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "receives" => still.receives.push(rest.to_owned()),
                "sends" => still.sends.push(rest.to_owned()),
                "keeps" => {
                    let (count, channel) = rest.split_once(' ')?;
                    still.keeps.push((channel.to_owned(), count.parse().ok()?));
                }
                "waits" => still.waits.push(rest.to_owned()),
                _ => return None,
            }
        }
        Some(Self { epoch, beat, still })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_reads_as_it_was_written() {
        let still = Still {
            mark: 7,
            receives: vec!["a.out -> b.in".to_owned()],
            sends: vec!["x y".to_owned()],
            keeps: vec![("a.out -> b.in".to_owned(), 3)],
            waits: vec!["`b` waits".to_owned()],
        };
        let said = Said {
            epoch: 1,
            beat: 2,
            still,
        };
        assert_eq!(Said::decode(&said.encode()), Some(said));
    }

    #[test]
    fn junk_says_nothing() {
        for junk in [
            "",
            "1 2",
            "1 2 x",
            "1 2 3 4",
            "1 2 3\nnews",
            "1 2 3\nkeeps x y",
            "1 2 3\nx",
        ] {
            assert_eq!(Said::decode(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn what_is_said_is_bounded() {
        let still = Still {
            waits: vec!["é\n".repeat(1000); 1000],
            ..Still::default()
        };
        let said = Said {
            epoch: 0,
            beat: 0,
            still,
        };
        let text = said.encode();
        assert!(text.len() < 100_000, "{}", text.len());
        assert!(text.ends_with("waits and 800 more\n"));
        assert!(Said::decode(&text).is_some());
    }
}
