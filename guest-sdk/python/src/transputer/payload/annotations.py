"""From annotations to payloads."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import types
import typing
from collections import abc
from typing import Annotated, Any, Literal, NotRequired, Required, TypeVar, Union, get_args, get_origin

from .anything import ANYTHING
from .base import Payload
from .containers import Array, Dictionary, Option, Tuple
from .ends import End
from .names import Wit
from .objects import OBJECT
from .records import Case, Enumeration, Field, Literals, Record, Variant
from .scalars import BIG_INTEGER, BOOL, BYTES, CHAR, F32, F64, INTEGERS, STRING, TEXTUAL, UNIT, Unit

__all__ = ["payload_of"]

_NAMED: dict[str, Payload] = {
    **INTEGERS,
    "f32": F32,
    "f64": F64,
    "char": CHAR,
    "bigint": BIG_INTEGER,
    "object": OBJECT,
}

_PLAIN: dict[Any, Payload] = {
    int: INTEGERS["s64"],
    float: F64,
    bool: BOOL,
    str: STRING,
    bytes: BYTES,
    bytearray: BYTES,
    memoryview: BYTES,
    type(None): UNIT,
    Any: ANYTHING,
    object: ANYTHING,
    **TEXTUAL,
}

# What may stand for a list in an annotation, with what makes it from one.
_ARRAYS: dict[Any, tuple[type, Any]] = {
    list: (list, list),
    abc.Sequence: (abc.Sequence, list),
    set: (set, set),
    frozenset: (frozenset, frozenset),
}

# How deep the host lets types nest.
_MAX_DEPTH = 32


def payload_of(annotation: Any) -> Payload:
    """The payload that an annotation stands for.

    >>> payload_of(list[tuple[str, float]]).wit
    'list<tuple<string, f64>>'
    >>> payload_of(int | None).wit
    'option<s64>'
    >>> payload_of(int | str).wit
    'variant { int(s64), str(string) }'

    Raises `TypeError` for what cannot cross a channel.
    """
    return _Translator({}, ()).payload(annotation)


class _Translator:
    """Translates annotations, given what type variables stand for and which classes are open."""

    def __init__(self, variables: dict[Any, Any], open_classes: tuple[Any, ...]) -> None:
        self.variables = variables
        self.open_classes = open_classes

    def payload(self, annotation: Any) -> Payload:
        while True:
            if isinstance(annotation, TypeVar):
                annotation = self.variables.get(annotation, Any)
            elif hasattr(annotation, "__supertype__"):  # A NewType.
                annotation = annotation.__supertype__
            elif type(annotation).__name__ == "TypeAliasType":
                annotation = annotation.__value__
            elif get_origin(annotation) in (NotRequired, Required):
                (annotation,) = get_args(annotation)
            else:
                break
        if annotation is None:
            return UNIT
        try:
            plain = _PLAIN.get(annotation)
        except TypeError:  # Unhashable, so no type.
            plain = None
        if plain is not None:
            return plain
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.annotated(arguments[0], arguments[1:])
        if origin in (Union, types.UnionType):
            return self.union(arguments)
        if origin is Literal:
            return self.literal(arguments)
        return self.container(annotation, origin or annotation, arguments)

    def annotated(self, annotation: Any, extra: tuple[Any, ...]) -> Payload:
        for note in extra:
            if isinstance(note, Wit):
                return _NAMED[note]
        return self.payload(annotation)

    def literal(self, texts: tuple[Any, ...]) -> Payload:
        present = tuple(text for text in texts if text is not None)
        if not present or not all(isinstance(text, str) for text in present):
            raise TypeError(f"Literal{list(texts)!r} cannot be a message: only texts can be its values")
        payload = Literals(present)
        return payload if len(present) == len(texts) else Option(payload)

    def union(self, members: tuple[Any, ...]) -> Payload:
        present = [member for member in members if member is not type(None)]
        if len(present) == 1:
            payload = self.payload(present[0])
        else:
            payload = Variant([self.case(member) for member in present])
            names = [case.name for case in payload.cases]
            for name in names:
                if names.count(name) > 1:
                    raise TypeError(
                        f"a union of two types that are both called `{name}` cannot be a message; "
                        "make a dataclass of one of them"
                    )
        return payload if len(present) == len(members) else Option(payload)

    def case(self, member: Any) -> Case:
        payload = self.payload(member)
        origin = get_origin(member) or member
        if origin is Annotated:
            name, kind = next((str(n) for n in get_args(member) if isinstance(n, Wit)), ""), None
            name = name or self.case(get_args(member)[0]).name
        else:
            name = getattr(origin, "__name__", None) or str(member)
            kind = origin
        return Case(name, kind, payload)

    def container(self, annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Payload:
        if origin in _ARRAYS:
            kind, make = _ARRAYS[origin]
            return Array(self.payload(self.one(arguments)), kind, make)
        if origin is tuple:
            return self.tuple_of(annotation, arguments)
        if origin in (dict, abc.Mapping):
            key, value = arguments or (Any, Any)
            return Dictionary(self.payload(key), self.payload(value))
        end = self.end(origin, arguments)
        if end is not None:
            return end
        if isinstance(origin, type):
            return self.user_class(annotation, origin, arguments)
        raise TypeError(f"{annotation!r} is not a type that can cross a channel")

    def one(self, arguments: tuple[Any, ...]) -> Any:
        return arguments[0] if arguments else Any

    def tuple_of(self, annotation: Any, arguments: tuple[Any, ...]) -> Payload:
        if annotation is tuple:
            arguments = (Any, ...)
        if len(arguments) == 2 and arguments[1] is ...:
            return Array(self.payload(arguments[0]), tuple, tuple)
        if not arguments:
            return Unit(())
        return Tuple(map(self.payload, arguments))

    def end(self, origin: Any, arguments: tuple[Any, ...]) -> Payload | None:
        # The modules of ends are made of payloads; they are there before anybody asks.
        from ..barrier import Barrier
        from ..channel import Receiver, Sender
        from ..group import Group, Packet
        from ..request import Request

        if origin in (Sender, Receiver):
            carried = self.payload(self.one(arguments))
            kind = "sender" if origin is Sender else "receiver"
            return End(kind, f"{kind}<{carried.wit}>", origin, lambda raw: origin(raw, carried))
        if origin is Barrier:
            return End("barrier", "barrier", Barrier, Barrier._from_raw)
        if origin is Request:
            body, answer = arguments or (Any, Any)
            reply = self.end(Sender, (answer,))
            assert reply is not None
            fields = [Field("body", self.payload(body)), Field("reply", reply)]
            return Record(Request, fields, Request._field, lambda values: Request(**values))
        if origin is Group:
            inbox, outbox = self.end(Receiver, (Packet,)), self.end(Sender, (Packet,))
            assert inbox is not None and outbox is not None
            count = INTEGERS["u32"]
            fields = [Field("rank", count), Field("size", count), Field("inbox", inbox)]
            fields.append(Field("outboxes", Array(outbox, list, list)))
            return Record(Group, fields, Group._field, lambda values: Group(**values))
        return None

    def user_class(self, annotation: Any, kind: type, arguments: tuple[Any, ...]) -> Payload:
        if annotation in self.open_classes:
            raise TypeError(f"{kind.__name__} cannot be a message: it holds itself")
        if len(self.open_classes) >= _MAX_DEPTH:
            raise TypeError(f"{kind.__name__} cannot be a message: its types nest too deep")
        parameters = getattr(kind, "__parameters__", ())
        variables = dict(zip(parameters, map(self.substitute, arguments), strict=False))
        inner = _Translator(variables, (*self.open_classes, annotation))
        if issubclass(kind, enum.Enum):
            return Enumeration(kind)
        if dataclasses.is_dataclass(kind):
            names = [field.name for field in dataclasses.fields(kind) if field.init]
            if not names:
                return Bare(kind)
            return inner.record(kind, names, getattr, lambda values: kind(**values))
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            names = list(getattr(kind, "_fields"))
            return inner.record(kind, names, getattr, lambda values: kind(**values))
        if typing.is_typeddict(kind):
            return inner.typed_dict(kind)
        for base in (datetime.datetime, datetime.date):
            if issubclass(kind, base):
                return TEXTUAL[base]
        raise TypeError(
            f"{kind.__qualname__} cannot cross a channel; make it a dataclass, or send what it is made of"
        )

    def substitute(self, argument: Any) -> Any:
        """An argument of a generic class, with this translator's variables filled in."""
        if isinstance(argument, TypeVar):
            return self.variables.get(argument, Any)
        parameters = getattr(argument, "__parameters__", ())
        if parameters and not isinstance(argument, type):
            return argument[tuple(self.variables.get(parameter, Any) for parameter in parameters)]
        return argument

    def record(self, kind: Any, names: Any, get: Any, make: Any) -> Record:
        hints = typing.get_type_hints(kind, include_extras=True)
        fields = []
        for name in names:
            try:
                fields.append(Field(name, self.payload(hints.get(name, Any))))
            except TypeError as error:
                raise TypeError(f"field `{name}` of {kind.__name__}: {error}") from None
        return Record(kind, fields, get, make)

    def typed_dict(self, kind: Any) -> Record:
        optional = kind.__optional_keys__
        names = list(typing.get_type_hints(kind))
        record = self.record(kind, names, lambda value, name: value[name], dict)
        fields = [
            Field(name, Option(payload))
            if name in optional and not payload.is_option
            else Field(name, payload)
            for name, payload in record.fields
        ]

        def make(values: dict[str, Any]) -> dict[str, Any]:
            # A key that may be missing and is null was missing.
            return {
                name: value for name, value in values.items() if value is not None or name not in optional
            }

        return Record(kind, fields, lambda value, name: value[name], make)


class Bare(Unit):
    """A dataclass without fields: its class says all."""

    __slots__ = ("kind",)

    def __init__(self, kind: Any) -> None:
        super().__init__(None)
        self.kind = kind

    def write(self, value: Any, writer: Any) -> None:
        super().write(None if isinstance(value, self.kind) else value, writer)

    def read(self, reader: Any) -> Any:
        super().read(reader)
        return self.kind()

    def admits(self, value: object) -> bool:
        return isinstance(value, self.kind)
