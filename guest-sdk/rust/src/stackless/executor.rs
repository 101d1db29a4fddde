//! Runs the tasks of a process: its function, and what it spawns.
//!
//! A component's instance is one process and has one thread, so all of this is in thread-local
//! variables. A task is woken by its number, and wakers are numbers, so that none is allocated. A call that
//! waits has a place here, by the number of its subtask: who is to be woken, and whether it is done.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use super::raw::{self, BITS};

/// What a process's function comes to.
pub type Main = Pin<Box<dyn Future<Output = Result<(), String>>>>;

type Local = Pin<Box<dyn Future<Output = ()>>>;

/// What `run` and its callback return.
const EXIT: u32 = 0;
const WAIT: u32 = 2;

/// The event that is about a subtask.
const SUBTASK: u32 = 1;

/// The number of the process's function among the tasks.
const MAIN: usize = 0;

thread_local! {
    /// Taken while it runs.
    static FUNCTION: Cell<Option<Main>> = const { Cell::new(None) };
    /// The tasks that it has spawned, from number 1 on; nothing where one has ended, or runs.
    static LOCALS: RefCell<Vec<Option<Local>>> = const { RefCell::new(Vec::new()) };
    /// Numbers that can be used again.
    static FREE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// Whether the process's function is woken, which needs no list.
    static MAIN_READY: Cell<bool> = const { Cell::new(false) };
    /// The others that are woken, in order.
    static READY: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// The calls that wait, by the places that the numbers of their subtasks stand for.
    static CALLS: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
    static WAITING: Cell<usize> = const { Cell::new(0) };
    /// The set in which the process waits, once it has.
    static SET: Cell<u32> = const { Cell::new(0) };
}

enum Place {
    Free,
    Waits(Waker),
    Done,
}

/// The host counts places in steps of this.
const STEP: u32 = 8;

fn place(subtask: u32) -> usize {
    (subtask / STEP) as usize
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(
    |task| RawWaker::new(task, &VTABLE),
    |task| wake(task as usize),
    |task| wake(task as usize),
    |_| {},
);

fn waker(task: usize) -> Waker {
    let task = std::ptr::without_provenance(task);
    // SAFETY: the functions of the table take what is a number for one, and a component has one thread.
    unsafe { Waker::from_raw(RawWaker::new(task, &VTABLE)) }
}

fn wake(task: usize) {
    if task == MAIN {
        MAIN_READY.set(true);
        return;
    }
    READY.with_borrow_mut(|ready| {
        if !ready.contains(&task) {
            ready.push(task);
        }
    });
}

/// Adds a task.
pub(super) fn spawn(task: Local) {
    let free = FREE.with_borrow_mut(Vec::pop);
    let number = LOCALS.with_borrow_mut(|locals| match free {
        Some(number) => {
            locals[number - 1] = Some(task);
            number
        }
        None => {
            locals.push(Some(task));
            locals.len()
        }
    });
    wake(number);
}

/// Has a call that waits wake this waker when it is done.
pub(super) fn wait(subtask: u32, waker: &Waker) {
    let set = match SET.get() {
        // SAFETY: it takes nothing.
        0 => unsafe { raw::set_new() },
        set => set,
    };
    SET.set(set);
    // SAFETY: both are numbers that the host has given.
    unsafe { raw::join(subtask, set) };
    WAITING.set(WAITING.get() + 1);
    CALLS.with_borrow_mut(|calls| {
        let place = place(subtask);
        while calls.len() <= place {
            calls.push(Place::Free);
        }
        calls[place] = Place::Waits(waker.clone());
    });
}

/// Whether a call is done; if so, its subtask is gone. Otherwise it wakes this waker.
pub(super) fn is_done(subtask: u32, waker: &Waker) -> bool {
    CALLS.with_borrow_mut(|calls| {
        let Some(place) = calls.get_mut(place(subtask)) else {
            return false;
        };
        match place {
            Place::Done => {
                *place = Place::Free;
                true
            }
            Place::Waits(same) => {
                if !same.will_wake(waker) {
                    *same = waker.clone();
                }
                false
            }
            Place::Free => false,
        }
    })
}

/// Gives up a call that waits. Whether it is done all the same.
pub(super) fn give_up(subtask: u32) -> bool {
    let done = CALLS.with_borrow_mut(|calls| {
        let place = calls.get_mut(place(subtask));
        let before = place.map(|place| std::mem::replace(place, Place::Free));
        matches!(before, Some(Place::Done))
    });
    if done {
        return true;
    }
    WAITING.set(WAITING.get() - 1);
    // SAFETY: the subtask waits, as its place has shown; the host writes where the call said, which is
    // there as long as the call is.
    unsafe {
        let state = raw::subtask_cancel(subtask);
        raw::subtask_drop(subtask);
        state == raw::RETURNED
    }
}

/// Begins with the process's function.
pub(crate) fn start(function: Main) -> u32 {
    FUNCTION.set(Some(function));
    MAIN_READY.set(true);
    run()
}

/// Goes on after an event.
pub fn call_back(event: u32, subtask: u32) -> u32 {
    if event == SUBTASK {
        // SAFETY: the host has just told that it is done.
        unsafe { raw::subtask_drop(subtask) };
        WAITING.set(WAITING.get() - 1);
        let done = CALLS.with_borrow_mut(|calls| {
            let place = calls.get_mut(place(subtask))?;
            Some(std::mem::replace(place, Place::Done))
        });
        if let Some(Place::Waits(waker)) = done {
            waker.wake();
        }
    }
    run()
}

/// Runs all tasks that are woken, until none is or the process's function has ended.
fn run() -> u32 {
    loop {
        if MAIN_READY.replace(false)
            && let Some(result) = poll_function()
        {
            return exit(result);
        }
        let next = READY.with_borrow_mut(|ready| match ready.is_empty() {
            true => None,
            false => Some(ready.remove(0)),
        });
        match next {
            Some(task) => poll_local(task),
            None if MAIN_READY.get() => {}
            None => break,
        }
    }
    if WAITING.get() == 0 {
        let text = "every task of the process waits for something in the process itself";
        return exit(Err(text.to_owned()));
    }
    WAIT | SET.get() << BITS
}

fn poll_function() -> Option<Result<(), String>> {
    let mut function = FUNCTION.take()?;
    let waker = waker(MAIN);
    match function.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => {
            FUNCTION.set(Some(function));
            None
        }
    }
}

fn poll_local(number: usize) {
    let task = LOCALS.with_borrow_mut(|locals| locals.get_mut(number - 1)?.take());
    let Some(mut task) = task else { return };
    let waker = waker(number);
    if task
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_ready()
    {
        drop(task);
        FREE.with_borrow_mut(|free| free.push(number));
        return;
    }
    LOCALS.with_borrow_mut(|locals| locals[number - 1] = Some(task));
}

/// Ends the process: with its function, its tasks end.
pub(crate) fn exit(result: Result<(), String>) -> u32 {
    drop(LOCALS.take());
    let result = crate::process::end_stackless(result);
    let (case, text) = match &result {
        Ok(()) => (0, ""),
        Err(text) => (1, text.as_str()),
    };
    // SAFETY: the text is there until the call is over.
    unsafe { raw::task_return(case, text.as_ptr(), text.len()) };
    EXIT
}
