"""Python's own values, for ports whose both sides are Python: what CBOR knows, and what it does not tell apart.

Tuples stay tuples. Dataclasses, named tuples, enums and exceptions cross by the name of their class and what they
hold; unlike `pickle`, reading one runs no code but the constructor of a class that the reader knows already. In
CBOR, each is an item with the tag 27: the name of a class, then the arguments of its constructor.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import Undecodable
from . import anything, base
from .base import MAX_DEPTH, Misfit, Payload, Reader, Writer

__all__ = ["OBJECT", "Objects", "builtin_exception", "loaded_class", "main_name", "module_name"]

OBJECT_TAG = 27

EXPECTED = "a value of Python's"

_PLAIN = {"tuple": tuple, "frozenset": frozenset, "bytearray": bytearray}

ClassOf = Callable[[str], type | None]


def loaded_class(name: str) -> type | None:
    """The class of this name in a module that is imported already; nothing is imported for it.

    >>> loaded_class("decimal:Decimal")
    <class 'decimal.Decimal'>
    >>> loaded_class("nowhere:Decimal")
    """
    module_name, _, path = name.partition(":")
    module = sys.modules.get(module_name)
    if module is None and module_name == main_name():
        module = sys.modules["__main__"]
    found: Any = module
    for step in path.split("."):
        found = getattr(found, step, None)
    return found if isinstance(found, type) else None


def main_name() -> str | None:
    """What the program's own file is called where it is imported, as in a sandbox."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(file).stem if file else None


def module_name(name: str) -> str:
    """A module's name as others know it, who import the program's own file."""
    return (main_name() or name) if name == "__main__" else name


def _name_of(kind: type) -> str:
    return f"{module_name(kind.__module__)}:{kind.__qualname__}"


class Objects(Payload):
    """Any value that `Any` has, tuples as what they are, and objects of classes that both sides have.

    To the host it is `list<u8>`: bytes that only the processes understand.

    >>> message = OBJECT.encode([(1, "a"), {2.5, None}, 1 + 2j])
    >>> OBJECT.decode(message) == [(1, "a"), {2.5, None}, 1 + 2j]
    True
    >>> OBJECT.decode(OBJECT.encode(KeyError("gone")))
    KeyError('gone')
    """

    __slots__ = ("class_of",)
    wit = "list<u8>"
    is_raw = True

    def __init__(self, class_of: ClassOf = loaded_class) -> None:
        self.class_of = class_of
        """Finds a class by its name; `None` for one that nobody may make an object of here."""

    def write_whole(self, value: Any, writer: Writer) -> None:
        write(value, writer, 0)

    def read_whole(self, reader: Reader) -> Any:
        value = self._read(reader, 0)
        reader.finish()
        return value

    def write(self, value: Any, writer: Writer) -> None:
        inner = Writer()
        write(value, inner, 0)
        writer.bytes(inner.out)

    def read(self, reader: Reader) -> Any:
        at = reader.at
        try:
            return self.read_whole(Reader(reader.bytes(self.wit)))
        except Undecodable as error:
            error.offset += at
            raise

    def admits(self, value: object) -> bool:
        return True

    def _read(self, reader: Reader, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Undecodable(EXPECTED, f"one that nests deeper than {MAX_DEPTH}", reader.at)
        at, major = reader.at, reader.major()
        if major == base.ARRAY:
            return self._items(reader, depth)
        if major == base.MAP:
            return self._pairs(reader, depth)
        if major == base.TAG:
            _, tag = reader.head(EXPECTED)
            if tag == OBJECT_TAG:
                return self._object(self._items(reader, depth), at)
            if tag == anything.SET:
                return self._hashed(set, self._items(reader, depth), at)
            reader.at = at
        return anything.read(reader, depth)

    def _items(self, reader: Reader, depth: int) -> list[Any]:
        items: list[Any] = []
        length = reader.open(base.ARRAY, EXPECTED)
        while reader.more(length, len(items)):
            items.append(self._read(reader, depth + 1))
        return items

    def _pairs(self, reader: Reader, depth: int) -> dict[Any, Any]:
        pairs: dict[Any, Any] = {}
        length = reader.open(base.MAP, EXPECTED)
        seen = 0
        while reader.more(length, seen):
            at = reader.at
            (key,) = self._hashed(tuple, [self._read(reader, depth + 1)], at)
            pairs[key] = self._read(reader, depth + 1)
            seen += 1
        return pairs

    def _hashed(self, kind: Any, items: list[Any], at: int) -> Any:
        try:
            for item in items:
                hash(item)
        except TypeError as error:
            raise Undecodable("a key", str(error), at) from None
        return kind(items)

    def _object(self, parts: list[Any], at: int) -> Any:
        if not parts or not isinstance(parts[0], str):
            raise Undecodable(EXPECTED, "an object without the name of its class", at)
        name, *arguments = parts
        if name == "complex" and len(arguments) == 2:
            return complex(*arguments)
        if name in _PLAIN and len(arguments) == 1:
            return self._hashed(frozenset, arguments[0], at) if name == "frozenset" else _PLAIN[name](arguments[0])
        kind: Any = self.class_of(name)
        if kind is None:
            raise Undecodable(EXPECTED, f"an object of `{name}`, a class that is not known here", at)
        try:
            if issubclass(kind, enum.Enum):
                return kind[arguments[0]]
            if issubclass(kind, BaseException):
                return kind(*arguments)
            if _has_fields(kind):
                return kind(**arguments[0])
        except Exception as error:  # The class itself refuses them.
            raise Undecodable(name, f"values that it refuses: {error}", at) from None
        raise Undecodable(EXPECTED, f"an object of `{name}`, which is none that crosses", at)


OBJECT = Objects()


def _has_fields(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))


