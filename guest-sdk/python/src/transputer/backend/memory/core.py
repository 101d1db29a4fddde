"""Channels, barriers and choices in memory, made of the host's own core, where this package has the host.

So they do what the host's do because they are the host's. Only who waits is kept in Python (`world`): processes are
threads of the program here, and other threads of it may wait as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeVar

from ...errors import ChannelError, TimedOut, WouldBlock
from .. import NEVER, Chosen, Guard, Patience, RawBarrier, RawReceiver, RawSender, RawStatistics
from .end import MemoryEnd
from .named import Named
from .world import Waiter, World

__all__ = ["core", "open_barrier", "open_channel", "select"]


def _imported() -> Any:
    if os.environ.get("TRANSPUTER_MEMORY") == "python":
        return None
    try:
        return import_module("transputer._host")
    except ImportError:
        return None


core: Any = _imported()
"""The host as a module; `None` if this package was installed without it, or `TRANSPUTER_MEMORY=python` is set."""


class _Operation(Protocol):
    """What the core does, under way."""

    def poll(self) -> Any: ...
    def park(self, seconds: float) -> None: ...
    def wake(self) -> None: ...
    def is_woken(self) -> bool: ...
    def expire(self) -> None: ...


class _Waiter(Waiter):
    """A thread that waits for an operation of the core."""

    def __init__(self, what: Callable[[], str], operation: _Operation) -> None:
        super().__init__(what)
        self.operation = operation

    def pause(self, seconds: float) -> None:
        self.operation.park(seconds)

    def is_woken(self) -> bool:
        return self.operation.is_woken()

    def look(self) -> None:
        told = self.told()
        if told is not None:
            self.completed = True
            self.result = told

    def told(self) -> Any:
        """What the operation has come to, or its error; `None` if it waits."""
        try:
            return self.operation.poll()
        except ChannelError as error:
            return error

    def complete(self, world: World, result: Any) -> None:
        super().complete(world, result)
        self.operation.wake()

    def withdraw(self) -> None:
        """Patience has run out; a delivery that came first still wins."""
        self.operation.expire()
        self.result = self.told()


def _run(world: World, operation: _Operation, patience: Patience, what: Callable[[], str]) -> Any:
    """Waits for an operation."""
    told = operation.poll()
    if told is not None:
        return told
    with world.lock:
        waiter = _Waiter(what, operation)
        return world.wait(waiter, patience, waiter.withdraw)


class _Channel(Named):
    """What the ends of a channel, or the members of a barrier, share here: a name in reports."""

    poison: ChannelError | None = None

    def __init__(self, world: World) -> None:
        super().__init__(next(world.numbers))
        self.world = world

    def set_poison(self, error: ChannelError) -> None:
        raise NotImplementedError("an end of the core's is poisoned itself")


class _CoreEnd(MemoryEnd[_Channel]):
    """An end of the core's, and who has it."""

    def __init__(self, channel: _Channel, native: Any) -> None:
        self.native = native
        super().__init__(channel)

    def _count(self, change: int) -> None:
        # The core counts by itself.
        if change < 0:
            self.native.close()

    def set_poison(self, error: ChannelError) -> None:
        self.native.poison(type(error).__name__, error.reason or "")

    def reason(self) -> str | None:
        reason: str | None = self.native.poisoned()
        return reason

    def statistics(self) -> RawStatistics:
        statistics: RawStatistics = self.native.statistics()
        return statistics

    def _enter(self) -> Any:
        with self.world.lock:
            return self.world.enter()


T = TypeVar("T", bound=_CoreEnd)


class CoreSender(_CoreEnd):
    """A sending end."""

    kind = "sender"

    def send(self, message: bytes, patience: Patience) -> None:
        self._enter()
        self._send(message, [], patience)

    def _send(self, message: bytes, ends: list[Any], patience: Patience) -> None:
        if patience == NEVER:
            if not self.native.try_send(message, ends):
                raise WouldBlock
            return
        operation = self.native.send(message, ends)
        _run(self.world, operation, patience, lambda: f"send to {self.channel.label}")

    def offer(self, message: bytes) -> None:
        self.native.try_send(message, [])

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
            self._send(message, list(ends), patience)
        except ChannelError as error:
            with self.world.lock:
                for end in ends:
                    end.belongs_to(process)
            return error, ends
        return None

    def clone(self) -> RawSender:
        self._enter()
        return CoreSender(self.channel, self.native.duplicate())


