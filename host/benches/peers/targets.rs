//! What was promised, and whether it holds.

use crate::case::{TIME, Unit};
use crate::measure::{Language, Results};

/// A line of the performance contract.
pub(crate) struct Target {
    pub(crate) work: String,
    /// The name of the case that measures it, and its figure.
    case: String,
    figure: &'static str,
    /// What has to hold, and what to go on for.
    pub(crate) first: Bound,
    pub(crate) then: Option<Bound>,
}

/// How far a figure may go.
#[derive(Copy, Clone)]
pub(crate) struct Bound {
    limit: Limit,
    against: Against,
}

#[derive(Copy, Clone)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// What a figure is divided by before it is compared.
#[derive(Copy, Clone)]
enum Against {
    /// Nothing: it is compared as it is.
    Nothing(Unit),
    /// The same figure of a peer.
    Peer(Language),
    /// Our own figure of the same name in another case.
    Ours {
        case: &'static str,
        name: &'static str,
    },
}

/// A bound beside what was measured.
pub(crate) struct Judgement {
    pub(crate) value: String,
    pub(crate) held: bool,
}

impl Bound {
    const fn at_most(limit: f64, unit: Unit) -> Self {
        Self {
            limit: Limit::AtMost(limit),
            against: Against::Nothing(unit),
        }
    }

    const fn of_peer(limit: f64, peer: Language) -> Self {
        Self {
            limit: Limit::AtMost(limit),
            against: Against::Peer(peer),
        }
    }

    const fn of_ours(limit: Limit, case: &'static str, name: &'static str) -> Self {
        Self {
            limit,
            against: Against::Ours { case, name },
        }
    }

    /// As people read it.
    pub(crate) fn text(&self) -> String {
        let (sign, limit) = match self.limit {
            Limit::AtMost(limit) => ('≤', limit),
            Limit::AtLeast(limit) => ('≥', limit),
        };
        match self.against {
            Against::Nothing(unit) => format!("{sign} {}", unit.shown(limit)),
            Against::Peer(peer) => format!("{sign} {limit} × {}", peer.name()),
            Against::Ours { name, .. } => format!("{sign} {limit} × {name}"),
        }
    }

    fn judge(&self, target: &Target, results: &[Results]) -> Option<Judgement> {
        let figure = |case: &str, language| {
            let result = results.iter().find(|result| result.case == case)?;
            result.median(language, target.figure)
        };
        let ours = figure(&target.case, Language::Ours)?;
        let value = match self.against {
            Against::Nothing(_) => ours,
            Against::Peer(peer) => ours / figure(&target.case, peer)?,
            Against::Ours { case, .. } => ours / figure(case, Language::Ours)?,
        };
        // A rate is the reverse of the time that stands for it.
        let (value, held) = match (self.limit, self.against) {
            (Limit::AtMost(limit), _) => (value, value <= limit),
            (Limit::AtLeast(limit), Against::Nothing(_)) => (value, value >= limit),
            (Limit::AtLeast(limit), _) => (value.recip(), value.recip() >= limit),
        };
        let value = match self.against {
            Against::Nothing(unit) => unit.shown(value),
            _ => format!("{value:.2}"),
        };
        Some(Judgement { value, held })
    }
}

impl Target {
    /// What came of both bounds; nothing where it was not measured.
    pub(crate) fn judge(&self, results: &[Results]) -> [Option<Judgement>; 2] {
        let first = self.first.judge(self, results);
        let then = self.then.as_ref();
        [first, then.and_then(|then| then.judge(self, results))]
    }
}

/// Bytes, as the contract counts them.
const KB: f64 = 1e3;
const MICROSECONDS: f64 = 1e3;
const MILLISECONDS: f64 = 1e6;

