//! Stackless processes: a core module whose `run` returns where it has to wait.
//!
//! The guest's `run` and its callback are called one turn at a time, and each says how it goes on: it
//! has ended, it lets others run, or it waits for a set of waitables (`tasks`). A call of the host's
//! that cannot be done at once is *begun*: the host keeps what waits in the process's own tables, and
//! when it is done, the next turn begins with what came of it. So a process that waits keeps nothing
//! but its memory and a place in a table for each call.

mod call;
mod tasks;
mod woken;

use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::task::{Context, Poll};

use wasmtime::{Memory, Result, Store, TypedFunc, WasmParams, bail};

pub use call::{Answer, Begun, Call};
pub(crate) use tasks::Tasks;

use crate::HostCalls;
use crate::canonical::DONE;
use crate::link::built_ins::write_event;
use crate::trampolines::STATUS;
use tasks::Told;

/// The states of a subtask that a guest is told.
pub(crate) const STARTED: u32 = 1;
pub(crate) const RETURNED: u32 = 2;
const CANCELLED: u32 = 4;

/// The kinds of event.
const NO_EVENT: u32 = 0;
pub(crate) const SUBTASK: u32 = 1;

/// What `run` and its callback return, in the lowest bits; above them the set to wait for.
const EXIT: u32 = 0;
const YIELD: u32 = 1;
const WAIT: u32 = 2;
const CODE_BITS: u32 = 4;

/// The tables of a stackless process.
pub(crate) fn tasks<T: HostCalls>(host: &mut T) -> Result<&mut Tasks<T::Operation>> {
    match &mut host.abi_mut().tasks {
        Some(tasks) => Ok(tasks),
        None => bail!("the guest is not a task"),
    }
}

/// Charges one more entry of the tables.
pub(crate) fn cover<T: HostCalls>(host: &mut T) -> Result<()> {
    let tasks = tasks(host)?;
    let (mut covered, grown) = (tasks.covered, tasks.grown());
    if grown > covered {
        host.cover_tasks(&mut covered, grown)?;
        self::tasks(host)?.covered = covered;
    }
    Ok(())
}

/// Begins a call whose answer goes to this address.
pub(crate) fn begin<T: HostCalls>(host: &mut T, to: u32, call: Call<'_>) -> Result<Started> {
    cover(host)?;
    let (place, waker) = tasks(host)?.reserve()?;
    let begun = host.begin(call, &waker);
    let tasks = tasks(host)?;
    match begun {
        Ok(Begun::Waits(operation)) => Ok(Started::Waits(tasks.wait(place, waker, operation, to)?)),
        Ok(Begun::Done(answer)) => {
            tasks.release(place, waker);
            Ok(Started::Done(answer))
        }
        Err(error) => {
            tasks.release(place, waker);
            Err(error)
        }
    }
}

/// What has become of a call that was begun.
pub(crate) enum Started {
    Done(Answer),
    /// By the number of its subtask.
    Waits(u32),
}

/// Tells the guest what has become of a call: what to allocate, or a status.
pub(crate) fn answer<T: HostCalls>(
    host: &mut T,
    memory: &mut [u8],
    to: u32,
    begun: Started,
) -> Result<u64> {
    match begun {
        Started::Done(answer) => answer.give(host, memory, to),
        Started::Waits(subtask) => Ok(STATUS | u64::from(subtask << CODE_BITS | STARTED)),
    }
}

/// Looks at the calls that wait and may be done. Returns the next end to be told of those in this set.
fn progress<T: HostCalls>(host: &mut T, set: u32) -> Result<Option<Told>> {
    let mut first = None;
    let woken = tasks(host)?.take_woken();
    for place in std::iter::once(0).chain(woken) {
        let Some((mut operation, waker)) = tasks(host)?.take_operation(place) else {
            continue;
        };
        let answer = host.resume(&mut operation, &waker)?;
        let tasks = tasks(host)?;
        match answer {
            Some(answer) if first.is_none() => {
                first = tasks.complete_for(set, place, waker, answer)?;
            }
            Some(answer) => tasks.complete(place, waker, answer),
            None => tasks.put_operation(place, waker, operation),
        }
    }
    match first {
        Some(first) => Ok(Some(first)),
        None => next_done(host, set),
    }
}

/// The next end to be told of the calls in this set that are known to be done.
fn next_done<T: HostCalls>(host: &mut T, set: u32) -> Result<Option<Told>> {
    let tasks = tasks(host)?;
    let next = tasks.next_of(set)?;
    next.map(|place| tasks.tell(place)).transpose()
}

fn tell<T: HostCalls>(host: &mut T, memory: &mut [u8], place: u32) -> Result<u64> {
    let Told { answer, to, .. } = tasks(host)?.tell(place)?;
    answer.give(host, memory, to)
}

/// What `waitable-set.poll` does.
pub(crate) fn poll<T: HostCalls>(
    host: &mut T,
    memory: &mut [u8],
    set: u32,
    to: u32,
) -> Result<u64> {
    let Some(told) = progress(host, set)? else {
        write_event(memory, to, (0, 0))?;
        return Ok(STATUS | u64::from(NO_EVENT));
    };
    write_event(memory, to, (told.number, RETURNED))?;
    told.answer.give(host, memory, told.to)
}

