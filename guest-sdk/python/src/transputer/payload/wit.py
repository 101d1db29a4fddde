"""From the text of a type to a payload, for ports of components in any language.

Records are dictionaries, variants and results dictionaries of one entry, or the name of a case without a payload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..errors import Undecodable
from .base import MAP, TEXT, Misfit, Payload, Reader, Writer
from .containers import Array, Option, Tuple
from .records import Field, Literals, Record
from .scalars import BOOL, BYTES, CHAR, F32, F64, INTEGERS, STRING, UNIT

__all__ = ["payload_from_wit"]

_TOKEN = re.compile(r"\s*([\w-]+|[<>{}(),:])")

_NAMED: dict[str, Payload] = {
    **INTEGERS,
    "f32": F32,
    "f64": F64,
    "bool": BOOL,
    "char": CHAR,
    "string": STRING,
}


def payload_from_wit(text: str) -> Payload:
    """The payload of a type in WIT's syntax, as signatures have it.

    >>> payload_from_wit("record { id: u64, line: option<string> }").encode({"id": 7})
    b'\\xa2bid\\x07dline\\xf6'
    >>> payload_from_wit("result<u8, string>").decode(b"\\xa1bOk\\x07")
    {'Ok': 7}
    """
    tokens = _Tokens(text)
    payload = _payload(tokens)
    tokens.end()
    return payload


class _Tokens:
    """The tokens of a type, one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, wanted: str) -> None:
        if self.next() != wanted:
            raise ValueError(f"`{self.text}` is not a type: expected `{wanted}`")

    def end(self) -> None:
        if self.peek():
            raise ValueError(f"`{self.text}` is not a type: expected its end, found `{self.peek()}`")

    def separated(self, opening: str, closing: str) -> Iterator[None]:
        """Yields before each item of a list in brackets."""
        self.expect(opening)
        while self.peek() != closing:
            yield
            if self.peek() != closing:
                self.expect(",")
        self.expect(closing)


def _payload(tokens: _Tokens) -> Payload:
    name = tokens.next()
    if name in _NAMED:
        return _NAMED[name]
    match name:
        case "list":
            (item,) = [_payload(tokens) for _ in tokens.separated("<", ">")]
            return BYTES if item.wit == "u8" else Array(item, list, list)
        case "option":
            (value,) = [_payload(tokens) for _ in tokens.separated("<", ">")]
            return Option(value)
        case "tuple":
            items = [_payload(tokens) for _ in tokens.separated("<", ">")]
            return Tuple(items) if items else UNIT
        case "record":
            fields = [_field(tokens) for _ in tokens.separated("{", "}")]
            return Record(dict, fields, lambda value, name: value[name], dict)
        case "enum":
            return Literals([tokens.next() for _ in tokens.separated("{", "}")])
        case "variant":
            return _Cases(dict(_case(tokens) for _ in tokens.separated("{", "}")), None)
        case "result":
            return _result(tokens)
        case "sender" | "receiver":
            (carried,) = [_payload(tokens) for _ in tokens.separated("<", ">")]
            return _Unknown(f"{name}<{carried.wit}>")
        case "barrier":
            return _Unknown("barrier")
    raise ValueError(f"`{tokens.text}` is not a type: found `{name}`")


def _field(tokens: _Tokens) -> Field:
    name = tokens.next()
    tokens.expect(":")
    return Field(name, _payload(tokens))


def _case(tokens: _Tokens) -> tuple[str, Payload | None]:
    name = tokens.next()
    if tokens.peek() != "(":
        return name, None
    tokens.expect("(")
    payload = _payload(tokens)
    tokens.expect(")")
    return name, payload


def _result(tokens: _Tokens) -> Payload:
    sides: list[Payload | None] = [None, None]
    texts = []
    if tokens.peek() == "<":
        for index, _ in enumerate(tokens.separated("<", ">")):
            if tokens.peek() == "_":
                tokens.next()
                texts.append("_")
            else:
                side = _payload(tokens)
                sides[index] = side
                texts.append(side.wit)
    ok, err = sides
    wit = f"result<{', '.join(texts)}>" if texts else "result"
    # The value of a side without a type is the empty tuple, unlike that of a variant's case.
    return _Cases({"Ok": ok or UNIT, "Err": err or UNIT}, wit)


class _Cases(Payload):
    """A variant or a result, of which only the names are known."""

    __slots__ = ("cases", "wit")

    def __init__(self, cases: dict[str, Payload | None], wit: str | None) -> None:
        self.cases = cases
        bodies = (f"{name}({ty.wit})" if ty is not None else name for name, ty in cases.items())
        self.wit = wit or f"variant {{ {', '.join(bodies)} }}"

    def write(self, value: Any, writer: Writer) -> None:
        if isinstance(value, str) and value in self.cases and self.cases[value] is None:
            writer.text(value)
            return
        if isinstance(value, dict) and len(value) == 1:
            ((name, inner),) = value.items()
            payload = self.cases.get(name)
            if payload is not None:
                writer.head(MAP, 1)
                writer.text(name)
                try:
                    payload.write(inner, writer)
                except Misfit as misfit:
                    raise misfit.within(f".{name}")
                return
        raise Misfit(self.wit, value)

    def read(self, reader: Reader) -> Any:
        at = reader.at
        if reader.major() == TEXT:
            name = reader.text(self.wit)
            if name in self.cases and self.cases[name] is None:
                return name
            raise Undecodable(self.wit, f"`{name:.40}`", at)
        length = reader.open(MAP, self.wit)
        if length not in (1, None):
            raise Undecodable(self.wit, "a map of other than one entry", at)
        name = reader.text(self.wit)
        payload = self.cases.get(name)
        if payload is None:
            raise Undecodable(self.wit, f"`{name:.40}`", at)
        try:
            value = payload.read(reader)
        except Undecodable as error:
            raise error.within(f".{name}")
        reader.close(length, self.wit)
        return {name: value}

    def admits(self, value: object) -> bool:
        return value in self.cases if isinstance(value, str) else isinstance(value, dict)


class _Unknown(Payload):
    """An end of a channel, which a host program cannot send or receive."""

    __slots__ = ("wit",)

    def __init__(self, wit: str) -> None:
        self.wit = wit

    def write(self, value: Any, writer: Writer) -> None:
        raise Misfit(self.wit, value, "a host program cannot send ends of channels")

    def read(self, reader: Reader) -> Any:
        raise Undecodable("no ends of channels", self.wit, reader.at)

    def admits(self, value: object) -> bool:
        return False
