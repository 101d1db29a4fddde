"""Records, enums and variants: dataclasses and their like, enums, and unions."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import Undecodable
from .base import MAP, TEXT, Misfit, Payload, Reader, Writer

__all__ = ["Case", "Enumeration", "Field", "Literals", "Record", "Variant"]


class Field(NamedTuple):
    """A field of a record."""

    name: str
    payload: Payload


class Record(Payload):
    """A map from the names of fields to values, in any order.

    Fields that the type does not have are skipped; one that is missing is an error, unless it is an
    option.
    """

    __slots__ = ("by_name", "carries_ends", "fields", "get", "kind", "make", "wit")

    def __init__(
        self,
        kind: type,
        fields: Sequence[Field],
        get: Callable[[Any, str], Any],
        make: Callable[[dict[str, Any]], Any],
    ) -> None:
        self.kind = kind
        self.fields = fields
        self.by_name = {field.name: field.payload for field in fields}
        self.get = get
        self.make = make
        self.wit = f"record {{ {', '.join(f'{name}: {ty.wit}' for name, ty in fields)} }}"
        self.carries_ends = any(field.payload.carries_ends for field in fields)

    def write(self, value: Any, writer: Writer) -> None:
        if not self.admits(value):
            raise Misfit(self.kind.__name__, value)
        writer.head(MAP, len(self.fields))
        get = self.get
        for name, payload in self.fields:
            writer.text(name)
            try:
                payload.write(get(value, name), writer)
            except Misfit as misfit:
                raise misfit.within(f".{name}")
            except (AttributeError, KeyError):
                if not payload.is_option:
                    raise Misfit(payload.wit, value, f"it has no `{name}`").within(f".{name}") from None
                writer.null()
        if issubclass(self.kind, dict):
            for name in value:
                if name not in self.by_name:
                    raise Misfit(self.kind.__name__, value, f"it has no field {name!r:.40}")

    def read(self, reader: Reader) -> Any:
        values: dict[str, Any] = {}
        at = reader.at
        length = reader.open(MAP, self.wit)
        seen = 0
        while reader.more(length, seen):
            name = reader.text("a field's name")
            payload = self.by_name.get(name)
            if payload is None:
                reader.skip()
            elif name in values:
                raise Undecodable(payload.wit, "the field a second time", reader.at).within(f".{name}")
            else:
                try:
                    values[name] = payload.read(reader)
                except Undecodable as error:
                    raise error.within(f".{name}")
            seen += 1
        for name, payload in self.fields:
            if name not in values:
                if not payload.is_option:
                    raise Undecodable(payload.wit, "no such field", reader.at).within(f".{name}")
                values[name] = None
        try:
            return self.make(values)
        except (TypeError, ValueError) as error:  # The class itself refuses them.
            raise Undecodable(self.kind.__name__, f"values that it refuses: {error}", at) from error

    def admits(self, value: object) -> bool:
        # A TypedDict has no instances.
        kind = dict if issubclass(self.kind, dict) else self.kind
        return isinstance(value, kind)


class Enumeration(Payload):
    """A member of an enum, by its name."""

    __slots__ = ("kind", "wit")

    def __init__(self, kind: type[enum.Enum]) -> None:
        self.kind = kind
        self.wit = f"enum {{ {', '.join(member.name for member in kind)} }}"

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, self.kind):
            raise Misfit(self.kind.__name__, value)
        # A combination of flags may have no name, or one of several joined by `|`.
        if value.name not in self.kind.__members__:
            raise Misfit(self.kind.__name__, value, "it is not one of the members")
        writer.text(self.kind[value.name].name)

    def read(self, reader: Reader) -> enum.Enum:
        at = reader.at
        name = reader.text(self.wit)
        member = self.kind.__members__.get(name)
        if member is None:
            raise Undecodable(self.wit, f"`{name:.40}`", at)
        return member

    def admits(self, value: object) -> bool:
        return isinstance(value, self.kind)


class Literals(Payload):
    """One of a few texts."""

    __slots__ = ("texts", "wit")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.wit = f"enum {{ {', '.join(texts)} }}"

    def write(self, value: Any, writer: Writer) -> None:
        if not self.admits(value):
            raise Misfit(f"one of {', '.join(map(repr, self.texts))}", value)
        writer.text(value)

    def read(self, reader: Reader) -> str:
        at = reader.at
        text = reader.text(self.wit)
        if text not in self.texts:
            raise Undecodable(self.wit, f"`{text:.40}`", at)
        return text

    def admits(self, value: object) -> bool:
        return isinstance(value, str) and value in self.texts


class Case(NamedTuple):
    """A member of a union."""

    name: str
    kind: object
    """The class of its values, where they have one."""
    payload: Payload


def _is_bare(case: Case) -> bool:
    """Whether the name of the case says all."""
    return case.payload.wit == "tuple<>"


class Variant(Payload):
    """A value of one of several types, with the name of its case."""

    __slots__ = ("by_name", "carries_ends", "cases", "exact", "wit")

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.by_name: Mapping[str, Case] = {case.name: case for case in cases}
        self.exact = {case.kind: case for case in cases if isinstance(case.kind, type)}
        bodies = (case.name if _is_bare(case) else f"{case.name}({case.payload.wit})" for case in cases)
        self.wit = f"variant {{ {', '.join(bodies)} }}"
        self.carries_ends = any(case.payload.carries_ends for case in cases)

    def _case(self, value: object) -> Case:
        exact = self.exact.get(type(value))
        if exact is not None:
            return exact
        for case in self.cases:
            if case.payload.admits(value):
                return case
        raise Misfit(" or ".join(case.name for case in self.cases), value)

    def write(self, value: Any, writer: Writer) -> None:
        case = self._case(value)
        if _is_bare(case):
            writer.text(case.name)
            return
        writer.head(MAP, 1)
        writer.text(case.name)
        case.payload.write(value, writer)

    def read(self, reader: Reader) -> Any:
        at = reader.at
        if reader.major() == TEXT:
            case = self._named(reader.text(self.wit), at)
            if not _is_bare(case):
                raise Undecodable("a payload", "none", at).within(f".{case.name}")
            return case.payload.read(Reader(b"\x80"))
        length = reader.open(MAP, self.wit)
        if length not in (1, None):
            raise Undecodable(self.wit, "a map of other than one entry", at)
        case = self._named(reader.text(self.wit), at)
        if _is_bare(case):
            raise Undecodable("no payload", "one", at).within(f".{case.name}")
        try:
            value = case.payload.read(reader)
        except Undecodable as error:
            raise error.within(f".{case.name}")
        reader.close(length, self.wit)
        return value

    def _named(self, name: str, at: int) -> Case:
        case = self.by_name.get(name)
        if case is None:
            raise Undecodable(self.wit, f"`{name:.40}`", at)
        return case

    def admits(self, value: object) -> bool:
        return any(case.payload.admits(value) for case in self.cases)
