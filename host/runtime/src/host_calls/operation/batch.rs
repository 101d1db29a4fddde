//! A batch of which not all could be sent at once.

use std::sync::Arc;
use std::task::Context;

use transputer_abi::bindings::transputer::csp::channel as wit;
use transputer_abi::{Answer, Begun};
use transputer_core::channel::{self as core, ChannelError, OwnedSending, TrySendError};
use transputer_core::clock::Sleep;
use wasmtime::Result;

use super::{Kind, Operation, done, later, poll_send};
use crate::batch::Unpacked;
use crate::host_calls::batch::{AT_ONCE, BYTES_AT_ONCE, Charging};
use crate::message::{Message, Sender};
use crate::process::ProcessState;
use std::task::Waker;

/// What is left of a batch, and what has become of the rest.
pub(super) struct Batch {
    sender: Arc<Sender>,
    /// The messages behind the one that waits.
    rest: Vec<u8>,
    sending: Option<OwnedSending<Message>>,
    deadline: Option<Sleep>,
    /// Whether `send-batch` was called, and not `send-some`.
    by_handle: bool,
    progress: Progress,
}

#[derive(Default)]
struct Progress {
    count: usize,
    /// The size of the message that waits.
    size: usize,
    /// Whether the receiver waited for the first.
    awaited: Option<bool>,
    waiting: usize,
}

/// How far a step has come.
enum Step {
    Ended(Option<wit::Error>),
    /// There is more, and others should run first.
    Paused,
    /// The next message must wait.
    Waits(Message),
}

impl Progress {
    fn answer(&self, error: Option<wit::Error>, by_handle: bool) -> Answer {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        if by_handle {
            return Answer::Batch((count, error));
        }
        Answer::Sent(wit::Sent {
            count,
            error,
            waiting: match self.awaited {
                Some(true) => 0,
                _ => u32::try_from(self.waiting).unwrap_or(u32::MAX),
            },
        })
    }
}

impl Batch {
    /// Whether it goes on although nobody comes.
    pub(super) fn is_live(&self) -> bool {
        self.sending.is_none()
    }
}

impl ProcessState {
    pub(super) fn begin_batch(
        &mut self,
        sender: u32,
        packed: &[u8],
        patience: wit::Patience,
        by_handle: bool,
        waker: &Waker,
    ) -> Result<Begun<Operation>> {
        let mut progress = Progress::default();
        let Some(sender) = self.ends.sender_at(sender).cloned() else {
            return done(progress.answer(Some(wit::Error::Moved), by_handle));
        };
        // One that was longer has been cut at this length.
        if packed.len() >= self.process.spec.limits.batch_bytes() {
            return done(progress.answer(Some(wit::Error::TooLarge), by_handle));
        }
        let never = matches!(patience, wit::Patience::Never);
        let mut rest = packed;
        let sending = match self.send_step(&sender, &mut rest, &mut progress)? {
            Step::Ended(error) => return done(progress.answer(error, by_handle)),
            Step::Paused => {
                waker.wake_by_ref();
                None
            }
            Step::Waits(_) if never => {
                return done(progress.answer(Some(wit::Error::WouldBlock), by_handle));
            }
            Step::Waits(message) => {
                let timed = matches!(patience, wit::Patience::Until(_));
                match sender.begin_owned_send(message, timed, waker) {
                    core::Begun::Waits(sending) => Some(sending),
                    core::Begun::Done(sent) => {
                        let sent = sent.map_err(|refused| refused.into_parts().1);
                        if let Err(error) = self.count_sent(&sender, &mut progress, sent) {
                            return done(progress.answer(Some(error), by_handle));
                        }
                        waker.wake_by_ref();
                        None
                    }
                }
            }
        };
        let deadline = self.deadline(patience);
        let batch = Batch {
            sender,
            rest: rest.to_vec(),
            sending,
            deadline,
            by_handle,
            progress,
        };
        self.begin_kind(Kind::Batch(Box::new(batch)), waker)
    }