/// What `subtask.cancel` does: at once, in every case.
pub(crate) fn cancel<T: HostCalls>(host: &mut T, memory: &mut [u8], subtask: u32) -> Result<u64> {
    let (place, done) = tasks(host)?.to_cancel(subtask)?;
    if done {
        return tell(host, memory, place);
    }
    let Some((operation, waker)) = tasks(host)?.take_operation(place) else {
        bail!("subtask {subtask} does not wait");
    };
    match host.cancel(operation)? {
        Some(answer) => {
            tasks(host)?.complete(place, waker, answer);
            tell(host, memory, place)
        }
        None => {
            tasks(host)?.cancelled(place, waker);
            Ok(STATUS | u64::from(CANCELLED))
        }
    }
}

/// The functions by which a stackless instance is entered.
pub(crate) struct Turns {
    pub(crate) enter: TypedFunc<(), u32>,
    /// Takes what to allocate first, and the event that the callback is called with.
    pub(crate) turn: TypedFunc<(u64, u32, u32, u32), u32>,
    pub(crate) memory: Memory,
    /// Whether they can be called on a worker's own stack: whatever the instance imports waits in place.
    pub(crate) in_place: bool,
}

impl Turns {
    /// Runs the guest until its task has exited. Its arguments have been laid out.
    pub(crate) async fn run<T: HostCalls>(
        &self,
        store: &mut Store<T>,
    ) -> Result<Result<(), String>> {
        let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
        let state = store.data_mut().abi_mut();
        state.tasks = Some(Box::new(Tasks::new(waker)));
        // There are none yet.
        state.looked_at = true;
        let mut code = self.call(&self.enter, store, ()).await?;
        loop {
            let event = match (code & ((1 << CODE_BITS) - 1), code >> CODE_BITS) {
                (EXIT, 0) => break,
                (YIELD, 0) => {
                    let_others_run(store).await;
                    None
                }
                (WAIT, set) => {
                    Some(poll_fn(|context| wait_for(store.data_mut(), set, context)).await?)
                }
                _ => bail!("the guest's callback returned {code}, which means nothing"),
            };
            let arguments = match event {
                None => (DONE, NO_EVENT, 0, 0),
                Some(Told { number, answer, to }) => {
                    let (memory, host) = self.memory.data_and_store_mut(&mut *store);
                    (answer.give(host, memory, to)?, SUBTASK, number, RETURNED)
                }
            };
            code = self.call(&self.turn, store, arguments).await?;
        }
        match store.data_mut().abi_mut().result.take() {
            Some(result) => Ok(result),
            None => bail!("the guest's task has exited without a result"),
        }
    }

    /// Gives the guest a turn: on the worker's own stack, which costs a plain call, or where there
    /// is no thread to stand in for a worker that is kept, on a stack that can be suspended.
    async fn call<T: HostCalls, P: WasmParams + Sync>(
        &self,
        function: &TypedFunc<P, u32>,
        store: &mut Store<T>,
        arguments: P,
    ) -> Result<u32> {
        if !self.in_place || !store.data().may_run_in_place() {
            let code = function.call_async(&mut *store, arguments).await;
            // Another poll may have begun meanwhile.
            store.data_mut().abi_mut().looked_at = false;
            return code;
        }
        store.data_mut().abi_mut().in_place = true;
        let code = function.call(&mut *store, arguments);
        store.data_mut().abi_mut().in_place = false;
        code
    }
}

/// Waits until one of the calls in a set is done, whose end is told next.
fn wait_for<T: HostCalls>(host: &mut T, set: u32, context: &mut Context<'_>) -> Poll<Result<Told>> {
    match look(host, set, context) {
        Ok(Some(told)) => {
            host.goes_on();
            Poll::Ready(Ok(told))
        }
        Ok(None) => {
            host.parks();
            Poll::Pending
        }
        Err(error) => Poll::Ready(Err(error)),
    }
}

fn look<T: HostCalls>(host: &mut T, set: u32, context: &mut Context<'_>) -> Result<Option<Told>> {
    let is_same = tasks(host)?.set_waker(context.waker());
    // Those that have begun in this poll have its waker, as have those that were looked at in it: what is done since
    // then has called it, so that there is another poll.
    let looked_at = mem::take(&mut host.abi_mut().looked_at) && is_same;
    let told = match looked_at {
        true => next_done(host, set)?,
        false => progress(host, set)?,
    };
    match told {
        // The next turn is in the same poll.
        Some(_) => host.abi_mut().looked_at = true,
        None => tasks(host)?.check_waits(set)?,
    }
    Ok(told)
}

/// What comes of a call that waits in place, as long as the process may wait for it.
pub(crate) async fn while_it_stays<V>(
    stays: impl Fn() -> Result<()>,
    call: impl Future<Output = Result<V>>,
) -> Result<V> {
    let mut call = pin!(call);
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Pending => match stays() {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        },
        ready => ready,
    })
    .await
}

/// Returns once all who are ready have had a turn.
async fn let_others_run<T: HostCalls>(store: &mut Store<T>) {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        store.data_mut().abi_mut().looked_at = false;
        store.data_mut().lets_others_run();
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
