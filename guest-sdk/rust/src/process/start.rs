//! The start and the end of a process: arguments, ports, outcome.

use std::any::Any;
use std::fmt::Display;

use crate::bindings::transputer::csp::channel::Patience;
use crate::bindings::{Receiver as RawReceiver, Sender as RawSender};
use crate::channel::{
    Receiver, Sender, drop_deferred, flush_buffers, leave_dropped_open, leave_open_for_poison,
    run_deferred, unreported_errors,
};
use crate::error::Error;
use crate::message::{Message, Reader, Type};

use super::component::Entry;
use super::log::{Level, log};

/// What the host handed to `run`.
#[derive(Debug)]
pub struct Start {
    /// The value of each argument, in CBOR.
    arguments: Vec<(String, Vec<u8>)>,
    inputs: Vec<(String, RawReceiver)>,
    outputs: Vec<(String, RawSender)>,
}

/// What a process function can return.
///
/// Its peers and the network see the text of an error. [`Error::Closed`] is a normal end, also inside a
/// `Box<dyn std::error::Error>`.
#[diagnostic::on_unimplemented(
    message = "a process cannot return `{Self}`",
    label = "not something that a process can return",
    note = "a process returns nothing, or `Result<(), E>` where `E` implements `Display`"
)]
pub trait Ending {
    /// What `run` returns.
    fn into_result(self) -> Result<(), String>;
}

impl Ending for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display + 'static> Ending for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        match self {
            Ok(()) => Ok(()),
            Err(error) if is_closed(&error) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn is_closed(error: &dyn Any) -> bool {
    type Boxed = Box<dyn std::error::Error>;
    type BoxedSend = Box<dyn std::error::Error + Send + Sync>;
    let error = error
        .downcast_ref::<Error>()
        .or_else(|| error.downcast_ref::<Boxed>()?.downcast_ref())
        .or_else(|| error.downcast_ref::<BoxedSend>()?.downcast_ref());
    matches!(error, Some(Error::Closed))
}

/// Runs one process of the component.
pub(super) fn run_process(
    process: &str,
    entry: Entry,
    arguments: &[u8],
    inputs: Vec<(String, RawReceiver)>,
    outputs: Vec<(String, RawSender)>,
) -> Result<(), String> {
    // A test reports panics by itself.
    #[cfg(target_family = "wasm")]
    report_panics();
    let result = Start::new(arguments, inputs, outputs)
        .and_then(|mut start| entry(&mut start))
        .unwrap_or_else(|misfit| Err(format!("process `{process}`: {misfit}")));
    end(result)
}

/// Does what the function left deferred, and reports the errors that nobody asked about.
fn end(result: Result<(), String>) -> Result<(), String> {
    if result.is_err() {
        leave_open_for_poison();
        return result;
    }
    flush_buffers(Patience::Forever);
    match unreported_errors() {
        None => {
            run_deferred();
            Ok(())
        }
        Some(text) => {
            leave_open_for_poison();
            Err(text)
        }
    }
}

/// The same for a process that is an async function.
pub(crate) fn end_stackless(result: Result<(), String>) -> Result<(), String> {
    match result.is_err() {
        true => leave_dropped_open(),
        false => drop_deferred(),
    }
    result
}

/// Logs a panic before it becomes a trap, which has no text of its own.
pub(super) fn report_panics() {
    // Once: what std's own hook prints would be in the log as well.
    std::panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
}

impl Start {
    pub(super) fn new(
        arguments: &[u8],
        inputs: Vec<(String, RawReceiver)>,
        outputs: Vec<(String, RawSender)>,
    ) -> Result<Self, String> {
        Ok(Start {
            arguments: split_arguments(arguments)?,
            inputs,
            outputs,
        })
    }

