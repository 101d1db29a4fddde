"""asyncio over one alternation: `async def` processes.

The event loop waits in one place only, a choice among everything that its tasks wait for; so the host sees an
alternation, as of any process, and finds deadlocks. Cancelling an operation loses nothing, which is what guards that
lose have always promised:

- While tasks are ready to run, the loop only looks for messages; one whose receiver has been cancelled by the time
  that its task runs goes back to the receiver, first in line.
- Messages are sent, and those with ends of channels received, only when nothing else is ready: then the task that
  waits for it runs next, and nobody can cancel it in between.
- What needs no waiting is done at once, without a turn of the loop, which is many times as quick; but after some of these,
  the others have their turn.

In a program that has an event loop already, asyncio's or, with anyio, trio's, ends are awaitable as well: there an
operation is tried, and tried again, at first at once and later after some milliseconds, with no thread for it. Between two
tries nothing is under way, so cancelling loses nothing there either.
"""

from __future__ import annotations

import asyncio
import importlib
from asyncio import base_events
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from . import backend
from .alternation import Guard, _choose, _Receiving, sending
from .backend import current
from .channel import AHEAD, Receiver, Sender
from .errors import ChannelError, Closed, WouldBlock

__all__ = ["Loop", "messages", "receive", "run", "send"]

T = TypeVar("T")


# How many operations tasks may do at once in a turn of the loop.
_IN_A_TURN = 64


class _Selector:
    """What asyncio takes for a selector: it waits for guards."""

    def __init__(self) -> None:
        self.waiting: dict[asyncio.Future[Any], Guard] = {}
        # Operations since the loop looked last.
        self.at_once = 0

    def select(self, timeout: float | None) -> list[tuple[asyncio.Future[Any], backend.Chosen]]:
        self.at_once = 0
        busy = timeout is not None and timeout <= 0
        # One that was cancelled just now leaves when its task runs.
        futures = [
            future
            for future, guard in self.waiting.items()
            if not future.done() and (not busy or _can_be_returned(guard))
        ]
        if busy and not futures:
            return []
        guards = []
        for future in futures:
            try:
                guards.append(self.waiting[future]._raw())
            except ChannelError as error:
                # Another task has closed it, or given it away.
                del self.waiting[future]
                return [(future, backend.Chosen(0, error=error))]
        if busy:
            guards.append(backend.Guard("skip"))
        elif timeout is not None:
            now = current().now()
            guards.append(backend.Guard("after", time=now + int(timeout * 1e9)))
        if not guards:
            raise RuntimeError("every task waits for something that no process can bring about")
        chosen = _choose(guards, fair=True)
        if chosen.guard >= len(futures):
            return []
        future = futures[chosen.guard]
        del self.waiting[future]
        return [(future, chosen)]

    def close(self) -> None:
        self.waiting.clear()


def _can_be_returned(guard: Guard) -> bool:
    return isinstance(guard, _Receiving) and not guard.receiver.payload.carries_ends


class Loop(base_events.BaseEventLoop):
    """An event loop whose tasks can wait for channels, and for asyncio's timers, locks, queues and futures. It
    has no sockets, pipes, signals or subprocesses.
    """

    # What asyncio's own loop has: the calls that are due, and the timers.
    _ready: Any
    _scheduled: Any

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector()

    def time(self) -> float:
        """The clock of the network, in seconds."""
        return current().now() / 1e9

    def _process_events(self, events: list[tuple[asyncio.Future[Any], backend.Chosen]]) -> None:
        for future, chosen in events:
            if chosen.error is not None:
                future.set_exception(chosen.error)
            else:
                future.set_result(chosen)

    def _write_to_self(self) -> None:
        """Wakes the loop of another thread; a process has one thread."""

    def _goes_on(self) -> bool:
        """Whether a task may do one more thing at once, before the others have their turn."""
        self._selector.at_once += 1
        return self._selector.at_once <= _IN_A_TURN

    def _is_alone(self) -> bool:
        """Whether nothing but the task that runs now could do anything meanwhile: then it may wait by itself, as the
        loop would for it.
        """
        return not (self._ready or self._scheduled or self._selector.waiting)

    async def _communicate(self, guard: Guard) -> backend.Chosen:
        future: asyncio.Future[backend.Chosen] = self.create_future()
        self._selector.waiting[future] = guard
        try:
            return await future
        except asyncio.CancelledError:
            taken = future.done() and not future.cancelled() and future.exception() is None
            if taken and isinstance(guard, _Receiving):
                message = future.result().message
                assert message is not None
                guard.receiver._ahead.appendleft(message)
            raise
        finally:
            self._selector.waiting.pop(future, None)


