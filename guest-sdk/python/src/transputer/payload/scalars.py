"""Numbers, truth values, text, bytes, and what crosses as one of these."""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from ..errors import Undecodable
from .base import Misfit, Payload, Reader, Writer

__all__ = ["BIG_INTEGER", "BOOL", "BYTES", "CHAR", "F32", "F64", "INTEGERS", "STRING", "TEXTUAL", "UNIT"]


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_ONE_BYTE = [bytes((value,)) for value in range(24)]
_TWO_BYTES = struct.Struct(">BH").pack
_FOUR_BYTES = struct.Struct(">BI").pack
_EIGHT_BYTES = struct.Struct(">BQ").pack

# The length of a whole message that is an integer, by its first byte, if that is not negative; or 0.
_LENGTHS = [1] * 24 + [2, 3, 5, 9] + [0] * (256 - 28)


class Integer(Payload):
    """An integer of at most 64 bits."""

    __slots__ = ("high", "low", "quick", "wit")

    def __init__(self, signed: bool, bits: int) -> None:
        self.wit = f"{'s' if signed else 'u'}{bits}"
        self.quick = bits.bit_length() - 3 + (0 if signed else 4)
        self.low = -(1 << (bits - 1)) if signed else 0
        self.high = (1 << (bits - signed)) - 1

    def write(self, value: Any, writer: Writer) -> None:
        if not _is_int(value):
            raise Misfit(self.wit, value)
        if not self.low <= value <= self.high:
            raise Misfit(self.wit, value, f"it holds {self.low} to {self.high}")
        writer.integer(value)

    def read(self, reader: Reader) -> int:
        at = reader.at
        value = reader.integer(self.wit)
        if not self.low <= value <= self.high:
            raise reader.mismatch(self.wit, at)
        return value

    # A number that is a whole message is what is sent most. What is not the usual case is left to the
    # writer and the reader, which say what is wrong.

    def encode(self, value: Any) -> bytes:
        if type(value) is int and 0 <= value <= self.high:
            if value < 24:
                return _ONE_BYTE[value]
            if value < 0x100:
                return bytes((24, value))
            if value < 0x1_0000:
                return _TWO_BYTES(25, value)
            return _FOUR_BYTES(26, value) if value < 0x1_0000_0000 else _EIGHT_BYTES(27, value)
        return super().encode(value)

    def decode(self, message: bytes) -> Any:
        length = len(message)
        if length and length == _LENGTHS[message[0]]:
            value = message[0] if length == 1 else int.from_bytes(message[1:], "big")
            if value <= self.high:
                return value
        return super().decode(message)

    def admits(self, value: object) -> bool:
        return _is_int(value)


INTEGERS = {
    payload.wit: payload
    for payload in (Integer(signed, bits) for signed in (False, True) for bits in (8, 16, 32, 64))
}


class BigInteger(Payload):
    """An integer of any size, in two's complement, the highest byte first."""

    __slots__ = ()
    wit = "list<u8>"

    def write(self, value: Any, writer: Writer) -> None:
        if not _is_int(value):
            raise Misfit("an int", value)
        # One bit for the sign; Python's integers know no negative zero.
        writer.bytes(value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))

    def read(self, reader: Reader) -> int:
        return int.from_bytes(reader.bytes(self.wit), "big", signed=True)

    def admits(self, value: object) -> bool:
        return _is_int(value)


BIG_INTEGER = BigInteger()


class Float(Payload):
    """A floating point number. An `int` that it can hold exactly will do."""

    __slots__ = ("form", "quick", "wit")

    def __init__(self, wit: str, form: str) -> None:
        self.wit = wit
        self.form = struct.Struct(form)
        self.quick = 9 if wit == "f64" else 0

    def write(self, value: Any, writer: Writer) -> None:
        number = value
        if _is_int(value):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if number != value:
                raise Misfit(self.wit, value, "it is not exactly a float")
        elif not isinstance(value, float):
            raise Misfit(self.wit, value)
        try:
            writer.out += self.form.pack(0xFB if self.wit == "f64" else 0xFA, number)
        except OverflowError:
            raise Misfit(self.wit, value, "it is too large") from None

    def read(self, reader: Reader) -> float:
        return reader.float(self.wit)

    def admits(self, value: object) -> bool:
        return isinstance(value, float) or _is_int(value)


class Single(Float):
    """A floating point number of single precision: rounds what was written with more."""

    __slots__ = ()

    def read(self, reader: Reader) -> float:
        number = reader.float(self.wit)
        try:
            return float(struct.unpack(">f", struct.pack(">f", number))[0])
        except OverflowError:
            return math.copysign(math.inf, number)


F64, F32 = Float("f64", ">Bd"), Single("f32", ">Bf")


class Bool(Payload):
    """A truth value."""

    __slots__ = ()
    wit = "bool"

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, bool):
            raise Misfit(self.wit, value)
        writer.bool(value)

    def read(self, reader: Reader) -> bool:
        return reader.bool(self.wit)

    def admits(self, value: object) -> bool:
        return isinstance(value, bool)


BOOL = Bool()


def _write_text(wit: str, value: str, writer: Writer) -> None:
    try:
        writer.text(value)
    except UnicodeEncodeError:
        raise Misfit(wit, value, "it holds half of a surrogate pair, which is no character") from None