    /// The argument `name`.
    pub fn argument<T: Message>(&mut self, name: &str) -> Result<T, String> {
        let Some(index) = self.arguments.iter().position(|(given, _)| given == name) else {
            return T::absent()
                .ok_or_else(|| format!("argument `{name}` ({}) is missing", T::TYPE));
        };
        let (_, value) = self.arguments.swap_remove(index);
        let mut reader = Reader::new(&value, Vec::new());
        T::read(&mut reader)
            .and_then(|value| reader.finish().map(|()| value))
            .map_err(|error| format!("argument `{name}`: {error}"))
    }

    /// The input port `name`.
    pub fn input<T: Message>(&mut self, name: &'static str) -> Result<Receiver<T>, String> {
        let index = self.inputs.iter().position(|(given, _)| given == name);
        let index = index.ok_or_else(|| format!("input `{name}` ({}) is not wired", T::TYPE))?;
        let (_, receiver) = self.inputs.swap_remove(index);
        Ok(Receiver::from_host(receiver, name))
    }

    /// The output port `name`.
    pub fn output<T: Message>(&mut self, name: &'static str) -> Result<Sender<T>, String> {
        let index = self.outputs.iter().position(|(given, _)| given == name);
        let index = index.ok_or_else(|| format!("output `{name}` ({}) is not wired", T::TYPE))?;
        let (_, sender) = self.outputs.swap_remove(index);
        Ok(Sender::from_host(sender, name))
    }

    /// The input port `name`, if it is wired.
    pub fn optional_input<T: Message>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Receiver<T>>, String> {
        match self.inputs.iter().any(|(given, _)| given == name) {
            true => self.input(name).map(Some),
            false => Ok(None),
        }
    }

    /// The output port `name`, if it is wired.
    pub fn optional_output<T: Message>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Sender<T>>, String> {
        match self.outputs.iter().any(|(given, _)| given == name) {
            true => self.output(name).map(Some),
            false => Ok(None),
        }
    }

    /// The array of input ports `name`.
    pub fn inputs<T: Message>(&mut self, name: &str) -> Result<Vec<Receiver<T>>, String> {
        let ends = take_array(&mut self.inputs, name)?.into_iter();
        Ok(ends
            .map(|(name, end)| Receiver::from_host(end, name))
            .collect())
    }

    /// The array of output ports `name`.
    pub fn outputs<T: Message>(&mut self, name: &str) -> Result<Vec<Sender<T>>, String> {
        let ends = take_array(&mut self.outputs, name)?.into_iter();
        Ok(ends
            .map(|(name, end)| Sender::from_host(end, name))
            .collect())
    }

    /// The array of `N` input ports `name`.
    pub fn input_array<T: Message, const N: usize>(
        &mut self,
        name: &str,
    ) -> Result<[Receiver<T>; N], String> {
        fixed(name, self.inputs(name)?)
    }

    /// The array of `N` output ports `name`.
    pub fn output_array<T: Message, const N: usize>(
        &mut self,
        name: &str,
    ) -> Result<[Sender<T>; N], String> {
        fixed(name, self.outputs(name)?)
    }

    /// Fails if the host gave an argument or a port that the process does not have.
    pub fn finish(&mut self) -> Result<(), String> {
        let arguments = self.arguments.iter().map(|(name, _)| ("argument", name));
        let inputs = self.inputs.iter().map(|(name, _)| ("input", name));
        let outputs = self.outputs.iter().map(|(name, _)| ("output", name));
        let unknown: Vec<String> = arguments
            .chain(inputs)
            .chain(outputs)
            .map(|(kind, name)| format!("it has no {kind} `{name}`"))
            .collect();
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(unknown.join(", ")),
        }
    }
}

