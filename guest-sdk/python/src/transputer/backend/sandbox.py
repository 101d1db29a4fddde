"""The backend inside a component: the functions that Transputer's host gives to guests.

They come from the bindings that componentize-py makes of `wit/`, in which a value of a wrong type is a trap, not
an exception: what is passed on from here has been checked, or is made here. The calls that are made for each message go
through the extension `transputer_native`, which is quicker and, unlike these bindings, frees what it passes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeVar

from .. import errors
from ..errors import ChannelError
from . import NEVER, Chosen, Guard, Patience, RawOutcome, RawStatistics, Refusal
from .native import native

__all__ = ["Sandbox"]

_channel: Any = import_module("wit_world.imports.channel")
_alternation: Any = import_module("wit_world.imports.alternation")
_process: Any = import_module("wit_world.imports.process")
_Err: Any = import_module("componentize_py_types").Err

T = TypeVar("T")

# In the order of `wit/channel.wit`.
_ERRORS: tuple[type[ChannelError], ...] = (
    errors.Closed,
    errors.Poisoned,
    errors.PeerTrapped,
    errors.PeerFailed,
    errors.PeerKilled,
    errors.Deadlock,
    errors.TimedOut,
    errors.WouldBlock,
    errors.TooLarge,
    errors.Overloaded,
    errors.CarriesEnds,
    errors.Malformed,
    errors.Moved,
)

_WITH_REASON = (errors.Poisoned, errors.Deadlock)


def _error(number: int, fetch: Callable[[], Any]) -> ChannelError:
    """The exception for an error of the host; `fetch` asks why the channel was poisoned."""
    kind = _ERRORS[number]
    if not issubclass(kind, _WITH_REASON):
        return kind()
    cause = fetch()
    if cause is None:
        return kind("no reason given")
    if kind is errors.PeerKilled and cause.peer is not None:
        return errors.PeerKilled(cause.reason, _outcome(cause.peer.outcome).limit)
    return kind(cause.reason)


def _outcome(outcome: Any) -> RawOutcome:
    kind = type(outcome).__name__.removeprefix("Outcome_").lower()
    value: Any = getattr(outcome, "value", "")
    if kind == "killed":
        return RawOutcome(kind, value.text, value.limit.name.lower())
    return RawOutcome(kind, value)


def _patience(patience: Patience) -> Any:
    if patience is None:
        return _channel.Patience_Forever()
    return _channel.Patience_Never() if patience == NEVER else _channel.Patience_Until(patience)


def _whole(text: str) -> str:
    """A text that the host takes: one without halves of surrogate pairs."""
    return text.encode(errors="replace").decode()


def _no_cause() -> None:
    return None


def _form(patience: Patience) -> tuple[int, int]:
    """The same as the extension takes it: which case of WIT's `patience`, and its time."""
    if patience is None:
        return 0, 0
    return (2, 0) if patience == NEVER else (1, patience)


class _End:
    """What ends have in common: the host's handle, and the number by which the quick functions know it."""

    __slots__ = ("handle", "key", "number")

    kind = ""

    def __init__(self, handle: Any) -> None:
        self.handle: Any = handle
        # The host's own number for the handle, as the extension passes it.
        self.key: int = handle.handle
        self.number: int | None = None

    def close(self) -> None:
        handle, self.handle = self.handle, None
        type(handle).close(handle)

    def poison(self, reason: str) -> None:
        self.handle.poison(_whole(reason))

    def reason(self) -> str | None:
        reason: str | None = self.handle.reason()
        return reason

    def cause(self) -> Any:
        return self.handle.cause()

    def error(self, number: int) -> ChannelError:
        """The exception for an error that the extension has returned."""
        return _error(number, self.cause)

    def _call(self, operation: Callable[..., T], *arguments: Any) -> T:
        try:
            return operation(*arguments)
        except _Err as error:
            raise _error(error.value.value, self.cause) from None

    def _number(self) -> int:
        number = self.number
        if number is None:
            number = self.number = int(self.handle.number())
        return number

    def statistics(self) -> RawStatistics:
        seen = self.handle.statistics()
        return seen.sent, seen.received, seen.dropped, seen.waiting


