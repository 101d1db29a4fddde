"""Processes in memory: threads, which end as processes do."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from ...errors import ChannelError, PeerFailed, PeerKilled, TimedOut, WouldBlock
from .. import Patience, RawOutcome, RawReceiver, Refusal
from .world import Stopped, Waiter, World

__all__ = ["MemoryChild", "start"]


class MemoryProcess:
    """A thread that runs a process."""

    def __init__(self, world: World, label: str, number: int) -> None:
        self.world = world
        self.label = label
        self.number = number
        self.thread = threading.Thread(target=lambda: None)
        self.stopped: str | None = None
        self.ends: weakref.WeakSet[Any] = weakref.WeakSet()
        self.outcome: RawOutcome | None = None
        self.ended: list[Waiter] = []
        self.monitors: list[Any] = []
        self.links: list[MemoryProcess] = []

    def run(self, process: Any, arguments: bytes, inputs: Any, outputs: Any) -> None:
        """What the thread does."""
        from ...ending import Ending, run

        try:
            ending = run(process, arguments, inputs, outputs)
        except Stopped as stopped:
            # Whatever its function did with the exception, it was stopped.
            ending = Ending(str(stopped), stopped)
        del inputs, outputs
        with self.world.lock:
            if self.stopped is not None:
                self.end(RawOutcome("stopped", self.stopped))
            elif ending.text is not None:
                self.end(RawOutcome("failed", ending.text))
            else:
                self.end(RawOutcome("finished"))

    def end(self, outcome: RawOutcome) -> None:
        """Closes or poisons what it holds, and tells whoever wants to know. Under the lock."""
        world = self.world
        self.outcome = outcome
        kind = outcome.kind
        if kind != "finished":
            for other in self.links:
                other.kill(f"`{self.label}`, to which it is linked, {_phrase(outcome)}")
            reason = f"process `{self.label}` {_phrase(outcome)}"
            error: ChannelError = PeerKilled(reason) if kind == "stopped" else PeerFailed(reason)
            for end in list(self.ends):
                end.set_poison(error)
        for end in list(self.ends):
            end.release()
        while world.dropped:
            world.dropped.popleft().release()
        for monitor in self.monitors:
            _tell(monitor, outcome)
        world.processes.pop(self.thread, None)
        for waiter in self.ended:
            if not waiter.completed:
                waiter.complete(world, None)
        world.look_for_deadlock()

    def kill(self, reason: str) -> None:
        """Has its next operation end it, or the one in which it waits. Under the lock."""
        if self.outcome is not None or self.stopped is not None:
            return
        self.stopped = reason
        waiting = self.world.waiting.get(self.thread)
        if waiting is not None and not waiting[0].completed:
            waiting[0].complete(self.world, Stopped(reason))


def _phrase(outcome: RawOutcome) -> str:
    kind = "was stopped" if outcome.kind == "stopped" else outcome.kind
    return f"{kind}: {outcome.text}"


def _tell(monitor: Any, outcome: RawOutcome) -> None:
    """Sends the text of the outcome, as the host does."""
    text = "" if outcome.kind == "finished" else _phrase(outcome)
    try:
        monitor.offer(text.encode())
    except ChannelError:
        pass
    monitor.release()


class MemoryChild:
    """A process as its parent sees it."""

    def __init__(self, process: MemoryProcess) -> None:
        self.process = process
        self.world = process.world

    def name(self) -> str:
        return self.process.label

    def id(self) -> int:
        return self.process.number

    def wait(self, patience: Patience) -> RawOutcome | None:
        with self.world.lock:
            self.world.enter()
            if self.process.outcome is None:
                waiter = Waiter(
                    lambda: f"see the end of process `{self.process.label}`", breakable=False
                )
                self.process.ended.append(waiter)
                try:
                    self.world.wait(waiter, patience, lambda: self.process.ended.remove(waiter))
                except (TimedOut, WouldBlock):
                    return None
            return self.process.outcome

    def kill(self, reason: str) -> None:
        with self.world.lock:
            self.world.enter()
            self.process.kill(reason)

    def link(self) -> None:
        with self.world.lock:
            own = self.world.enter()
            if own is None:
                raise TypeError("only a process can be linked with another")
            assert isinstance(own, MemoryProcess)
            own.links.append(self.process)
            self.process.links.append(own)
            outcome = self.process.outcome
            if outcome is not None and outcome.kind != "finished":
                own.kill(f"`{self.process.label}`, to which it is linked, {_phrase(outcome)}")
                self.world.enter()

    def monitor(self) -> RawReceiver:
        with self.world.lock:
            self.world.enter()
            sender: Any
            sender, receiver = self.world.open(1, 0)
            sender.belongs_to(None)
            if self.process.outcome is not None:
                _tell(sender, self.process.outcome)
            else:
                self.process.monitors.append(sender)
            return receiver


def start(
    world: World,
    component: Any,
    name: str | None,
    arguments: bytes,
    inputs: list[tuple[str, Any]],
    outputs: list[tuple[str, Any]],
) -> MemoryChild:
    """Starts a process in a thread of its own."""
    process = world.components.get(component) if isinstance(component, str) else component
    if process is None:
        raise Refusal(
            "unknown component",
            f"no process `{component}` is provided here; see `transputer.testing.provide`",
            inputs,
            outputs,
        )
    fault = _misfit(process, inputs, outputs)
    if fault is not None:
        raise Refusal("misfit", fault, inputs, outputs)
    with world.lock:
        world.enter()
        number = next(world.numbers)
        label = _unique(world, name or process.name, number)
        made = MemoryProcess(world, label, number)
        for port, end in [*inputs, *outputs]:
            end.belongs_to(made)
            end.channel.ports[end.kind] = f"{label}.{port}"
        made.thread = threading.Thread(
            target=made.run, args=(process, arguments, inputs, outputs), name=label, daemon=True
        )
        world.processes[made.thread] = made
        made.thread.start()
        return MemoryChild(made)


def _unique(world: World, name: str, number: int) -> str:
    taken = {process.label for process in world.processes.values()}
    return name if name not in taken else f"{name}-{number}"


def _misfit(process: Any, inputs: list[tuple[str, Any]], outputs: list[tuple[str, Any]]) -> str | None:
    """What of the ports does not fit the process, if anything."""
    signature = process.signature
    for kind, given, wanted in (
        ("input", [port for port, _ in inputs], list(signature.inputs)),
        ("output", [port for port, _ in outputs], list(signature.outputs)),
    ):
        for port in given:
            if port not in wanted:
                return f"process `{process.name}` has no {kind} port `{port}`"
        for port in wanted:
            if port not in given:
                return f"{kind} port `{port}` of process `{process.name}` is not given"
    return None
