//! `transputer:csp/channel`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use transputer_abi::handles::{BarrierHandle, ReceiverHandle, SenderHandle};
use transputer_core::channel::{self as core, ChannelError, Poison, PoisonKind};
use transputer_core::scheduler::keep_woken;
use transputer_core::{Options, Overflow};

use super::batch::packed_alone;
use super::parking::Parking;
use super::wit_error;
use crate::limits::OpenChannel;
use crate::message::{Bytes, Carried, End, Message, Receiver, Sender};
use crate::network::ends_in_transit::send_ends;
use crate::network::event::{Event, Level};
use crate::process::ProcessState;
use transputer_abi::bindings::transputer::csp::channel as wit;

/// The longest reason for poison that is kept.
const REASON: usize = 4 << 10;

/// From this many bytes on a message is better read where it was written.
const LARGE: usize = 64 << 10;

/// Bytes that come from one worker's cache to another's in a nanosecond.
const BROUGHT_OVER: u64 = 4;

/// No worker is kept from its work for longer than that for what lies in a cache.
const LONGEST_KEPT: Duration = Duration::from_millis(1);

/// The largest capacity that a guest may ask for.
const CAPACITY: u32 = 1 << 20;

pub(super) type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl ProcessState {
    /// Whether a message of this size is within the process's limit.
    pub(super) fn check_size(&self, size: usize) -> Result<(), wit::Error> {
        if size > self.settings.limits.message {
            return Err(wit::Error::TooLarge);
        }
        Ok(())
    }

    /// Takes the ends of a message in, which are this process's from now on.
    pub(super) fn adopt(&mut self, ends: Vec<End>) -> Vec<wit::End> {
        ends.into_iter()
            .map(|end| match end {
                End::Sender(sender) => wit::End::Sender(self.ends.add_sender(sender)),
                End::Receiver(receiver) => wit::End::Receiver(self.ends.add_receiver(receiver)),
                End::Barrier(barrier) => wit::End::Barrier(self.ends.add_barrier(barrier)),
            })
            .collect()
    }

    /// Takes a message in that this process has received. If it carries more ends than the
    /// process has room for, it goes back to the channel.
    pub(super) fn accept(
        &mut self,
        message: Message,
        receiver: impl Fn(&Self) -> Option<Receiver>,
    ) -> Result<wit::Message, wit::Error> {
        if self.ends.room_for(message.ends.len()).is_err() {
            if let Some(receiver) = receiver(self) {
                receiver.put_back(message);
            }
            return Err(wit::Error::Overloaded);
        }
        Ok(wit::Message {
            bytes: message.bytes.into_vec(),
            ends: self.adopt(message.ends.take()),
        })
    }

    /// Collects ends that a guest gives away.
    fn give_away(&mut self, ends: Vec<wit::End>) -> wasmtime::Result<Vec<End>> {
        let mut given = Vec::with_capacity(ends.len());
        for end in ends {
            given.push(match end {
                wit::End::Sender(sender) => End::Sender(self.ends.take_sender(&sender)?),
                wit::End::Receiver(receiver) => End::Receiver(self.ends.take_receiver(&receiver)?),
                wit::End::Barrier(barrier) => End::Barrier(self.ends.take_barrier(&barrier)?),
            });
        }
        Ok(given)
    }
}

impl ProcessState {
    /// One more channel or barrier of this process, if it may open one.
    ///
    /// A guest gets an error without words, so that a total is named in the log, once.
    pub(super) fn count_channel(&mut self) -> Option<Arc<OpenChannel>> {
        let most = self.settings.limits.channels;
        match OpenChannel::of_process(&self.open_channels, most, &self.network.totals) {
            Ok(open) => Some(open),
            Err(overrun) => {
                if !std::mem::replace(&mut self.told_of_channels, true) {
                    self.network.tell(Event::Log {
                        process: self.process.name.to_string(),
                        level: Level::Warn,
                        line: format!("cannot open a channel: {overrun}"),
                    });
                }
                None
            }
        }
    }

    /// What a guest is told of a send.
    pub(super) fn sent(
        &self,
        sender: &Sender,
        size: usize,
        sent: Result<(), core::SendError<Message>>,
    ) -> Result<(), wit::Error> {
        self.told_sent(sender, size, sent.map_err(|refused| refused.error))
    }