class String(Payload):
    """Text."""

    __slots__ = ()
    wit = "string"
    quick = 10

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, str):
            raise Misfit(self.wit, value)
        _write_text(self.wit, value, writer)

    def read(self, reader: Reader) -> str:
        return reader.text(self.wit)

    def admits(self, value: object) -> bool:
        return isinstance(value, str)


STRING = String()


class Char(Payload):
    """A text of one character. The number of a code point is read as well."""

    __slots__ = ()
    wit = "char"

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, str) or len(value) != 1:
            raise Misfit(self.wit, value)
        _write_text(self.wit, value, writer)

    def read(self, reader: Reader) -> str:
        at = reader.at
        if reader.major() == 3:
            text = reader.text(self.wit)
            if len(text) == 1:
                return text
        else:
            number = reader.integer(self.wit)
            if 0 <= number < 0x110000 and not 0xD800 <= number < 0xE000:
                return chr(number)
        raise reader.mismatch(self.wit, at)

    def admits(self, value: object) -> bool:
        return isinstance(value, str) and len(value) == 1


CHAR = Char()


class Bytes(Payload):
    """Bytes: the message itself, or a byte string in one."""

    __slots__ = ()
    wit = "list<u8>"
    is_raw = True
    quick = 11

    def write(self, value: Any, writer: Writer) -> None:
        writer.bytes(self._contiguous(value))

    def _contiguous(self, value: Any) -> bytes | bytearray:
        if isinstance(value, (bytes, bytearray)):
            return value
        if isinstance(value, memoryview):
            return value.tobytes()
        raise Misfit("bytes", value)

    def read(self, reader: Reader) -> bytes:
        if reader.major() != 4:
            return reader.bytes(self.wit)
        length, octets = reader.open(4, self.wit), bytearray()
        while reader.more(length, len(octets)):
            octets.append(INTEGERS["u8"].read(reader))
        return bytes(octets)

    def write_whole(self, value: Any, writer: Writer) -> None:
        writer.out += self._contiguous(value)

    def read_whole(self, reader: Reader) -> bytes:
        rest = reader.rest()
        reader.finish()
        return rest

    def admits(self, value: object) -> bool:
        return isinstance(value, (bytes, bytearray, memoryview))


BYTES = Bytes()


class Unit(Payload):
    """The one value of a type that has one: an empty array."""

    __slots__ = ("value",)
    wit = "tuple<>"

    def __init__(self, value: object = None) -> None:
        self.value = value

    def write(self, value: Any, writer: Writer) -> None:
        if value != self.value:
            raise Misfit(repr(self.value), value)
        writer.head(4, 0)

    def read(self, reader: Reader) -> Any:
        at = reader.at
        length = reader.open(4, self.wit)
        if length:
            raise Undecodable(self.wit, f"{length} items instead of 0", at)
        reader.close(length, self.wit)
        return self.value

    def admits(self, value: object) -> bool:
        return value == self.value


UNIT = Unit()


class Textual(Payload):
    """A type of the standard library that crosses as text."""

    __slots__ = ("kind", "parse", "show")
    wit = "string"

    def __init__(self, kind: type, show: Callable[[Any], str], parse: Callable[[str], Any]) -> None:
        self.kind = kind
        self.show = show
        self.parse = parse

    def write(self, value: Any, writer: Writer) -> None:
        if not self.admits(value):
            raise Misfit(self.kind.__name__, value)
        writer.text(self.show(value))

    def read(self, reader: Reader) -> Any:
        at = reader.at
        text = reader.text(self.wit)
        try:
            return self.parse(text)
        except (ValueError, InvalidOperation):
            raise reader.mismatch(f"a {self.kind.__name__}", at) from None

    def admits(self, value: object) -> bool:
        # A datetime is a date to Python, but its text is none.
        return isinstance(value, self.kind) and not (
            self.kind is datetime.date and isinstance(value, datetime.datetime)
        )


class Duration(Payload):
    """A timedelta, in microseconds."""

    __slots__ = ()
    wit = "s64"

    def write(self, value: Any, writer: Writer) -> None:
        if not isinstance(value, datetime.timedelta):
            raise Misfit("timedelta", value)
        writer.integer(value // datetime.timedelta(microseconds=1))

    def read(self, reader: Reader) -> datetime.timedelta:
        at = reader.at
        try:
            return datetime.timedelta(microseconds=INTEGERS["s64"].read(reader))
        except OverflowError:
            raise reader.mismatch("a timedelta", at) from None

    def admits(self, value: object) -> bool:
        return isinstance(value, datetime.timedelta)


def _iso(value: Any) -> str:
    text: str = value.isoformat()
    return text


TEXTUAL: dict[type, Payload] = {
    datetime.datetime: Textual(datetime.datetime, _iso, datetime.datetime.fromisoformat),
    datetime.date: Textual(datetime.date, _iso, datetime.date.fromisoformat),
    datetime.time: Textual(datetime.time, _iso, datetime.time.fromisoformat),
    datetime.timedelta: Duration(),
    Decimal: Textual(Decimal, str, Decimal),
    UUID: Textual(UUID, str, UUID),
}
