//! The core's channels, barriers and choices for processes that are threads of this program, as tests have them: what
//! `transputer.backend.memory` is made of.
//!
//! Every operation that may wait is an [`Operation`], which that backend polls and parks: it knows the threads, and
//! so who is stuck.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use transputer_core::{
    Alternation, ChannelError, Clock, Guard, Holder, Options, Order, Outcome, Overflow, Payload,
    Poison, PoisonKind, Sleep, Statistics, TryReceiveError,
};

use crate::errors::{channel_error, exception};

/// A message, and the ends that go with it, which are objects of the backend's.
pub(crate) struct Message {
    bytes: Vec<u8>,
    ends: Vec<Py<PyAny>>,
}

impl Payload for Message {
    type Batch = VecDeque<Self>;

    fn size(&self) -> usize {
        self.bytes.len()
    }
}

type CoreSender = transputer_core::Sender<Message>;
type CoreReceiver = transputer_core::Receiver<Message>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sending end.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct MemorySender(Mutex<Option<Arc<CoreSender>>>);

/// A receiving end.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct MemoryReceiver(Mutex<Option<Arc<CoreReceiver>>>);

/// A membership of a barrier.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct MemoryBarrier(Mutex<Option<Arc<transputer_core::Barrier>>>);

/// The end, unless it is closed.
fn open<T>(end: &Mutex<Option<Arc<T>>>) -> Result<Arc<T>, ChannelError> {
    lock(end).clone().ok_or(ChannelError::Closed)
}

/// Messages sent, received, dropped, waiting.
type Numbers = (u64, u64, u64, usize);

fn numbers(seen: &Statistics) -> Numbers {
    (seen.sent, seen.received, seen.dropped, seen.waiting)
}

/// Opens a channel; `overflow` is 0 to block, 1 to drop the oldest, else the newest.
#[pyfunction]
pub(crate) fn open_channel(capacity: usize, overflow: u8) -> (MemorySender, MemoryReceiver) {
    let overflow = match overflow {
        0 => Overflow::Block,
        1 => Overflow::DropOldest,
        _ => Overflow::DropNewest,
    };
    let options = Options::bounded(capacity).overflow(overflow);
    let (sender, receiver) = transputer_core::channel(options);
    (
        MemorySender(Mutex::new(Some(Arc::new(sender)))),
        MemoryReceiver(Mutex::new(Some(Arc::new(receiver)))),
    )
}

/// Opens a barrier, and is its first membership.
#[pyfunction]
pub(crate) fn open_barrier() -> MemoryBarrier {
    MemoryBarrier(Mutex::new(Some(Arc::new(transputer_core::Barrier::new(
        "",
    )))))
}

/// A poison as the backend gives it: how the class of the error is called, and the reason.
fn poison(kind: &str, reason: &str) -> Poison {
    let kind = match kind {
        "PeerFailed" => PoisonKind::PeerFailed,
        "PeerKilled" => PoisonKind::PeerKilled,
        "PeerTrapped" => PoisonKind::PeerTrapped,
        "Deadlock" => PoisonKind::Deadlock,
        _ => PoisonKind::Poisoned,
    };
    Poison::new(kind, reason)
}

/// What an operation has come to.
enum Done {
    /// It was sent, or all have arrived.
    Went,
    Received(Message),
    /// The guard, and what it has received, or how its channel has ended.
    Chose(usize, Result<Option<Message>, ChannelError>),
    /// The next message has ends, and was not asked for with them.
    HasEnds,
}

type Running = Pin<Box<dyn Future<Output = Result<Done, ChannelError>> + Send>>;

/// Something that may have to wait, under way.
#[pyclass(frozen, module = "transputer._host")]
pub(crate) struct Operation {
    running: Mutex<Option<Running>>,
    /// It has one tick, at which patience has run out. So a delivery that came first still wins.
    patience: Clock,
    signal: Arc<Signal>,
}

/// What wakes the thread that waits.
#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    told: Condvar,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *lock(&self.woken) = true;
        self.told.notify_all();
    }
}

impl Operation {
    const TICK: Duration = Duration::from_nanos(1);

    fn new<F>(begin: impl FnOnce(Sleep) -> F) -> Self
    where
        F: Future<Output = Result<Done, ChannelError>> + Send + 'static,
    {
        let patience = Clock::manual();
        let running = Box::pin(begin(patience.sleep(Self::TICK)));
        Self {
            running: Mutex::new(Some(running)),
            patience,
            signal: Arc::default(),
        }
    }

    /// One that has failed before it began.
    fn failed(error: ChannelError) -> Self {
        Self::new(|_| async { Err(error) })
    }
}

type Told<'py> = Option<Bound<'py, PyAny>>;

