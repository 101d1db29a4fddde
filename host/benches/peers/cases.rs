//! What is compared, and how much of it.

use crate::case::{Case, Figures, Row, TIME, Unit};

/// How much work each program does.
#[derive(Copy, Clone)]
struct Amount {
    /// A tenth of it, for a first look.
    quick: bool,
}

impl Amount {
    fn of(self, full: u64) -> u64 {
        match self.quick {
            true => (full / 10).max(1),
            false => full,
        }
    }
}

/// All cases; with less work if it has to be quick.
pub(crate) fn all(quick: bool, many: bool) -> Vec<Case> {
    let amount = Amount { quick };
    let mut cases =
        vec![Case::timed("ping-pong", &[], "ping-pong, a round trip").work(amount.of(300_000))];
    cases.extend(streams(amount));
    cases.extend([0, 1].map(|buffered| latency(buffered, amount.of(5_000))));
    for (channels, messages) in [(2, 200_000), (16, 100_000), (256, 25_600)] {
        let label = format!("alternation over {channels}, a message");
        let each = amount.of(messages) / channels;
        cases.push(Case::timed("alternation", &[channels], &label).work(each));
    }
    for (processes, name, laps) in [
        (1_000, "1,000", 300),
        (669, "669", 400),
        (4_203, "4,203", 70),
    ] {
        let label = format!("ring of {name}, a hop");
        cases.push(Case::timed("ring", &[processes], &label).work(amount.of(laps)));
    }
    cases.extend(sieves(quick));
    cases.extend(asynchronous(&cases));
    for program in ["fan-in", "fan-out"] {
        let label = format!("{program}, 100 workers, a message");
        let mut case = Case::timed(program, &[], &label).work(100);
        case.arguments.push(amount.of(2_000));
        cases.push(case);
    }
    cases.push(Case::timed("spawn", &[], "spawn, run, exit").work(amount.of(20_000)));
    let mut park = |processes, name| {
        let case = parked(processes, name);
        cases.extend([case.clone(), case.asynchronous()]);
    };
    park(10_000, "10,000");
    if many {
        park(100_000, "100,000");
    }
    let label = "two CPU-bound processes, two workers against one";
    let speed_up = Row::new(label, "speed-up", Unit::Factor);
    cases.push(Case::new("cpu", &[], vec![speed_up]).work(100_000_000));
    cases.push(preemption(2, "endless loops", amount.of(500)));
    let many_loops = preemption(1_000, "1,000 endless loops", amount.of(100));
    cases.push(many_loops.asynchronous().only_ours());
    cases.extend(neighbours(amount.of(1_000)));
    cases.push(Case {
        figures: Figures::FirstOutput,
        ..Case::timed("start", &[], "start of the command to first message")
    });
    cases
}

/// The same with processes that are async functions, where there are such programs.
fn asynchronous(cases: &[Case]) -> Vec<Case> {
    let of_numbers = |case: &Case| case.arguments.get(1) == Some(&8) && case.arguments[0] < 1_024;
    let cases = cases.iter().filter(|case| match case.program {
        "ping-pong" | "ring" | "sieve" => true,
        "stream" => of_numbers(case),
        _ => false,
    });
    cases.cloned().map(Case::asynchronous).collect()
}

/// Streams of messages of every size through channels of every capacity, and what it costs
/// to copy the largest.
fn streams(amount: Amount) -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, name, messages) in [
        (8, "8 B", 500_000),
        (1 << 10, "1 KiB", 200_000),
        (64 << 10, "64 KiB", 10_000),
    ] {
        for capacity in CAPACITIES {
            cases.push(stream(capacity, size, name).work(amount.of(messages)));
        }
    }
    let (size, name) = (1 << 20, "1 MiB");
    for capacity in CAPACITIES {
        // Enough for a channel of 1,024 to be full now and then.
        let messages = amount.of(600).max(capacity + capacity / 2);
        cases.push(stream(capacity, size, name).work(messages));
        let label = format!("memcpy to {capacity} in turn, {name}");
        let row = Row::new(label, TIME, Unit::Rate(size));
        cases.push(Case {
            only_ours: true,
            ..Case::new("memcpy", &[capacity, size], vec![row]).work(messages)
        });
    }
    cases
}

