"""Channels and their two kinds of end."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Generic, NamedTuple, Self, TypeVar, overload

from .backend import NEVER, Patience, RawReceiver, RawSender, current
from .backend.native import native
from .clock import patience
from .errors import (
    CarriesEnds,
    ChannelError,
    Closed,
    HoldsMessages,
    Moved,
    Undecodable,
    WouldBlock,
)
from .handle import Handle
from .payload import Misfit, Payload, Reader, Writer, payload_of

__all__ = ["Channel", "Overflow", "Receiver", "Sender", "Statistics"]

T = TypeVar("T")

AHEAD = 4096
"""Messages that a loop takes from its channel at a time."""

# Messages that `send_all` hands over at a time.
_BATCH = 256


@cache
def _aio() -> ModuleType:
    """What awaits: imported late, for it needs this module, and few programs need it."""
    return import_module("transputer.aio")


class Overflow(enum.Enum):
    """What a full channel of capacity 1 or more does with one message more."""

    BLOCK = 0
    """The sender waits."""
    DROP_OLDEST = 1
    """The message that has waited longest is dropped, and counted."""
    DROP_NEWEST = 2
    """The new message is dropped, and counted."""


class Statistics(NamedTuple):
    """What a channel has seen so far."""

    sent: int
    """Messages accepted from senders."""
    received: int
    """Messages handed to receivers; those that a loop took in advance are among them."""
    dropped: int
    """Messages dropped by the overflow policy, by poison, or because the last receiver went away."""
    waiting: int
    """Messages that wait in the channel now."""


class _End(Handle):
    """What senders and receivers have in common."""

    __slots__ = ("_name", "payload")

    payload: Payload
    """What the channel carries."""

    def __init__(self, raw: Any, payload: Payload, name: str = "") -> None:
        self.payload = payload
        self._name = name
        self._attach(raw)

    def _attach(self, raw: Any) -> None:
        self._raw = raw
        self._number = 0
        # A backend whose ends have a key is the host, and its extension knows the simplest types.
        key: int | None = getattr(raw, "key", None)
        self._key = key or 0
        self._kind = 0 if key is None else self.payload.quick

    def _fail(self, number: int) -> None:
        """Raises the error that the extension has been told."""
        raise self._open().error(number)

    def close(self) -> None:
        """Closes this end at once; nothing happens if it is closed, or has moved away.

        An end that is dropped is closed as well.
        """
        self._close()

    def poison(self, reason: str) -> None:
        """Ends the channel at once for both sides: what waits in it is dropped, and everybody who waits
        gets `Poisoned` with this reason. A channel that is poisoned already keeps its first reason.
        """
        super().poison(reason)

    @property
    def poison_reason(self) -> str | None:
        """Why the channel was poisoned, if it was."""
        reason: str | None = None if self._raw is None else self._raw.reason()
        return reason

    @property
    def statistics(self) -> Statistics:
        """What the channel has seen so far; all zeros if this end is closed, or has moved away."""
        return Statistics(0, 0, 0, 0) if self._raw is None else Statistics(*self._raw.statistics())

    def clone(self) -> Self:
        """Another end of the same kind, of the same channel.

        The channel is closed when all ends of a kind are.
        """
        return type(self)(self._open().clone(), self.payload, self._name)

    def __repr__(self) -> str:
        state = "" if self._raw is not None else ", closed or moved"
        return f"<{type(self).__name__}[{self.payload.wit}] {self._name!r}{state}>"


class Sender(_End, Generic[T]):
    """The end through which messages enter a channel.

    The channel is closed for its receivers once they have taken what waits in it and no sender is left.
    Sent inside a message, or given to another process, a sender moves there.
    """

    __slots__ = ()

    _raw: RawSender | None

    def send(
        self, message: T, *, timeout: float | None = None, deadline: float | None = None
    ) -> None:
        """Sends one message; blocks until it is buffered or, at a rendezvous, until a receiver has it.
        With a timeout in seconds, or a deadline of `now`, it gives up with `TimedOut`. After an
        exception nothing was sent, and the ends in the message are still the caller's.

        Raises `TypeError` for a message of another type, with the path to what does not fit; `Closed`
        when no receiver is left; `Poisoned`, `TooLarge`, `Overloaded`, `Deadlock`, `Moved`.

        >>> numbers, receiver = Channel(int, capacity=1)
        >>> numbers.send(21)
        >>> numbers.send("21")
        Traceback (most recent call last):
        ...
        transputer.payload.base.Misfit: expected s64, found the str '21'
        """
        if timeout is None and deadline is None:
            self._send(message, None)
        else:
            self._send(message, patience(timeout, deadline))

    # Where the extension has a function in the place of `send`, it leaves to this what it does not know.
    _send_any = send

    def try_send(self, message: T) -> None:
        """Sends one message if that needs no waiting; otherwise raises `WouldBlock`."""
        self._send(message, NEVER)

    def send_async(self, message: T) -> Coroutine[Any, Any, None]:
        """Like `send`, in an `async def` process or a program's own event loop: other tasks run meanwhile. Cancelled,
        it has sent nothing.
        """
        sending: Coroutine[Any, Any, None] = _aio().send(self, message)
        return sending

    def send_all(self, messages: Iterable[T]) -> None:
        """Sends messages in order, as `send` would one by one. Those of a list or a tuple go many at a
        time, which is quicker; those of another iterable go as they come.
        """
        if not isinstance(messages, (list, tuple)) or self.payload.carries_ends:
            for message in messages:
                self._send(message, None)
            return
        raw = self._open()
        for start in range(0, len(messages), _BATCH):
            batch = [self._encoded(item) for item in messages[start : start + _BATCH]]
            _, error = raw.send_batch(batch)
            if error is not None:
                raise error

    def _send(self, message: T, patience: Patience) -> None:
        raw = self._open()
        payload = self.payload
        if payload.carries_ends:
            writer = self._written(message)
            if writer.ends:
                self._send_ends(writer, patience)
                return
            encoded = bytes(writer.out)
        else:
            encoded = self._encoded(message)
        raw.send(encoded, patience)

    def _sent_there(self, message: T) -> bool:
        """Sends a message if that needs no waiting and it carries no ends; whether it has."""
        if self.payload.carries_ends:
            return False
        if self._kind:
            number: int = native.End.try_quickly(self, message)
            if number == -1:
                return True
            if number >= 0:
                error = self._open().error(number)
                if isinstance(error, WouldBlock):
                    return False
                raise error
        try:
            self._send(message, NEVER)
        except WouldBlock:
            return False
        return True

    def _encoded(self, message: T) -> bytes:
        try:
            return self.payload.encode(message)
        except Misfit as misfit:
            misfit.port = self._name
            raise

    def _written(self, message: T) -> Writer:
        writer = Writer()
        try:
            self.payload.write_whole(message, writer)
        except Misfit as misfit:
            misfit.port = self._name
            raise
        return writer

    def _send_ends(self, writer: Writer, patience: Patience) -> None:
        if any(end is self for end in writer.ends):
            raise Moved
        raw = self._open()
        taken = take_all(writer.ends)
        try:
            refused = raw.send_ends(bytes(writer.out), taken, patience)
        except BaseException:
            put_back(writer.ends, taken)
            raise
        if refused is not None:
            error, taken = refused
            put_back(writer.ends, taken)
            raise error


class Receiver(_End, Generic[T]):
    """The end at which messages leave a channel.

    A `for` loop receives until the channel is closed; how it ends otherwise, the loop raises:

    >>> numbers, doubled = Channel(int, capacity=3)
    >>> numbers.send_all([1, 2, 3])
    >>> numbers.close()
    >>> [2 * n for n in doubled]
    [2, 4, 6]

    Where this is the channel's only receiver, a loop takes many messages at once. Those that it has not
    reached when it ends early stay with the receiver, and `receive` returns them next.
    """

    __slots__ = ()

    _raw: RawReceiver | None
    _ahead: deque[Any]
    """Messages that a loop took in advance, of which some may be decoded already."""

    def __init__(self, raw: Any, payload: Payload, name: str = "") -> None:
        super().__init__(raw, payload, name)
        self._ahead = deque()

    def receive(self, *, timeout: float | None = None, deadline: float | None = None) -> T:
        """Takes the next message; blocks until there is one. With a timeout in seconds, or a deadline
        of `now`, it gives up with `TimedOut`.

        Raises `Closed` when no sender is left and everything has been taken; `Poisoned`;
        `Undecodable` if the message is not of the port's type (it has been taken then); `Deadlock`,
        `Overloaded`, `Moved`.

        >>> numbers, receiver = Channel(int, capacity=1)
        >>> receiver.receive(timeout=0.001)
        Traceback (most recent call last):
        ...
        transputer.errors.TimedOut: the deadline passed
        """
        if timeout is None and deadline is None:
            return self._receive(None)
        return self._receive(patience(timeout, deadline))

    _receive_any = receive

    def try_receive(self) -> T:
        """Takes the next message if there is one; otherwise raises `WouldBlock`."""
        return self._receive(NEVER)

    def receive_async(self) -> Coroutine[Any, Any, T]:
        """Like `receive`, in an `async def` process or a program's own event loop: other tasks run meanwhile.
        Cancelled, it has taken nothing.
        """
        receiving: Coroutine[Any, Any, T] = _aio().receive(self)
        return receiving

    def __aiter__(self) -> AsyncIterator[T]:
        messages: AsyncIterator[T] = _aio().messages(self)
        return messages

    def close(self) -> None:
        self._ahead.clear()
        super().close()

    def __iter__(self) -> Iterator[T]:
        if self._kind:
            quick: Iterator[T] = native.loop(self)
            return quick
        return self._loop()

    def _loop(self) -> Iterator[T]:
        ahead = self._ahead
        while True:
            while ahead:
                message = ahead.popleft()
                yield self._decode(message) if type(message) is bytes else message
            try:
                if not self.payload.carries_ends:
                    ahead.extend(self._open().receive_some(AHEAD))
                    continue
                message = self._receive(None)
            except Closed:
                return
            yield message

    def _next(self) -> T:
        """What a loop of the extension takes next from an end that is no longer open."""
        try:
            return self._receive(None)
        except Closed:
            raise StopIteration from None

    def _take_there(self, most: int) -> Sequence[Any]:
        """Up to so many of the messages that are there already, if they carry no ends."""
        if self.payload.carries_ends:
            return ()
        there: Sequence[Any] = self._open().receive_there(most, self._kind)
        return there

    def _receive(self, patience: Patience) -> T:
        if self._ahead:
            return self._decode(self._ahead.popleft())
        raw = self._open()
        if self.payload.carries_ends:
            return self._decode(*raw.receive_ends(patience))
        return self._decode(raw.receive(patience))

    def _decode(self, message: Any, ends: Any = ()) -> T:
        """The value of a message, unless the backend has decoded it."""
        if type(message) is not bytes:
            decoded: T = message
            return decoded
        try:
            value: T
            if ends:
                value = self.payload.read_whole(Reader(message, list(ends)))
            else:
                value = self.payload.decode(message)
        except Undecodable as error:
            raise error.at_port(self._name)
        return value

    def _take(self) -> Any:
        if self._ahead:
            raise HoldsMessages
        return super()._take()


if native is not None:
    Sender.send = native.End.send_quickly  # type: ignore[method-assign]
    Receiver.receive = native.End.receive_quickly  # type: ignore[method-assign]


def take_all(ends: list[Any]) -> list[Any]:
    """Takes the backend's ends out of all of these, or out of none."""
    taken: list[Any] = []
    try:
        for end in ends:
            taken.append(end._take())
    except ChannelError:
        put_back(ends, taken)
        raise
    return taken