#[pymethods]
impl Operation {
    /// What it has come to, if it has: `True`, a message and its ends, or a guard with those and an error. Raises its error.
    fn poll<'py>(&self, py: Python<'py>) -> PyResult<Told<'py>> {
        *lock(&self.signal.woken) = false;
        let waker = Waker::from(Arc::clone(&self.signal));
        let mut running = lock(&self.running);
        let polled = match &mut *running {
            Some(operation) => operation.as_mut().poll(&mut Context::from_waker(&waker)),
            None => Poll::Ready(Err(ChannelError::Closed)),
        };
        let Poll::Ready(done) = polled else {
            return Ok(None);
        };
        *running = None;
        drop(running);
        let told = match done.map_err(|error| channel_error(py, &error))? {
            Done::Went => true.into_pyobject(py)?.to_owned().into_any(),
            Done::Received(message) => object(py, message)?.into_any(),
            Done::HasEnds => return Err(exception(py, "CarriesEnds", None)),
            Done::Chose(guard, outcome) => {
                let (message, error) = match outcome {
                    Ok(message) => (message.map(|it| object(py, it)).transpose()?, None),
                    Err(error) => (None, Some(channel_error(py, &error).into_value(py))),
                };
                (guard, message, error).into_pyobject(py)?.into_any()
            }
        };
        Ok(Some(told))
    }

    /// Waits until it may have come to something, without the interpreter, but no longer than this.
    fn park(&self, py: Python<'_>, seconds: f64) {
        let most = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let signal = &self.signal;
        py.detach(|| {
            let woken = lock(&signal.woken);
            drop(signal.told.wait_timeout_while(woken, most, |woken| !*woken));
        });
    }

    /// Has its thread look again.
    fn wake(&self) {
        self.signal.wake_by_ref();
    }

    /// Whether something has happened since it was polled.
    fn is_woken(&self) -> bool {
        *lock(&self.signal.woken)
    }

    /// Patience has run out: the next poll is the last.
    fn expire(&self) {
        self.patience.advance(Self::TICK);
    }
}

/// A message as the backend has it.
fn object(py: Python<'_>, message: Message) -> PyResult<Bound<'_, PyTuple>> {
    let ends = PyTuple::new(py, message.ends)?;
    (PyBytes::new(py, &message.bytes), ends).into_pyobject(py)
}

#[pymethods]
impl MemorySender {
    /// Sends if that needs no waiting; whether it has.
    fn try_send(&self, py: Python<'_>, bytes: Vec<u8>, ends: Vec<Py<PyAny>>) -> PyResult<bool> {
        let sent = open(&self.0).and_then(|sender| {
            let sent = sender.try_send(Message { bytes, ends });
            sent.map_err(ChannelError::from)
        });
        match sent {
            Ok(()) => Ok(true),
            Err(ChannelError::WouldBlock) => Ok(false),
            Err(error) => Err(channel_error(py, &error)),
        }
    }

    fn send(&self, bytes: Vec<u8>, ends: Vec<Py<PyAny>>) -> Operation {
        let sender = match open(&self.0) {
            Ok(sender) => sender,
            Err(error) => return Operation::failed(error),
        };
        Operation::new(|deadline| async move {
            let sent = sender.send_by(Message { bytes, ends }, deadline).await;
            sent.map(|()| Done::Went).map_err(ChannelError::from)
        })
    }

    fn duplicate(&self) -> Self {
        let end = open(&self.0).ok();
        Self(Mutex::new(
            end.map(|end| Arc::new(end.clone_for(Holder::Host))),
        ))
    }

    fn close(&self) {
        drop(lock(&self.0).take());
    }

    fn poison(&self, kind: &str, reason: &str) {
        if let Ok(sender) = open(&self.0) {
            sender.poison(poison(kind, reason));
        }
    }

    fn poisoned(&self) -> Option<String> {
        let poison = open(&self.0).ok()?.poisoned()?;
        Some(poison.reason.to_string())
    }

    fn statistics(&self) -> Numbers {
        open(&self.0).map_or((0, 0, 0, 0), |end| numbers(&end.statistics()))
    }
}

#[pymethods]
impl MemoryReceiver {
    /// A message and its ends, if there is one.
    fn try_receive<'py>(
        &self,
        py: Python<'py>,
        with_ends: bool,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let got = open(&self.0).and_then(|receiver| match receiver.try_receive() {
            Ok(message) => Ok(Some(whole(&receiver, message, with_ends))),
            Err(TryReceiveError::Empty) => Ok(None),
            Err(error) => Err(error.into()),
        });
        match got.map_err(|error| channel_error(py, &error))? {
            None => Ok(None),
            Some(Done::Received(message)) => object(py, message).map(Some),
            Some(_) => Err(exception(py, "CarriesEnds", None)),
        }
    }

    fn receive(&self, with_ends: bool) -> Operation {
        let receiver = match open(&self.0) {
            Ok(receiver) => receiver,
            Err(error) => return Operation::failed(error),
        };
        Operation::new(|deadline| async move {
            let message = receiver.receive_by(deadline).await?;
            Ok(whole(&receiver, message, with_ends))
        })
    }

    /// Whether the channel has no other receiver.
    fn is_alone(&self) -> bool {
        open(&self.0).is_ok_and(|receiver| receiver.is_sole())
    }

    fn duplicate(&self) -> Self {
        let end = open(&self.0).ok();
        Self(Mutex::new(
            end.map(|end| Arc::new(end.clone_for(Holder::Host))),
        ))
    }

    fn close(&self) {
        drop(lock(&self.0).take());
    }

    fn poison(&self, kind: &str, reason: &str) {
        if let Ok(receiver) = open(&self.0) {
            receiver.poison(poison(kind, reason));
        }
    }

    fn poisoned(&self) -> Option<String> {
        let poison = open(&self.0).ok()?.poisoned()?;
        Some(poison.reason.to_string())
    }

    fn statistics(&self) -> Numbers {
        open(&self.0).map_or((0, 0, 0, 0), |end| numbers(&end.statistics()))
    }
}

