//! Replicas: one entry with a `count`, or a `for`, stands for many.
//!
//! An expanded description has an entry for each of them, as if all had been written out: processes are called
//! `worker[0]`, `worker[1]` and so on, and every index is a number. Whatever comes after needs to know no more.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_spanned::Spanned;

use super::expression::{Expression, NoValue, in_variable};
use super::table::Report;
use super::{
    ArgumentEntry, ChannelEntry, Count, Description, EndpointEntry, Loop, PortReference,
    ProcessEntry,
};
use crate::diagnostics::{Diagnostics, did_you_mean, one_of};
use crate::validation::ArgumentOverride;
use crate::value::Value;

/// The most processes, and the most channels, that one file makes. A program can make more.
const MOST: usize = 10_000;

/// The name of what one entry makes many of: `worker` of `worker[3]`.
pub(crate) fn family(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// `cell[y][x + 1]`: a name, and which of those that have it.
pub(super) struct Indexed<'t> {
    name: &'t str,
    places: Vec<Place>,
}

enum Place {
    /// `*`.
    All,
    At(Expression),
}

impl<'t> Indexed<'t> {
    /// Reads it; what is wrong with it otherwise.
    pub(super) fn parse(text: &'t str) -> Result<Self, String> {
        let (name, mut rest) = text.split_at(text.find('[').unwrap_or(text.len()));
        let mut places = Vec::new();
        while !rest.is_empty() {
            let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let Some((inside, behind)) = inside else {
                return Err(format!("{rest:?} is no index"));
            };
            places.push(match inside.trim() {
                "*" => Place::All,
                inside => Place::At(
                    Expression::parse(inside)
                        .map_err(|why| format!("[{inside}] is no index: {why}"))?,
                ),
            });
            rest = behind;
        }
        Ok(Self {
            name: name.trim(),
            places,
        })
    }
}