    /// The same.
    pub(super) fn told_sent(
        &self,
        sender: &Sender,
        size: usize,
        sent: Result<(), ChannelError>,
    ) -> Result<(), wit::Error> {
        self.trace_send(sender, size, sent.as_ref().err());
        // Where a channel holds many, its sender goes on, and its reader had better do so as well.
        if size >= LARGE && sent.is_ok() && sender.capacity() <= 1 {
            keep_woken(Duration::from_nanos(size as u64 / BROUGHT_OVER).min(LONGEST_KEPT));
        }
        sent.map_err(|error| wit_error(&error))
    }

    /// The bytes of a message without ends; one with ends goes back to the channel.
    #[inline(always)]
    pub(super) fn plain(
        &self,
        receiver: &Receiver,
        received: Result<Message, ChannelError>,
    ) -> Result<Bytes, wit::Error> {
        match received {
            Ok(message) if message.ends.is_empty() => {
                if self.is_watched() {
                    self.note_received(receiver.id(), Some(&message.bytes));
                }
                self.trace_receive(receiver, Ok(message.bytes.len()));
                Ok(message.bytes)
            }
            unfit => Err(self.unfit(receiver, unfit)),
        }
    }

    /// What a guest is told instead of a message, which goes back to the channel if it has ends.
    #[cold]
    fn unfit(&self, receiver: &Receiver, received: Result<Message, ChannelError>) -> wit::Error {
        if self.is_watched() {
            self.note_received(receiver.id(), None);
        }
        match received {
            Ok(message) => {
                receiver.put_back(message);
                wit::Error::CarriesEnds
            }
            Err(error) => {
                self.trace_receive(receiver, Err(&error));
                wit_error(&error)
            }
        }
    }
}

/// The poison that a guest asks for.
pub(super) fn poison_with(reason: String) -> Poison {
    Poison::new(PoisonKind::Poisoned, cut(reason, REASON))
}

impl wit::Host for ProcessState {
    fn open_barrier(&mut self) -> Answer<BarrierHandle> {
        Ok(self.open_barrier())
    }

    async fn send_small(&mut self, sender: u32, message: wit::Small) -> Answer<()> {
        self.send_small(sender, message).await
    }

    async fn send_some(&mut self, sender: u32, packed: Vec<u8>) -> wasmtime::Result<wit::Sent> {
        let patience = wit::Patience::Forever;
        self.send_packed(sender, &packed, patience).await
    }

    async fn receive_some(&mut self, receiver: u32, most: u32) -> Answer<wit::Received> {
        Ok(self.receive_some(receiver, most).await)
    }

    fn open(&mut self, options: wit::Options) -> Answer<(SenderHandle, ReceiverHandle)> {
        if options.capacity > CAPACITY {
            return Ok(Err(wit::Error::TooLarge));
        }
        if self.ends.room_for(2).is_err() {
            return Ok(Err(wit::Error::Overloaded));
        }
        let overflow = match options.overflow {
            wit::Overflow::Block => Overflow::Block,
            wit::Overflow::DropOldest => Overflow::DropOldest,
            wit::Overflow::DropNewest => Overflow::DropNewest,
        };
        let Some(open) = self.count_channel() else {
            return Ok(Err(wit::Error::Overloaded));
        };
        self.opened += 1;
        let label = format!("channel {} of {}", self.opened, self.process.name);
        self.trace(|| format!("opens `{label}`"));
        let capacity = options.capacity as usize;
        let options = Options::bounded(capacity).overflow(overflow);
        let options = self.network.counted(options, &label, open);
        let (sender, receiver) = core::channel::<Message>(options);
        self.network.watch_channel(&sender);
        Ok(Ok((
            self.ends.add_sender(sender),
            self.ends.add_receiver(receiver),
        )))
    }
}

impl wit::HostSender for ProcessState {
    async fn send(&mut self, this: SenderHandle, message: Vec<u8>) -> Answer<()> {
        if let Err(error) = self.check_size(message.len()) {
            return Ok(Err(error));
        }
        self.settle();
        let size = message.len();
        let sender = self.ends.sender(&this)?;
        let message = self.memory.message(sender, message)?;
        let sent = Parking::sending(&self.process, sender.send(message)).await;
        Ok(self.sent(sender, size, sent))
    }

