"""Payloads, and the writer and reader that they share."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

from ..errors import Undecodable

__all__ = [
    "ARRAY",
    "BYTES",
    "MAP",
    "NEGATIVE",
    "OTHER",
    "TAG",
    "TEXT",
    "UNSIGNED",
    "Misfit",
    "Payload",
    "Reader",
    "Writer",
]

# `Writer` and `Reader` have methods of these names.
_Bytes: TypeAlias = bytes
_Bool: TypeAlias = bool

# The major types of CBOR.
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, OTHER = range(8)

FALSE, TRUE, NULL, UNDEFINED = 0xF4, 0xF5, 0xF6, 0xF7
BREAK = 0xFF

# How many items deep a value whose type does not bound it may nest.
MAX_DEPTH = 128


class Misfit(TypeError):
    """A value is not of the type that the port carries; nothing was sent."""

    def __init__(self, expected: str, value: object, why: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.found = _brief(value)
        self.why = why
        self.path = ""
        self.port = ""

    def within(self, step: str) -> Misfit:
        """The same, one step further inside."""
        self.path = step + self.path
        return self

    def __str__(self) -> str:
        port = f"a message for `{self.port}`: " if self.port else ""
        path = f" in `{self.path}`" if self.path else ""
        why = f" ({self.why})" if self.why else ""
        return f"{port}expected {self.expected}, found {self.found}{path}{why}"


def _brief(value: object) -> str:
    """A value as an error names it: the kind always, the text if it is short."""
    kind = type(value).__qualname__
    if value is None:
        return "None"
    # Nothing that could be long, or whose `repr` is the program's own.
    if isinstance(value, int) and value.bit_length() > 200:
        return f"the {kind} of {value.bit_length()} bits"
    if isinstance(value, (bool, int, float)) or (
        isinstance(value, (str, bytes)) and len(value) <= 40
    ):
        return f"the {kind} {value!r}"
    return f"a {kind}"


class Payload(ABC):
    """A type of messages: how it is written in a signature, and how its values cross."""

    __slots__ = ()

    wit: str
    """The type in WIT's syntax, in the form in which the host compares types."""

    carries_ends: bool = False
    """Whether a value of it can hold ends of channels."""

    is_option: ClassVar[bool] = False
    """Whether a value of it may be left out."""

    is_raw: ClassVar[bool] = False
    """Whether a message of this type crosses without a codec."""

    quick: int = 0
    """The number by which `transputer_native` knows the type, if it encodes and decodes it itself."""

    @abstractmethod
    def write(self, value: Any, writer: Writer) -> None:
        """Writes the value as one CBOR item.

        Raises `Misfit` if it is not of this type.
        """

    @abstractmethod
    def read(self, reader: Reader) -> Any:
        """Reads one CBOR item.

        Raises `Undecodable` if it is not a value of this type, or is cut off.
        """

    @abstractmethod
    def admits(self, value: object) -> bool:
        """Whether a value is of this type at first sight, which tells the members of a union apart."""

    def write_whole(self, value: Any, writer: Writer) -> None:
        """Writes a whole message."""
        self.write(value, writer)

    def read_whole(self, reader: Reader) -> Any:
        """Reads what `write_whole` wrote."""
        value = self.read(reader)
        reader.finish()
        return value

    def encode(self, value: Any) -> bytes:
        """The bytes in which a message crosses, for tests and for storing it.

        >>> from transputer.payload import payload_of
        >>> payload_of(list[int]).encode([1, 500])
        b'\\x82\\x01\\x19\\x01\\xf4'
        """
        writer = Writer()
        self.write_whole(value, writer)
        if writer.ends:
            raise Misfit(self.wit, value, "bytes cannot hold ends of channels")
        return bytes(writer.out)

    def decode(self, message: bytes) -> Any:
        """The message that crosses as these bytes.

        >>> from transputer.payload import payload_of
        >>> payload_of(list[int]).decode(b"\\x82\\x01\\x19\\x01\\xf4")
        [1, 500]
        """
        return self.read_whole(Reader(message))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.wit})"


