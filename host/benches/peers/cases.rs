//! What is compared, and how much of it.

/// One program with its arguments.
pub(crate) struct Case {
    /// What all languages call the program.
    pub(crate) program: &'static str,
    pub(crate) arguments: Vec<u64>,
    /// How many of the arguments are part of its name; the others only say how much work.
    telling: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) figures: Figures,
}

/// Where a case's figures come from.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) enum Figures {
    /// The program prints them.
    Printed,
    /// The time from its start to the first byte that it prints.
    FirstOutput,
}

/// A line of the table.
pub(crate) struct Row {
    pub(crate) label: String,
    /// What the program calls the figure.
    pub(crate) figure: &'static str,
    pub(crate) unit: Unit,
}

/// How a figure is shown, and whether less is better.
#[derive(Copy, Clone)]
pub(crate) enum Unit {
    /// Nanoseconds.
    Time,
    /// Nanoseconds for so many bytes, shown as bytes a second.
    Rate(u64),
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// How many times as fast; more is better.
    Factor,
}

/// The name under which a program prints the time that one operation took.
pub(crate) const TIME: &str = "ns";

impl Case {
    fn new(program: &'static str, arguments: Vec<u64>, label: String, unit: Unit) -> Self {
        Self {
            program,
            telling: arguments.len().saturating_sub(1),
            arguments,
            rows: vec![Row {
                label,
                figure: TIME,
                unit,
            }],
            figures: Figures::Printed,
        }
    }

    /// Its name, with the arguments that tell it from its like.
    pub(crate) fn name(&self) -> String {
        let mut name = self.program.to_owned();
        for argument in self.arguments.iter().take(self.telling) {
            name.push_str(&format!("-{argument}"));
        }
        name
    }

    /// Whether one of these words is part of its name.
    pub(crate) fn is_among(&self, words: &[String]) -> bool {
        words.iter().any(|word| self.name().contains(word))
    }
}

/// All cases; with less work if it has to be quick.
pub(crate) fn all(quick: bool, many: bool) -> Vec<Case> {
    let amount = |full: u64| if quick { (full / 10).max(1) } else { full };
    let mut cases = vec![Case::new(
        "ping-pong",
        vec![amount(300_000)],
        "ping-pong, a round trip".to_owned(),
        Unit::Time,
    )];
    cases.extend(streams(amount));
    for (channels, messages) in [(2, 200_000), (16, 100_000), (256, 25_600)] {
        cases.push(Case::new(
            "alternation",
            vec![channels, amount(messages) / channels],
            format!("alternation over {channels}, a message"),
            Unit::Time,
        ));
    }
    cases.push(Case::new(
        "ring",
        vec![1_000, amount(300)],
        "ring of 1,000, a hop".to_owned(),
        Unit::Time,
    ));
    cases.extend(sieves(quick));
    for program in ["fan-in", "fan-out"] {
        cases.push(Case::new(
            program,
            vec![100, amount(2_000)],
            format!("{program}, 100 workers, a message"),
            Unit::Time,
        ));
    }
    cases.push(Case::new(
        "spawn",
        vec![amount(20_000)],
        "spawn, run, exit".to_owned(),
        Unit::Time,
    ));
    cases.extend([1_000, 10_000].map(parked));
    if many {
        cases.push(parked(100_000));
    }
    cases.push(cpu(amount(100_000_000)));
    cases.push(Case {
        figures: Figures::FirstOutput,
        ..Case::new(
            "start",
            Vec::new(),
            "start of the command to first message".to_owned(),
            Unit::Time,
        )
    });
    cases
}

fn streams(amount: impl Fn(u64) -> u64) -> Vec<Case> {
    let sizes = [
        (8, "8 B", 500_000),
        (1 << 10, "1 KiB", 200_000),
        (64 << 10, "64 KiB", 10_000),
        (1 << 20, "1 MiB", 600),
    ];
    let mut cases = Vec::new();
    for (size, name, messages) in sizes {
        for capacity in [1, 128, 1_024] {
            let (unit, what) = match size {
                8 | 1_024 => (Unit::Time, ", a message"),
                _ => (Unit::Rate(size), ""),
            };
            cases.push(Case::new(
                "stream",
                vec![capacity, size, amount(messages)],
                format!("stream, capacity {capacity}, {name}{what}"),
                unit,
            ));
        }
    }
    cases
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
            let arguments = vec![*primes, capacity];
            cases.push(Case {
                telling: arguments.len(),
                ..Case::new("sieve", arguments, label, Unit::Time)
            });
        }
    }
    cases
}

fn parked(processes: u64) -> Case {
    let row = |what: &str, figure, unit| Row {
        label: format!("{processes} parked: {what}"),
        figure,
        unit,
    };
    Case {
        program: "parked",
        arguments: vec![processes, 1_000],
        telling: 1,
        rows: vec![
            row("memory each", "bytes", Unit::Bytes),
            row("mappings each", "mappings", Unit::Count),
            row("start and first message each", "start", Unit::Time),
            row("wake-up delay, 50th percentile", "p50", Unit::Time),
            row("wake-up delay, 99th percentile", "p99", Unit::Time),
        ],
        figures: Figures::Printed,
    }
}

fn cpu(rounds: u64) -> Case {
    Case {
        program: "cpu",
        arguments: vec![rounds],
        telling: 0,
        rows: vec![Row {
            label: "two CPU-bound processes, two workers against one".to_owned(),
            figure: "speed-up",
            unit: Unit::Factor,
        }],
        figures: Figures::Printed,
    }
}
