"""Networks in memory: what `transputer.Network` asks of a host, without one."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any

from ..backend import RawChild, RawOutcome, Refusal, current
from ..backend.memory import WORLD
from ..children import plain_arguments
from ..host import Host, HostError
from ..processes import Process

__all__ = ["MemoryHost"]

_LEVELS = ("trace", "debug", "info", "warn", "error")


class MemoryHost(Host):
    """A host whose processes are threads of this program, and whose channels are in its memory.

    Limits and grants are accepted and not enforced; components that are files cannot run.

    >>> from transputer import Network, Receiver, Sender, process
    >>> @process
    ... def double(numbers: Receiver[int], doubled: Sender[int], by: int = 2):
    ...     for n in numbers:
    ...         doubled.send(by * n)
    >>> with Network(host=MemoryHost()) as net:
    ...     p = net.start(double, by=3)
    ...     p.numbers.send(7)
    ...     p.doubled.receive()
    21
    """

    def __init__(self) -> None:
        self._native = self

    def network(self, name: str) -> _Wiring:
        """The wiring of processes that start together."""
        return _Wiring()

    def _component(self, what: Process[...] | str | os.PathLike[str]) -> Any:
        if isinstance(what, Process):
            return _Component(what)
        raise HostError(f"{os.fspath(what)}: only Python functions marked `@process` run in memory")

    def _sender(self, native: Any) -> Any:
        return native

    def _receiver(self, native: Any) -> Any:
        return native


class _Component:
    def __init__(self, process: Process[...]) -> None:
        self.process = process

    def signature(self) -> tuple[str, str, list[tuple[str, str, str]]]:
        signature = self.process.signature
        inputs = [(name, "input", payload.wit) for name, payload in signature.inputs.items()]
        outputs = [(name, "output", payload.wit) for name, payload in signature.outputs.items()]
        return signature.name, signature.doc, inputs + outputs


class _Member:
    """A process that is to start."""

    def __init__(self, name: str, process: Process[...], arguments: bytes) -> None:
        self.name = name
        self.process = process
        self.arguments = arguments
        self.inputs: list[tuple[str, Any]] = []
        self.outputs: list[tuple[str, Any]] = []


class _Wiring:
    """Processes, and the ends that they are to have."""

    def __init__(self) -> None:
        self.members: dict[str, _Member] = {}

    def process(
        self,
        name: str,
        component: _Component,
        arguments: Mapping[str, Any],
        limits: object,
        grants: object,
        children: Mapping[str, _Component],
    ) -> None:
        for argument in arguments:
            if argument not in component.process.signature.arguments:
                raise HostError(f"process `{name}` has no argument `{argument}`")
        for child, made_of in children.items():
            WORLD.components[child] = made_of.process
        self.members[name] = _Member(name, component.process, plain_arguments(arguments))

    def connect(self, sources: list[str], targets: list[str], capacity: int, overflow: int) -> None:
        for reference in sources:
            self._check(reference, is_output=True)
        for reference in targets:
            self._check(reference, is_output=False)
        sender, receiver = current().open(capacity, overflow)
        for reference in sources:
            self._give(reference, sender.clone())
        for reference in targets:
            self._give(reference, receiver.clone())
        sender.close()
        receiver.close()

    def input(self, reference: str, capacity: int, overflow: int) -> Any:
        sender, receiver = current().open(capacity, overflow)
        self._give(reference, receiver)
        return sender

    def output(self, reference: str, capacity: int, overflow: int) -> Any:
        sender, receiver = current().open(capacity, overflow)
        self._give(reference, sender)
        return receiver

    def _check(self, reference: str, is_output: bool) -> None:
        name, _, port = reference.partition(".")
        if (port in self.members[name].process.signature.outputs) != is_output:
            kinds = ("an input, not an output", "an output, not an input")
            raise HostError(f"port `{reference}` is {kinds[not is_output]}")

    def _give(self, reference: str, end: Any) -> None:
        name, _, port = reference.partition(".")
        member = self.members[name]
        (member.outputs if end.kind == "sender" else member.inputs).append((port, end))

    def start(self) -> _RunningInMemory:
        running = _RunningInMemory(set(self.members))
        for member in self.members.values():
            try:
                child = current().spawn(
                    member.process,
                    member.name,
                    member.arguments,
                    member.inputs,
                    member.outputs,
                    None,
                    True,
                )
            except Refusal as refusal:
                running.stop("another process could not be started")
                raise HostError(refusal.reason) from None
            running.children.append((member.name, child))
        return running


class _RunningInMemory:
    """Processes that run."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.children: list[tuple[str, RawChild]] = []
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        WORLD.listeners.append(self._hear)

    def _hear(self, process: str, level: int, line: str) -> None:
        if process in self.names:
            log = {"process": process, "level": _LEVELS[level], "line": line}
            self.events.put(json.dumps({"log": log}))

    def has_ended(self) -> bool:
        return all(child.wait(-1) is not None for _, child in self.children)

    def next_event(self, timeout: float) -> str | None:
        # Whoever listens to the log does nothing else.
        WORLD.bystanders.add(threading.current_thread())
        try:
            return self.events.get(timeout=timeout) if timeout else self.events.get_nowait()
        except queue.Empty:
            return None

    def stop(self, reason: str) -> None:
        for _, child in self.children:
            child.kill(reason)

    def wait(self, timeout: float | None) -> list[tuple[str, str, str | None]] | None:
        """How those ended that did not finish: the causes first, then those that only heard of one."""
        deadline = None if timeout is None else time.monotonic() + timeout
        ended: list[tuple[str, RawOutcome]] = []
        for name, child in self.children:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            patience = None if left is None else current().now() + int(left * 1e9)
            outcome = child.wait(patience)
            if outcome is None:
                return None
            ended.append((name, outcome))
        if self._hear in WORLD.listeners:
            WORLD.listeners.remove(self._hear)
        failed = [(name, outcome) for name, outcome in ended if outcome.kind != "finished"]
        failed.sort(key=lambda each: each[1].text.startswith("a process at the channel"))
        return [(name, f"{outcome.kind}: {outcome.text}", outcome.limit) for name, outcome in failed]