class Writer:
    """Where a message is written: one CBOR item after the other, and the ends that go with them."""

    __slots__ = ("ends", "out")

    def __init__(self) -> None:
        self.out = bytearray()
        self.ends: list[Any] = []

    def head(self, major: int, argument: int) -> None:
        """The head of an item, in its shortest form."""
        out, major = self.out, major << 5
        if argument < 24:
            out.append(major | argument)
        elif argument < 0x100:
            out += bytes((major | 24, argument))
        elif argument < 0x10000:
            out += struct.pack(">BH", major | 25, argument)
        elif argument < 0x1_0000_0000:
            out += struct.pack(">BI", major | 26, argument)
        else:
            out += struct.pack(">BQ", major | 27, argument)

    def integer(self, value: int) -> None:
        """An integer that 64 bits and a sign can hold."""
        if value >= 0:
            self.head(UNSIGNED, value)
        else:
            self.head(NEGATIVE, -1 - value)

    def f64(self, value: float) -> None:
        """A floating point number of double precision."""
        self.out += struct.pack(">Bd", 0xFB, value)

    def bool(self, value: object) -> None:
        """A truth value."""
        self.out.append(TRUE if value else FALSE)

    def null(self) -> None:
        """What stands for an absent value."""
        self.out.append(NULL)

    def text(self, value: str) -> None:
        """Text, a field's name, or a case without a payload."""
        encoded = value.encode()
        self.head(TEXT, len(encoded))
        self.out += encoded

    def bytes(self, value: bytes | bytearray | memoryview) -> None:
        """A byte string."""
        self.head(BYTES, len(value))
        self.out += value

    def end(self, end: object) -> None:
        """Attaches an end, and writes its index among the attached ends."""
        self.head(UNSIGNED, len(self.ends))
        self.ends.append(end)


class Reader:
    """Where a message is read from, and the ends that came with it.

    The bytes may come from anybody: nothing is allocated before the bytes that need it have been seen, and
    nothing recurses deeper than the type that is read, or than `MAX_DEPTH`.
    """

    __slots__ = ("at", "data", "ends")

    def __init__(self, data: bytes, ends: list[Any] | None = None) -> None:
        self.data = data
        self.at = 0
        self.ends: list[Any] = ends if ends is not None else []

    def finish(self) -> None:
        """Fails if anything is left over: bytes, or an end that the type has no room for."""
        left = len(self.data) - self.at
        if left > 0:
            raise Undecodable("the end of the message", f"{left} bytes more", self.at)
        unused = sum(end is not None for end in self.ends)
        if unused:
            raise Undecodable("no further ends of channels", f"{unused} more attached", self.at)

    def rest(self) -> bytes:
        """Everything that has not been read yet, as it is."""
        rest = self.data[self.at :] if self.at else self.data
        self.at = len(self.data)
        return rest

    def major(self) -> int:
        """The major type of the next item; -1 at the end of the message."""
        return self.data[self.at] >> 5 if self.at < len(self.data) else -1

    def head(self, expected: str) -> tuple[int, int | None]:
        """The next item's major type and argument, which is `None` for an indefinite length."""
        data, at = self.data, self.at
        if at >= len(data):
            raise self.mismatch(expected, at)
        first = data[at]
        low = first & 31
        if low < 24:
            self.at = at + 1
            return first >> 5, low
        if low < 28:
            past = at + 1 + (1 << (low - 24))
            if past > len(data):
                raise self.mismatch(expected, at)
            self.at = past
            return first >> 5, int.from_bytes(data[at + 1 : past], "big")
        if low == 31 and first >> 5 in (BYTES, TEXT, ARRAY, MAP):
            self.at = at + 1
            return first >> 5, None
        raise self.mismatch(expected, at)

    def integer(self, expected: str) -> int:
        """An integer that 64 bits and a sign can hold."""
        at = self.at
        major, argument = self.head(expected)
        if argument is not None:
            if major == UNSIGNED:
                return argument
            if major == NEGATIVE:
                return -1 - argument
        raise self.mismatch(expected, at)

    def float(self, expected: str) -> float:
        """A number as a float: of any precision, or an integer, as some languages write `1.0`."""
        at = self.at
        form = _FLOATS.get(self.data[at]) if at < len(self.data) else None
        if form is None:
            return float(self.integer(expected))
        past = at + 1 + form.size
        if past > len(self.data):
            raise self.mismatch(expected, at)
        self.at = past
        (value,) = form.unpack_from(self.data, at + 1)
        return float(value)

    def bool(self, expected: str) -> bool:
        """A truth value."""
        byte = self.data[self.at] if self.at < len(self.data) else -1
        if byte not in (TRUE, FALSE):
            raise self.mismatch(expected, self.at)
        self.at += 1
        return byte == TRUE

    def null(self) -> _Bool:
        """Reads a null if the next item is one."""
        if self.at < len(self.data) and self.data[self.at] in (NULL, UNDEFINED):
            self.at += 1
            return True
        return False

    def string(self, wanted: int, expected: str) -> _Bytes:
        """A byte string or a text, in one piece or several."""
        at = self.at
        major, length = self.head(expected)
        if major != wanted:
            raise self.mismatch(expected, at)
        if length is not None:
            return self._take(length, expected, at)
        pieces = []
        while not self._at_break():
            piece, length = self.head(expected)
            if piece != wanted or length is None:
                raise self.mismatch(expected, at)
            pieces.append(self._take(length, expected, at))
        self.at += 1
        return b"".join(pieces)

    def bytes(self, expected: str) -> _Bytes:
        """A byte string."""
        return self.string(BYTES, expected)

    def text(self, expected: str) -> str:
        """Text."""
        at = self.at
        encoded = self.string(TEXT, expected)
        try:
            return encoded.decode()
        except UnicodeDecodeError:
            raise self.mismatch(expected, at) from None

    def _take(self, length: int, expected: str, start: int) -> _Bytes:
        at = self.at
        if length > len(self.data) - at:
            raise self.mismatch(expected, start)
        self.at = at + length
        return self.data[at : at + length]

    def _at_break(self) -> _Bool:
        return self.at < len(self.data) and self.data[self.at] == BREAK

    def open(self, wanted: int, expected: str) -> int | None:
        """The head of an array or a map; its length, or `None` if a mark ends it."""
        at = self.at
        major, length = self.head(expected)
        if major != wanted:
            raise self.mismatch(expected, at)
        return length

    def more(self, length: int | None, seen: int) -> _Bool:
        """Whether another item follows in what `open` has opened; reads the mark at its end."""
        if length is not None:
            return seen < length
        if self._at_break():
            self.at += 1
            return False
        return True

    def close(self, length: int | None, expected: str) -> None:
        """Reads the mark at the end of what `open` has opened, if it has one."""
        if length is None:
            if not self._at_break():
                raise self.mismatch(expected, self.at)
            self.at += 1

    def skip(self) -> None:
        """Reads past one item of any kind."""
        # A stack of what is still to come instead of recursion: a stranger decides how deep it is.
        left: list[int | None] = [1]
        while left:
            top = left[-1]
            if top is None:
                if self._at_break():
                    self.at += 1
                    left.pop()
                    continue
            elif top == 0:
                left.pop()
                continue
            else:
                left[-1] = top - 1
            at = self.at
            major, argument = self.head("a value")
            if major in (BYTES, TEXT):
                self.at = at
                self.string(major, "a value")
            elif major == ARRAY:
                left.append(argument)
            elif major == MAP:
                left.append(None if argument is None else 2 * argument)
            elif major == TAG:
                left.append(1)

    def end(self, kind: str, expected: str) -> Any:
        """The attached end whose index is written here: `sender`, `receiver` or `barrier`."""
        at = self.at
        index = self.integer(expected)
        end = self.ends[index] if 0 <= index < len(self.ends) else None
        if end is None:
            raise Undecodable(expected, f"no attached end number {index}", at)
        if end.kind != kind:
            raise Undecodable(expected, f"a {end.kind}", at)
        self.ends[index] = None
        return end

    def mismatch(self, expected: str, at: int) -> Undecodable:
        """The error for what is at `at`, where `expected` should be."""
        return Undecodable(expected, _describe(Reader(self.data), at), at)


