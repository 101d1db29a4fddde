//! `transputer:csp/channel`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use transputer_abi::handles::{BarrierHandle, ReceiverHandle, SenderHandle};
use transputer_core::channel::{self as core, ChannelError};
use transputer_core::scheduler::keep_woken;
use transputer_core::{ChannelId, Options, Overflow};

use super::batch::packed_alone;
use super::cause::wit_cause;
use super::parking::Parking;
use super::patience::given_back;
use super::wit_error;
use crate::limits::{CHANNEL, OpenChannel};
use crate::message::{Bytes, Carried, End, Message, Receiver, Sender};
use crate::network::ends_in_transit::send_ends;
use crate::network::event::{Event, Level};
use crate::process::ProcessState;
use crate::text::Text;
use transputer_abi::HostCalls as _;
use transputer_abi::bindings::transputer::csp::channel as wit;

/// From this size, a message is better read on the worker where it was written.
const LARGE: usize = 64 << 10;

/// How many bytes move from one worker's cache to another's in a nanosecond.
const BROUGHT_OVER: u64 = 4;

/// The longest time for which idle workers leave a task alone because of what lies in a cache.
const LONGEST_KEPT: Duration = Duration::from_millis(1);

/// The characters of a channel's name that are kept.
const NAME: usize = 64;

/// The largest capacity that a guest may ask for.
const CAPACITY: u32 = 1 << 20;

/// The name that a guest gave a channel, in one line.
fn short_name(name: &str) -> String {
    let printable = |char: char| if char.is_control() { ' ' } else { char };
    let name: String = name.chars().take(NAME).map(printable).collect();
    name.trim().to_owned()
}

