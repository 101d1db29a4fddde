"""What ends of channels and memberships of barriers in memory have in common."""

from __future__ import annotations

import threading
from typing import Any, Generic, Protocol, TypeVar

from ...errors import ChannelError, Poisoned
from .world import World

__all__ = ["MemoryEnd"]


class Shared(Protocol):
    """What several hold an end of: a channel, or a barrier."""

    world: World
    poison: ChannelError | None

    def set_poison(self, error: ChannelError) -> None:
        """Ends it at once."""


S = TypeVar("S", bound=Shared)


class MemoryEnd(Generic[S]):
    """An end, which belongs to a process, to the program, or to the message that carries it."""

    kind: str

    def __init__(self, channel: S) -> None:
        self.channel = channel
        self.world = channel.world
        self.open = True
        self.holder: Any = None
        self._count(+1)
        self.belongs_to(self.world.processes.get(threading.current_thread()))

    def _count(self, change: int) -> None:
        """There is one end more, or less."""
        raise NotImplementedError

    def belongs_to(self, process: Any) -> None:
        """Changes the holder. A process closes or poisons what it holds when it ends."""
        if self.holder is not None:
            self.holder.ends.discard(self)
        self.holder = process
        if process is not None:
            process.ends.add(self)

    def release(self) -> None:
        """Closes it, under the lock."""
        if self.open:
            self.open = False
            self.belongs_to(None)
            self._count(-1)

    def close(self) -> None:
        with self.world.lock:
            self.release()
            self.world.enter()

    def __del__(self) -> None:
        if getattr(self, "open", False):
            # Resurrected until the next operation, for the garbage collector may run anywhere.
            self.world.dropped.append(self)

    def poison(self, reason: str) -> None:
        with self.world.lock:
            self.world.enter()
            self.set_poison(Poisoned(reason))

    def set_poison(self, error: ChannelError) -> None:
        """Ends what it is an end of, under the lock."""
        self.channel.set_poison(error)

    def reason(self) -> str | None:
        with self.world.lock:
            return None if self.channel.poison is None else self.channel.poison.reason
