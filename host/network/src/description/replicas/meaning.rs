//! What names and indices mean: which processes, which ports.

use std::fmt;
use std::ops::Range;

use serde_spanned::Spanned;

use super::indexed::{Indexed, Place};
use super::{Expansion, MOST_NAMES, Variables};
use crate::description::PortReference;
use crate::description::expression::{Expression, NoValue};
use crate::diagnostics::{did_you_mean, one_of};

/// A reference to processes, or to a port of theirs, as the file has it.
struct Written<'w> {
    text: &'w str,
    port: Option<&'w str>,
    span: Range<usize>,
    variables: &'w Variables<'w>,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "`{}.{port}`", self.text),
            None => write!(f, "`{}`", self.text),
        }
    }
}

impl Expansion<'_> {
    /// Where dead letters go: a channel's name, or a port.
    pub(super) fn target(&mut self, target: Spanned<String>) -> Spanned<String> {
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
    pub(super) fn names(
        &mut self,
        listed: &[Spanned<String>],
        but: Option<&str>,
    ) -> Vec<Spanned<String>> {
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

    /// The ports that these references mean.
    pub(super) fn ports(
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
        let reference = Written {
            text,
            port,
            span,
            variables,
        };
        let indexed = match Indexed::parse(text) {
            Ok(indexed) => indexed,
            Err(why) => {
                let message = format!("{reference}: {why}");
                let hint = "write a number, or an expression such as `i + 1`";
                self.error(reference.span, message, hint);
                return None;
            }
        };
        let Some(dimensions) = self.families.get(indexed.name).cloned() else {
            return Some(vec![indexed.name.to_owned()]);
        };
        if dimensions.len() != indexed.places.len() {
            self.other_dimensions(&reference, indexed.name, &dimensions);
            return None;
        }
        let mut choices = Vec::new();
        for (place, count) in indexed.places.iter().zip(&dimensions) {
            choices.push(self.choice(&reference, indexed.name, place, *count)?);
        }
        self.all_of(&reference, indexed.name, &choices)
    }

    /// The indices that a place means, of so many.
    fn choice(
        &mut self,
        reference: &Written<'_>,
        name: &str,
        place: &Place,
        count: u32,
    ) -> Option<Range<u32>> {
        let Place::At(expression) = place else {
            return Some(0..count);
        };
        let index = self.value(expression, reference.span.clone(), reference.variables)?;
        match u32::try_from(index).ok().filter(|index| *index < count) {
            Some(index) => Some(index..index + 1),
            None => {
                self.out_of_range(reference, name, count, index);
                None
            }
        }
    }

    /// A name for each choice of indices.
    fn all_of(
        &mut self,
        reference: &Written<'_>,
        name: &str,
        choices: &[Range<u32>],
    ) -> Option<Vec<String>> {
        // There are no more of them than processes, so this does not overflow.
        self.names_made += choices.iter().map(Range::len).product::<usize>();
        if self.names_made > MOST_NAMES {
            let message = format!(
                "with {reference} the network names processes more than {MOST_NAMES} times"
            );
            let hint = "let fewer channels or lists name all processes of a `count`";
            self.error(reference.span.clone(), message, hint);
            return None;
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

    /// There are not as many indices as the processes of that name have dimensions.
    fn other_dimensions(&mut self, reference: &Written<'_>, name: &str, dimensions: &[u32]) {
        let port = reference.port.map(|port| format!(".{port}"));
        let port = port.unwrap_or_default();
        let (message, hint) = if dimensions.is_empty() {
            (
                format!("{reference} has an index, and `{name}` is one process"),
                format!("write `{name}{port}`, or give the process a `count`"),
            )
        } else {
            let size: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
            let any = |index: &str| {
                let indices = format!("[{index}]").repeat(dimensions.len());
                format!("`{name}{indices}{port}`")
            };
            (
                format!(
                    "{reference} does not say which of {} processes it means",
                    size.join(" × ")
                ),
                format!(
                    "name one, as in {}, all with {}, or each in its turn by `for`",
                    any("0"),
                    any("*")
                ),
            )
        };
        self.error(reference.span.clone(), message, hint);
    }

    fn out_of_range(&mut self, reference: &Written<'_>, name: &str, count: u32, index: i64) {
        let message = format!(
            "{reference}{} has the index {index}, and the indices of `{name}` are 0 to {}",
            with(reference.variables),
            count - 1
        );
        let hint = match reference.variables.last() {
            Some((variable, _)) => format!(
                "let `{variable}` end earlier, or begin again at 0 with `% {count}`, as in a ring: `{name}[({variable} + 1) % {count}]`"
            ),
            None => format!("name one from `{name}[0]` to `{name}[{}]`", count - 1),
        };
        self.error(reference.span.clone(), message, hint);
    }

    pub(super) fn value(
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
