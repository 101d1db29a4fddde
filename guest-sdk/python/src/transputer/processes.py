"""Processes: functions whose `Receiver` and `Sender` parameters are their ports."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec

from .channel import Receiver, Sender
from .children import Spawn
from .payload import Reader, Writer
from .payload.base import MAP, TEXT
from .signature import NO_DEFAULT, Signature

if TYPE_CHECKING:
    from .build import Origin

__all__ = ["Component", "Process", "process"]

P = ParamSpec("P")


class Process(Generic[P]):
    """A function marked with `@process`. Called, it says what would run, and nothing runs yet: the result is
    for `spawn`, `par`, `seq`, or its own `start`. The function itself is `function`.
    """

    def __init__(self, function: Callable[P, object]) -> None:
        self.function = function
        self.name = function.__name__
        self.origin: Origin | None = None
        """Where a sandbox imports it from, if that is not where its function is defined."""
        functools.update_wrapper(self, function)
        if inspect.iscoroutinefunction(function):
            # In a sandbox, there is nowhere to import it from when the process runs.
            importlib.import_module("transputer.aio")

    @functools.cached_property
    def signature(self) -> Signature:
        """Its name, arguments and ports. Raises `TypeError` if the annotations cannot be used."""
        return Signature.of(self.function)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> Spawn:
        bound = inspect.signature(self.function).bind(*arguments, **named)
        return Spawn(self, self.name, bound.arguments)

    def __get__(self, instance: object, owner: type | None = None) -> Process[P]:
        return self

    def __repr__(self) -> str:
        return f"<process {self.name}>"

    def encode_arguments(self, values: Mapping[str, Any]) -> bytes:
        """Arguments in the form in which the host hands them over. Those with defaults may be missing."""
        writer = Writer()
        given = {name: value for name, value in values.items() if name in self.signature.arguments}
        writer.head(MAP, len(given))
        for name, value in given.items():
            writer.text(name)
            try:
                self.signature.arguments[name].payload.write(value, writer)
            except TypeError as error:
                raise TypeError(f"argument `{name}` of process `{self.name}`: {error}") from None
        return bytes(writer.out)

    def take_in(
        self, arguments: bytes, inputs: list[tuple[str, Any]], outputs: list[tuple[str, Any]]
    ) -> dict[str, Any]:
        """The values of all parameters, of what the host hands over.

        Raises `ValueError` for what does not fit.
        """
        signature = self.signature
        values = self._decode_arguments(arguments)
        for kind, given, payloads, end in (
            ("input", inputs, signature.inputs, Receiver),
            ("output", outputs, signature.outputs, Sender),
        ):
            for name, raw in given:
                if name not in payloads:
                    raise ValueError(f"it has no {kind} `{name}`")
                values[name] = end(raw, payloads[name], name)
            for name, payload in payloads.items():
                if name not in values:
                    raise ValueError(f"{kind} `{name}` ({payload.wit}) is not wired")
        return values

    def _decode_arguments(self, message: bytes) -> dict[str, Any]:
        signature = self.signature
        values: dict[str, Any] = {}
        if message:
            reader = Reader(message)
            if reader.data[0] == 0x82:  # The name of the process comes first.
                reader.at = 1
                name = reader.text("the name of a process")
                if name != self.name:
                    raise ValueError(f"this component has no process `{name}`; it has `{self.name}`")
            length = reader.open(MAP, "a map of arguments")
            seen = 0
            while reader.more(length, seen):
                name = reader.string(TEXT, "the name of an argument").decode(errors="replace")
                argument = signature.arguments.get(name)
                if argument is None:
                    raise ValueError(f"it has no argument `{name}`")
                if name in values:
                    raise ValueError(f"argument `{name}` is given twice")
                if argument.default is not NO_DEFAULT and not argument.payload.is_option and reader.null():
                    values[name] = argument.default
                else:
                    try:
                        values[name] = argument.payload.read(reader)
                    except ValueError as error:
                        raise ValueError(f"argument `{name}`: {error}") from None
                seen += 1
            reader.finish()
        for name, argument in signature.arguments.items():
            if name in values:
                continue
            if argument.default is not NO_DEFAULT:
                values[name] = argument.default
            elif argument.payload.is_option:
                values[name] = None
            else:
                raise ValueError(f"argument `{name}` ({argument.wit}) is missing")
        return values


def process(function: Callable[P, object]) -> Process[P]:
    """Marks a function as a process.

    An `async def` runs in an event loop of its own, in which ends can be awaited: `async for n in numbers`,
    `await doubled.send_async(n)`.

    Its parameters are all annotated: a `Receiver[T]` is an input port, a `Sender[T]` an output port, and
    anything else an argument. What has a default may be left out.

    >>> from transputer import Channel
    >>> @process
    ... def double(numbers: Receiver[int], doubled: Sender[int], by: int = 2):
    ...     for n in numbers:
    ...         doubled.send(by * n)
    >>> numbers, wire = Channel(int)
    >>> last, doubled = Channel(int)
    >>> child = double(wire, last).start()
    >>> numbers.send(21); doubled.receive()
    42
    >>> numbers.close(); print(child.wait())
    finished
    """
    return Process(function)


class Component:
    """A component by the name that it has in the network file, in whatever language it is written.

    Called with arguments and ends by name, it says what would run, as a `Process` does.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, **values: Any) -> Spawn:
        return Spawn(self.name, self.name, values)

    def __repr__(self) -> str:
        return f"<component {self.name}>"
