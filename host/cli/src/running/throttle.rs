//! How many lines about events are printed.
//!
//! A network whose processes fail by the thousand says the same thing a thousand times. Each kind of line
//! has a credit of time, which grows as time passes; each line costs some of it. Lines that the credit
//! does not cover are counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines of one kind are printed: some at once, then this many per second.
#[derive(Copy, Clone, Debug)]
struct Rate {
    at_once: u32,
    a_second: u32,
}

/// Ends, restarts and other news of the network itself.
const NEWS: Rate = Rate {
    at_once: 100,
    a_second: 20,
};

/// Lines that processes log, at each level.
const LOG: Rate = Rate {
    at_once: 10_000,
    a_second: 1_000,
};

/// What `--help` says about it.
pub(crate) const HELP: &str = "\
Of each kind of news, such as failed processes or restarts, the first 100 lines are printed,
and 20 a second after that; of log lines 10,000 at each level, and 1,000 a second. The rest
is counted, and the counts are told at the end.";

/// A kind of line.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A level, by its name.
    Log(&'static str),
    /// What has happened, in a word or two for several of them.
    News(&'static str),
}

impl Kind {
    fn rate(self) -> Rate {
        match self {
            Kind::Log(_) => LOG,
            Kind::News(_) => NEWS,
        }
    }

    /// The name of the lines that were not printed.
    pub(crate) fn name(self) -> String {
        match self {
            Kind::Log(level) => format!("log lines at level {level}"),
            Kind::News(name) => name.to_owned(),
        }
    }
}

#[derive(Debug)]
struct Credit {
    left: Duration,
    since: Instant,
    /// Lines that it did not cover.
    withheld: u64,
}

/// Counts lines of every kind.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<BTreeMap<Kind, Credit>>);

impl Throttle {
    /// Whether another of these is printed; if not, it is counted.
    pub(crate) fn admits(&self, kind: Kind) -> bool {
        self.admits_at(kind, Instant::now())
    }

    fn admits_at(&self, kind: Kind, now: Instant) -> bool {
        let Rate { at_once, a_second } = kind.rate();
        let cost = Duration::from_secs(1) / a_second;
        let most = cost * at_once;
        let mut credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let credit = credits.entry(kind).or_insert(Credit {
            left: most,
            since: now,
            withheld: 0,
        });
        let grown = credit.left + now.saturating_duration_since(credit.since);
        credit.left = grown.min(most);
        credit.since = now;
        match credit.left.checked_sub(cost) {
            Some(left) => {
                credit.left = left;
                true
            }
            None => {
                credit.withheld += 1;
                false
            }
        }
    }

    /// How many of each kind were not printed.
    pub(crate) fn withheld(&self) -> Vec<(Kind, u64)> {
        let credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = credits
            .iter()
            .map(|(kind, credit)| (*kind, credit.withheld));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_printed_and_then_so_many_a_second() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let printed = |kind, milliseconds: u64, count: u32| {
            let now = start + Duration::from_millis(milliseconds);
            (0..count).filter(|_| throttle.admits_at(kind, now)).count()
        };
        let ended = Kind::News("ends");
        assert_eq!(printed(ended, 0, 1_000), 100);
        assert_eq!(printed(ended, 1_000, 1_000), 20);
        assert_eq!(printed(ended, 60_000, 1_000), 100);
        assert_eq!(
            printed(Kind::Log("info"), 60_000, 20_000),
            10_000,
            "another kind"
        );
        let withheld = throttle.withheld();
        assert_eq!(withheld, [(Kind::Log("info"), 10_000), (ended, 2_780)]);
    }
}