/// The message, unless it has ends that were not asked for: then it goes back.
fn whole(receiver: &CoreReceiver, message: Message, with_ends: bool) -> Done {
    if message.ends.is_empty() || with_ends {
        return Done::Received(message);
    }
    receiver.put_back(message);
    Done::HasEnds
}

#[pymethods]
impl MemoryBarrier {
    fn enrol(&self) -> Self {
        let barrier = open(&self.0).ok();
        Self(Mutex::new(
            barrier.map(|barrier| Arc::new(barrier.enrol_for(Holder::Host))),
        ))
    }

    fn sync(&self) -> Operation {
        let barrier = match open(&self.0) {
            Ok(barrier) => barrier,
            Err(error) => return Operation::failed(error),
        };
        Operation::new(|deadline| async move {
            barrier.sync_by(deadline).await?;
            Ok(Done::Went)
        })
    }

    fn members(&self) -> usize {
        open(&self.0).map_or(0, |barrier| barrier.members())
    }

    fn close(&self) {
        drop(lock(&self.0).take());
    }

    fn poison(&self, kind: &str, reason: &str) {
        if let Ok(barrier) = open(&self.0) {
            barrier.poison(poison(kind, reason));
        }
    }

    fn poisoned(&self) -> Option<String> {
        let poison = open(&self.0).ok()?.poisoned()?;
        Some(poison.reason.to_string())
    }
}

/// A guard as Python gives it: a receiver, or a sender and its message.
#[derive(FromPyObject)]
pub(crate) enum GivenGuard<'py> {
    Receive(Bound<'py, MemoryReceiver>),
    Send(Bound<'py, MemorySender>, Vec<u8>),
}

enum Owned {
    Receive(Arc<CoreReceiver>),
    Send(Arc<CoreSender>, Vec<u8>),
}

/// Chooses among guards.
#[pyfunction]
pub(crate) fn choose(guards: Vec<GivenGuard<'_>>, fair: bool) -> Operation {
    let owned = guards.into_iter().map(|guard| match guard {
        GivenGuard::Receive(receiver) => open(&receiver.get().0).map(Owned::Receive),
        GivenGuard::Send(sender, message) => Ok(Owned::Send(open(&sender.get().0)?, message)),
    });
    let mut owned: Vec<_> = match owned.collect() {
        Ok(owned) => owned,
        Err(error) => return Operation::failed(error),
    };
    let order = if fair { Order::Fair } else { Order::Priority };
    Operation::new(|deadline| async move {
        let guards = owned.iter_mut().map(|end| match end {
            Owned::Receive(receiver) => Guard::Receive(receiver),
            Owned::Send(sender, bytes) => {
                let bytes = std::mem::take(bytes);
                Guard::Send(
                    sender,
                    Message {
                        bytes,
                        ends: Vec::new(),
                    },
                )
            }
        });
        let guards = guards.chain([Guard::After(deadline)]).collect();
        let chosen = Alternation::new(order).wait(guards).await;
        let outcome = match chosen.outcome {
            Outcome::Received(message) => Ok(Some(message)),
            Outcome::Sent => Ok(None),
            Outcome::Failed(error) => Err(error.into()),
            Outcome::Elapsed | Outcome::Skipped => return Err(ChannelError::TimedOut),
        };
        Ok(Done::Chose(chosen.guard, outcome))
    })
}
