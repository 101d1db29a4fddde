"""For tests: process functions as plain Python, with no host and no WebAssembly.

Outside a sandbox, channels are in memory and processes are threads, with the same semantics; a deadlock of all
of them is found, and ends each with `Deadlock` and a report of who waits for what. pytest has a fixture `network`,
which is used as a `transputer.Network` is:

    def test_double(network):
        p = network.start(double)
        p.numbers.send(21)
        assert p.doubled.receive() == 42

At the end, its processes must have finished, as in a `with`. `pytest --transputer=sandbox` runs the same tests with each
process in its sandbox. The fixture `process_log` collects what processes log.

Without a fixture, `Network(host=MemoryHost())` does the same, and channels and `start` work in any program:

    def test_double():
        numbers, wire = Channel(int)
        last, doubled = Channel(int)
        child = double(wire, last).start()
        numbers.send(21)
        assert doubled.receive() == 42
        numbers.close()
        child.join()
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..backend.memory import WORLD
from ..processes import Process
from .memory import MemoryHost

__all__ = ["MemoryHost", "logged", "provide"]


@contextlib.contextmanager
def provide(**components: Process[...]) -> Iterator[None]:
    """Lets processes spawn these by name, as the network file does for the sandbox.

    >>> from transputer import Channel, Sender, process, spawn
    >>> @process
    ... def count(limit: int, numbers: Sender[int]):
    ...     numbers.send_all(range(limit))
    >>> last, numbers = Channel(int)
    >>> with provide(counter=count):
    ...     child = spawn("counter", limit=2, numbers=last)
    >>> list(numbers)
    [0, 1]
    """
    before = dict(WORLD.components)
    WORLD.components.update(components)
    try:
        yield
    finally:
        WORLD.components = before


@contextlib.contextmanager
def logged() -> Iterator[list[tuple[str, int, str]]]:
    """Collects what processes log meanwhile: the process, the level and the line."""
    lines: list[tuple[str, int, str]] = []

    def listen(name: str, level: int, line: str) -> None:
        lines.append((name, level, line))

    WORLD.listeners.append(listen)
    try:
        yield lines
    finally:
        WORLD.listeners.remove(listen)
