"""One sender, many receivers: each gets every message."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from .alternation import Guard, _Sending, select
from .backend import NEVER
from .channel import Channel, Receiver, Sender, without_ends
from .errors import ChannelError, Closed, Malformed, TooLarge, Undecodable, WouldBlock
from .payload import payload_of

__all__ = ["Broadcast"]

T = TypeVar("T")

# Subscribers that one alternation waits for; the others have their turn after these.
_AT_ONCE = 1024


class Broadcast(Generic[T]):
    """Sends every message to all its subscribers, each through a channel of its own.

    `send` waits for the slowest subscriber, unless its channel has room; no subscriber waits for another. A
    subscriber leaves by closing its receiver. One that fails is left out from then on, and does no harm.

    >>> news = Broadcast(str)
    >>> a, b = news.subscribe(capacity=1), news.subscribe(capacity=1)
    >>> news.send("hello")
    2
    >>> a.receive(), b.receive()
    ('hello', 'hello')
    """

    __slots__ = ("_of", "lost", "payload", "subscribers")

    def __init__(self, of: Any = Any) -> None:
        self._of = of
        self.payload = without_ends(payload_of(of))
        self.subscribers: list[Sender[T]] = []
        """Those that have not gone, as far as is known: only a send notices."""
        self.lost: list[Exception] = []
        """How subscribers have ended that did not just close their receiver."""

    def subscribe(self, capacity: int = 0) -> Receiver[T]:
        """A new subscriber, which gets every message from now on. Up to `capacity` of them may wait for it."""
        channel: Channel[T] = Channel(self._of, capacity)
        self.add(channel.sender)
        return channel.receiver

    def add(self, subscriber: Sender[T]) -> None:
        """Sends every message from now on to this one as well."""
        self.subscribers.append(subscriber)

    def send(self, message: T) -> int:
        """Sends to every subscriber, and returns how many have got the message. Blocks until the slowest has.

        Raises only what concerns all of them, such as `TooLarge`; a subscriber that has gone is no error.
        """
        reached, gone = 0, []
        waiting: list[tuple[Sender[T], Guard]] = []
        if not self.subscribers:
            return 0
        encoded = bytes(self.subscribers[0]._written(message).out)
        for subscriber in self.subscribers:
            try:
                subscriber._open().send(encoded, NEVER)
                reached += 1
            except WouldBlock:
                waiting.append((subscriber, _Sending(subscriber, encoded)))
            except ChannelError as error:
                gone.append((subscriber, error))
        while waiting:
            chosen = select(*(guard for _, guard in waiting[:_AT_ONCE]))
            subscriber, _ = waiting.pop(chosen.index)
            if chosen.error is None:
                reached += 1
            else:
                gone.append((subscriber, chosen.error))
        for subscriber, why in gone:
            if isinstance(why, (TooLarge, Malformed)):
                raise why
            self.subscribers.remove(subscriber)
            if not isinstance(why, Closed):
                self.lost.append(why)
        return reached

    def relay(self, messages: Receiver[T], subscriptions: Receiver[Sender[T]]) -> None:
        """Broadcasts messages until their channel is closed, and lets processes subscribe that send the sender
        of a channel. A message goes to all that subscribed before it was received.
        """
        joining: Receiver[Sender[T]] | None = subscriptions
        while True:
            try:
                chosen = select(joining, messages, priority=True)
            except Undecodable as error:
                self.lost.append(error)
                continue
            if chosen.index == 1:
                if isinstance(chosen.error, Closed):
                    return
                self.send(chosen.message)
            elif chosen.error is None:
                self.add(chosen.message)
            else:
                joining = None
                if not isinstance(chosen.error, Closed):
                    self.lost.append(chosen.error)