pub(super) type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl ProcessState {
    /// Whether a message of this size is within the process's limit.
    pub(super) fn check_size(&self, size: usize) -> Result<(), wit::Error> {
        if size > self.process.spec.limits.message {
            return Err(wit::Error::TooLarge);
        }
        Ok(())
    }

    /// Makes the ends of a message this process's own.
    pub(super) fn adopt(&mut self, ends: Vec<End>) -> Vec<wit::End> {
        ends.into_iter()
            .map(|end| match end {
                End::Sender(sender) => wit::End::Sender(self.ends.add_sender(sender)),
                End::Receiver(receiver) => wit::End::Receiver(self.ends.add_receiver(receiver)),
                End::Barrier(barrier) => wit::End::Barrier(self.ends.add_barrier(barrier)),
            })
            .collect()
    }

    /// Makes a message that was received at this channel the process's own. If it carries more ends than
    /// the process has room for, it goes back to the channel.
    ///
    /// # Errors
    /// Without memory for a copy, if one is to be kept.
    pub(super) fn accept(
        &mut self,
        mut message: Message,
        channel: Option<ChannelId>,
        receiver: impl Fn(&Self) -> Option<Receiver>,
    ) -> Answer<wit::Message> {
        let ends = message.ends.len();
        if self.ends.room_for(ends).is_err() || self.ends.cover(ends, &mut self.memory).is_err() {
            if let Some(receiver) = receiver(self) {
                receiver.put_back(message);
            }
            return Ok(Err(wit::Error::Overloaded));
        }
        let ends = self.adopt(message.take_ends());
        if let Some(channel) = channel.filter(|_| self.is_watched()) {
            message = self.note_message(channel, message, &ends)?;
        }
        let bytes = message.into_inner().bytes.into_vec();
        Ok(Ok(wit::Message { bytes, ends }))
    }

    /// Collects ends that a guest gives away.
    pub(super) fn give_away(&mut self, ends: Vec<wit::End>) -> wasmtime::Result<Vec<End>> {
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
    /// A guest gets an error without a text, so the log names the total that was reached, once.
    ///
    /// # Errors
    /// Without memory for it.
    pub(super) fn count_channel(&mut self) -> wasmtime::Result<Option<Arc<OpenChannel>>> {
        let charge = self.memory.charge(CHANNEL)?;
        Ok(match OpenChannel::of_process(&self.open_channels, charge) {
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
        })
    }

    /// What a guest is told about a send.
    pub(super) fn sent(
        &self,
        sender: &Sender,
        size: usize,
        sent: Result<(), impl Into<ChannelError>>,
    ) -> Result<(), wit::Error> {
        let sent = sent.map_err(Into::into);
        self.note_send(sender, size, sent.as_ref().err());
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
        received: Result<Message, impl Into<ChannelError>>,
    ) -> Answer<Bytes> {
        match received {
            Ok(mut message) if message.ends.is_empty() => {
                self.note_receive(receiver, Ok(&message));
                if self.is_watched() {
                    message = self.note_message(receiver.id(), message, &[])?;
                }
                Ok(Ok(message.into_inner().bytes))
            }
            unfit => Ok(Err(self.unfit(receiver, unfit.map_err(Into::into)))),
        }
    }

    /// A message that may carry ends, which become this process's.
    pub(super) fn with_ends(
        &mut self,
        receiver: &Receiver,
        received: Result<Message, ChannelError>,
    ) -> Answer<wit::Message> {
        self.note_receive(receiver, received.as_ref());
        let channel = receiver.id();
        let accepted = match received {
            Ok(message) => self.accept(message, Some(channel), |state| {
                Some(receiver.clone_for(state.ends.holder()))
            })?,
            Err(error) => Err(wit_error(&error)),
        };
        if accepted.is_err() && self.is_watched() {
            self.note_nothing(channel);
        }
        Ok(accepted)
    }

    /// What a guest is told instead of a message, which goes back to the channel if it has ends.
    #[cold]
    fn unfit(&self, receiver: &Receiver, received: Result<Message, ChannelError>) -> wit::Error {
        if self.is_watched() {
            self.note_nothing(receiver.id());
        }
        match received {
            Ok(message) => {
                receiver.put_back(message);
                wit::Error::CarriesEnds
            }
            Err(error) => {
                self.note_receive(receiver, Err(&error));
                wit_error(&error)
            }
        }
    }
}

impl wit::Host for ProcessState {
    fn open_barrier(&mut self) -> Answer<BarrierHandle> {
        self.open_barrier()
    }

    async fn send_small(&mut self, sender: u32, message: wit::Small) -> Answer<()> {
        self.send_small(sender, message).await
    }

    async fn send_some(&mut self, sender: u32, packed: Vec<u8>) -> wasmtime::Result<wit::Sent> {
        self.send_some_from(sender, &packed).await
    }

    async fn receive_some(&mut self, receiver: u32, most: u32) -> Answer<wit::Received> {
        self.receive_some(receiver, most).await
    }

    fn open(&mut self, options: wit::Options) -> Answer<(SenderHandle, ReceiverHandle)> {
        self.open_channel(options, None)
    }

    fn open_named(
        &mut self,
        options: wit::Options,
        name: String,
    ) -> Answer<(SenderHandle, ReceiverHandle)> {
        self.open_channel(options, Some(&name))
    }
}

impl ProcessState {
    fn open_channel(
        &mut self,
        options: wit::Options,
        name: Option<&str>,
    ) -> Answer<(SenderHandle, ReceiverHandle)> {
        if options.capacity > CAPACITY {
            return Ok(Err(wit::Error::TooLarge));
        }
        if self.ends.room_for(2).is_err() {
            return Ok(Err(wit::Error::Overloaded));
        }
        self.ends.cover(2, &mut self.memory)?;
        let overflow = match options.overflow {
            wit::Overflow::Block => Overflow::Block,
            wit::Overflow::DropOldest => Overflow::DropOldest,
            wit::Overflow::DropNewest => Overflow::DropNewest,
        };
        let Some(open) = self.count_channel()? else {
            return Ok(Err(wit::Error::Overloaded));
        };
        self.opened += 1;
        let process = &self.process.name;
        let label = match name.map(short_name).filter(|name| !name.is_empty()) {
            Some(name) => format!("{process}'s {name}"),
            None => format!("channel {} of {process}", self.opened),
        };
        self.trace(|| format!("opens `{label}`"));
        let capacity = options.capacity as usize;
        let options = Options::bounded(capacity).overflow(overflow);
        let options = self.network.counted(options, &label, open);
        let (sender, receiver) = core::channel::<Message>(options);
        self.network.register_channel(&sender);
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
        self.close_dropped();
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
        self.close_dropped();
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
        self.close_dropped();
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
        self.close_dropped();
        let size = message.len();
        let ends = Carried::given(self.give_away(ends)?, &self.process);
        let message = self.memory.message_with_ends(message, ends)?;
        let refused = match self.check_size(size) {
            Err(error) => Some((error, message)),
            Ok(()) => {
                let wait = self.how_long(patience);
                let sender = self.ends.sender(&this)?;
                let owner = self.ends.holder();
                let send = |message| wait.send(sender, message);
                let sending = send_ends(sender, message, owner, send, given_back);
                let sent = self.process.operate(sending).await;
                self.network.ends_sent(&mut self.pace).await;
                self.note_send(sender, size, sent.as_ref().err().map(|(_, error)| error));
                sent.err()
                    .map(|(message, error)| (wit_error(&error), message))
            }
        };
        Ok(match refused {
            None => Ok(()),
            Some((error, mut message)) => Err(wit::Refused {
                error,
                ends: self.adopt(message.take_ends()),
            }),
        })
    }

    fn clone(&mut self, this: SenderHandle) -> wasmtime::Result<SenderHandle> {
        self.ends.room_for(1)?;
        self.ends.cover(1, &mut self.memory)?;
        let sender = self.ends.sender(&this)?.clone_for(self.ends.holder());
        Ok(self.ends.add_sender(sender))
    }

    fn close(&mut self, this: SenderHandle) -> wasmtime::Result<()> {
        drop(self.ends.take_sender(&this)?);
        Ok(())
    }

    fn poison(&mut self, this: SenderHandle, reason: String) -> wasmtime::Result<()> {
        let sender = self.ends.sender(&this)?;
        sender.poison(self.memory.poison(Text::new(reason))?);
        Ok(())
    }

    fn reason(&mut self, this: SenderHandle) -> wasmtime::Result<Option<String>> {
        let poison = self.ends.sender(&this)?.poisoned();
        Ok(poison.map(|poison| poison.reason.to_string()))
    }

    fn cause(&mut self, this: SenderHandle) -> wasmtime::Result<Option<wit::Cause>> {
        Ok(self.ends.sender(&this)?.poisoned().map(wit_cause))
    }

    fn statistics(&mut self, this: SenderHandle) -> wasmtime::Result<wit::Statistics> {
        Ok(statistics(self.ends.sender(&this)?.statistics()))
    }

    fn drop(&mut self, this: SenderHandle) -> wasmtime::Result<()> {
        let sender = self.ends.take_sender(&this)?;
        self.drop_end(End::Sender(sender));
        Ok(())
    }
}

impl wit::HostReceiver for ProcessState {
    async fn receive(&mut self, this: ReceiverHandle) -> Answer<Vec<u8>> {
        self.close_dropped();
        let receiver = self.ends.receiver(&this)?;
        let receive = receiver.receive();
        let received = Parking::receiving(&self.process, receiver.id(), receive).await;
        Ok(self.plain(receiver, received)?.map(Bytes::into_vec))
    }

    fn number(&mut self, this: ReceiverHandle) -> wasmtime::Result<u32> {
        self.ends.receiver(&this)?;
        Ok(this.rep())
    }

    fn try_receive(&mut self, this: ReceiverHandle) -> Answer<Vec<u8>> {
        let receiver = self.ends.receiver(&this)?;
        let received = receiver.try_receive();
        Ok(self.plain(receiver, received)?.map(Bytes::into_vec))
    }

    async fn receive_by(&mut self, this: ReceiverHandle, deadline: u64) -> Answer<Vec<u8>> {
        let deadline = self.sleep_until(deadline);
        self.close_dropped();
        let receiver = self.ends.receiver(&this)?;
        let receive = receiver.receive_by(deadline);
        let received = Parking::receiving(&self.process, receiver.id(), receive).await;
        Ok(self.plain(receiver, received)?.map(Bytes::into_vec))
    }

    async fn receive_batch(
        &mut self,
        this: ReceiverHandle,
        most: u32,
        patience: wit::Patience,
    ) -> Answer<Vec<u8>> {
        let wait = self.how_long(patience);
        self.close_dropped();
        let receiver = self.ends.receiver(&this)?;
        let received = {
            let receive = pin!(wait.receive(receiver));
            Parking::receiving(&self.process, receiver.id(), receive).await
        };
        Ok(self.plain(receiver, received)?.map(|first| {
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
        self.close_dropped();
        let receiver = self.ends.receiver(&this)?;
        let received = {
            let receive = pin!(wait.receive(receiver));
            Parking::receiving(&self.process, receiver.id(), receive).await
        };
        let receiver = receiver.clone();
        self.with_ends(&receiver, received)
    }

    fn clone(&mut self, this: ReceiverHandle) -> wasmtime::Result<ReceiverHandle> {
        self.ends.room_for(1)?;
        self.ends.cover(1, &mut self.memory)?;
        let receiver = self.ends.receiver(&this)?.clone_for(self.ends.holder());
        Ok(self.ends.add_receiver(receiver))
    }

    fn close(&mut self, this: ReceiverHandle) -> wasmtime::Result<()> {
        drop(self.ends.take_receiver(&this)?);
        Ok(())
    }

    fn poison(&mut self, this: ReceiverHandle, reason: String) -> wasmtime::Result<()> {
        let receiver = self.ends.receiver(&this)?;
        receiver.poison(self.memory.poison(Text::new(reason))?);
        Ok(())
    }

    fn reason(&mut self, this: ReceiverHandle) -> wasmtime::Result<Option<String>> {
        let poison = self.ends.receiver(&this)?.poisoned();
        Ok(poison.map(|poison| poison.reason.to_string()))
    }

    fn cause(&mut self, this: ReceiverHandle) -> wasmtime::Result<Option<wit::Cause>> {
        Ok(self.ends.receiver(&this)?.poisoned().map(wit_cause))
    }

    fn statistics(&mut self, this: ReceiverHandle) -> wasmtime::Result<wit::Statistics> {
        Ok(statistics(self.ends.receiver(&this)?.statistics()))
    }

    fn drop(&mut self, this: ReceiverHandle) -> wasmtime::Result<()> {
        let receiver = self.ends.take_receiver(&this)?;
        self.drop_end(End::Receiver(receiver));
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