_FLOATS = {0xF9: struct.Struct(">e"), 0xFA: struct.Struct(">f"), 0xFB: struct.Struct(">d")}

_KINDS = {BYTES: "bytes", TEXT: "a text", ARRAY: "a list", MAP: "a map", TAG: "a tag"}


def _describe(reader: Reader, at: int) -> str:
    """What is at `at`, for an error."""
    data = reader.data
    if at >= len(data):
        return "the end of the message"
    first = data[at]
    major, low = first >> 5, first & 31
    if low < 24:
        complete = True
    elif low < 28:
        complete = at + 1 + (1 << (low - 24)) <= len(data)
    else:
        complete = low == 31 and major in (BYTES, TEXT, ARRAY, MAP, OTHER)
    if not complete:
        return "the end of the message" if low < 28 else "something that is not CBOR"
    reader.at = at
    if major in (UNSIGNED, NEGATIVE):
        return f"the integer {reader.integer('')}"
    if major == TEXT:
        _, length = reader.head("")
        text = data[reader.at : reader.at + (length or 0)]
        if length is None or length > 40 or len(text) < length:
            return "a text"
        return f"the text `{text.decode(errors='replace')}`"
    if major == OTHER:
        names = {FALSE: "bool", TRUE: "bool", NULL: "null", UNDEFINED: "null", BREAK: "the end of a list"}
        return names.get(first) or ("a float" if first in _FLOATS else "something that is not CBOR")
    return _KINDS[major]
