"""What all channels and processes in memory share: one lock, and who waits for what.

Invariants:

- Everything below is read and written under `World.lock` only.
- A `Waiter` is completed once, by whoever serves it. Offers of a completed waiter may still be in the queues
  of other channels; whoever meets one drops it.
- A thread is in `World.waiting` exactly while its waiter is not completed. So when all threads of the program
  are in there, and none has a deadline, nothing can happen any more: a deadlock.
- `World.bystanders` are threads of this package, which have no ends and never get any.
- Ends that the garbage collector drops are only noted, for it may run at any place, under the lock as well.
  The next operation closes them.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...errors import ChannelError, Deadlock, Malformed, Overloaded, TimedOut, WouldBlock
from .. import NEVER, Chosen, Guard, Patience, RawBarrier, RawChild, RawReceiver, RawSender

__all__ = ["WORLD", "Stopped", "Waiter", "World"]

# As the host has it.
MAX_CAPACITY = 1 << 20


# Nobody tells that a thread of the program has ended, which was the last that could end a wait: so whoever
# waits for ever looks again after so many seconds.
_LOOK_AGAIN = 0.2


class Stopped(BaseException):
    """This process was killed, and ends with its next operation."""


class Waiter:
    """A thread that waits for one of several things to happen.

    `what` says for a report what it waits to do; asked late, for ports get their names while it waits. A wait for
    the end of a process is not `breakable`: that comes when the others' waits are broken.
    """

    def __init__(self, what: Callable[[], str], breakable: bool = True) -> None:
        self.what = what
        self.breakable = breakable
        self.completed = False
        self.result: Any = None
        self.event = threading.Event()
        self.thread = threading.current_thread()

    def pause(self, seconds: float) -> None:
        """Waits until it may be completed, but no longer than this. Not under the lock."""
        self.event.wait(seconds)

    def look(self) -> None:
        """Sees by itself whether it is completed, if nobody else completes it."""

    def is_woken(self) -> bool:
        """Whether it may be completed, and has not looked yet."""
        return False

    def complete(self, world: World, result: Any) -> None:
        """Hands over what was waited for. Call it once, and only where `completed` is not set."""
        self.completed = True
        self.result = result
        world.waiting.pop(self.thread, None)
        self.event.set()


class Living(Protocol):
    """A process, as far as the world has to know it."""

    label: str
    number: int
    thread: threading.Thread
    stopped: str | None
    ends: weakref.WeakSet[Any]


class World:
    """The backend: channels in memory, processes as threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.start = time.monotonic_ns()
        self.numbers = iter(range(1, 1 << 62))
        self.waiting: dict[threading.Thread, tuple[Waiter, int | None]] = {}
        self.processes: dict[threading.Thread, Living] = {}
        self.dropped: deque[Any] = deque()
        self.components: dict[str, Any] = {}
        self.listeners: list[Callable[[str, int, str], None]] = []
        self.bystanders: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    # What every operation begins with.

    def enter(self) -> Living | None:
        """Call it under the lock at the start of each operation; the process that this thread is."""
        while self.dropped:
            self.dropped.popleft().release()
        process = self.processes.get(threading.current_thread())
        if process is not None and process.stopped is not None:
            raise Stopped(process.stopped)
        return process

    def wait(self, waiter: Waiter, patience: Patience, withdraw: Callable[[], None]) -> Any:
        """Waits until the waiter is completed. Call it under the lock, which is not held meanwhile.

        `withdraw` takes the waiter out of all queues, under the lock, if patience runs out.
        """
        if patience == NEVER:
            withdraw()
            raise WouldBlock
        self.waiting[waiter.thread] = (waiter, patience)
        self.look_for_deadlock()
        try:
            while not waiter.completed and (patience is None or self.now() < patience):
                left = _LOOK_AGAIN if patience is None else max(0, patience - self.now()) / 1e9
                self.lock.release()
                try:
                    waiter.pause(left)
                finally:
                    self.lock.acquire()
                if not waiter.completed:
                    waiter.look()
                if patience is None and not waiter.completed:
                    self.look_for_deadlock()
        finally:
            # Also for an interrupt, which the program's main thread may get.
            self.waiting.pop(waiter.thread, None)
            if not waiter.completed:
                waiter.completed = True
                waiter.result = TimedOut()
                withdraw()
        if isinstance(waiter.result, BaseException):
            raise waiter.result
        return waiter.result

    # Deadlock.

    def look_for_deadlock(self) -> None:
        """Ends every wait if nobody is left who could end one."""
        if any(deadline is not None or waiter.is_woken() for waiter, deadline in self.waiting.values()):
            return
        if any(thread not in self.waiting for thread in self.processes):
            return
        # Any other thread of the program may have an end, or come by one.
        others = (thread for thread in threading.enumerate() if thread not in self.bystanders)
        if any(thread not in self.waiting for thread in others):
            return
        report = "; ".join(
            f"{self.label(thread)} waits to {waiter.what()}"
            for thread, (waiter, _) in self.waiting.items()
        )
        for waiter, _ in list(self.waiting.values()):
            if waiter.breakable and not waiter.completed:
                waiter.complete(self, Deadlock(report))

    def label(self, thread: threading.Thread) -> str:
        """Who a thread is, for a report."""
        process = self.processes.get(thread)
        return f"thread `{thread.name}`" if process is None else f"process `{process.label}`"

    # The backend.

    def open(self, capacity: int, overflow: int) -> tuple[RawSender, RawReceiver]:
        from .channel import MemoryChannel
        from .core import core, open_channel

        if capacity > MAX_CAPACITY:
            raise Overloaded
        with self.lock:
            self.enter()
            if core is not None:
                return open_channel(self, capacity, overflow)
            return MemoryChannel(self, capacity, overflow, next(self.numbers)).ends()

    def open_barrier(self) -> RawBarrier:
        from .barrier import MemoryBarrier
        from .core import core, open_barrier

        with self.lock:
            self.enter()
            if core is not None:
                return open_barrier(self)
            return MemoryBarrier(self).membership()

    def select(self, guards: Sequence[Guard], fair: bool) -> Chosen:
        from . import core
        from .select import select

        if not guards:
            raise Malformed
        if core.core is not None:
            return core.select(self, guards, fair)
        return select(self, guards, fair)

    def spawn(
        self,
        component: Any,
        name: str | None,
        arguments: bytes,
        inputs: list[tuple[str, Any]],
        outputs: list[tuple[str, Any]],
        patience: Patience,
        wait_as_set: bool,
    ) -> RawChild:
        from .process import start

        return start(self, component, name, arguments, inputs, outputs)

    def process_name(self) -> str:
        process = self.processes.get(threading.current_thread())
        return threading.current_thread().name if process is None else process.label

    def process_id(self) -> int:
        process = self.processes.get(threading.current_thread())
        return 0 if process is None else process.number

    def now(self) -> int:
        return time.monotonic_ns() - self.start

    def sleep_until(self, deadline: int) -> None:
        with self.lock:
            self.enter()
            waiter = Waiter(lambda: "sleep")
            try:
                self.wait(waiter, deadline, lambda: None)
            except TimedOut:
                pass

    def yield_now(self) -> None:
        with self.lock:
            self.enter()
        time.sleep(0)

    def log(self, level: int, line: str) -> None:
        name = self.process_name()
        for listener in list(self.listeners):
            listener(name, level, line)


def fresh(error: ChannelError) -> ChannelError:
    """The same error for another thread: an exception carries the traceback of one."""
    return type(error)(error.reason)


WORLD = World()
