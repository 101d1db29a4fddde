//! Replicas: one entry with a `count`, or a `for`, stands for many.
//!
//! An expanded description has an entry for each of them, as if all had been written out: processes are called
//! `worker[0]`, `worker[1]` and so on, and every index is a number. Whatever comes after needs to know no more.

mod indexed;
mod meaning;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_spanned::Spanned;

use super::table::Report;
use super::{ArgumentEntry, ChannelEntry, Count, Description, EndpointEntry, Loop, ProcessEntry};
use crate::diagnostics::{Diagnostics, did_you_mean};
use crate::validation::ArgumentOverride;
use crate::value::Value;

pub(super) use indexed::Indexed;

/// The most processes, and the most channels, that one file makes. A program can make more.
const MOST: usize = 10_000;

/// How often processes are named, at most, by all lists and channels that one file makes.
const MOST_NAMES: usize = 250_000;

/// The name of what one entry makes many of: `worker` of `worker[3]`.
pub(crate) fn family(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// What the variables of `for` stand for.
type Variables<'d> = Vec<(&'d str, i64)>;

impl Description {
    /// The same network with an entry for each process that a `count` makes, and for each channel that a `for`
    /// makes. `overrides` are arguments from the command line, on which counts may depend.
    ///
    /// # Errors
    ///
    /// Every count and index that makes no sense, at once.
    pub fn expanded(&self, overrides: &[ArgumentOverride]) -> Result<Self, Diagnostics> {
        if self.is_expanded {
            return Ok(self.clone());
        }
        let mut expansion = Expansion::new(self, overrides);
        expansion.families();
        let processes = expansion.processes();
        let channels = expansion.channels();
        let mut expanded = Self {
            stdin: self.stdin.as_ref().map(|entry| expansion.endpoint(entry)),
            stdout: self.stdout.as_ref().map(|entry| expansion.endpoint(entry)),
            processes,
            channels,
            is_expanded: true,
            ..self.clone()
        };
        for group in &mut expanded.groups {
            group.members = expansion.names(&group.members, None);
        }
        let endpoints = u64::from(self.stdin.is_some()) + u64::from(self.stdout.is_some());
        let (processes, channels) = (expanded.processes.len(), expanded.channels.len());
        let channels = channels as u64 + endpoints;
        let report = &mut expansion.report;
        self.totals_entry.check(processes as u64, channels, report);
        expanded.numbers_used = expansion.used.take();
        match expansion.report.is_empty() {
            true => Ok(expanded),
            false => Err(expansion.report.into_diagnostics()),
        }
    }
}

struct Expansion<'d> {
    description: &'d Description,
    /// The network's arguments that are whole numbers.
    numbers: BTreeMap<&'d str, i64>,
    /// Those that a count or an index has asked for.
    used: RefCell<BTreeSet<String>>,
    /// How many processes each entry makes, in each dimension; none for a process by itself.
    families: BTreeMap<&'d str, Vec<u32>>,
    report: Report,
    /// How many names the lists and channels have so far.
    names_made: usize,
    /// Where something has been reported: once is enough, however many channels are made there.
    reported: BTreeSet<usize>,
}

impl<'d> Expansion<'d> {
    fn new(description: &'d Description, overrides: &'d [ArgumentOverride]) -> Self {
        let mut numbers = BTreeMap::new();
        for entry in &description.arguments {
            if let Value::Integer(number) = entry.value.get_ref()
                && let Ok(number) = i64::try_from(*number)
            {
                numbers.insert(entry.name.get_ref().as_str(), number);
            }
        }
        for given in overrides.iter().filter(|given| given.process.is_none()) {
            match given.value.trim().parse() {
                Ok(number) => numbers.insert(&given.name, number),
                Err(_) => numbers.remove(given.name.as_str()),
            };
        }
        Self {
            description,
            numbers,
            used: RefCell::default(),
            families: BTreeMap::new(),
            report: Report::new(description.source.clone()),
            names_made: 0,
            reported: BTreeSet::new(),
        }
    }

    fn error(&mut self, span: Range<usize>, message: String, hint: impl Into<String>) {
        if self.reported.insert(span.start) {
            self.report.error_with_hint(span, message, hint);
        }
    }

    fn number(&self, name: &str) -> Option<i64> {
        let number = *self.numbers.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(number)
    }

    /// Decides how many processes there are of each name.
    fn families(&mut self) {
        let mut all = 0;
        for process in &self.description.processes {
            let counts = process.count.iter().map(|count| self.count(process, count));
            // One that is wrong has been reported; with one process of that name the rest can be looked at.
            let counts: Vec<u32> = counts.map(|count| count.unwrap_or(1)).collect();
            let product = counts.iter().try_fold(1_usize, |product, count| {
                product.checked_mul(*count as usize)
            });
            all = product.unwrap_or(usize::MAX).saturating_add(all);
            if all > MOST {
                let at = process
                    .count
                    .first()
                    .map_or(process.name.span(), Spanned::span);
                let message = format!(
                    "with `{}` the network has more than {MOST} processes",
                    process.name.get_ref()
                );
                self.error(
                    at,
                    message,
                    "a network file makes no more; a program may, and a process may spawn others",
                );
                all = 0;
                self.families
                    .insert(process.name.get_ref(), vec![1; counts.len()]);
                continue;
            }
            self.families.insert(process.name.get_ref(), counts);
        }
    }

