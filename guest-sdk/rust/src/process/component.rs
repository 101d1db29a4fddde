//! The component: the processes it has, and the one that the host chose to run.
//!
//! Every `#[process]` function leaves a constructor, which registers it. The first in a crate leaves the
//! export `run` as well, once for all of them, in the form that it has itself; that runs the constructors,
//! then the process that the host asks for.

#[cfg(target_family = "wasm")]
use std::cell::RefCell;
#[cfg(not(target_family = "wasm"))]
use std::sync::{Mutex, PoisonError};

use crate::bindings::{Receiver as RawReceiver, Sender as RawSender};

use super::start::{Start, report_panics, run_process};
use crate::stackless::{Main, exit, list, start};

/// What takes the arguments and ports of a process, and runs it.
pub(super) type Entry = fn(&mut Start) -> Result<Result<(), String>, String>;

/// The same for one that is an async function: its future.
type StacklessEntry = fn(&mut Start) -> Result<Main, String>;

#[derive(Clone, Copy)]
struct Process {
    name: &'static str,
    entry: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Blocking(Entry),
    Stackless(StacklessEntry),
}

#[cfg(target_family = "wasm")]
thread_local! {
    /// The processes of this component; empty once one of them runs.
    static PROCESSES: RefCell<Vec<Process>> = const { RefCell::new(Vec::new()) };
}

/// The processes of this program.
#[cfg(not(target_family = "wasm"))]
static PROCESSES: Mutex<Vec<Process>> = Mutex::new(Vec::new());

/// Adds a process to this component.
pub fn register(name: &'static str, entry: Entry) {
    add(name, Form::Blocking(entry));
}

/// Adds a process that is an async function.
pub fn register_stackless(name: &'static str, entry: StacklessEntry) {
    add(name, Form::Stackless(entry));
}

fn add(name: &'static str, entry: Form) {
    let process = Process { name, entry };
    #[cfg(target_family = "wasm")]
    PROCESSES.with_borrow_mut(|processes| processes.push(process));
    #[cfg(not(target_family = "wasm"))]
    PROCESSES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(process);
}

/// All that were added.
fn processes() -> Vec<Process> {
    #[cfg(target_family = "wasm")]
    let processes = PROCESSES.take();
    #[cfg(not(target_family = "wasm"))]
    let processes = PROCESSES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    processes
}

fn mixed(name: &str) -> String {
    format!(
        "the processes of this component are not all async functions, or not all others: `{name}` \
         is of another form than the first"
    )
}

/// What the export `run` does, of a component whose processes are async functions: all lists by address
/// and length.
pub fn run_stackless(arguments: [u32; 2], inputs: [u32; 2], outputs: [u32; 2]) -> u32 {
    run_constructors();
    report_panics();
    let arguments: Vec<u8> = list(arguments[0], arguments[1]);
    match begin(&arguments, ports(inputs), ports(outputs)) {
        Ok(main) => start(main),
        Err(text) => exit(Err(text)),
    }
}

fn begin(
    arguments: &[u8],
    inputs: Vec<(String, u32)>,
    outputs: Vec<(String, u32)>,
) -> Result<Main, String> {
    let (name, arguments) = split_choice(arguments)?;
    let Process { name, entry } = choose(processes(), name.as_deref())?;
    let Form::Stackless(entry) = entry else {
        return Err(mixed(name));
    };
    #[allow(unsafe_code)]
    // SAFETY: the host gives each handle once, and it is this process's from now on.
    let (inputs, outputs) = unsafe {
        let inputs = inputs.into_iter();
        let outputs = outputs.into_iter();
        (
            inputs.map(|(port, end)| (port, RawReceiver::from_handle(end))),
            outputs.map(|(port, end)| (port, RawSender::from_handle(end))),
        )
    };
    let begun = Start::new(arguments, inputs.collect(), outputs.collect())
        .and_then(|mut start| entry(&mut start));
    begun.map_err(|misfit| format!("process `{name}`: {misfit}"))
}

/// Ports by name, as the host gives them.
fn ports(at: [u32; 2]) -> Vec<(String, u32)> {
    let ports: Vec<[u32; 3]> = list(at[0], at[1]);
    let ports = ports.into_iter().map(|[name, length, handle]| {
        let name = String::from_utf8_lossy(&list(name, length)).into_owned();
        (name, handle)
    });
    ports.collect()
}

/// What the export `run` does.
#[cfg(target_family = "wasm")]
fn run(
    arguments: &[u8],
    inputs: Vec<(String, RawReceiver)>,
    outputs: Vec<(String, RawSender)>,
) -> Result<(), String> {
    run_constructors();
    let (name, arguments) = split_choice(arguments)?;
    let Process { name, entry } = choose(processes(), name.as_deref())?;
    let Form::Blocking(entry) = entry else {
        return Err(mixed(name));
    };
    run_process(name, entry, arguments, inputs, outputs)
}

/// Runs a process in a test.
#[cfg(not(target_family = "wasm"))]
pub(crate) type Run = Box<
    dyn FnOnce(&[u8], Vec<(String, RawReceiver)>, Vec<(String, RawSender)>) -> Result<(), String>
        + Send,
>;

/// What runs the process of this name in a test; which there are, if there is none.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn run_here(name: &str) -> Result<Run, String> {
    let Process { name, entry } = choose(processes(), Some(name))?;
    match entry {
        Form::Blocking(entry) => Ok(Box::new(move |arguments, inputs, outputs| {
            run_process(name, entry, arguments, inputs, outputs)
        })),
        Form::Stackless(_) => Err(format!(
            "`{name}` is an async function, which needs a host: only others run in a test"
        )),
    }
}

/// What a component exports whose processes block.
#[derive(Debug)]
pub struct Component;

#[cfg(target_family = "wasm")]
impl crate::bindings::Guest for Component {
    fn run(
        arguments: Vec<u8>,
        inputs: Vec<(String, RawReceiver)>,
        outputs: Vec<(String, RawSender)>,
    ) -> Result<(), String> {
        run(&arguments, inputs, outputs)
    }
}

/// Runs the constructors: those that register processes, and those of linked C code, say. Called once,
/// since a component runs once.
fn run_constructors() {
    #[cfg(target_family = "wasm")]
    #[allow(unsafe_code)]
    {
        unsafe extern "C" {
            /// Made by the linker. Unless something calls it, the linker has every export call it.
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
            entry: Form::Blocking(|_| Ok(Ok(()))),
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
