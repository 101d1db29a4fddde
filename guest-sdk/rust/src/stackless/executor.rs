//! Runs the tasks of a process: its function, and what it spawns.
//!
//! A component's instance is one process and has one thread, so all of this is in thread-local
//! variables. A task is woken by its number, and wakers are numbers, so that none is allocated. A call that
//! waits is found here by the number of its subtask.

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
    /// The calls that wait, by the places that the numbers of their subtasks stand for; null for none.
    static CALLS: RefCell<Vec<*const Waiting>> = const { RefCell::new(Vec::new()) };
    static WAITING: Cell<usize> = const { Cell::new(0) };
    /// The set in which the process waits, once it has.
    static SET: Cell<u32> = const { Cell::new(0) };
    /// Whether calls are in that set without having joined it, and leave it when they are done.
    static IS_OWN_SET: Cell<bool> = const { Cell::new(false) };
}

/// What is known of a call that waits: a part of it, which is pinned meanwhile.
pub(super) struct Waiting {
    waker: Cell<Option<Waker>>,
    done: Cell<bool>,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Waiting {
            waker: Cell::new(None),
            done: Cell::new(false),
        }
    }

    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.done.get()
    }

    /// Has it wake this waker.
    #[inline]
    pub(super) fn set_waker(&self, waker: &Waker) {
        let same = self.waker.take().filter(|same| same.will_wake(waker));
        self.waker.set(Some(same.unwrap_or_else(|| waker.clone())));
    }

    fn finish(&self) {
        self.done.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
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

/// Has a call that waits be told when it is done.
///
/// # Safety
///
/// It stays where it is until it is done, or is given up.
pub(super) unsafe fn wait(subtask: u32, call: *const Waiting) {
    // One that began before there was a set is not in it yet.
    let began_before = SET.get() == 0;
    if began_before {
        make_set();
    }
    if began_before || !IS_OWN_SET.get() {
        // SAFETY: both are numbers that the host has given.
        unsafe { raw::join(subtask, SET.get()) };
    }
    WAITING.set(WAITING.get() + 1);
    CALLS.with_borrow_mut(|calls| {
        let place = place(subtask);
        match calls.get_mut(place) {
            Some(free) => *free = call,
            None => {
                calls.resize(place, std::ptr::null());
                calls.push(call);
            }
        }
    });
}

#[cold]
fn make_set() {
    // SAFETY: they take nothing.
    let own = unsafe { raw::own_set() };
    IS_OWN_SET.set(own != 0);
    SET.set(match own {
        // SAFETY: as above.
        0 => unsafe { raw::set_new() },
        own => own,
    });
}

/// Takes a call out that waits.
fn take(subtask: u32) -> *const Waiting {
    WAITING.set(WAITING.get() - 1);
    CALLS.with_borrow_mut(|calls| match calls.get_mut(place(subtask)) {
        Some(call) => std::mem::replace(call, std::ptr::null()),
        None => std::ptr::null(),
    })
}

/// Gives up a call that waits. Whether it is done all the same.
pub(super) fn give_up(subtask: u32) -> bool {
    take(subtask);
    // SAFETY: the subtask waits; the host writes where the call said, which is there as long as the call is.
    unsafe {
        let state = raw::subtask_cancel(subtask);
        if !IS_OWN_SET.get() {
            raw::subtask_drop(subtask);
        }
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
        if !IS_OWN_SET.get() {
            // SAFETY: the host has just told that it is done.
            unsafe { raw::subtask_drop(subtask) };
        }
        // SAFETY: who waits here is there until it is done, or given up.
        if let Some(call) = unsafe { take(subtask).as_ref() } {
            call.finish();
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