impl Loop {
    /// Reads `i in 0..n`, or `i in 0..=n`; what is wrong with it otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (variable, range) = text.split_once(" in ").ok_or("it has no ` in `")?;
        let variable = variable.trim();
        let starts = variable.starts_with(|char: char| char.is_alphabetic() || char == '_');
        if !starts || !variable.chars().all(in_variable) {
            return Err(format!("{variable:?} is no variable"));
        }
        let (first, end) = range.split_once("..").ok_or("it has no `..`")?;
        let (end, inclusive) = match end.strip_prefix('=') {
            Some(end) => (end, true),
            None => (end, false),
        };
        Ok(Self {
            variable: variable.to_owned(),
            first: Expression::parse(first)?,
            end: Expression::parse(end)?,
            inclusive,
        })
    }
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

    /// Where dead letters go: a channel's name, or a port.
    fn target(&mut self, target: Spanned<String>) -> Spanned<String> {
        let Some((process, port)) = target.get_ref().split_once('.') else {
            return target;
        };
        let reference = PortReference::new(process, port);
        let mut ports = self.ports(&[Spanned::new(target.span(), reference)], &Variables::new());
        match ports.pop() {
            Some(port) if ports.is_empty() => {
                Spanned::new(target.span(), port.get_ref().to_string())
            }
            Some(_) => {
                let message = format!("`{}` means several ports", target.get_ref());
                self.error(target.span(), message, "dead letters go to one port");
                target
            }
            None => target,
        }
    }

    /// The processes that a list of names means, but for the one that has the list.
    fn names(&mut self, listed: &[Spanned<String>], but: Option<&str>) -> Vec<Spanned<String>> {
        let mut names = Vec::new();
        for entry in listed {
            let text = entry.get_ref();
            let Some(means) = self.means(text, None, entry.span(), &Variables::new()) else {
                continue;
            };
            let all = text.contains('*');
            let others = means
                .into_iter()
                .filter(|name| !all || Some(name.as_str()) != but);
            names.extend(others.map(|name| Spanned::new(entry.span(), name)));
        }
        names
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

    /// The ports that these references mean.
    fn ports(
        &mut self,
        references: &[Spanned<PortReference>],
        variables: &Variables<'_>,
    ) -> Vec<Spanned<PortReference>> {
        let mut ports = Vec::new();
        for reference in references {
            let span = reference.span();
            let PortReference { process, port } = reference.get_ref();
            let processes = self.means(process, Some(port), span.clone(), variables);
            let port = self.end(reference, variables);
            if let (Some(processes), Some(port)) = (processes, port) {
                let of = |process| PortReference::new(process, port.clone());
                let ports_here = processes
                    .into_iter()
                    .map(|process| Spanned::new(span.clone(), of(process)));
                ports.extend(ports_here);
            }
        }
        ports
    }

    /// The name of a port, with its place if it is in an array.
    fn end(
        &mut self,
        reference: &Spanned<PortReference>,
        variables: &Variables<'_>,
    ) -> Option<String> {
        let port = &reference.get_ref().port;
        let Ok(Indexed { name, places }) = Indexed::parse(port) else {
            // It was reported when the file was read.
            return None;
        };
        let [place] = places.as_slice() else {
            if places.is_empty() {
                return Some(port.clone());
            }
            let message = format!("`{port}` has several indices, and arrays of ports have one");
            self.error(reference.span(), message, format!("write `{name}[0]`"));
            return None;
        };
        let Place::At(expression) = place else {
            let message = format!("`{}` means all ends of an array", reference.get_ref());
            let hint = format!("name one, as in `{name}[0]`, or each in its turn by `for`");
            self.error(reference.span(), message, hint);
            return None;
        };
        let index = self.value(expression, reference.span(), variables)?;
        if index < 0 {
            let message = format!(
                "`{}`{} means `{name}[{index}]`",
                reference.get_ref(),
                with(variables)
            );
            self.error(reference.span(), message, "indices begin with 0");
            return None;
        }
        Some(format!("{name}[{index}]"))
    }

    /// The processes that `worker`, `worker[i]` or `worker[*]` means; those that do not exist are left to whoever looks
    /// for them, who knows what to say.
    fn means(
        &mut self,
        text: &str,
        port: Option<&str>,
        span: Range<usize>,
        variables: &Variables<'_>,
    ) -> Option<Vec<String>> {
        let written = match port {
            Some(port) => format!("{text}.{port}"),
            None => text.to_owned(),
        };
        let of_port = port.map_or_else(String::new, |port| format!(".{port}"));
        let Indexed {
            name,
            places: found,
        } = match Indexed::parse(text) {
            Ok(indexed) => indexed,
            Err(why) => {
                self.error(
                    span,
                    format!("`{written}`: {why}"),
                    "write a number, or an expression such as `i + 1`",
                );
                return None;
            }
        };
        let Some(dimensions) = self.families.get(name).cloned() else {
            return Some(vec![name.to_owned()]);
        };
        if dimensions.is_empty() && !found.is_empty() {
            let message = format!("`{written}` has an index, and `{name}` is one process");
            self.error(
                span,
                message,
                format!("write `{name}{of_port}`, or give the process a `count`"),
            );
            return None;
        }
        if dimensions.len() != found.len() {
            let size: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
            let message = format!(
                "`{written}` does not say which of {} processes it means",
                size.join(" × ")
            );
            let any = |index: &str| {
                format!(
                    "`{name}{}{of_port}`",
                    format!("[{index}]").repeat(dimensions.len())
                )
            };
            let hint = format!(
                "name one, as in {}, all with {}, or each in its turn by `for`",
                any("0"),
                any("*")
            );
            self.error(span, message, hint);
            return None;
        }
        let mut choices = Vec::new();
        for (place, count) in found.iter().zip(&dimensions) {
            choices.push(match place {
                Place::All => 0..*count,
                Place::At(expression) => {
                    let index = self.value(expression, span.clone(), variables)?;
                    let Some(index) = u32::try_from(index).ok().filter(|index| index < count)
                    else {
                        self.out_of_range(&written, name, *count, index, span, variables);
                        return None;
                    };
                    index..index + 1
                }
            });
        }
        let mut all = vec![name.to_owned()];
        for choice in choices {
            let with_each = |name: &String| {
                let name = name.clone();
                choice.clone().map(move |index| format!("{name}[{index}]"))
            };
            all = all.iter().flat_map(with_each).collect();
        }
        Some(all)
    }

    fn out_of_range(
        &mut self,
        written: &str,
        name: &str,
        count: u32,
        index: i64,
        span: Range<usize>,
        variables: &Variables<'_>,
    ) {
        let message = format!(
            "`{written}`{} has the index {index}, and the indices of `{name}` are 0 to {}",
            with(variables),
            count - 1
        );
        let hint = match variables.last() {
            Some((variable, _)) => format!(
                "let `{variable}` end earlier, or begin again at 0 with `% {count}`, as in a ring: `{name}[({variable} + 1) % {count}]`"
            ),
            None => format!("name one from `{name}[0]` to `{name}[{}]`", count - 1),
        };
        self.error(span, message, hint);
    }

    fn value(
        &mut self,
        expression: &Expression,
        span: Range<usize>,
        variables: &Variables<'_>,
    ) -> Option<i64> {
        let known = |name: &str| {
            let mut inner = variables.iter().rev();
            let variable = inner.find(|(variable, _)| *variable == name);
            variable
                .map(|(_, value)| *value)
                .or_else(|| self.number(name))
        };
        let fault = match expression.value(&known) {
            Ok(value) => return Some(value),
            Err(fault) => fault,
        };
        let hint = match &fault {
            NoValue::Unknown(name) => {
                let names = variables.iter().map(|(name, _)| *name);
                let names: Vec<&str> = names.chain(self.numbers.keys().copied()).collect();
                did_you_mean(name, names.iter().copied()).unwrap_or_else(|| {
                    match names.is_empty() {
                        true => format!(
                            "add `for = \"{name} in 0..4\"`, or a number `{name}` to [arguments]"
                        ),
                        false => format!(
                            "an index is made of numbers and of {}",
                            one_of(names).replace(" or ", " and ")
                        ),
                    }
                })
            }
            _ => "an index is a small number".to_owned(),
        };
        self.error(
            span,
            format!("an index here has no value{}: {fault}", with(variables)),
            hint,
        );
        None
    }
}

/// ` with i = 3`, for messages.
fn with(variables: &Variables<'_>) -> String {
    let values: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    match values.is_empty() {
        true => String::new(),
        false => format!(" with {}", values.join(", ")),
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
