"""Starting processes, and waiting for them."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .alternation import select
from .backend import NEVER, Patience, RawChild, RawOutcome, Refusal, current
from .channel import Receiver, Sender, put_back, take_all
from .clock import patience
from .errors import ChannelError, Error, Failed, SpawnRefused
from .payload import Writer
from .payload.anything import write as write_any
from .payload.base import MAP, Payload, Reader
from .payload.scalars import BYTES

if TYPE_CHECKING:
    from .processes import Process

__all__ = ["Child", "Failures", "Outcome", "Spawn", "par", "seq", "spawn"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a process ended.

    >>> print(Outcome("failed", "no such file"))
    failed: no such file
    >>> Outcome("killed", "over its cpu limit: 1s of 1s allowed", "cpu").limit
    'cpu'
    """

    kind: Literal["finished", "failed", "trapped", "killed", "stopped"]
    """It returned; an exception left it; it did what WebAssembly forbids, such as exhausting its stack; it
    went over a limit; somebody stopped it.
    """
    text: str = ""
    """The exception and its traceback, the trap, the limit, or the reason."""
    limit: str | None = None
    """The limit that it went over, by its key in a network file: `memory`, `cpu`, `wall`."""

    @property
    def is_finished(self) -> bool:
        """Whether it returned."""
        return self.kind == "finished"

    def __str__(self) -> str:
        return self.kind if self.is_finished else f"{self.kind}: {self.text}"

    @classmethod
    def _of(cls, raw: RawOutcome) -> Outcome:
        return cls(*raw)  # type: ignore[arg-type]


class Spawn:
    """A process that could be started, with its arguments and the ends that are to be its ports."""

    def __init__(self, what: Process[...] | str, label: str, values: Mapping[str, Any]) -> None:
        self.what = what
        self.label = label
        self.given_name: str | None = None
        self.inputs = {name: end for name, end in values.items() if isinstance(end, Receiver)}
        self.outputs = {name: end for name, end in values.items() if isinstance(end, Sender)}
        self.arguments = {
            name: value
            for name, value in values.items()
            if name not in self.inputs and name not in self.outputs
        }

    def named(self, name: str) -> Spawn:
        """The same, with a name for the new process; a number is added where it is taken."""
        self.given_name = self.label = name
        return self

    def start(self, *, capacity_timeout: float | None = None) -> Child:
        """Starts the process. The ends move there. At the limit on processes it waits or fails as the network
        is set to, or for at most `capacity_timeout` seconds.

        Raises `SpawnRefused`; the ends are the caller's again then.
        """
        arguments = self._encoded_arguments()
        self._check_types()
        ends = [*self.inputs.values(), *self.outputs.values()]
        try:
            taken = take_all(ends)
        except ChannelError as error:
            raise SpawnRefused("misfit", str(error)) from None
        inputs = list(zip(self.inputs, taken, strict=False))
        outputs = list(zip(self.outputs, taken[len(inputs) :], strict=True))
        as_set = capacity_timeout is None
        wait: Patience = None if as_set else patience(capacity_timeout)
        if capacity_timeout is not None and capacity_timeout <= 0:
            wait = NEVER
        try:
            child = current().spawn(
                self.what, self.given_name, arguments, inputs, outputs, wait, as_set
            )
        except Refusal as refusal:
            self._put_back(refusal)
            raise SpawnRefused(refusal.kind, refusal.reason) from None
        except BaseException:
            put_back(ends, taken)
            raise
        return Child(child)

    def start_linked(self) -> Child:
        """Starts the process, linked with this one."""
        child = self.start()
        child.link()
        return child

    def _put_back(self, refusal: Refusal) -> None:
        for name, raw in refusal.inputs:
            self.inputs[name]._put_back(raw)
        for name, raw in refusal.outputs:
            self.outputs[name]._put_back(raw)

    def _check_types(self) -> None:
        """Compares the ends with the ports, as the host does when a network is wired."""
        if isinstance(self.what, str):
            return
        signature = self.what.signature
        both: list[tuple[Mapping[str, Any], Mapping[str, Payload]]] = [
            (self.inputs, signature.inputs),
            (self.outputs, signature.outputs),
        ]
        for given, ports in both:
            for name, end in given.items():
                port = ports.get(name)
                if port is None:
                    kind = "a receiver" if isinstance(end, Receiver) else "a sender"
                    raise TypeError(f"`{name}` of process `{self.what.name}` is given {kind}")
                if port.wit != end.payload.wit:
                    raise TypeError(
                        f"port `{name}` of process `{self.what.name}` carries `{port.wit}`, "
                        f"but the end given to it `{end.payload.wit}`"
                    )

    def _encoded_arguments(self) -> bytes:
        if not isinstance(self.what, str):
            return self.what.encode_arguments(self.arguments)
        return plain_arguments(self.arguments)

    def __repr__(self) -> str:
        return f"<spawn {self.label}>"