    fn count(&mut self, process: &ProcessEntry, count: &Spanned<Count>) -> Option<u32> {
        let name = process.name.get_ref();
        let (found, what) = match count.get_ref() {
            Count::Number(number) => (i64::from(*number), "`count`".to_owned()),
            Count::Argument(argument) => {
                let Some(number) = self.number(argument) else {
                    let message = format!(
                        "`count` of process `{name}` is the argument `{argument}`, and [arguments] has no whole number of that name"
                    );
                    let names = self.numbers.keys().copied();
                    let hint = did_you_mean(argument, names).unwrap_or_else(|| {
                        format!("add `{argument} = 4` to [arguments], or pass `--arg {argument}=4`")
                    });
                    self.error(count.span(), message, hint);
                    return None;
                };
                (number, format!("`{argument}`"))
            }
        };
        let fits = u32::try_from(found).ok().filter(|count| *count > 0);
        if fits.is_none() {
            let message = format!("{what} of process `{name}` is {found}");
            self.error(
                count.span(),
                message,
                "there is at least 1 process of a name",
            );
        }
        fits
    }

    fn processes(&mut self) -> Vec<ProcessEntry> {
        let mut processes = Vec::new();
        for entry in &self.description.processes {
            let dimensions = self.families[entry.name.get_ref().as_str()].clone();
            self.indices_are_free(entry);
            for at in places(&dimensions) {
                processes.push(self.process(entry, &at));
            }
        }
        processes
    }

    /// An argument is given once: by `index`, or by `arguments`.
    fn indices_are_free(&mut self, entry: &ProcessEntry) {
        for index in &entry.index {
            let name = index.get_ref();
            let mut given = entry
                .arguments
                .iter()
                .map(|argument| argument.name.get_ref());
            let twice = entry
                .index
                .iter()
                .filter(|other| other.get_ref() == name)
                .count()
                > 1;
            if twice || given.any(|argument| argument == name) {
                let message = format!(
                    "process `{}` gets its argument `{name}` twice",
                    entry.name.get_ref()
                );
                self.error(
                    index.span(),
                    message,
                    "`index` gives it the number of the process",
                );
            }
        }
    }

    /// The process at a place.
    fn process(&mut self, entry: &ProcessEntry, at: &[u32]) -> ProcessEntry {
        let name = indexed(entry.name.get_ref(), at);
        let mut process = ProcessEntry {
            name: Spanned::new(entry.name.span(), name.clone()),
            count: Vec::new(),
            index: Vec::new(),
            links: self.names(&entry.links, Some(&name)),
            ..entry.clone()
        };
        for (argument, index) in entry.index.iter().zip(at) {
            process.arguments.push(ArgumentEntry {
                name: argument.clone(),
                value: Spanned::new(argument.span(), Value::Integer((*index).into())),
            });
        }
        process.restart.dead_letter = process
            .restart
            .dead_letter
            .map(|target| self.target(target));
        process
    }

    fn channels(&mut self) -> Vec<ChannelEntry> {
        let mut channels = Vec::new();
        for entry in &self.description.channels {
            for variables in self.variables(&entry.each) {
                if channels.len() >= MOST {
                    let at = entry.each.first().map_or(0..0, Spanned::span);
                    let message = format!("the network has more than {MOST} channels");
                    self.error(at, message, "a network file makes no more; a program may");
                    return channels;
                }
                let named = |name: &Spanned<String>| {
                    let at: String = variables.iter().map(|(_, at)| format!("[{at}]")).collect();
                    Spanned::new(name.span(), format!("{}{at}", name.get_ref()))
                };
                channels.push(ChannelEntry {
                    each: Vec::new(),
                    name: entry.name.as_ref().map(named),
                    from: self.ports(&entry.from, &variables),
                    to: self.ports(&entry.to, &variables),
                    ..entry.clone()
                });
            }
        }
        channels
    }

    /// Every choice of values for the variables of `for`, the last one changing first.
    fn variables(&mut self, loops: &'d [Spanned<Loop>]) -> Vec<Variables<'d>> {
        let mut all = vec![Variables::new()];
        for each in loops {
            let mut next = Vec::new();
            for variables in &all {
                let Some((first, end)) = self.range(each, variables) else {
                    return Vec::new();
                };
                for value in first..end {
                    if next.len() > MOST {
                        // Whoever makes a channel of each reports that they are too many.
                        break;
                    }
                    let mut variables = variables.clone();
                    variables.push((&each.get_ref().variable, value));
                    next.push(variables);
                }
            }
            all = next;
        }
        all
    }

    fn range(&mut self, each: &Spanned<Loop>, variables: &Variables<'_>) -> Option<(i64, i64)> {
        let it = each.get_ref();
        let first = self.value(&it.first, each.span(), variables)?;
        let end = self.value(&it.end, each.span(), variables)?;
        Some((
            first,
            if it.inclusive {
                end.saturating_add(1)
            } else {
                end
            },
        ))
    }

    fn endpoint(&mut self, entry: &EndpointEntry) -> EndpointEntry {
        EndpointEntry {
            ports: self.ports(&entry.ports, &Variables::new()),
            ..entry.clone()
        }
    }
}

fn indexed(name: &str, at: &[u32]) -> String {
    let at: String = at.iter().map(|index| format!("[{index}]")).collect();
    format!("{name}{at}")
}

/// Every place in so many dimensions, row by row; one if there is none.
fn places(dimensions: &[u32]) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new()];
    for count in dimensions {
        let with_each = |at: &Vec<u32>| {
            let at = at.clone();
            (0..*count).map(move |index| [&*at, &[index]].concat())
        };
        all = all.iter().flat_map(with_each).collect();
    }
    all
}