def _own_loop() -> Loop | None:
    loop = _running_loop()
    return loop if isinstance(loop, Loop) else None


# As `asyncio.get_running_loop`, but `None` where there is none.
_running_loop: Callable[[], asyncio.AbstractEventLoop | None] = asyncio._get_running_loop


async def receive(receiver: Receiver[T]) -> T:
    """What `Receiver.receive_async` does."""
    if receiver._ahead:
        return receiver._decode(receiver._ahead.popleft())
    loop = _own_loop()
    if loop is None:
        return await _again_and_again(lambda: receiver._receive(backend.NEVER))
    if loop._goes_on():
        if receiver._kind:
            there: T | None = receiver.receive_now()
            if there is not None:
                return there
        elif some := receiver._take_there(1):
            return receiver._decode(some[0])
    return await _wait_for(loop, receiver)


async def messages(receiver: Receiver[T]) -> AsyncIterator[T]:
    """What `Receiver.__aiter__` does: takes many at once where there are many."""
    ahead = receiver._ahead
    loop = _own_loop()
    while True:
        while ahead:
            if loop is not None and not loop._goes_on():
                # What has not been taken out cannot be lost here.
                await asyncio.sleep(0)
                continue
            message = ahead.popleft()
            yield receiver._decode(message) if type(message) is bytes else message
        try:
            if loop is None:
                message = await receive(receiver)
            elif loop._goes_on() and (some := receiver._take_there(AHEAD)):
                ahead.extend(some)
                continue
            else:
                message = await _wait_for(loop, receiver)
        except Closed:
            return
        yield message


async def _wait_for(loop: Loop, receiver: Receiver[T]) -> T:
    if loop._is_alone():
        return receiver.receive()
    chosen = await loop._communicate(_Receiving(receiver))
    assert chosen.message is not None
    return receiver._decode(chosen.message, chosen.ends)


async def send(sender: Sender[T], message: T) -> None:
    """What `Sender.send_async` does."""
    loop = _own_loop()
    if loop is None:
        await _again_and_again(lambda: sender._send(message, backend.NEVER))
    elif not (loop._goes_on() and sender._sent_there(message)):
        if loop._is_alone():
            sender.send(message)
        else:
            await loop._communicate(sending(sender, message))


# How often a loop that is not this package's tries at once, and the longest pause after that, in seconds.
_AT_ONCE = 64
_LONGEST = 0.005


async def _again_and_again(attempt: Callable[[], T]) -> T:
    """Tries until it need not wait; others run in between."""
    sleep = _sleep_here()
    tries, pause = 0, 0.0
    while True:
        try:
            return attempt()
        except WouldBlock:
            pass
        if tries >= _AT_ONCE:
            pause = min(_LONGEST, 2 * pause or 0.0001)
        tries += 1
        await sleep(pause)


def _sleep_here() -> Callable[[float], Coroutine[Any, Any, None]]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            anyio = importlib.import_module("anyio")
        except ImportError:
            raise RuntimeError(
                "channels can be awaited in `async def` processes, in asyncio, and, if anyio is installed, in trio"
            ) from None
        sleep: Callable[[float], Coroutine[Any, Any, None]] = anyio.sleep
        return sleep
    return asyncio.sleep


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in a loop of its own, as `asyncio.run` does.

    >>> from transputer import Channel
    >>> async def main() -> int:
    ...     numbers, received = Channel(int, capacity=1)
    ...     async with asyncio.TaskGroup() as group:
    ...         group.create_task(numbers.send_async(7))
    ...         got = group.create_task(received.receive_async())
    ...     return got.result()
    >>> run(main())
    7

    The tasks of one process are one party to the host: two of them cannot meet at a rendezvous, which takes two.
    """
    loop = Loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

