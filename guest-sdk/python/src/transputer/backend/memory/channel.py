"""A channel in memory, where there is no core to make it of. Every method of `MemoryChannel` is called under the world's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import CarriesEnds, ChannelError, Closed, WouldBlock
from .. import Patience, RawReceiver, RawSender, RawStatistics
from .end import MemoryEnd
from .named import Named
from .world import Waiter, World, fresh

__all__ = ["MemoryChannel", "Offer"]

BLOCK, DROP_OLDEST, DROP_NEWEST = range(3)


class Message(NamedTuple):
    """What crosses a channel."""

    bytes: bytes
    ends: tuple[Any, ...] = ()


class Offer(NamedTuple):
    """A waiter in a channel's queue, with what it would send and its number among its guards."""

    waiter: Waiter
    message: Message | None
    guard: int = 0


class MemoryChannel(Named):
    """Messages that wait, and who waits for room or for messages; never both a message and a receiver."""

    def __init__(self, world: World, capacity: int, overflow: int, number: int) -> None:
        super().__init__(number)
        self.world = world
        self.capacity = capacity
        self.overflow = overflow if capacity else BLOCK
        self.buffer: deque[Message] = deque()
        self.senders: deque[Offer] = deque()
        self.receivers: deque[Offer] = deque()
        self.open_senders = 0
        self.open_receivers = 0
        self.poison: ChannelError | None = None
        self.sent = self.received = self.dropped = 0

    def ends(self) -> tuple[MemorySender, MemoryReceiver]:
        """The first two ends."""
        return MemorySender(self), MemoryReceiver(self)

    def try_send(self, message: Message, own: Waiter | None = None) -> bool:
        """Sends if that needs no waiting. Raises if the channel has ended."""
        if self.poison is not None:
            raise fresh(self.poison)
        if self.open_receivers == 0:
            raise Closed
        receiver = _next(self.receivers, own)
        if receiver is not None:
            self.sent += 1
            self.received += 1
            receiver.waiter.complete(self.world, (receiver.guard, message))
        elif len(self.buffer) < self.capacity:
            self.sent += 1
            self.buffer.append(message)
        elif self.overflow == BLOCK:
            return False
        else:
            self.sent += 1
            self.drop(message if self.overflow == DROP_NEWEST else self.buffer.popleft())
            if self.overflow == DROP_OLDEST:
                self.buffer.append(message)
        return True

    def try_receive(self, own: Waiter | None = None, with_ends: bool = True) -> Message | None:
        """Takes a message if there is one. Raises if the channel has ended."""
        if self.poison is not None:
            raise fresh(self.poison)
        if self.buffer:
            if self.buffer[0].ends and not with_ends:
                raise CarriesEnds
            message = self.buffer.popleft()
            self.received += 1
            sender = _next(self.senders, None)
            if sender is not None:
                assert sender.message is not None
                self.sent += 1
                self.buffer.append(sender.message)
                sender.waiter.complete(self.world, (sender.guard, None))
            return message
        sender = _next(self.senders, own, take=False)
        if sender is not None:
            assert sender.message is not None
            if sender.message.ends and not with_ends:
                raise CarriesEnds
            self.senders.remove(sender)
            self.sent += 1
            self.received += 1
            sender.waiter.complete(self.world, (sender.guard, None))
            return sender.message
        if self.open_senders == 0:
            raise Closed
        return None

    def drop(self, message: Message) -> None:
        """Drops and counts a message, and closes the ends in it."""
        self.dropped += 1
        for end in message.ends:
            end.release()

    def end(self, error: ChannelError, queue: deque[Offer]) -> None:
        """Tells all in a queue that the channel has ended."""
        while (offer := _next(queue, None)) is not None:
            offer.waiter.complete(self.world, (offer.guard, fresh(error)))

    def set_poison(self, error: ChannelError) -> None:
        """Ends the channel at once for both sides."""
        if self.poison is not None or (self.open_senders == 0 and self.open_receivers == 0):
            return
        self.poison = error
        self.drop_all()
        self.end(error, self.senders)
        self.end(error, self.receivers)

    def drop_all(self) -> None:
        """Drops what waits."""
        while self.buffer:
            self.drop(self.buffer.popleft())

    def sender_gone(self) -> None:
        self.open_senders -= 1
        if self.open_senders == 0 and not self.buffer:
            self.end(Closed(), self.receivers)

    def receiver_gone(self) -> None:
        self.open_receivers -= 1
        if self.open_receivers == 0:
            self.drop_all()
            self.end(Closed(), self.senders)