def plain_arguments(values: Mapping[str, Any]) -> bytes:
    """Arguments of a process whose types are not known here, in the form in which the host hands them over."""
    writer = Writer()
    writer.head(MAP, len(values))
    for name, value in values.items():
        writer.text(name)
        write_any(_plain(value), writer, 0)
    return bytes(writer.out)


def _plain(value: Any) -> Any:
    """A value as other languages know it: dataclasses are records, enums the names of their members."""
    if isinstance(value, enum.Enum):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def spawn(what: Spawn | Process[...] | str, /, **values: Any) -> Child:
    """Starts a process: what a call of a `Process` has described, or a component of the network file by its
    name, with arguments and ends by name. Ends move to the new process.

    >>> from transputer import Channel, process
    >>> @process
    ... def count(limit: int, numbers: Sender[int]):
    ...     numbers.send_all(range(limit))
    >>> last, numbers = Channel(int)
    >>> child = spawn(count(3, last))
    >>> list(numbers)
    [0, 1, 2]
    >>> child.wait().is_finished
    True

    Raises `SpawnRefused`; the ends are the caller's again then.
    """
    if isinstance(what, Spawn):
        if values:
            raise TypeError("give the arguments in the call of the process")
        return what.start()
    if isinstance(what, str):
        return Spawn(what, what, values).start()
    return what(**values).start()


