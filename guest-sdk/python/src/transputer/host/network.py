"""Networks in a Python program."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from ..channel import Overflow, Receiver, Sender
from ..children import Outcome
from ..errors import PeerFailed, PeerKilled, PeerTrapped, TimedOut
from ..payload import Payload
from ..payload.wit import payload_from_wit
from ..processes import Process
from .components import INTERPRETER, load_component, module_path
from .ends import HostReceiver, HostSender
from .errors import HostError, failure
from .units import seconds, size

__all__ = ["Host", "Network", "Port", "Running", "load"]


def _native() -> Any:
    if sys.platform == "wasi":
        raise HostError("a process in its sandbox cannot run networks; it spawns processes")
    try:
        return import_module("transputer._host")
    except ImportError as error:
        raise HostError(
            "this installation has no host, only what processes are written with; "
            f"`pip install ./host/python` builds one ({error})"
        ) from None


class Host:
    """One engine with its worker threads, for any number of networks."""

    def __init__(
        self, *, max_processes: int = 1000, workers: int | None = None, seed: int | None = None
    ) -> None:
        interpreter = str(INTERPRETER) if INTERPRETER.is_file() else None
        self._native = _native().Host(max_processes, workers, seed, interpreter, module_path())
        self._components: dict[Any, Any] = {}

    _default: Host | None = None
    _lock = threading.Lock()

    @classmethod
    def default(cls) -> Host:
        """The host of networks that were given none."""
        with cls._lock:
            if cls._default is None:
                cls._default = cls()
            return cls._default

    def _component(self, what: Process[...] | str | os.PathLike[str]) -> Any:
        key = what if isinstance(what, Process) else os.fspath(what)
        if key not in self._components:
            self._components[key] = load_component(self._native, what)
        return self._components[key]

    def _sender(self, native: Any) -> Any:
        return HostSender(self._native, native)

    def _receiver(self, native: Any) -> Any:
        return HostReceiver(self._native, native)


class Port:
    """A port of a process that has not started, to be connected with another."""

    def __init__(self, member: Running, name: str, direction: str, payload: Payload) -> None:
        self.member = member
        self.name = name
        self.direction = direction
        self.payload = payload

    @property
    def reference(self) -> str:
        """How the host names it: `process.port`."""
        return f"{self.member.name}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self.direction} {self.reference}: {self.payload.wit}>"


class Running:
    """A process of a network. Its ports are attributes: `Port`s until it starts, then, unless they are
    connected with other ports, a `Sender` or a `Receiver`.
    """

    def __init__(self, network: Network, batch: _Batch, name: str) -> None:
        self._network = network
        self._batch = batch
        self.name = name
        """Its name, unique in the network."""
        self.ports: dict[str, Any] = {}
        """Its ports by name."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["ports"][name]
        except KeyError:
            known = ", ".join(f"`{port}`" for port in self.__dict__.get("ports", ()))
            raise AttributeError(f"the process has no port `{name}`; it has {known or 'none'}") from None

    def wait(self, *, timeout: float | None = None) -> Outcome:
        """Blocks until the processes that were started with it have ended; tells how this one did."""
        return self._batch.outcomes(timeout).get(self.name, Outcome("finished"))

    def join(self, *, timeout: float | None = None) -> None:
        """Blocks as `wait` does; raises `Failed` unless it finished."""
        _raise_unless_finished(self.name, self.wait(timeout=timeout))

    def __repr__(self) -> str:
        return f"<process {self.name}>"


def _raise_unless_finished(name: str, outcome: Outcome) -> None:
    if not outcome.is_finished:
        raise failure(name, outcome)


class _Batch:
    """Processes that start together: a network, to the host."""

    def __init__(self, host: Host, name: str) -> None:
        self.wiring = host._native.network(name)
        self.members: list[Running] = []
        self.running: Any = None
        self.listening: threading.Thread | None = None

    def start(self, log: Callable[[str, str, str], None]) -> None:
        self.running = self.wiring.start()
        self.listening = threading.Thread(
            target=self._listen, args=(log,), name="transputer-log", daemon=True
        )
        self.listening.start()

    def _listen(self, log: Callable[[str, str, str], None]) -> None:
        while True:
            # What has happened is told before the end is.
            ended = self.running.has_ended()
            try:
                event = self.running.next_event(0.0 if ended else 0.1)
            except StopIteration:
                return
            if event is not None:
                line = json.loads(event).get("log")
                if line:
                    log(line["process"], line["level"], line["line"])
            elif ended:
                return

    def outcomes(self, timeout: float | None = None) -> dict[str, Outcome]:
        """How those ended that did not finish, the most likely cause first."""
        if self.running is None:
            raise HostError("the processes have not started")
        failures = self.running.wait(timeout)
        if failures is None:
            raise TimedOut
        if self.listening is not None and self.listening is not threading.current_thread():
            self.listening.join()
        outcomes: dict[str, Outcome] = {}
        for name, text, limit in failures:
            kind, _, what = text.removeprefix("was ").partition(": ")
            outcomes.setdefault(name, Outcome(kind, what, limit))
        return outcomes


