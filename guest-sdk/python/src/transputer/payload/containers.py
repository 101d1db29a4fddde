"""Lists, tuples, dictionaries and options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import Undecodable
from .base import ARRAY, Misfit, Payload, Reader, Writer

__all__ = ["Array", "Dictionary", "Option", "Tuple"]


class Array(Payload):
    """Any number of items of one type: a list, a tuple or a set."""

    __slots__ = ("carries_ends", "item", "kind", "make", "wit")

    def __init__(self, item: Payload, kind: type, make: Callable[[list[Any]], Any]) -> None:
        self.item = item
        self.kind = kind
        self.make = make
        self.wit = f"list<{item.wit}>"
        self.carries_ends = item.carries_ends
        if self.wit == "list<u8>":
            raise TypeError(
                f"a {kind.__name__} of u8 cannot be a message: `list<u8>` are bytes; use `bytes`"
            )

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, self.kind):
            raise Misfit(f"{self.kind.__name__} ({self.wit})", value)
        writer.head(ARRAY, len(value))  # type: ignore[arg-type]
        write = self.item.write
        index = 0
        try:
            for index, item in enumerate(value):  # type: ignore[var-annotated, arg-type]
                write(item, writer)
        except Misfit as misfit:
            raise misfit.within(f"[{index}]")

    def read(self, reader: Reader) -> Any:
        items: list[Any] = []
        length = reader.open(ARRAY, self.wit)
        read = self.item.read
        try:
            while reader.more(length, len(items)):
                items.append(read(reader))
        except Undecodable as error:
            raise error.within(f"[{len(items)}]")
        try:
            return self.make(items)
        except TypeError as error:  # An item that cannot be in a set.
            raise Undecodable(self.wit, str(error), reader.at) from None

    def admits(self, value: object) -> bool:
        return isinstance(value, self.kind)


class Dictionary(Payload):
    """A dictionary, as pairs of key and value, in its order. No key comes twice."""

    __slots__ = ("carries_ends", "pair", "wit")

    def __init__(self, key: Payload, value: Payload) -> None:
        self.pair = Tuple([key, value])
        self.wit = f"list<{self.pair.wit}>"
        self.carries_ends = self.pair.carries_ends

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, dict):
            raise Misfit(f"dict ({self.wit})", value)
        writer.head(ARRAY, len(value))
        write_key, write_value = (item.write for item in self.pair.items)
        for key, item in value.items():
            writer.head(ARRAY, 2)
            try:
                write_key(key, writer)
            except Misfit as misfit:
                raise misfit.within(".keys()")
            try:
                write_value(item, writer)
            except Misfit as misfit:
                raise misfit.within(f"[{key!r:.40}]")

    def read(self, reader: Reader) -> dict[Any, Any]:
        pairs: dict[Any, Any] = {}
        length = reader.open(ARRAY, self.wit)
        seen = 0
        while reader.more(length, seen):
            at = reader.at
            try:
                key, value = self.pair.read(reader)
            except Undecodable as error:
                raise error.within(f"[{seen}]")
            try:
                known = key in pairs
            except TypeError as error:
                raise Undecodable("a key", str(error), at) from None
            if known:
                raise Undecodable(self.wit, "a key a second time", at).within(f"[{seen}]")
            pairs[key] = value
            seen += 1
        return pairs

    def admits(self, value: object) -> bool:
        return isinstance(value, dict)


class Tuple(Payload):
    """A fixed number of items, each of its type."""

    __slots__ = ("carries_ends", "items", "wit")

    def __init__(self, items: Iterable[Payload]) -> None:
        self.items: Sequence[Payload] = tuple(items)
        self.wit = f"tuple<{', '.join(item.wit for item in self.items)}>"
        self.carries_ends = any(item.carries_ends for item in self.items)

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, tuple):
            raise Misfit(f"tuple ({self.wit})", value)
        if len(value) != len(self.items):
            raise Misfit(self.wit, value, f"it has {len(value)} items instead of {len(self.items)}")
        writer.head(ARRAY, len(value))
        for index, (payload, item) in enumerate(zip(self.items, value, strict=True)):
            try:
                payload.write(item, writer)
            except Misfit as misfit:
                raise misfit.within(f"[{index}]")

    def read(self, reader: Reader) -> tuple[Any, ...]:
        at = reader.at
        length = reader.open(ARRAY, self.wit)
        if length is not None and length != len(self.items):
            raise Undecodable(self.wit, f"{length} items instead of {len(self.items)}", at)
        values = []
        for index, payload in enumerate(self.items):
            try:
                values.append(payload.read(reader))
            except Undecodable as error:
                raise error.within(f"[{index}]")
        reader.close(length, self.wit)
        return tuple(values)

    def admits(self, value: object) -> bool:
        return isinstance(value, tuple) and len(value) == len(self.items)


class Option(Payload):
    """A value, or `None`."""

    __slots__ = ("carries_ends", "value", "wit")
    is_option = True

    def __init__(self, value: Payload) -> None:
        if value.wit == "tuple<>" and value.admits(None):
            raise TypeError("`None | None` cannot be a message")
        self.value = value
        self.wit = f"option<{value.wit}>"
        self.carries_ends = value.carries_ends

    def write(self, value: Any, writer: Writer) -> None:
        if value is None:
            writer.null()
        else:
            self.value.write(value, writer)

    def read(self, reader: Reader) -> Any:
        return None if reader.null() else self.value.read(reader)

    def admits(self, value: object) -> bool:
        return value is None or self.value.admits(value)
