"""Ends of channels and memberships of barriers inside messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import Misfit, Payload, Reader, Writer

__all__ = ["End"]


class End(Payload):
    """An end that moves to whoever receives the message: its index among those attached."""

    __slots__ = ("expected", "kind", "make", "wit")
    carries_ends = True

    def __init__(self, kind: str, wit: str, expected: type, make: Callable[[Any], Any]) -> None:
        self.kind = kind
        self.wit = wit
        self.expected = expected
        self.make = make

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, self.expected):
            raise Misfit(self.wit, value)
        carried = getattr(value, "payload", None)
        if carried is not None and f"{self.kind}<{carried.wit}>" != self.wit:
            raise Misfit(self.wit, value, f"it is a {self.kind}<{carried.wit}>")
        writer.end(value)

    def read(self, reader: Reader) -> Any:
        return self.make(reader.end(self.kind, self.wit))

    def admits(self, value: object) -> bool:
        return isinstance(value, self.expected)
