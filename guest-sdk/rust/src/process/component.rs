//! The component: the processes it has, and the one that the host chose to run.
//!
//! Every `#[process]` function leaves a constructor, which registers it. The export `run` is here,
//! once for all of them: it runs the constructors, then the process that the host asks for.

use std::cell::RefCell;

use crate::bindings::{Receiver as RawReceiver, Sender as RawSender};

use super::start::{Start, run_process};

/// What takes the arguments and ports of a process, and runs it.
pub(super) type Entry = fn(&mut Start) -> Result<Result<(), String>, String>;

struct Process {
    name: &'static str,
    entry: Entry,
}

thread_local! {
    /// The processes of this component; empty once one of them runs.
    static PROCESSES: RefCell<Vec<Process>> = const { RefCell::new(Vec::new()) };
}

/// Adds a process to this component.
pub fn register(name: &'static str, entry: Entry) {
    PROCESSES.with_borrow_mut(|processes| processes.push(Process { name, entry }));
}

/// What the export `run` does.
pub fn run(
    arguments: &[u8],
    inputs: Vec<(String, RawReceiver)>,
    outputs: Vec<(String, RawSender)>,
) -> Result<(), String> {
    run_constructors();
    let (name, arguments) = split_choice(arguments)?;
    let Process { name, entry } = choose(PROCESSES.take(), name.as_deref())?;
    run_process(name, entry, arguments, inputs, outputs)
}

#[cfg(target_family = "wasm")]
mod export {
    #![allow(clippy::undocumented_unsafe_blocks, unreachable_pub, unsafe_code)]

    use super::{RawReceiver, RawSender};

    struct Component;

    impl crate::bindings::Guest for Component {
        fn run(
            arguments: Vec<u8>,
            inputs: Vec<(String, RawReceiver)>,
            outputs: Vec<(String, RawSender)>,
        ) -> Result<(), String> {
            super::run(&arguments, inputs, outputs)
        }
    }

    crate::bindings::export!(Component with_types_in crate::bindings);
}

/// Runs the constructors: those that register processes, and those of linked C code, say. Called once,
/// since a component runs once.
fn run_constructors() {
    #[cfg(target_family = "wasm")]
    #[allow(unsafe_code)]
    {
        unsafe extern "C" {
            /// Made by the linker, which calls it around every export where nothing else calls it.
            safe fn __wasm_call_ctors();
        }
        __wasm_call_ctors();
    }
}

/// The process that the host chose, by name where it gave one.
fn choose(processes: Vec<Process>, name: Option<&str>) -> Result<Process, String> {
    let names: Vec<&str> = processes.iter().map(|process| process.name).collect();
    let has = match names.as_slice() {
        [] => {
            return Err(
                "this component has no process: no function in it is marked \
                        `#[transputer_guest::process]`"
                    .into(),
            );
        }
        [name] => format!("it has `{name}`"),
        names => format!("it has `{}`", names.join("`, `")),
    };
    let (mut fitting, several) = match name {
        None => (processes, "no process of this component was chosen".into()),
        Some(name) => (
            processes
                .into_iter()
                .filter(|process| process.name == name)
                .collect::<Vec<_>>(),
            format!("several processes of this component are called `{name}`"),
        ),
    };
    match (fitting.pop(), fitting.is_empty(), name) {
        (Some(process), true, _) => Ok(process),
        (None, _, Some(name)) => Err(format!("this component has no process `{name}`; {has}")),
        _ => Err(format!("{several}; {has}")),
    }
}

/// Splits what the host hands over: the arguments alone, or a CBOR array of a process's name and its
/// arguments.
fn split_choice(bytes: &[u8]) -> Result<(Option<String>, &[u8]), String> {
    /// The head of an array of two items.
    const PAIR: u8 = 0x82;
    if bytes.first() != Some(&PAIR) {
        return Ok((None, bytes));
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let name = decoder.array().and_then(|_| decoder.str());
    let name = name.map_err(|_| "the name of the process to run cannot be read".to_owned())?;
    Ok((
        Some(name.to_owned()),
        decoder
            .input()
            .get(decoder.position()..)
            .unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(names: &[&'static str]) -> Vec<Process> {
        let process = |name: &&'static str| Process {
            name,
            entry: |_| Ok(Ok(())),
        };
        names.iter().map(process).collect()
    }

    fn chosen(names: &[&'static str], name: Option<&str>) -> Result<&'static str, String> {
        choose(component(names), name).map(|process| process.name)
    }

    #[test]
    fn one_process_needs_no_choice() {
        assert_eq!(chosen(&["a"], None), Ok("a"));
        assert_eq!(chosen(&["a"], Some("a")), Ok("a"));
    }

    #[test]
    fn several_processes_are_chosen_by_name() {
        assert_eq!(chosen(&["a", "b"], Some("a")), Ok("a"));
        assert_eq!(chosen(&["a", "b"], Some("b")), Ok("b"));
    }

    #[test]
    fn a_choice_that_fits_none_or_several_is_an_error() {
        for (names, name, error) in [
            (
                &["a", "b"][..],
                None,
                "no process of this component was chosen; it has `a`, `b`",
            ),
            (
                &["a", "b"],
                Some("c"),
                "this component has no process `c`; it has `a`, `b`",
            ),
            (
                &["a"],
                Some("c"),
                "this component has no process `c`; it has `a`",
            ),
            (
                &["a", "a"],
                Some("a"),
                "several processes of this component are called `a`; it has `a`, `a`",
            ),
        ] {
            assert_eq!(chosen(names, name), Err(error.to_owned()));
        }
        assert!(chosen(&[], None).is_err_and(|error| error.contains("no process")));
    }

    #[test]
    fn a_choice_comes_before_the_arguments() {
        let map = b"\xa1\x61a\x07";
        assert_eq!(split_choice(map), Ok((None, &map[..])));
        assert_eq!(split_choice(b""), Ok((None, &b""[..])));
        let chosen = [b"\x82\x66filter", &map[..]].concat();
        assert_eq!(split_choice(&chosen), Ok((Some("filter".into()), &map[..])));
        assert!(split_choice(b"\x82\x07\xa0").is_err());
        assert!(split_choice(b"\x82\x66fil").is_err());
    }
}