/// The performance contract, in the table's order.
pub(crate) fn all() -> Vec<Target> {
    use Language::{Erlang, Go};
    let of = Bound::of_peer;
    let timed = |work: &str, case: &str, first, then| Target {
        work: work.to_owned(),
        case: case.to_owned(),
        figure: TIME,
        first,
        then,
    };
    let mut targets = vec![
        timed(
            "ping-pong",
            "ping-pong",
            of(2.0, Erlang),
            Some(of(1.0, Erlang)),
        ),
        timed(
            "stream of 8 B, capacity 128",
            "stream-128-8",
            of(0.5, Go),
            Some(of(0.25, Go)),
        ),
    ];
    targets.extend(copies());
    targets.extend([
        Target {
            figure: "p50",
            ..timed(
                "what is collected reaches one who waits as soon",
                "latency-1",
                Bound::of_ours(Limit::AtMost(1.5), "latency-0", "a plain sender"),
                None,
            )
        },
        timed(
            "a hop among 4,203 live channels",
            "ring-4203",
            Bound::of_ours(Limit::AtMost(1.5), "ring-669", "among 669"),
            Some(Bound::of_ours(Limit::AtMost(1.2), "ring-669", "among 669")),
        ),
        timed(
            "sieve, 1,000 primes, rendezvous",
            "sieve-1000-0",
            of(1.0, Erlang),
            Some(of(1.0, Go)),
        ),
        timed(
            "sieve, 1,000 primes, capacity 128",
            "sieve-1000-128",
            of(2.0, Go),
            Some(of(1.0, Go)),
        ),
        timed(
            "sieve, 3,000 primes, capacity 128",
            "sieve-3000-128",
            of(1.5, Go),
            Some(of(1.0, Go)),
        ),
        timed(
            "spawn, run, exit (2.3 µs is RUSM's claim)",
            "spawn",
            Bound::at_most(10.0 * MICROSECONDS, Unit::Time),
            Some(Bound::at_most(2.3 * MICROSECONDS, Unit::Time)),
        ),
    ]);
    targets.extend(processes());
    targets.extend(shares());
    targets
}

/// Messages of 1 MiB against the machine's own copying among as many blocks.
fn copies() -> Vec<Target> {
    let half = |case| Bound::of_ours(Limit::AtLeast(0.5), case, "memcpy's rate");
    [
        (
            "stream of 1 MiB, capacity 1",
            "stream-1-1048576",
            "memcpy-1-1048576",
        ),
        (
            "stream of 1 MiB, capacity 128",
            "stream-128-1048576",
            "memcpy-128-1048576",
        ),
        (
            "stream of 1 MiB, capacity 1024",
            "stream-1024-1048576",
            "memcpy-1024-1048576",
        ),
    ]
    .map(|(work, case, memcpy)| Target {
        work: work.to_owned(),
        case: case.to_owned(),
        figure: TIME,
        first: half(memcpy),
        then: None,
    })
    .into()
}

/// What is promised about processes that wait, compute, or hinder others.
fn processes() -> Vec<Target> {
    let target = |work: &str, case: &str, figure, first| Target {
        work: work.to_owned(),
        case: case.to_owned(),
        figure,
        first,
        then: None,
    };
    let memory = Bound::at_most(24.0 * KB, Unit::Bytes);
    let delay = Bound::at_most(20.0 * MILLISECONDS, Unit::Time);
    let exchange = Bound::at_most(10.0 * MILLISECONDS, Unit::Time);
    vec![
        target(
            "10,000 parked, memory each",
            "parked-10000",
            "bytes",
            memory,
        ),
        target(
            "100,000 parked, memory each",
            "parked-100000",
            "bytes",
            memory,
        ),
        target(
            "two CPU-bound processes, two workers against one",
            "cpu",
            "speed-up",
            Bound {
                limit: Limit::AtLeast(1.9),
                against: Against::Nothing(Unit::Factor),
            },
        ),
        target(
            "beside endless loops: an exchange, 99th percentile",
            "preemption-2",
            "p99",
            exchange,
        ),
        target(
            "beside endless loops: a timer is late, 99th percentile",
            "preemption-2",
            "late-p99",
            delay,
        ),
        target(
            "beside 1,000 endless loops, async functions: an exchange, 99th percentile",
            "preemption-1000-async",
            "p99",
            delay,
        ),
        target(
            "10,000 parked async functions, memory each",
            "parked-10000-async",
            "bytes",
            Bound::at_most(16.0 * KB, Unit::Bytes),
        ),
        target(
            "100,000 parked async functions, memory each",
            "parked-100000-async",
            "bytes",
            Bound::at_most(16.0 * KB, Unit::Bytes),
        ),
        target(
            "start of the command to first message",
            "start",
            TIME,
            Bound::at_most(50.0 * MILLISECONDS, Unit::Time),
        ),
    ]
}

/// Each stream beside others has at least half of its fair share.
fn shares() -> impl Iterator<Item = Target> {
    let half = Bound {
        limit: Limit::AtLeast(0.5),
        against: Against::Nothing(Unit::Factor),
    };
    let cases = crate::cases::neighbours(0).into_iter();
    cases.flat_map(move |case| {
        let name = case.name();
        case.rows.into_iter().map(move |row| Target {
            work: row.label,
            case: name.clone(),
            figure: row.figure,
            first: half,
            then: None,
        })
    })
}
