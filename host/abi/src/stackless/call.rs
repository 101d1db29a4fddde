//! The calls of a stackless process that may have to wait, and what comes of them.

use crate::HostCalls;
use crate::bindings::transputer::csp::channel::{self, Patience};
use crate::bindings::transputer::csp::{alternation, process};
use crate::canonical::DONE;
use crate::handles::{BarrierHandle, ChildHandle, PreparedHandle, ReceiverHandle, SenderHandle};
use crate::link::give;

/// One call, with its arguments. What each does is what the function of that name does.
#[derive(Debug)]
#[allow(
    missing_docs,
    reason = "they are the functions of `wit/` and their parameters"
)]
pub enum Call<'a> {
    SendSmall {
        sender: u32,
        message: channel::Small,
    },
    /// The batch lies in the guest's memory, and will not once the call waits.
    SendSome {
        sender: u32,
        packed: &'a [u8],
    },
    ReceiveSome {
        receiver: u32,
        most: u32,
    },
    SenderSend {
        this: SenderHandle,
        message: Vec<u8>,
    },
    SenderSendBy {
        this: SenderHandle,
        message: Vec<u8>,
        deadline: u64,
    },
    SenderSendBatch {
        this: SenderHandle,
        packed: Vec<u8>,
        patience: Patience,
    },
    SenderSendEnds {
        this: SenderHandle,
        message: Vec<u8>,
        ends: Vec<channel::End>,
        patience: Patience,
    },
    ReceiverReceive {
        this: ReceiverHandle,
    },
    ReceiverReceiveBy {
        this: ReceiverHandle,
        deadline: u64,
    },
    ReceiverReceiveBatch {
        this: ReceiverHandle,
        most: u32,
        patience: Patience,
    },
    ReceiverReceiveEnds {
        this: ReceiverHandle,
        patience: Patience,
    },
    BarrierSync {
        this: BarrierHandle,
        patience: Patience,
    },
    Select {
        guards: Vec<alternation::Guard>,
        order: alternation::Order,
    },
    PreparedWait {
        this: PreparedHandle,
        enabled: Option<Vec<u32>>,
        offers: Vec<(u32, Vec<u8>)>,
        patience: Patience,
    },
    Spawn {
        component: String,
        name: Option<String>,
        args: Vec<u8>,
        inputs: Vec<(String, ReceiverHandle)>,
        outputs: Vec<(String, SenderHandle)>,
    },
    SpawnPatiently {
        component: String,
        name: Option<String>,
        args: Vec<u8>,
        inputs: Vec<(String, ReceiverHandle)>,
        outputs: Vec<(String, SenderHandle)>,
        patience: Patience,
    },
    SleepUntil {
        deadline: u64,
    },
    YieldNow,
    ChildWait {
        this: ChildHandle,
        patience: Patience,
    },
    ChildKill {
        this: ChildHandle,
        reason: String,
    },
}

/// What comes of a call: its result, by its type.
#[derive(Debug)]
pub enum Answer {
    /// Of a function without a result.
    Nothing,
    /// Whether something was sent, or has happened.
    Done(Result<(), channel::Error>),
    /// A message, or a packed batch.
    Bytes(Result<Vec<u8>, channel::Error>),
    /// Of `receive-some`.
    Some(Result<channel::Received, channel::Error>),
    /// Of `send-some`.
    Sent(channel::Sent),
    /// Of `send-batch`.
    Batch((u32, Option<channel::Error>)),
    /// Of `send-ends`.
    Ends(Result<(), channel::Refused>),
    /// A message with its ends.
    Message(Result<channel::Message, channel::Error>),
    /// Of an alternation.
    Chosen(Result<alternation::Chosen, channel::Error>),
    /// A child.
    Spawned(Result<crate::handles::ChildHandle, process::SpawnRefused>),
    /// How a process ended, if it did in time.
    Ended(Option<channel::Outcome>),
}

/// A call that was begun.
#[derive(Debug)]
pub enum Begun<O> {
    /// It did not have to wait.
    Done(Answer),
    /// It waits.
    Waits(O),
}

impl Answer {
    /// Gives it to the guest, at the address that came with the call. Returns what the guest is to
    /// allocate first.
    pub(super) fn give<T: HostCalls>(
        self,
        host: &mut T,
        memory: &mut [u8],
        to: u32,
    ) -> wasmtime::Result<u64> {
        match self {
            Self::Nothing => Ok(DONE),
            Self::Done(answer) => give(host, memory, to, answer),
            Self::Bytes(answer) => give(host, memory, to, answer),
            Self::Some(answer) => give(host, memory, to, answer),
            Self::Sent(answer) => give(host, memory, to, answer),
            Self::Batch(answer) => give(host, memory, to, answer),
            Self::Ends(answer) => give(host, memory, to, answer),
            Self::Message(answer) => give(host, memory, to, answer),
            Self::Chosen(answer) => give(host, memory, to, answer),
            Self::Spawned(answer) => give(host, memory, to, answer),
            Self::Ended(answer) => give(host, memory, to, answer),
        }
    }
}