def write(value: Any, writer: Writer, depth: int) -> None:
    """Writes a value as what it is."""
    if depth > MAX_DEPTH:
        raise Misfit(EXPECTED, value, f"it nests deeper than {MAX_DEPTH}, or holds itself")
    kind = type(value)
    if kind is list:
        _write_items(value, writer, depth)
    elif kind is dict:
        writer.head(base.MAP, len(value))
        for key, item in value.items():
            _write_at(".keys()", key, writer, depth)
            _write_at(f"[{key!r:.40}]", item, writer, depth)
    elif kind is set:
        writer.head(base.TAG, anything.SET)
        _write_items(value, writer, depth)
    elif kind is complex:
        _write_object("complex", [value.real, value.imag], writer, depth)
    elif kind.__name__ in _PLAIN and kind is _PLAIN[kind.__name__]:
        inside: Any = bytes(value) if kind is bytearray else list(value)
        _write_object(kind.__name__, [inside], writer, depth)
    elif isinstance(value, enum.Enum):
        _write_object(_name_of(kind), [value.name], writer, depth)
    elif isinstance(value, BaseException):
        _write_object(_name_of(kind), list(value.args), writer, depth)
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.init]
        _write_object(_name_of(kind), [{name: getattr(value, name) for name in names}], writer, depth)
    elif isinstance(value, tuple) and _has_fields(kind):
        fields = dict(zip(getattr(kind, "_fields"), value, strict=True))
        _write_object(_name_of(kind), [fields], writer, depth)
    else:
        anything.write(value, writer, depth)


def _write_items(items: Any, writer: Writer, depth: int) -> None:
    writer.head(base.ARRAY, len(items))
    for index, item in enumerate(items):
        _write_at(f"[{index}]", item, writer, depth)


def _write_at(step: str, item: Any, writer: Writer, depth: int) -> None:
    try:
        write(item, writer, depth + 1)
    except Misfit as misfit:
        raise misfit.within(step)


def _write_object(name: str, arguments: list[Any], writer: Writer, depth: int) -> None:
    writer.head(base.TAG, OBJECT_TAG)
    writer.head(base.ARRAY, 1 + len(arguments))
    writer.text(name)
    for argument in arguments:
        write(argument, writer, depth + 1)


def builtin_exception(name: str) -> type | None:
    """The class of an exception that every Python has; for readers that trust the sender with nothing else.

    >>> builtin_exception("builtins:ValueError")
    <class 'ValueError'>
    >>> builtin_exception("builtins:print")
    """
    module, _, path = name.partition(":")
    found = getattr(builtins, path, None) if module == "builtins" else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