const CAPACITIES: [u64; 3] = [1, 128, 1_024];

fn stream(capacity: u64, size: u64, name: &str) -> Case {
    let (unit, what) = match size {
        8 | 1_024 => (Unit::Time, ", a message"),
        _ => (Unit::Rate(size), ""),
    };
    let label = format!("stream, capacity {capacity}, {name}{what}");
    Case::new(
        "stream",
        &[capacity, size],
        vec![Row::new(label, TIME, unit)],
    )
}

/// How soon somebody who waits has what is sent, by a plain sender or by one that collects.
fn latency(buffered: u64, messages: u64) -> Case {
    let sender = match buffered {
        0 => "send to receive by one who waits",
        _ => "the same, from a sender that collects",
    };
    Case {
        only_ours: buffered != 0,
        ..Case::new("latency", &[buffered], percentiles(sender, ["p50", "p99"])).work(messages)
    }
}

fn percentiles(what: &str, figures: [&'static str; 2]) -> Vec<Row> {
    let [middle, high] = figures;
    vec![
        Row::new(format!("{what}, 50th percentile"), middle, Unit::Time),
        Row::new(format!("{what}, 99th percentile"), high, Unit::Time),
    ]
}

fn sieves(quick: bool) -> Vec<Case> {
    let sizes: &[(u64, &str)] = match quick {
        true => &[(1_000, "1,000")],
        false => &[(1_000, "1,000"), (3_000, "3,000")],
    };
    let mut cases = Vec::new();
    for (primes, name) in sizes {
        for (capacity, kind) in [(0, "rendezvous"), (128, "capacity 128")] {
            let label = format!("sieve, {name} primes, {kind}");
            cases.push(Case::timed("sieve", &[*primes, capacity], &label));
        }
    }
    cases
}

fn parked(processes: u64, name: &str) -> Case {
    let mut rows = vec![
        Row::new(format!("{name} parked: memory each"), "bytes", Unit::Bytes),
        Row::new(
            format!("{name} parked: mappings each"),
            "mappings",
            Unit::Count,
        ),
        Row::new(
            format!("{name} parked: start and first message each"),
            "start",
            Unit::Time,
        ),
    ];
    let delay = format!("{name} parked: wake-up delay");
    rows.extend(percentiles(&delay, ["p50", "p99"]));
    Case::new("parked", &[processes], rows).work(1_000)
}

/// Two processes that exchange messages and wait for times, beside so many endless loops on two
/// workers.
fn preemption(loops: u64, name: &str, samples: u64) -> Case {
    let mut rows = percentiles(&format!("beside {name}: an exchange"), ["p50", "p99"]);
    let late = percentiles(
        &format!("beside {name}: a timer is late by"),
        ["late-p50", "late-p99"],
    );
    rows.extend(late);
    Case::new("preemption", &[loops], rows).work(samples)
}

/// Streams beside others that take processor time: what part of its fair share each gets.
pub(crate) fn neighbours(milliseconds: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for workers in [1, 2] {
        for capacity in [0, 1, 128] {
            for (kind, count, name) in BESIDE {
                let label = match workers {
                    1 => format!("stream, capacity {capacity}, beside {name}, one worker"),
                    _ => format!("stream, capacity {capacity}, beside {name}, two workers"),
                };
                let share = Row::new(format!("{label}: of its fair share"), "share", Unit::Factor);
                let telling = [workers, capacity, kind, count];
                cases.push(Case::new("beside", &telling, vec![share]).work(milliseconds));
            }
        }
    }
    cases
}

/// Who runs beside a stream: the number of its kind, how many, and what they do.
const BESIDE: [(u64, u64, &str); 6] = [
    (0, 2, "2 endless loops"),
    (0, 8, "8 endless loops"),
    (0, 100, "100 endless loops"),
    (1, 2, "2 that compute 30 ms an item"),
    (2, 1, "one that only yields"),
    (3, 1, "one that only polls"),
];