    fn number(&mut self, this: SenderHandle) -> wasmtime::Result<u32> {
        self.ends.sender(&this)?;
        Ok(this.rep())
    }

    fn try_send(&mut self, this: SenderHandle, message: Vec<u8>) -> Answer<()> {
        if let Err(error) = self.check_size(message.len()) {
            return Ok(Err(error));
        }
        let size = message.len();
        let sender = self.ends.sender(&this)?;
        let sent = sender.try_send(self.memory.message(sender, message)?);
        Ok(self.sent(sender, size, sent))
    }

    async fn send_by(&mut self, this: SenderHandle, message: Vec<u8>, deadline: u64) -> Answer<()> {
        if let Err(error) = self.check_size(message.len()) {
            return Ok(Err(error));
        }
        self.settle();
        let deadline = self.sleep_until(deadline);
        let size = message.len();
        let sender = self.ends.sender(&this)?;
        let message = self.memory.message(sender, message)?;
        let send = sender.send_by(message, deadline);
        let sent = self.process.operate(send).await;
        Ok(self.sent(sender, size, sent))
    }

    async fn send_batch(
        &mut self,
        this: SenderHandle,
        packed: Vec<u8>,
        patience: wit::Patience,
    ) -> wasmtime::Result<(u32, Option<wit::Error>)> {
        self.settle();
        self.ends.sender(&this)?;
        let sent = self.send_packed(this.rep(), &packed, patience).await?;
        Ok((sent.count, sent.error))
    }

    async fn send_ends(
        &mut self,
        this: SenderHandle,
        message: Vec<u8>,
        ends: Vec<wit::End>,
        patience: wit::Patience,
    ) -> wasmtime::Result<Result<(), wit::Refused>> {
        self.settle();
        let mut message = Message {
            ends: Carried::given(self.give_away(ends)?, &self.process),
            ..Message::new(message)
        };
        let refused = match self.check_size(message.bytes.len()) {
            Err(error) => Some((error, message)),
            Ok(()) => {
                let wait = self.how_long(patience);
                let sender = self.ends.sender(&this)?;
                let size = message.bytes.len();
                self.memory.count(sender, &mut message)?;
                let owner = self.ends.holder();
                let send = |message| wait.send(sender, message);
                let sending = send_ends(sender, message, owner, send);
                let sent = self.process.operate(sending).await;
                self.network.ends_sent();
                self.trace_send(
                    sender,
                    size,
                    sent.as_ref().err().map(|refused| &refused.error),
                );
                sent.err()
                    .map(|refused| (wit_error(&refused.error), refused.message))
            }
        };
        Ok(match refused {
            None => Ok(()),
            Some((error, message)) => Err(wit::Refused {
                error,
                ends: self.adopt(message.ends.take()),
            }),
        })
    }

    fn clone(&mut self, this: SenderHandle) -> wasmtime::Result<SenderHandle> {
        self.ends.room_for(1)?;
        let sender = self.ends.sender(&this)?.clone_for(self.ends.holder());
        Ok(self.ends.add_sender(sender))
    }

    fn close(&mut self, this: SenderHandle) -> wasmtime::Result<()> {
        drop(self.ends.take_sender(&this)?);
        Ok(())
    }

    fn poison(&mut self, this: SenderHandle, reason: String) -> wasmtime::Result<()> {
        let poison = poison_with(reason);
        self.ends.sender(&this)?.poison(poison);
        Ok(())
    }

    fn reason(&mut self, this: SenderHandle) -> wasmtime::Result<Option<String>> {
        let poison = self.ends.sender(&this)?.poisoned();
        Ok(poison.map(|poison| poison.reason.to_string()))
    }

    fn statistics(&mut self, this: SenderHandle) -> wasmtime::Result<wit::Statistics> {
        Ok(statistics(self.ends.sender(&this)?.statistics()))
    }

    fn drop(&mut self, this: SenderHandle) -> wasmtime::Result<()> {
        let sender = self.ends.take_sender(&this)?;
        self.close_dropped(End::Sender(sender));
        Ok(())
    }
}

impl wit::HostReceiver for ProcessState {
    async fn receive(&mut self, this: ReceiverHandle) -> Answer<Vec<u8>> {
        self.settle();
        let receiver = self.ends.receiver(&this)?;
        let receive = receiver.receive();
        let received = Parking::receiving(&self.process, receiver.id(), receive).await;
        Ok(self.plain(receiver, received).map(Bytes::into_vec))
    }