class CoreReceiver(_CoreEnd):
    """A receiving end."""

    kind = "receiver"

    def receive(self, patience: Patience) -> bytes:
        self._enter()
        message: bytes = self._receive(patience, with_ends=False)[0]
        return message

    def _receive(self, patience: Patience, with_ends: bool) -> Any:
        if patience == NEVER:
            got = self.native.try_receive(with_ends)
            if got is None:
                raise WouldBlock
            return got
        operation = self.native.receive(with_ends)
        return _run(self.world, operation, patience, lambda: f"receive from {self.channel.label}")

    def receive_some(self, most: int) -> Sequence[bytes]:
        self._enter()
        return self._behind(self._receive(None, with_ends=False), most)

    def receive_there(self, most: int, kind: int) -> Sequence[bytes]:
        self._enter()
        first = self.native.try_receive(False)
        return [] if first is None else self._behind(first, most)

    def _behind(self, first: Any, most: int) -> list[bytes]:
        """A message, and what is there behind it."""
        messages = [first[0]]
        while len(messages) < most and self.native.is_alone():
            try:
                message = self.native.try_receive(False)
            except ChannelError:
                # What ended the channel is told next time.
                break
            if message is None:
                break
            messages.append(message[0])
        return messages

    def receive_ends(self, patience: Patience) -> tuple[bytes, list[Any]]:
        process = self._enter()
        message, ends = self._receive(patience, with_ends=True)
        with self.world.lock:
            for end in ends:
                end.belongs_to(process)
        return message, list(ends)

    def clone(self) -> RawReceiver:
        self._enter()
        return CoreReceiver(self.channel, self.native.duplicate())


class CoreMembership(_CoreEnd):
    """One membership of a barrier."""

    kind = "barrier"

    def enrol(self) -> RawBarrier:
        self._enter()
        return CoreMembership(self.channel, self.native.enrol())

    def sync(self, patience: Patience) -> None:
        self._enter()
        wait: Patience = self.world.now() if patience == NEVER else patience
        try:
            _run(self.world, self.native.sync(), wait, lambda: "go on past a barrier")
        except TimedOut:
            if patience == NEVER:
                raise WouldBlock from None
            raise

    def members(self) -> int:
        members: int = self.native.members()
        return members


def open_channel(world: World, capacity: int, overflow: int) -> tuple[CoreSender, CoreReceiver]:
    """A channel of the core's."""
    sender, receiver = core.open_channel(capacity, overflow)
    channel = _Channel(world)
    return CoreSender(channel, sender), CoreReceiver(channel, receiver)


def open_barrier(world: World) -> CoreMembership:
    """A barrier of the core's."""
    return CoreMembership(_Channel(world), core.open_barrier())


def select(world: World, guards: Sequence[Guard], fair: bool) -> Chosen:
    """Waits until one of the guards can go, and lets exactly one go."""
    with world.lock:
        process = world.enter()
    places = [place for place, guard in enumerate(guards) if guard.end is not None]
    given = [
        guards[place].end.native if guards[place].kind == "receive" else (guards[place].end.native, guards[place].message)
        for place in places
    ]
    patience, without_channel = _patience(world, guards)

    def what() -> str:
        waits = (
            f"{guards[place].kind} {'from' if guards[place].kind == 'receive' else 'to'} {guards[place].end.channel.label}"
            for place in places
        )
        return ", or to ".join(waits) or "choose"

    try:
        chosen, message, error = _run(world, core.choose(given, fair), patience, what)
    except TimedOut:
        return Chosen(without_channel)
    if message is None:
        return Chosen(places[chosen], error=error)
    text, ends = message
    with world.lock:
        for end in ends:
            end.belongs_to(process)
    return Chosen(places[chosen], text, ends)


def _patience(world: World, guards: Sequence[Guard]) -> tuple[Patience, int]:
    """Until when a choice may wait, and which guard it chooses then."""
    times = [(guard.time, place) for place, guard in enumerate(guards) if guard.kind == "after"]
    patience, place = min(times, default=(None, -1))
    if patience is not None and patience <= world.now():
        return patience, place
    for at, guard in enumerate(guards):
        if guard.kind == "skip":
            return world.now(), at
    return patience, place