def put_back(ends: list[Any], taken: list[Any]) -> None:
    """Undoes `take_all`."""
    for end, raw in zip(ends, taken, strict=False):
        end._put_back(raw)


class Channel(tuple[Sender[T], Receiver[T]], Generic[T]):
    """Opens a channel, for messages of a type, and is the pair of its ends.

    A channel of capacity 0 is a rendezvous, in which a sender waits until a receiver has taken its
    message; another holds some. Without a type, any CBOR value can cross. Its ends are for spawned
    processes and for messages: a process that keeps both ends of a rendezvous waits for itself.

    >>> words, receiver = Channel(str, capacity=2)
    >>> words.send("hello")
    >>> receiver.receive()
    'hello'
    >>> latest = Channel(int, capacity=1, overflow=Overflow.DROP_OLDEST)
    >>> latest.sender.send_all([1, 2, 3])
    >>> latest.receiver.receive()
    3

    Raises `Overloaded` past the limit on open channels, `TooLarge` past the limit on capacity.
    """

    __slots__ = ()

    @overload
    def __new__(
        cls, of: type[T], capacity: int = 0, overflow: Overflow = Overflow.BLOCK
    ) -> Channel[T]: ...

    @overload
    def __new__(
        cls, of: Any = ..., capacity: int = 0, overflow: Overflow = Overflow.BLOCK
    ) -> Channel[Any]: ...

    def __new__(
        cls, of: Any = Any, capacity: int = 0, overflow: Overflow = Overflow.BLOCK
    ) -> Channel[Any]:
        if capacity < 0:
            raise ValueError(f"a channel cannot have the capacity {capacity}")
        payload = payload_of(of)
        sender, receiver = current().open(capacity, overflow.value)
        ends = (Sender[Any](sender, payload), Receiver[Any](receiver, payload))
        return tuple.__new__(cls, ends)

    @property
    def sender(self) -> Sender[T]:
        """The sending end."""
        return self[0]

    @property
    def receiver(self) -> Receiver[T]:
        """The receiving end."""
        return self[1]


def without_ends(payload: Payload) -> Payload:
    """The payload, if none of its values can hold ends of channels."""
    if payload.carries_ends:
        raise CarriesEnds
    return payload