    fn number(&mut self, this: ReceiverHandle) -> wasmtime::Result<u32> {
        self.ends.receiver(&this)?;
        Ok(this.rep())
    }

    fn try_receive(&mut self, this: ReceiverHandle) -> Answer<Vec<u8>> {
        let receiver = self.ends.receiver(&this)?;
        let received = receiver.try_receive();
        Ok(self.plain(receiver, received).map(Bytes::into_vec))
    }

    async fn receive_by(&mut self, this: ReceiverHandle, deadline: u64) -> Answer<Vec<u8>> {
        let deadline = self.sleep_until(deadline);
        self.settle();
        let receiver = self.ends.receiver(&this)?;
        let receive = receiver.receive_by(deadline);
        let received = Parking::receiving(&self.process, receiver.id(), receive).await;
        Ok(self.plain(receiver, received).map(Bytes::into_vec))
    }

    async fn receive_batch(
        &mut self,
        this: ReceiverHandle,
        most: u32,
        patience: wit::Patience,
    ) -> Answer<Vec<u8>> {
        let wait = self.how_long(patience);
        self.settle();
        let receiver = self.ends.receiver(&this)?;
        let received = {
            let receive = pin!(wait.receive(receiver));
            Parking::receiving(&self.process, receiver.id(), receive).await
        };
        Ok(self.plain(receiver, received).map(|first| {
            let batch = self.batch_behind(receiver, &first, most);
            batch.unwrap_or_else(|| packed_alone(&first))
        }))
    }

    async fn receive_ends(
        &mut self,
        this: ReceiverHandle,
        patience: wit::Patience,
    ) -> Answer<wit::Message> {
        let wait = self.how_long(patience);
        self.settle();
        let receiver = self.ends.receiver(&this)?;
        let received = {
            let receive = pin!(wait.receive(receiver));
            Parking::receiving(&self.process, receiver.id(), receive).await
        };
        self.trace_receive(
            receiver,
            received.as_ref().map(|message| message.bytes.len()),
        );
        let channel = receiver.id();
        let accepted = match received {
            Ok(message) => self.accept(message, |state| {
                let receiver = state.ends.receiver(&this).ok()?;
                Some(receiver.clone_for(state.ends.holder()))
            }),
            Err(error) => Err(wit_error(&error)),
        };
        if self.is_watched() {
            match &accepted {
                Ok(message) => self.note_message(channel, message),
                Err(_) => self.note_received(channel, None),
            }
        }
        Ok(accepted)
    }

    fn clone(&mut self, this: ReceiverHandle) -> wasmtime::Result<ReceiverHandle> {
        self.ends.room_for(1)?;
        let receiver = self.ends.receiver(&this)?.clone_for(self.ends.holder());
        Ok(self.ends.add_receiver(receiver))
    }

    fn close(&mut self, this: ReceiverHandle) -> wasmtime::Result<()> {
        drop(self.ends.take_receiver(&this)?);
        Ok(())
    }

    fn poison(&mut self, this: ReceiverHandle, reason: String) -> wasmtime::Result<()> {
        let poison = poison_with(reason);
        self.ends.receiver(&this)?.poison(poison);
        Ok(())
    }

    fn reason(&mut self, this: ReceiverHandle) -> wasmtime::Result<Option<String>> {
        let poison = self.ends.receiver(&this)?.poisoned();
        Ok(poison.map(|poison| poison.reason.to_string()))
    }

    fn statistics(&mut self, this: ReceiverHandle) -> wasmtime::Result<wit::Statistics> {
        Ok(statistics(self.ends.receiver(&this)?.statistics()))
    }

    fn drop(&mut self, this: ReceiverHandle) -> wasmtime::Result<()> {
        let receiver = self.ends.take_receiver(&this)?;
        self.close_dropped(End::Receiver(receiver));
        Ok(())
    }
}

fn statistics(seen: core::Statistics) -> wit::Statistics {
    wit::Statistics {
        sent: seen.sent,
        received: seen.received,
        dropped: seen.dropped,
        waiting: u32::try_from(seen.waiting).unwrap_or(u32::MAX),
    }
}

/// The first `most` bytes of a text, cut at a character.
pub(super) fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}