def _next(queue: deque[Offer], own: Waiter | None, take: bool = True) -> Offer | None:
    """The first offer that still stands; an alternation never communicates with itself."""
    while queue and queue[0].waiter.completed:
        queue.popleft()
    for offer in queue:
        if not offer.waiter.completed and offer.waiter is not own:
            if take:
                queue.remove(offer)
            return offer
    return None


class ChannelEnd(MemoryEnd[MemoryChannel]):
    """An end of a channel."""

    def statistics(self) -> RawStatistics:
        with self.world.lock:
            channel = self.channel
            return channel.sent, channel.received, channel.dropped, len(channel.buffer)


class MemorySender(ChannelEnd):
    """A sending end."""

    kind = "sender"

    def _count(self, change: int) -> None:
        if change > 0:
            self.channel.open_senders += 1
        else:
            self.channel.sender_gone()

    def send(self, message: bytes, patience: Patience) -> None:
        with self.world.lock:
            self.world.enter()
            self._send(Message(message), patience)

    def _send(self, message: Message, patience: Patience) -> None:
        channel = self.channel
        if channel.try_send(message):
            return
        waiter = Waiter(lambda: f"send to {channel.label}")
        offer = Offer(waiter, message)
        channel.senders.append(offer)
        _, error = self.world.wait(waiter, patience, lambda: _withdraw(channel.senders, offer))
        if error is not None:
            raise error

    def offer(self, message: bytes) -> None:
        self.channel.try_send(Message(message))

    def send_batch(self, messages: Sequence[bytes]) -> tuple[int, ChannelError | None]:
        for count, message in enumerate(messages):
            try:
                self.send(message, None)
            except ChannelError as error:
                return count, error
        return len(messages), None

    def send_ends(
        self, message: bytes, ends: list[Any], patience: Patience
    ) -> tuple[ChannelError, list[Any]] | None:
        with self.world.lock:
            process = self.world.enter()
            for end in ends:
                end.belongs_to(None)
            try:
                self._send(Message(message, tuple(ends)), patience)
            except ChannelError as error:
                for end in ends:
                    end.belongs_to(process)
                return error, ends
        return None

    def clone(self) -> RawSender:
        with self.world.lock:
            self.world.enter()
            return MemorySender(self.channel)


class MemoryReceiver(ChannelEnd):
    """A receiving end."""

    kind = "receiver"

    def _count(self, change: int) -> None:
        if change > 0:
            self.channel.open_receivers += 1
        else:
            self.channel.receiver_gone()

    def receive(self, patience: Patience) -> bytes:
        with self.world.lock:
            self.world.enter()
            return self._receive(patience, with_ends=False).bytes

    def _receive(self, patience: Patience, with_ends: bool) -> Message:
        channel = self.channel
        message = channel.try_receive(with_ends=with_ends)
        if message is not None:
            return message
        waiter = Waiter(lambda: f"receive from {channel.label}")
        offer = Offer(waiter, None)
        channel.receivers.append(offer)
        _, got = self.world.wait(waiter, patience, lambda: _withdraw(channel.receivers, offer))
        if isinstance(got, ChannelError):
            raise got
        assert isinstance(got, Message)
        if got.ends and not with_ends:
            # It was handed over already; the next in line to be received is what it still is.
            channel.buffer.appendleft(got)
            channel.received -= 1
            raise CarriesEnds
        return got

    def receive_there(self, most: int, kind: int) -> Sequence[bytes]:
        with self.world.lock:
            self.world.enter()
            first = self.channel.try_receive(with_ends=False)
            return [] if first is None else self._behind(first, most)

    def receive_some(self, most: int) -> Sequence[bytes]:
        with self.world.lock:
            self.world.enter()
            return self._behind(self._receive(None, with_ends=False), most)

    def _behind(self, first: Message, most: int) -> list[bytes]:
        """A message, and what is there behind it."""
        messages = [first.bytes]
        while len(messages) < most and self.channel.open_receivers == 1:
            try:
                message = self.channel.try_receive(with_ends=False)
            except (ChannelError, WouldBlock):
                break
            if message is None:
                break
            messages.append(message.bytes)
        return messages

    def receive_ends(self, patience: Patience) -> tuple[bytes, list[Any]]:
        with self.world.lock:
            process = self.world.enter()
            message = self._receive(patience, with_ends=True)
            for end in message.ends:
                end.belongs_to(process)
            return message.bytes, list(message.ends)

    def clone(self) -> RawReceiver:
        with self.world.lock:
            self.world.enter()
            return MemoryReceiver(self.channel)


def _withdraw(queue: deque[Offer], offer: Offer) -> None:
    if offer in queue:
        queue.remove(offer)
