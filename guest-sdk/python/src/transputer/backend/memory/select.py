"""Alternation in memory: three passes under one lock, so that exactly one guard wins."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence

from ...errors import ChannelError, TimedOut
from .. import NEVER, Chosen, Guard, Patience
from .channel import MemoryChannel, Message, Offer
from .world import Waiter, World

__all__ = ["select"]


def select(world: World, guards: Sequence[Guard], fair: bool) -> Chosen:
    """Waits until one of the guards can go, and lets exactly one go."""
    with world.lock:
        process = world.enter()
        chosen = _look(world, guards, fair) or _wait(world, guards)
        for end in chosen.ends:
            end.belongs_to(process)
        return chosen


def _look(world: World, guards: Sequence[Guard], fair: bool) -> Chosen | None:
    """Takes what is ready."""
    order = list(range(len(guards)))
    if fair:
        random.shuffle(order)
    for index in order:
        guard = guards[index]
        channel: MemoryChannel
        try:
            if guard.kind == "receive":
                channel = guard.end.channel
                message = channel.try_receive()
                if message is not None:
                    return Chosen(index, message.bytes, message.ends)
            elif guard.kind == "send":
                channel = guard.end.channel
                if channel.try_send(Message(guard.message)):
                    return Chosen(index)
        except ChannelError as error:
            return Chosen(index, error=error)
    for index in order:
        if guards[index].kind == "after" and guards[index].time <= world.now():
            return Chosen(index)
    for index, guard in enumerate(guards):
        if guard.kind == "skip":
            return Chosen(index)
    return None


def _wait(world: World, guards: Sequence[Guard]) -> Chosen:
    """Enters every queue, waits, and leaves those that lost."""
    entered: list[tuple[deque[Offer], Offer]] = []

    def what() -> str:
        waits = (
            f"{guard.kind} {'from' if guard.kind == 'receive' else 'to'} {guard.end.channel.label}"
            for guard in guards
            if guard.end is not None
        )
        return ", or to ".join(waits) or "choose"

    waiter = Waiter(what)
    for index, guard in enumerate(guards):
        if guard.end is None:
            continue
        channel: MemoryChannel = guard.end.channel
        if guard.kind == "receive":
            entered.append((channel.receivers, Offer(waiter, None, index)))
        else:
            entered.append((channel.senders, Offer(waiter, Message(guard.message), index)))
    for queue, offer in entered:
        queue.append(offer)

    def leave() -> None:
        for queue, offer in entered:
            if offer in queue:
                queue.remove(offer)

    times = [(guard.time, index) for index, guard in enumerate(guards) if guard.kind == "after"]
    deadline: Patience = min(times)[0] if times else None
    assert deadline != NEVER
    try:
        index, got = world.wait(waiter, deadline, lambda: None)
    except TimedOut:
        return Chosen(min(times)[1])
    finally:
        leave()
    if isinstance(got, ChannelError):
        return Chosen(index, error=got)
    if got is None:
        return Chosen(index)
    return Chosen(index, got.bytes, got.ends)
