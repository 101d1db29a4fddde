//! The arguments of every process: from the command line, the process, the network.

use super::{ArgumentOverride, Check};
use crate::description::{ArgumentEntry, ProcessEntry, family};
use crate::diagnostics::{Diagnostic, did_you_mean, one_of};
use crate::signature::{Argument, Signature};
use crate::value::{encode, encode_arguments, encode_text};

/// The file that a diagnostic about an override names.
const COMMAND_LINE: &str = "--arg";

/// Where an argument's value was found.
enum Given<'a> {
    Override(&'a ArgumentOverride),
    Entry(&'a ArgumentEntry),
}

impl<'d> Check<'d> {
    /// The arguments of each process in CBOR, in the order of the processes.
    pub(super) fn arguments(&mut self, overrides: &[ArgumentOverride]) -> Vec<Vec<u8>> {
        let description = self.description;
        let mut encoded = Vec::new();
        for process in &description.processes {
            let arguments = match self.signature(process) {
                Some(signature) => {
                    self.unknown_arguments(process, signature);
                    self.process_arguments(process, signature, overrides)
                }
                None => Vec::new(),
            };
            encoded.push(arguments);
        }
        // Without every signature, an argument may only seem to be unused.
        let complete = description
            .processes
            .iter()
            .all(|p| self.signature(p).is_some());
        for entry in description.arguments.iter().filter(|_| complete) {
            self.unused_entry(entry);
        }
        for given in overrides {
            self.unused_override(given, complete);
        }
        encoded
    }

    fn process_arguments(
        &mut self,
        process: &ProcessEntry,
        signature: &Signature,
        overrides: &[ArgumentOverride],
    ) -> Vec<u8> {
        let mut values = Vec::new();
        for argument in &signature.arguments {
            match self.given(process, argument, overrides) {
                Some(given) => {
                    if let Some(value) = self.encode(process, argument, &given) {
                        values.push((&*argument.name, value));
                    }
                }
                None if argument.ty.is_option() => {}
                None => self.missing(process, argument),
            }
        }
        encode_arguments(values.iter().map(|(name, value)| (*name, &**value)))
    }

    /// The value that counts. The narrower overrides the wider, then the command line overrides the file,
    /// then the later overrides the earlier.
    fn given<'a>(
        &self,
        process: &'a ProcessEntry,
        argument: &Argument,
        overrides: &'a [ArgumentOverride],
    ) -> Option<Given<'a>>
    where
        'd: 'a,
    {
        let name = &argument.name;
        let from_command_line = |target: Option<&String>| {
            let mut latest = overrides.iter().rev();
            let found = latest.find(|o| o.name == *name && o.process.as_ref() == target);
            found.map(Given::Override)
        };
        let from_file = |entries: &'a [ArgumentEntry]| {
            let found = entries.iter().find(|entry| entry.name.get_ref() == name);
            found.map(Given::Entry)
        };
        let process_name = process.name.get_ref();
        from_command_line(Some(process_name))
            .or_else(|| from_command_line(Some(&family(process_name).to_owned())))
            .or_else(|| from_file(&process.arguments))
            .or_else(|| from_command_line(None))
            .or_else(|| from_file(&self.description.arguments))
    }

    fn encode(
        &mut self,
        process: &ProcessEntry,
        argument: &Argument,
        given: &Given<'_>,
    ) -> Option<Vec<u8>> {
        let encoded = match given {
            Given::Override(given) => encode_text(&argument.ty, &given.value),
            Given::Entry(entry) => encode(&argument.ty, entry.value.get_ref()),
        };
        let error = match encoded {
            Ok(encoded) => return Some(encoded),
            Err(error) => error,
        };
        let message = format!(
            "argument `{}` of process `{}`: {error}",
            argument.name,
            process.name.get_ref()
        );
        match given {
            Given::Override(_) => self
                .diagnostics
                .push(Diagnostic::error(COMMAND_LINE, message)),
            Given::Entry(entry) => self.error(entry.value.span(), message),
        }
        None
    }

    fn missing(&mut self, process: &ProcessEntry, argument: &Argument) {
        let process_name = process.name.get_ref();
        self.error_with_hint(
            process.name.span(),
            format!("process `{process_name}` needs the argument `{argument}`"),
            format!(
                "add `arguments = {{ {} = ... }}` to it, or pass `--arg {process_name}.{}=...`",
                argument.name, argument.name
            ),
        );
    }

    fn unknown_arguments(&mut self, process: &ProcessEntry, signature: &Signature) {
        for entry in &process.arguments {
            let name = entry.name.get_ref();
            if signature.argument(name).is_none() {
                self.error_with_hint(
                    entry.name.span(),
                    format!(
                        "process `{}` has no argument `{name}`",
                        process.name.get_ref()
                    ),
                    argument_hint(signature, name),
                );
            }
        }
    }

    /// Whether a process of the network has an argument of this name.
    fn takers(&self, name: &str) -> impl Iterator<Item = &'d ProcessEntry> {
        self.description.processes.iter().filter(move |process| {
            let signature = self.signature(process);
            signature.is_some_and(|signature| signature.argument(name).is_some())
        })
    }

    fn unused_entry(&mut self, entry: &ArgumentEntry) {
        let name = entry.name.get_ref();
        if self.takers(name).next().is_none() && !self.description.numbers_used.contains(name) {
            let known = self.argument_names();
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            self.warn(
                entry.name.span(),
                format!("no process has an argument `{name}`"),
                hint.as_deref().unwrap_or("remove it"),
            );
        }
    }

    /// An override without effect is an error: whoever typed it wanted an effect.
    fn unused_override(&mut self, given: &ArgumentOverride, complete: bool) {
        let name = &given.name;
        let (message, hint) = match &given.process {
            Some(process) => match self.process_or_first(process) {
                None => (
                    format!("there is no process `{process}`"),
                    did_you_mean(process, self.process_names()),
                ),
                Some(entry) => match self.signature(entry) {
                    Some(signature) if signature.argument(name).is_none() => (
                        format!("process `{process}` has no argument `{name}`"),
                        Some(argument_hint(signature, name)),
                    ),
                    _ => return,
                },
            },
            None if !complete || self.description.numbers_used.contains(name) => return,
            None => match self.takers(name).next() {
                None => (
                    format!("no process has an argument `{name}`"),
                    did_you_mean(name, self.argument_names().iter().map(String::as_str)),
                ),
                Some(first) if self.takers(name).all(|process| sets(process, name)) => (
                    format!("every process that has an argument `{name}` sets its own"),
                    Some(format!("pass `--arg {}.{given}`", first.name.get_ref())),
                ),
                Some(_) => return,
            },
        };
        let mut diagnostic = Diagnostic::error(COMMAND_LINE, message);
        diagnostic.hint = hint;
        self.diagnostics.push(diagnostic);
    }

    /// The process of this name, or the first of those that a `count` makes of it.
    fn process_or_first(&self, name: &str) -> Option<&'d ProcessEntry> {
        let mut processes = self.description.processes.iter();
        let exact = self.processes.get(name).copied();
        exact.or_else(|| processes.find(|process| family(process.name.get_ref()) == name))
    }

    /// The names of all processes.
    pub(super) fn process_names(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        let processes = self.description.processes.iter();
        processes.map(|process| process.name.get_ref().as_str())
    }

    fn argument_names(&self) -> Vec<String> {
        let signatures = self.signatures.values();
        let arguments = signatures.flat_map(|signature| &signature.arguments);
        arguments.map(|argument| argument.name.clone()).collect()
    }
}

fn sets(process: &ProcessEntry, name: &str) -> bool {
    process
        .arguments
        .iter()
        .any(|entry| entry.name.get_ref() == name)
}

fn argument_hint(signature: &Signature, name: &str) -> String {
    let names = || signature.arguments.iter().map(|argument| &*argument.name);
    match did_you_mean(name, names()) {
        Some(hint) => hint,
        None if signature.arguments.is_empty() => "it takes none".to_owned(),
        None => format!("it takes {}", one_of(names()).replace(" or ", " and ")),
    }
}