class Child:
    """A process that this one has started. It runs on if this is dropped."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawChild) -> None:
        self._raw = raw

    @property
    def name(self) -> str:
        """Its name, unique in the network."""
        return self._raw.name()

    @property
    def id(self) -> int:
        """Its number, unique in the network."""
        return self._raw.id()

    def wait(self, *, timeout: float | None = None, deadline: float | None = None) -> Outcome:
        """Blocks until it has ended, and tells how. Raises `TimedOut` if that takes longer than a timeout in
        seconds, or than a deadline of `now`.
        """
        outcome = self._raw.wait(patience(timeout, deadline))
        if outcome is None:
            from .errors import TimedOut

            raise TimedOut
        return Outcome._of(outcome)

    def try_wait(self) -> Outcome | None:
        """How it ended, if it has."""
        outcome = self._raw.wait(NEVER)
        return None if outcome is None else Outcome._of(outcome)

    def join(self) -> None:
        """Blocks until it has ended; raises `Failed` unless it finished."""
        outcome = self.wait()
        if not outcome.is_finished:
            raise Failed(self.name, outcome)

    def kill(self, reason: str) -> None:
        """Stops it: it leaves every queue, and its channels are poisoned with this reason. Returns at once;
        nothing happens if it has ended already.
        """
        self._raw.kill(reason)

    def link(self) -> None:
        """Links this process and the child: when one of them fails, the other is stopped."""
        self._raw.link()

    def monitor(self) -> Receiver[str]:
        """A receiver of one message, sent when the child ends: the text of its outcome, empty if it finished.
        For use in an alternation.
        """
        return Receiver(self._raw.monitor(), ENDED)

    def __repr__(self) -> str:
        return f"<child {self.name}>"


class _Ended(Payload):
    """The text of an outcome, which crosses as it is."""

    __slots__ = ()
    wit = BYTES.wit

    def write(self, value: Any, writer: Writer) -> None:
        BYTES.write(value.encode(), writer)

    def read(self, reader: Reader) -> str:
        return BYTES.read(reader).decode(errors="replace")

    def read_whole(self, reader: Reader) -> str:
        return reader.rest().decode(errors="replace")

    def admits(self, value: object) -> bool:
        return isinstance(value, str)


ENDED = _Ended()


class Failures(Error):
    """What became of processes that were run together, if not all of them finished."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: list[str] = []
        """The names of those that finished."""
        self.failed: list[tuple[str, Outcome | SpawnRefused]] = []
        """Those that failed, with their outcomes: first those that could not be started, with the reason."""
        self.not_started: list[str] = []
        """Those that were not started, since another had failed."""

    def _add(self, name: str, outcome: Outcome) -> None:
        if outcome.is_finished:
            self.finished.append(name)
        else:
            self.failed.append((name, outcome))

    def _names(self) -> list[str]:
        if self.failed:
            raise self
        return self.finished

    def __str__(self) -> str:
        every = len(self.finished) + len(self.failed) + len(self.not_started)
        causes = "; ".join(f"`{name}` {cause}" for name, cause in self.failed)
        return f"{len(self.failed)} of {every} processes failed: {causes}"


def par(*processes: Spawn, stop_on_failure: bool = False) -> list[str]:
    """Runs processes in parallel: starts all, and waits until all have ended. Returns their names.

    >>> from transputer import Channel, process
    >>> @process
    ... def count(limit: int, numbers: Sender[int]):
    ...     numbers.send_all(range(limit))
    >>> @process
    ... def total(numbers: Receiver[int], total: Sender[int]):
    ...     total.send(sum(numbers))
    >>> (numbers, wire), (last, result) = Channel(int), Channel(int, capacity=1)
    >>> par(count(10, numbers), total(wire, last))
    ['count', 'total']
    >>> result.receive()
    45

    Raises `Failures` if any did not finish. With `stop_on_failure`, the others are stopped when one fails.
    """
    return run_together(processes, stop_on_failure)


def run_together(processes: Sequence[Spawn], stop_on_failure: bool) -> list[str]:
    """What `par` does."""
    result = Failures()
    children: list[Child] = []
    for described in processes:
        if stop_on_failure and result.failed:
            result.not_started.append(described.label)
            continue
        try:
            children.append(described.start())
        except SpawnRefused as refused:
            result.failed.append((described.label, refused))
    if stop_on_failure:
        culprit = result.failed[0][0] if result.failed else _first_failure(children)
        if culprit is not None:
            for child in children:
                child.kill(f"`{culprit}`, which ran in parallel, failed")
    for child in children:
        result._add(child.name, child.wait())
    return result._names()


def _first_failure(children: list[Child]) -> str | None:
    """Waits until one has not finished, or all have; the name of the former."""
    running = list(children)
    monitors = [child.monitor() for child in running]
    while running:
        index = select(*monitors).index
        monitors.pop(index)
        child = running.pop(index)
        if not child.wait().is_finished:
            return child.name
    return None


def seq(*processes: Spawn) -> list[str]:
    """Runs processes one after the other: each starts when the one before it has finished. Returns their names.

    Raises `Failures`: the one that failed, and those that were not started.
    """
    result = Failures()
    for described in processes:
        if result.failed:
            result.not_started.append(described.label)
            continue
        try:
            child = described.start()
        except SpawnRefused as refused:
            result.failed.append((described.label, refused))
        else:
            result._add(child.name, child.wait())
    return result._names()