    pub(super) fn resume_batch(
        &mut self,
        batch: &mut Batch,
        context: &mut Context<'_>,
    ) -> Result<Option<Answer>> {
        let timed = batch.deadline.is_some();
        loop {
            if let Some(sending) = &mut batch.sending {
                let sent = poll_send(sending, &mut batch.deadline, context);
                let Some(sent) = sent else { return Ok(None) };
                batch.sending = None;
                if let Err(error) = self.count_sent(&batch.sender, &mut batch.progress, sent) {
                    return Ok(Some(batch.progress.answer(Some(error), batch.by_handle)));
                }
            }
            let rest = std::mem::take(&mut batch.rest);
            let mut left = &rest[..];
            let step = self.send_step(&batch.sender, &mut left, &mut batch.progress)?;
            let from = rest.len() - left.len();
            batch.rest = rest;
            batch.rest.drain(..from);
            match step {
                Step::Ended(error) => {
                    return Ok(Some(batch.progress.answer(error, batch.by_handle)));
                }
                Step::Paused => {
                    later(context);
                    return Ok(None);
                }
                Step::Waits(message) => {
                    match batch
                        .sender
                        .begin_owned_send(message, timed, context.waker())
                    {
                        core::Begun::Waits(sending) => batch.sending = Some(sending),
                        core::Begun::Done(sent) => {
                            let sent = sent.map_err(|refused| refused.into_parts().1);
                            let counted = self.count_sent(&batch.sender, &mut batch.progress, sent);
                            if let Err(error) = counted {
                                let answer = batch.progress.answer(Some(error), batch.by_handle);
                                return Ok(Some(answer));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Gives up the rest of a batch.
    pub(super) fn cancel_batch(&mut self, mut batch: Batch) -> Answer {
        let error = match batch.sending.as_mut().map(OwnedSending::time_out) {
            None => wit::Error::WouldBlock,
            Some(sent) => match self.count_sent(
                &batch.sender,
                &mut batch.progress,
                sent.map_err(|refused| refused.into_parts().1),
            ) {
                Ok(()) | Err(wit::Error::TimedOut) => wit::Error::WouldBlock,
                Err(error) => error,
            },
        };
        batch.progress.answer(Some(error), batch.by_handle)
    }

    /// Counts a message that had to wait.
    fn count_sent(
        &self,
        sender: &Sender,
        progress: &mut Progress,
        sent: Result<(), ChannelError>,
    ) -> Result<(), wit::Error> {
        self.sent(sender, progress.size, sent)?;
        progress.count += 1;
        Ok(())
    }

    /// Sends what can be sent without waiting, for a while.
    fn send_step(
        &mut self,
        sender: &Sender,
        packed: &mut &[u8],
        progress: &mut Progress,
    ) -> Result<Step> {
        let mut batch = Unpacked::new(packed, self.process.spec.limits.message);
        let at_once = if self.network.notes.any() { 1 } else { AT_ONCE };
        loop {
            let mut charged = Charging {
                batch: &mut batch,
                memory: &mut self.memory,
                sender,
                left: at_once,
                room: BYTES_AT_ONCE,
                overrun: None,
            };
            let some = sender.try_send_all(&mut charged);
            if let Some(overrun) = charged.overrun {
                return Err(overrun);
            }
            progress.count += some.sent;
            progress.awaited.get_or_insert(some.awaited);
            progress.waiting = some.waiting;
            progress.size = batch.last;
            self.note_batch_sent(sender, some.sent, batch.last);
            *packed = batch.rest;
            match some.result {
                Ok(()) if some.sent == 0 || batch.rest.is_empty() => {
                    return Ok(Step::Ended(batch.error));
                }
                Ok(()) if self.pace.is_over() => return Ok(Step::Paused),
                Ok(()) => {}
                Err(TrySendError::Full(message)) => return Ok(Step::Waits(message)),
                Err(refused) => {
                    let sent = self.sent(sender, batch.last, Err::<(), _>(refused));
                    return Ok(Step::Ended(sent.err()));
                }
            }
        }
    }
}