class SandboxSender(_End):
    """A sending end."""

    __slots__ = ()
    kind = "sender"

    def send(self, message: bytes, patience: Patience) -> None:
        if patience is None:
            number = native.send(self.key, message)
        elif patience == NEVER:
            number = native.try_send(self.key, message)
        else:
            number = native.send_by(self.key, message, patience)
        if number >= 0:
            raise _error(number, self.cause)

    def send_batch(self, messages: Sequence[bytes]) -> tuple[int, ChannelError | None]:
        packed = bytearray()
        for message in messages:
            packed += len(message).to_bytes(4, "little")
            packed += message
        count, number = native.send_some(self._number(), bytes(packed))
        return count, None if number < 0 else _error(number, self.cause)

    def send_ends(
        self, message: bytes, ends: list[Any], patience: Patience
    ) -> tuple[ChannelError, list[Any]] | None:
        given = [_given(end) for end in ends]
        refused = native.send_ends(self.key, message, given, *_form(patience))
        if refused is None:
            return None
        number, returned = refused
        return _error(number, self.cause), [_adopted(*end) for end in returned]

    def clone(self) -> SandboxSender:
        return SandboxSender(self.handle.clone())


class SandboxReceiver(_End):
    """A receiving end."""

    __slots__ = ()
    kind = "receiver"

    def receive(self, patience: Patience) -> bytes:
        if patience is None:
            message: bytes | int = native.receive(self.key)
        elif patience == NEVER:
            message = self._call(self.handle.try_receive)
        else:
            message = self._call(self.handle.receive_by, patience)
        if isinstance(message, int):
            raise _error(message, self.cause)
        return message

    def receive_some(self, most: int) -> Sequence[bytes]:
        messages: list[bytes] | int = native.receive_some(self._number(), most)
        if isinstance(messages, int):
            raise _error(messages, self.cause)
        return messages

    def receive_there(self, most: int, kind: int) -> Sequence[Any]:
        messages: list[Any] | int = native.try_receive_some(self.key, most, kind)
        if isinstance(messages, int):
            error = _error(messages, self.cause)
            if isinstance(error, errors.WouldBlock):
                return ()
            raise error
        return messages

    def receive_ends(self, patience: Patience) -> tuple[bytes, list[Any]]:
        message = self._call(self.handle.receive_ends, _patience(patience))
        return message.bytes, _received(message.ends)

    def clone(self) -> SandboxReceiver:
        return SandboxReceiver(self.handle.clone())


class SandboxBarrier(_End):
    """One membership of a barrier."""

    __slots__ = ()
    kind = "barrier"

    def close(self) -> None:
        # Leaving the context drops the handle, which resigns; there is no function for it.
        handle, self.handle = self.handle, None
        handle.__exit__(None, None, None)

    def enrol(self) -> SandboxBarrier:
        return SandboxBarrier(self._call(self.handle.enrol))

    def sync(self, patience: Patience) -> None:
        self._call(self.handle.sync, _patience(patience))

    def members(self) -> int:
        members: int = self.handle.members()
        return members


# In the order of WIT's `end`.
_KINDS: tuple[tuple[Any, type[_End]], ...] = (
    (_channel.Sender, SandboxSender),
    (_channel.Receiver, SandboxReceiver),
    (_channel.Barrier, SandboxBarrier),
)


def _given(end: Any) -> tuple[int, int]:
    """An end as the extension gives it away; it is nobody's here from then on."""
    handle, end.handle = end.handle, None
    handle.finalizer.detach()
    kind = next(place for place, (of_host, _) in enumerate(_KINDS) if isinstance(handle, of_host))
    return kind, handle.handle


def _adopted(kind: int, key: int) -> _End:
    """An end as the extension has received it: with what componentize-py makes of one itself."""
    of_host, made = _KINDS[kind]
    handle = of_host.__new__(of_host)
    handle.handle = key
    handle.finalizer = weakref.finalize(handle, native.drop_end, kind, key)
    return made(handle)


def _received(ends: Sequence[Any]) -> list[Any]:
    """Ends as they come from the host."""
    kinds = {
        _channel.End_Sender: SandboxSender,
        _channel.End_Receiver: SandboxReceiver,
        _channel.End_Barrier: SandboxBarrier,
    }
    return [kinds[type(end)](end.value) for end in ends]


# A guard that is ready if no other is.
_SKIP = (3, 0, b"")


def _chosen(chosen: tuple[int, Any, Any], end: Any) -> Chosen:
    """What the extension says that a choice has come to; `end` is that of the guard that won."""
    guard, what, ends = chosen
    if isinstance(what, int):
        return Chosen(guard, error=_error(what, end.cause))
    return Chosen(guard, what, () if ends is None else [_adopted(*received) for received in ends])