def _to_stderr(process: str, level: str, line: str) -> None:
    print(f"{process}: {line}", file=sys.stderr)


_LIMITS: dict[str, Callable[[Any], Any]] = {
    "memory": size,
    "message": size,
    "cpu": seconds,
    "wall": seconds,
    "operation": seconds,
    "children": int,
    "channels": int,
    "log": int,
}


def _limits(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    for name in given:
        if name not in _LIMITS:
            raise TypeError(f"there is no limit `{name}`; there are {', '.join(_LIMITS)}")
    return {
        name: None if given.get(name) is None else read(given[name]) for name, read in _LIMITS.items()
    }


_GRANTS = ("stdio", "clocks", "env", "directories", "network")


def _grants(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    for name in given:
        if name not in _GRANTS:
            raise TypeError(f"there is no grant `{name}`; there are {', '.join(_GRANTS)}")
    env = given.get("env", {})
    pairs = env.items() if isinstance(env, Mapping) else ((name, None) for name in env)
    directories = [
        (os.fspath(entry["host"]), entry["guest"], bool(entry.get("write", False)))
        for entry in given.get("directories", ())
    ]
    return {
        "stdio": bool(given.get("stdio", False)),
        "clocks": bool(given.get("clocks", False)),
        "env": list(pairs),
        "directories": directories,
        "network": list(given.get("network", ())),
    }


class Network:
    """Processes and the channels between them.

        with Network() as net:
            count = net.process("count.wasm", limit=10)
            twice = net.process(double, limits={"memory": "64 MiB", "cpu": "1 s"})
            net.connect(count.numbers, twice.numbers, capacity=8)
            net.start()
            for n in twice.doubled:
                print(n)

    At the end of `with`, the program's ends are closed, and it waits until all processes have ended; the first
    that failed is raised as `Failed`, with the traceback in its process as the cause. After an exception in the
    program itself, the processes are stopped; if it is the failure of a process, as the program heard of it at a channel,
    that process's own is raised in its place.
    """

    def __init__(
        self,
        name: str = "network",
        *,
        host: Host | None = None,
        log: Callable[[str, str, str], None] = _to_stderr,
    ) -> None:
        """`log` is called with the process, the level and the line of what processes print and log."""
        self.name = name
        self.host = host or Host.default()
        self._log = log
        self._batches: list[_Batch] = []
        self._wiring: _Batch | None = None
        self._names: set[str] = set()

    def process(
        self,
        what: Process[...] | str | os.PathLike[str],
        /,
        *,
        name: str | None = None,
        limits: Mapping[str, Any] | None = None,
        grants: Mapping[str, Any] | None = None,
        may_spawn: Mapping[str, Process[...] | str | os.PathLike[str]] | None = None,
        **arguments: Any,
    ) -> Running:
        """Adds a process: a Python function marked `@process`, or a component's file. It starts with `start`.

        `limits` and `grants` have the keys that they have in a network file. `may_spawn` names the components
        that it may spawn.
        """
        component = self.host._component(what)
        process, _, ports = component.signature()
        batch = self._wiring = self._wiring or _Batch(self.host, self.name)
        member = Running(self, batch, self._unique(name or process))
        children = {
            name: self.host._component(child) for name, child in dict(may_spawn or {}).items()
        }
        batch.wiring.process(
            member.name,
            component,
            _plain_arguments(what, arguments),
            _limits(limits),
            _grants(grants),
            children,
        )
        for port, direction, wit in ports:
            member.ports[port] = Port(member, port, direction, _payload(what, port, wit))
        batch.members.append(member)
        return member

    def connect(
        self,
        source: Port | Sequence[Port],
        target: Port | Sequence[Port],
        capacity: int = 0,
        overflow: Overflow = Overflow.BLOCK,
    ) -> None:
        """Opens a channel from output ports to input ports; each message goes to one of the latter."""
        sources = [source] if isinstance(source, Port) else list(source)
        targets = [target] if isinstance(target, Port) else list(target)
        for port in (*sources, *targets):
            if not isinstance(port, Port):
                raise HostError("only ports of processes that have not started can be connected")
        if self._wiring is None:
            raise HostError("the processes run already")
        references = ([port.reference for port in ports] for ports in (sources, targets))
        self._wiring.wiring.connect(*references, capacity, overflow.value)
        for port in (*sources, *targets):
            del port.member.ports[port.name]

    def start(
        self, what: Process[...] | str | os.PathLike[str] | None = None, /, **settings: Any
    ) -> Any:
        """Starts all processes that were added. Ports that are not connected become ends of the program's.

        With a process, adds that first, and returns it: `net.start(double, by=3)`.
        """
        member = None if what is None else self.process(what, **settings)
        batch, self._wiring = self._wiring, None
        if batch is None:
            raise HostError("there is no process to start; add one with `process`")
        ends: list[tuple[Running, str, Any]] = []
        for running in batch.members:
            for name, port in running.ports.items():
                if port.direction == "input":
                    native = batch.wiring.input(port.reference, 0, 0)
                    raw: Any = self.host._sender(native)
                    ends.append((running, name, Sender(raw, port.payload, name)))
                else:
                    native = batch.wiring.output(port.reference, 0, 0)
                    raw = self.host._receiver(native)
                    ends.append((running, name, Receiver(raw, port.payload, name)))
        batch.start(self._log)
        for running, name, end in ends:
            running.ports[name] = end
        self._batches.append(batch)
        return member

    def wait(self, *, timeout: float | None = None) -> dict[str, Outcome]:
        """Blocks until all processes have ended; how those did that did not finish, by name."""
        outcomes: dict[str, Outcome] = {}
        for batch in self._batches:
            outcomes.update(batch.outcomes(timeout))
        return outcomes

    def join(self, *, timeout: float | None = None) -> None:
        """Blocks as `wait` does; raises `Failed` for the first that did not finish."""
        for name, outcome in self.wait(timeout=timeout).items():
            _raise_unless_finished(name, outcome)

    def stop(self, reason: str) -> None:
        """Ends every process, with this reason. Returns at once."""
        for batch in self._batches:
            batch.running.stop(reason)

    def close(self) -> None:
        """Closes the program's ends of all channels."""
        for batch in self._batches:
            for member in batch.members:
                for end in member.ports.values():
                    if not isinstance(end, Port):
                        end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.stop(f"the program was left by {type(error).__name__}")
            self.close()
            if isinstance(error, (PeerFailed, PeerTrapped, PeerKilled)):
                self._raise_cause()
            return
        self.close()
        self.join()

    def _raise_cause(self) -> None:
        """Raises what became of the process for which the program has failed."""
        for name, outcome in self.wait().items():
            if outcome.kind != "stopped":
                raise failure(name, outcome)

    def _unique(self, name: str) -> str:
        unique, number = name, 1
        while unique in self._names:
            number += 1
            unique = f"{name}-{number}"
        self._names.add(unique)
        return unique


def _payload(what: Any, port: str, wit: str) -> Payload:
    """What a port carries: as the Python function has it, where it is one."""
    if isinstance(what, Process):
        signature = what.signature
        payload = signature.inputs.get(port) or signature.outputs.get(port)
        if payload is not None and payload.wit == wit:
            return payload
    return payload_from_wit(wit)


def _plain_arguments(what: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in the forms that network files have."""
    from ..children import _plain

    if isinstance(what, Process):
        # Says what is wrong with a value, in Python's words.
        what.encode_arguments(arguments)
    return {name: _plain(value) for name, value in arguments.items() if value is not None}


def load(
    path: str | os.PathLike[str], *, host: Host | None = None, **arguments: object
) -> dict[str, Outcome]:
    """Runs a network file, with values for its arguments, until all processes have ended. Its standard input and
    output are this program's. Returns how those ended that did not finish.
    """
    host = host or Host.default()
    texts = {name: str(value) for name, value in arguments.items()}
    batch = _Batch.__new__(_Batch)
    batch.wiring = host._native.load(os.fspath(path), texts)
    batch.members, batch.running, batch.listening = [], None, None
    batch.start(_to_stderr)
    return batch.outcomes()
