"""Alternation: waiting for one of several communications, of which exactly one happens."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from . import backend
from .backend import current
from .channel import Receiver, Sender
from .clock import _after, nanoseconds
from .errors import CarriesEnds, ChannelError, Closed, NoGuard, Overloaded

__all__ = ["SKIP", "Chosen", "Guard", "after", "alt", "at", "receiving", "select", "sending"]

T = TypeVar("T")


class Guard:
    """Something that an alternation can wait for. Exactly one guard wins; the others lose nothing."""

    __slots__ = ()

    def _raw(self) -> backend.Guard:
        raise NotImplementedError


class _Receiving(Guard):
    __slots__ = ("receiver",)

    def __init__(self, receiver: Receiver[Any]) -> None:
        self.receiver = receiver

    def _raw(self) -> backend.Guard:
        return backend.Guard("receive", self.receiver._open())


class _Sending(Guard):
    __slots__ = ("message", "sender")

    def __init__(self, sender: Sender[Any], message: bytes) -> None:
        self.sender = sender
        self.message = message

    def _raw(self) -> backend.Guard:
        return backend.Guard("send", self.sender._open(), self.message)


class _Time(Guard):
    __slots__ = ("time",)

    def __init__(self, time: int) -> None:
        self.time = time

    def _raw(self) -> backend.Guard:
        return backend.Guard("after", time=self.time)


class _Skip(Guard):
    __slots__ = ()

    def _raw(self) -> backend.Guard:
        return backend.Guard("skip")


SKIP: Guard = _Skip()
"""Chosen if nothing else is ready, so that an alternation does not wait."""

Offer: TypeAlias = Guard | Receiver[Any] | None
"""What `select` takes: a guard, a receiver in the place of `receiving(...)`, or `None` for a guard that is
not enabled this time."""


def receiving(receiver: Receiver[Any]) -> Guard:
    """Takes a message. Ready when there is one, and when the channel has ended."""
    return _Receiving(receiver)


def sending(sender: Sender[T], message: T) -> Guard:
    """Sends this message. Ready when the channel would take it without waiting, and when the channel has
    ended. A message with ends of channels in it cannot be sent in an alternation.
    """
    writer = sender._written(message)
    if writer.ends:
        raise CarriesEnds
    return _Sending(sender, bytes(writer.out))


def after(seconds: float) -> Guard:
    """Ready when this much time has passed since now; a communication that is possible by then wins."""
    return _Time(_after(current().now(), seconds))


def at(time: float) -> Guard:
    """Ready at this time of `now`."""
    return _Time(nanoseconds(time))


class Chosen(Generic[T]):
    """The guard that won, and what came of it. Unpacks into its index and its message."""

    __slots__ = ("_message", "error", "guard", "index")

    def __init__(self, index: int, guard: Any, message: Any, error: ChannelError | None) -> None:
        self.index = index
        """Its place among the guards, from 0."""
        self.guard = guard
        """The guard, or the receiver that stood for it."""
        self.error = error
        """How its channel has ended, if it has: then nothing was received or sent."""
        self._message = message

    @property
    def message(self) -> Any:
        """The message received; `None` for a guard that does not receive. Raises `error` if there is one,
        such as `Closed`.
        """
        if self.error is not None:
            raise self.error
        return self._message

    def __iter__(self) -> Iterator[Any]:
        return iter((self.index, self.message))

    def __repr__(self) -> str:
        what = self._message if self.error is None else self.error
        return f"Chosen({self.index}, {what!r})"


def select(*guards: Offer, priority: bool = False) -> Chosen[Any]:
    """Waits until one of the guards can go, and lets exactly one go: CSP's choice, Go's `select`.

    Among several that are ready, each is chosen with the same probability; with `priority`, the first.

    >>> from transputer import Channel
    >>> numbers, received = Channel(int, capacity=1)
    >>> stop, stopped = Channel(None, capacity=1)
    >>> numbers.send(7)
    >>> index, message = select(received, stopped, after(1))
    >>> index, message
    (0, 7)
    >>> select(received, SKIP).index
    1
    >>> select(stopped, sending(numbers, 8)).index
    1

    Unpacking raises what has ended the chosen guard's channel, such as `Closed`; `Chosen.error` looks at it
    first. Raises `NoGuard` if no guard is enabled, `Overloaded` for more than the host allows.
    """
    offers = [
        (index, _Receiving(guard) if isinstance(guard, Receiver) else guard)
        for index, guard in enumerate(guards)
        if guard is not None
    ]
    if not offers:
        raise NoGuard
    chosen = _among(offers, priority)
    index, guard = offers[chosen.guard]
    message = None
    if isinstance(guard, _Receiving) and chosen.message is not None:
        message = guard.receiver._decode(chosen.message, chosen.ends)
    return Chosen(index, guards[index], message, chosen.error)


def _among(offers: Sequence[tuple[int, Guard]], priority: bool) -> backend.Chosen:
    """Chooses among the guards, of which some may have messages that a loop took in advance."""
    held = [
        place
        for place, (_, guard) in enumerate(offers)
        if isinstance(guard, _Receiving) and guard.receiver._ahead
    ]
    if not held:
        return _choose([guard._raw() for _, guard in offers], not priority)
    # Such a guard is ready. With priority it wins unless one before it is, too; otherwise each of
    # those that are ready should have its chance, so the others are asked without waiting.
    taken = held[0] if priority else random.choice(held)
    others = [place for place in range(len(offers)) if place not in held and (not priority or place < taken)]
    # With n guards that may be ready, this one is the choice in one of n cases whatever the others do.
    if others and (priority or random.randrange(len(others) + len(held)) >= len(held)):
        asked = [offers[place][1]._raw() for place in others]
        chosen = _choose([*asked, backend.Guard("skip")], not priority)
        if chosen.guard < len(others):
            return chosen._replace(guard=others[chosen.guard])
    guard = offers[taken][1]
    assert isinstance(guard, _Receiving)
    return backend.Chosen(taken, guard.receiver._ahead.popleft())


def _choose(guards: Sequence[backend.Guard], fair: bool) -> backend.Chosen:
    """Asks whoever the ends belong to: the host of a network, for its host ends, otherwise the backend."""
    for guard in guards:
        owner = getattr(guard.end, "backend", None)
        if owner is not None:
            chosen: backend.Chosen = owner.select(guards, fair)
            return chosen
    return current().select(guards, fair)


def alt(*guards: Offer, priority: bool = False) -> Iterator[Chosen[Any]]:
    """Chooses again and again among the same guards, until all their channels are closed.

    >>> from transputer import Channel
    >>> a, b = Channel(int, capacity=2), Channel(int, capacity=2)
    >>> a.sender.send_all([1, 2]); b.sender.send(3)
    >>> a.sender.close(); b.sender.close()
    >>> sorted(chosen.message for chosen in alt(a.receiver, b.receiver))
    [1, 2, 3]

    A channel that is closed is left out from then on; one that has ended otherwise is raised. Guards of
    time have the time that they were made for: after it, such a guard wins whenever nothing else is ready.
    """
    choose = _choice_among(guards, priority)
    left = list(guards)
    while any(isinstance(guard, (Receiver, _Receiving, _Sending)) for guard in left):
        chosen = choose(left)
        if isinstance(chosen.error, Closed):
            left[chosen.index] = None
            continue
        if chosen.error is not None:
            raise chosen.error
        yield chosen


def _choice_among(guards: Sequence[Offer], priority: bool) -> Callable[[list[Offer]], Chosen[Any]]:
    """What chooses among those of the guards that are left. If all receive, and the backend can prepare a choice, they
    are told to it only once.
    """

    def anew(left: list[Offer]) -> Chosen[Any]:
        return select(*left, priority=priority)

    receivers = [guard.receiver if isinstance(guard, _Receiving) else guard for guard in guards]
    prepare = getattr(current(), "prepare", None)
    if prepare is None or not all(isinstance(receiver, Receiver) for receiver in receivers):
        return anew
    try:
        prepared = prepare([receiver._open() for receiver in receivers], not priority)  # type: ignore[union-attr]
    except Overloaded:
        # There are only so many choices that are prepared.
        return anew

    def again(left: list[Offer]) -> Chosen[Any]:
        if any(receiver._ahead for receiver in receivers):  # type: ignore[union-attr]
            return anew(left)
        enabled = None if None not in left else [at for at, guard in enumerate(left) if guard is not None]
        chosen: backend.Chosen = prepared.wait(enabled)
        message = None
        if chosen.message is not None:
            receiver: Any = receivers[chosen.guard]
            message = receiver._decode(chosen.message, chosen.ends)
        return Chosen(chosen.guard, guards[chosen.guard], message, chosen.error)

    return again