class SandboxChoice:
    """A choice among receivers that the host knows beforehand."""

    def __init__(self, ends: Sequence[Any], fair: bool) -> None:
        order = _alternation.Order.FAIR if fair else _alternation.Order.PRIORITY
        self.ends = ends
        try:
            self.prepared = _alternation.prepare(order)
            for end in ends:
                self.prepared.add_receive(end.handle)
        except _Err as error:
            raise _error(error.value.value, _no_cause) from None
        self.key: int = self.prepared.handle

    def wait(self, enabled: list[int] | None) -> Chosen:
        chosen = native.wait(self.key, enabled, 0, 0)
        if isinstance(chosen, int):
            raise _error(chosen, _no_cause)
        return _chosen(chosen, self.ends[chosen[0]])


class SandboxChild:
    """A process that this one has started."""

    def __init__(self, child: Any) -> None:
        self.child = child

    def name(self) -> str:
        name: str = self.child.name()
        return name

    def id(self) -> int:
        number: int = self.child.id()
        return number

    def wait(self, patience: Patience) -> RawOutcome | None:
        outcome = self.child.wait(_patience(patience))
        return None if outcome is None else _outcome(outcome)

    def kill(self, reason: str) -> None:
        self.child.kill(_whole(reason))

    def link(self) -> None:
        self.child.link()

    def monitor(self) -> SandboxReceiver:
        return SandboxReceiver(self.child.monitor())


_SPAWN_ERRORS = {
    "SpawnError_UnknownComponent": "unknown component",
    "SpawnError_Misfit": "misfit",
    "SpawnError_Capacity": "capacity",
    "SpawnError_Instantiation": "instantiation",
}


class Sandbox:
    """The backend of a process in its sandbox."""

    def open(self, capacity: int, overflow: int) -> tuple[SandboxSender, SandboxReceiver]:
        if capacity >= 1 << 32:
            raise errors.TooLarge
        options = _channel.Options(capacity, _channel.Overflow(overflow))
        try:
            sender, receiver = _channel.open(options)
        except _Err as error:
            raise _error(error.value.value, _no_cause) from None
        return SandboxSender(sender), SandboxReceiver(receiver)

    def open_barrier(self) -> SandboxBarrier:
        try:
            return SandboxBarrier(_channel.open_barrier())
        except _Err as error:
            raise _error(error.value.value, _no_cause) from None

    def select(self, guards: Sequence[Guard], fair: bool) -> Chosen:
        raw = []
        for guard in guards:
            if guard.kind == "receive":
                raw.append((0, guard.end.key, b""))
            elif guard.kind == "send":
                raw.append((1, guard.end.key, guard.message))
            elif guard.kind == "after":
                raw.append((2, guard.time, b""))
            else:
                raw.append(_SKIP)
        chosen = native.select(raw, not fair)
        if isinstance(chosen, int):
            raise _error(chosen, _no_cause)
        return _chosen(chosen, guards[chosen[0]].end)

    def prepare(self, ends: Sequence[Any], fair: bool) -> SandboxChoice:
        return SandboxChoice(ends, fair)

    def spawn(
        self,
        component: Any,
        name: str | None,
        arguments: bytes,
        inputs: list[tuple[str, Any]],
        outputs: list[tuple[str, Any]],
        patience: Patience,
        wait_as_set: bool,
    ) -> SandboxChild:
        code = component if isinstance(component, str) else component.name
        given = (
            _whole(code),
            None if name is None else _whole(name),
            arguments,
            [(port, end.handle) for port, end in inputs],
            [(port, end.handle) for port, end in outputs],
        )
        for _, end in [*inputs, *outputs]:
            end.handle = None
        try:
            if wait_as_set:
                return SandboxChild(_process.spawn(*given))
            return SandboxChild(_process.spawn_patiently(*given, _patience(patience)))
        except _Err as error:
            refused = error.value
            raise Refusal(
                _SPAWN_ERRORS[type(refused.error).__name__],
                refused.error.value,
                [(port, SandboxReceiver(handle)) for port, handle in refused.inputs],
                [(port, SandboxSender(handle)) for port, handle in refused.outputs],
            ) from None

    def process_name(self) -> str:
        name: str = _process.name()
        return name

    def process_id(self) -> int:
        number: int = _process.id()
        return number

    def now(self) -> int:
        now: int = _process.now()
        return now

    def sleep_until(self, deadline: int) -> None:
        _process.sleep_until(deadline)

    def yield_now(self) -> None:
        _process.yield_now()

    def log(self, level: int, line: str) -> None:
        _process.log(_process.Level(level), line)
