//! One program to compare, and the lines of the table that it fills.

/// One program with its arguments.
#[derive(Clone)]
pub(crate) struct Case {
    /// What all languages call the program.
    pub(crate) program: &'static str,
    pub(crate) arguments: Vec<u64>,
    /// How many of the arguments are part of its name; the others only say how much work.
    pub(crate) telling: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) figures: Figures,
    /// Whether the peers have no such program.
    pub(crate) only_ours: bool,
    /// Whether our processes are async functions.
    pub(crate) asynchronous: bool,
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
#[derive(Clone)]
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

/// At the end of the name of a program of ours whose processes are async functions.
pub(crate) const ASYNC: &str = "-async";

impl Case {
    /// A program of which the first `telling` arguments are part of the name.
    pub(crate) fn new(program: &'static str, telling: &[u64], rows: Vec<Row>) -> Self {
        Self {
            program,
            arguments: telling.to_vec(),
            telling: telling.len(),
            rows,
            figures: Figures::Printed,
            only_ours: false,
            asynchronous: false,
        }
    }

    /// A program with one figure, the time of an operation.
    pub(crate) fn timed(program: &'static str, telling: &[u64], label: &str) -> Self {
        Self::new(program, telling, vec![Row::new(label, TIME, Unit::Time)])
    }

    /// The same with processes of ours that are async functions.
    pub(crate) fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        for row in &mut self.rows {
            row.label.insert_str(0, "async functions: ");
        }
        self
    }

    /// The same where the peers have no such program.
    pub(crate) fn only_ours(mut self) -> Self {
        self.only_ours = true;
        self
    }

    /// How much work it does.
    pub(crate) fn work(mut self, amount: u64) -> Self {
        self.arguments.push(amount);
        self
    }

    /// Its name, with the arguments that tell it from its like.
    pub(crate) fn name(&self) -> String {
        let mut name = self.program.to_owned();
        for argument in self.arguments.iter().take(self.telling) {
            name.push_str(&format!("-{argument}"));
        }
        if self.asynchronous {
            name.push_str(ASYNC);
        }
        name
    }

    /// Whether one of these words is part of its name.
    pub(crate) fn is_among(&self, words: &[String]) -> bool {
        words.iter().any(|word| self.name().contains(word))
    }
}

impl Row {
    pub(crate) fn new(label: impl Into<String>, figure: &'static str, unit: Unit) -> Self {
        Self {
            label: label.into(),
            figure,
            unit,
        }
    }
}

impl Unit {
    /// A figure as people read it.
    pub(crate) fn shown(self, value: f64) -> String {
        match self {
            Unit::Time => time(value),
            Unit::Rate(bytes) => format!("{:.0} MB/s", bytes as f64 * 1_000.0 / value),
            Unit::Bytes if value < 1_000.0 => format!("{value:.0} B"),
            Unit::Bytes => format!("{:.1} KB", value / 1_000.0),
            Unit::Count => format!("{value:.2}"),
            Unit::Factor => format!("{value:.2} times"),
        }
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        under if under < 1e2 => format!("{under:.1} ns"),
        under if under < 1e4 => format!("{under:.0} ns"),
        under if under < 1e6 => format!("{:.1} µs", under / 1e3),
        under if under < 1e9 => format!("{:.1} ms", under / 1e6),
        long => format!("{:.2} s", long / 1e9),
    }
}
