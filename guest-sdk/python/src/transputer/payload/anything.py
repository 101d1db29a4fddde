"""Values of any type that CBOR knows, for ports without a type."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

from ..errors import Undecodable
from . import base
from .base import MAX_DEPTH, Misfit, Payload, Reader, Writer

__all__ = ["ANYTHING"]

# Tags of RFC 8949 and of IANA's list.
DATE_TIME, BIG, NEGATIVE_BIG, DECIMAL, UUID_TAG, SET, DATE = 0, 2, 3, 4, 37, 258, 1004

EXPECTED = "any CBOR value"


class Anything(Payload):
    """Any CBOR value: `None`, `bool`, `int` of any size, `float`, `str`, `bytes`, lists and dictionaries,
    sets, `datetime`, `date`, `Decimal` and `UUID`. A tuple arrives as a list.

    To the host it is `list<u8>`: bytes that only the processes understand.

    >>> message = ANYTHING.encode({"n": 2**70, "names": ["a", "b"]})
    >>> ANYTHING.decode(message) == {"n": 2**70, "names": ["a", "b"]}
    True
    """

    __slots__ = ()
    wit = "list<u8>"
    is_raw = True

    def write_whole(self, value: Any, writer: Writer) -> None:
        write(value, writer, 0)

    def read_whole(self, reader: Reader) -> Any:
        value = read(reader, 0)
        reader.finish()
        return value

    def write(self, value: Any, writer: Writer) -> None:
        inner = Writer()
        write(value, inner, 0)
        writer.bytes(inner.out)

    def read(self, reader: Reader) -> Any:
        at = reader.at
        inner = Reader(reader.bytes(self.wit))
        try:
            return self.read_whole(inner)
        except Undecodable as error:
            error.offset += at
            raise

    def admits(self, value: object) -> bool:
        return True


ANYTHING = Anything()


def write(value: Any, writer: Writer, depth: int) -> None:
    """Writes a value as what it is."""
    if depth > MAX_DEPTH:
        raise Misfit(EXPECTED, value, f"it nests deeper than {MAX_DEPTH}, or holds itself")
    if value is None:
        writer.null()
    elif isinstance(value, bool):
        writer.bool(value)
    elif type(value) is int:
        _write_int(value, writer)
    elif type(value) is float:
        writer.f64(value)
    elif type(value) is str:
        try:
            writer.text(value)
        except UnicodeEncodeError:
            raise Misfit(EXPECTED, value, "it holds half of a surrogate pair") from None
    elif isinstance(value, (bytes, bytearray)):
        writer.bytes(value)
    elif isinstance(value, memoryview):
        writer.bytes(value.tobytes())
    elif type(value) in (list, tuple):
        _write_items(value, writer, depth)
    elif type(value) in (set, frozenset):
        writer.head(base.TAG, SET)
        _write_items(value, writer, depth)
    elif type(value) is dict:
        _write_pairs(value, writer, depth)
    else:
        _write_tagged(value, writer)


def _write_int(value: int, writer: Writer) -> None:
    if -(1 << 64) <= value < 1 << 64:
        writer.integer(value)
        return
    writer.head(base.TAG, BIG if value > 0 else NEGATIVE_BIG)
    magnitude = value if value > 0 else -1 - value
    writer.bytes(magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big"))


def _write_items(items: Any, writer: Writer, depth: int) -> None:
    writer.head(base.ARRAY, len(items))
    for index, item in enumerate(items):
        try:
            write(item, writer, depth + 1)
        except Misfit as misfit:
            raise misfit.within(f"[{index}]")


def _write_pairs(pairs: dict[Any, Any], writer: Writer, depth: int) -> None:
    writer.head(base.MAP, len(pairs))
    for key, item in pairs.items():
        try:
            write(key, writer, depth + 1)
        except Misfit as misfit:
            raise misfit.within(".keys()")
        try:
            write(item, writer, depth + 1)
        except Misfit as misfit:
            raise misfit.within(f"[{key!r:.40}]")


def _write_tagged(value: Any, writer: Writer) -> None:
    if isinstance(value, datetime.datetime):
        writer.head(base.TAG, DATE_TIME)
        writer.text(value.isoformat())
    elif isinstance(value, datetime.date):
        writer.head(base.TAG, DATE)
        writer.text(value.isoformat())
    elif isinstance(value, UUID):
        writer.head(base.TAG, UUID_TAG)
        writer.bytes(value.bytes)
    elif isinstance(value, Decimal) and value.is_finite():
        sign, digits, exponent = value.as_tuple()
        mantissa = int(Decimal((sign, digits, 0)))
        writer.head(base.TAG, DECIMAL)
        writer.head(base.ARRAY, 2)
        _write_int(int(exponent), writer)
        _write_int(mantissa, writer)
    else:
        raise Misfit(EXPECTED, value, "give the port a type to send this")


def read(reader: Reader, depth: int) -> Any:
    """Reads the next item, whatever it is."""
    if depth > MAX_DEPTH:
        raise Undecodable(EXPECTED, f"one that nests deeper than {MAX_DEPTH}", reader.at)
    at, major = reader.at, reader.major()
    if major in (base.UNSIGNED, base.NEGATIVE):
        return reader.integer(EXPECTED)
    if major == base.BYTES:
        return reader.bytes(EXPECTED)
    if major == base.TEXT:
        return reader.text(EXPECTED)
    if major == base.ARRAY:
        return _read_items(reader, depth)
    if major == base.MAP:
        return _read_pairs(reader, depth)
    if major == base.TAG:
        return _read_tagged(reader, at, depth)
    if reader.null():
        return None
    if at < len(reader.data) and reader.data[at] in (base.TRUE, base.FALSE):
        return reader.bool(EXPECTED)
    return reader.float(EXPECTED)


def _read_items(reader: Reader, depth: int) -> list[Any]:
    items: list[Any] = []
    length = reader.open(base.ARRAY, EXPECTED)
    try:
        while reader.more(length, len(items)):
            items.append(read(reader, depth + 1))
    except Undecodable as error:
        raise error.within(f"[{len(items)}]")
    return items


def _read_pairs(reader: Reader, depth: int) -> dict[Any, Any]:
    pairs: dict[Any, Any] = {}
    length = reader.open(base.MAP, EXPECTED)
    seen = 0
    while reader.more(length, seen):
        at = reader.at
        key = _hashable(read(reader, depth + 1), at)
        if key in pairs:
            raise Undecodable(EXPECTED, "a key a second time", at)
        try:
            pairs[key] = read(reader, depth + 1)
        except Undecodable as error:
            raise error.within(f"[{key!r:.40}]")
        seen += 1
    return pairs


def _hashable(value: Any, at: int) -> Any:
    """A value as the key of a dictionary or the member of a set: lists become tuples."""
    if isinstance(value, list):
        return tuple(_hashable(item, at) for item in value)
    if isinstance(value, set):
        return frozenset(value)
    if isinstance(value, dict):
        raise Undecodable("a key", "a map", at)
    return value


def _read_tagged(reader: Reader, at: int, depth: int) -> Any:
    _, tag = reader.head(EXPECTED)
    content = read(reader, depth + 1)
    try:
        if tag == DATE_TIME and isinstance(content, str):
            return datetime.datetime.fromisoformat(content)
        if tag == DATE and isinstance(content, str):
            return datetime.date.fromisoformat(content)
        if tag == BIG and isinstance(content, bytes):
            return int.from_bytes(content, "big")
        if tag == NEGATIVE_BIG and isinstance(content, bytes):
            return -1 - int.from_bytes(content, "big")
        if tag == UUID_TAG and isinstance(content, bytes):
            return UUID(bytes=content)
        if tag == SET and isinstance(content, list):
            return {_hashable(item, at) for item in content}
        if tag == DECIMAL and isinstance(content, list):
            return _decimal(*content)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Undecodable(EXPECTED, f"a wrong value behind tag {tag}: {error}", at) from None
    raise Undecodable(EXPECTED, f"the tag {tag}", at)


# What `decimal` can hold exactly, whatever the context.
_MAX_EXPONENT = 999_999_999_999_999_999


def _decimal(exponent: Any, mantissa: Any) -> Decimal:
    if type(exponent) is not int or type(mantissa) is not int or abs(exponent) > _MAX_EXPONENT:
        raise ValueError("no decimal fraction")
    # From digits it is exact, which arithmetic, with its limited precision, would not be. The time
    # to find them grows with the square of their number: more than anybody needs are refused.
    if mantissa.bit_length() > 10_000 * math.log2(10):
        raise ValueError("a decimal fraction of more than 10,000 digits")
    digits = tuple(map(int, str(Decimal(abs(mantissa)))))
    return Decimal((mantissa < 0, digits, exponent))