/// Takes the ends `name[0]`, `name[1]` and so on out of those that were given, with their names.
fn take_array<End>(
    given: &mut Vec<(String, End)>,
    name: &str,
) -> Result<Vec<(&'static str, End)>, String> {
    let index = |end: &str| {
        let inside = end
            .strip_prefix(name)?
            .strip_prefix('[')?
            .strip_suffix(']')?;
        inside.parse::<usize>().ok()
    };
    let (own, others): (Vec<_>, Vec<_>) = std::mem::take(given)
        .into_iter()
        .map(|(end, handle)| (index(&end), end, handle))
        .partition(|(index, ..)| index.is_some());
    given.extend(others.into_iter().map(|(_, end, handle)| (end, handle)));
    let mut own = own;
    own.sort_by_key(|(index, ..)| *index);
    let ends = own
        .into_iter()
        .enumerate()
        .map(|(expected, (index, end, handle))| {
            if index != Some(expected) {
                return Err(format!(
                    "port `{name}[{expected}]` is not wired, and `{end}` is"
                ));
            }
            // Errors name it as long as the process lives.
            let end: &'static str = Box::leak(end.into_boxed_str());
            Ok((end, handle))
        });
    ends.collect()
}

fn fixed<End, const N: usize>(name: &str, ends: Vec<End>) -> Result<[End; N], String> {
    let found = ends.len();
    ends.try_into()
        .map_err(|_| format!("`{name}` is an array of {N} ports, and {found} are wired"))
}

/// Splits the CBOR map of arguments into the bytes of each; no bytes at all mean no arguments.
fn split_arguments(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut arguments: Vec<(String, Vec<u8>)> = Vec::new();
    if bytes.is_empty() {
        return Ok(arguments);
    }
    let mut reader = Reader::new(bytes, Vec::new());
    let mut twice = None;
    reader
        .record(&Type::Name("a map of arguments"), &mut |reader, name| {
            let from = reader.offset();
            reader.skip()?;
            let value = bytes.get(from..reader.offset()).unwrap_or_default();
            if arguments.iter().any(|(given, _)| given == name) {
                twice = Some(name.to_owned());
            }
            arguments.push((name.to_owned(), value.to_vec()));
            Ok(())
        })
        .and_then(|()| reader.finish())
        .map_err(|error| format!("its arguments cannot be read: {error}"))?;
    match twice {
        None => Ok(arguments),
        Some(name) => Err(format!("argument `{name}` is given twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(arguments: &[u8]) -> Result<Start, String> {
        Start::new(arguments, Vec::new(), Vec::new())
    }

    #[test]
    fn arguments_by_name() {
        // {"b": "x", "a": 7}
        let mut start = start(b"\xa2\x61b\x61x\x61a\x07").expect("a map");
        assert_eq!(start.argument::<u64>("a"), Ok(7));
        assert_eq!(start.argument::<String>("b"), Ok("x".into()));
        assert_eq!(start.argument::<Option<u64>>("c"), Ok(None));
        assert_eq!(
            start.argument::<u64>("d"),
            Err("argument `d` (u64) is missing".into())
        );
        assert_eq!(start.finish(), Ok(()));
    }

    #[test]
    fn arguments_that_do_not_fit() {
        let mut start = start(b"\xa2\x61b\x61x\x61a\x07").expect("a map");
        assert_eq!(
            start.argument::<u8>("b"),
            Err("argument `b`: expected u8, found the text `x` (byte 0)".into())
        );
        assert_eq!(start.finish(), Err("it has no argument `a`".into()));
    }

    #[test]
    fn arguments_that_are_not_a_map() {
        for bytes in [
            &b"\x07"[..],
            b"\xa1",
            b"\xa1\x07\x07",
            b"\xa0\x00",
            b"\xa2\x61a\x01\x61a\x01",
        ] {
            assert!(start(bytes).is_err(), "{bytes:?}");
        }
        assert!(start(b"").is_ok());
    }

    #[test]
    fn closed_is_a_normal_end() {
        assert_eq!(Err::<(), _>(Error::Closed).into_result(), Ok(()));
        let boxed: Box<dyn std::error::Error> = Error::Closed.into();
        assert_eq!(Err::<(), _>(boxed).into_result(), Ok(()));
        assert_eq!(
            Err::<(), _>(Error::TimedOut).into_result(),
            Err("the deadline passed".into())
        );
        assert_eq!(Err::<(), _>("no").into_result(), Err("no".into()));
        assert_eq!(().into_result(), Ok(()));
    }
}
