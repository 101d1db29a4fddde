"""The form of messages: exact bytes, as the Rust SDK writes them, and what strangers may send.

The cases are those of `guest-sdk/rust/tests/messages.rs`, as far as both languages have the types.
"""

import datetime
import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar
from uuid import UUID

import pytest
from transputer import (
    Barrier,
    BigInt,
    Misfit,
    Receiver,
    Request,
    Sender,
    Undecodable,
    char,
    f32,
    s8,
    s16,
    u8,
    u16,
    u32,
    u64,
)
from transputer.payload import payload_of

T = TypeVar("T")


@dataclass
class Line:
    number: u64
    type: str
    note: str | None = None


class Pair(NamedTuple):
    left: u8
    right: str


@dataclass
class Tick:
    pass


class Colour(enum.Enum):
    Red = 1
    Green = 2


@dataclass
class Circle:
    radius: f32


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


@dataclass
class Box(Generic[T]):
    content: T


def check(of: Any, value: Any, message: bytes) -> None:
    """Round trip, exact bytes; every shorter message, and one that is longer, is refused."""
    payload = payload_of(of)
    assert payload.encode(value) == message
    decoded = payload.decode(message)
    assert decoded == value
    assert type(decoded) is type(value)
    for length in range(len(message)):
        with pytest.raises(Undecodable):
            payload.decode(message[:length])
    with pytest.raises(Undecodable):
        payload.decode(message + b"\0")


@pytest.mark.parametrize(
    ("of", "value", "message"),
    [
        (u8, 0, b"\x00"),
        (u8, 255, b"\x18\xff"),
        (u16, 500, b"\x19\x01\xf4"),
        (u32, 2**32 - 1, b"\x1a\xff\xff\xff\xff"),
        (u64, 2**64 - 1, b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
        (s8, -1, b"\x20"),
        (s16, -500, b"\x39\x01\xf3"),
        (int, -(2**63), b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"),
        (bool, True, b"\xf5"),
        (f32, 1.5, b"\xfa\x3f\xc0\x00\x00"),
        (float, 1.5, b"\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        (char, "é", b"\x62\xc3\xa9"),
        (str, "abc", b"\x63abc"),
        (None, None, b"\x80"),
        (BigInt, 128, b"\x42\x00\x80"),
        (BigInt, -129, b"\x42\xff\x7f"),
        (datetime.timedelta, datetime.timedelta(milliseconds=-1), b"\x39\x03\xe7"),
        (Decimal, Decimal("-1.50"), b"\x65-1.50"),
        (datetime.date, datetime.date(2026, 1, 2), b"\x6a2026-01-02"),
        (list[u16], [1, 2], b"\x82\x01\x02"),
        (tuple[u8, str], (1, "a"), b"\x82\x01\x61a"),
        (tuple[u16, ...], (1, 2), b"\x82\x01\x02"),
        (tuple[()], (), b"\x80"),
        (u8 | None, 1, b"\x01"),
        (u8 | None, None, b"\xf6"),
        (list[bytes], [b"ab"], b"\x81\x42ab"),
        (dict[str, int], {"a": 1}, b"\x81\x82\x61a\x01"),
        (set[int], {7}, b"\x81\x07"),
        (Line, Line(7, "x"), b"\xa3\x66number\x07\x64type\x61x\x64note\xf6"),
        (Pair, Pair(1, "a"), b"\xa2\x64left\x01\x65right\x61a"),
        (Movie, {"title": "M", "year": 1931}, b"\xa2\x65title\x61M\x64year\x19\x07\x8b"),
        (Movie, {"title": "M"}, b"\xa2\x65title\x61M\x64year\xf6"),
        (Tick, Tick(), b"\x80"),
        (Colour, Colour.Green, b"\x65Green"),
        (Literal["on", "off"], "off", b"\x63off"),
        (Tick | Circle, Tick(), b"\x64Tick"),
        (Tick | Circle, Circle(1.5), b"\xa1\x66Circle\xa1\x66radius\xfa\x3f\xc0\x00\x00"),
        (int | str, 7, b"\xa1\x63int\x07"),
        (int | str, "x", b"\xa1\x63str\x61x"),
        (int | float, 1.5, b"\xa1\x65float\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        (bool | int, True, b"\xa1\x64bool\xf5"),
        (Box[u8], Box(7), b"\xa1\x67content\x07"),
        (list[Any], [2**64], b"\x81\x4b\xc2\x49\x01\0\0\0\0\0\0\0\0"),
    ],
)
def test_exact_bytes(of: Any, value: Any, message: bytes) -> None:
    check(of, value, message)


@pytest.mark.parametrize("of", [u8, u16, u32, u64, int])
def test_numbers_are_the_same_alone_and_inside(of: Any) -> None:
    """A number that is a whole message is read and written by itself."""
    alone, inside = payload_of(of), payload_of(tuple[of])
    edges = [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
    for value in [*edges, *(-1 - edge for edge in edges)]:
        try:
            message = inside.encode((value,))[1:]
        except Misfit as misfit:
            with pytest.raises(Misfit) as caught:
                alone.encode(value)
            assert caught.value.why == misfit.why
        else:
            assert alone.encode(value) == message
            assert alone.decode(message) == value


def test_bytes_have_no_codec() -> None:
    assert payload_of(bytes).encode(b"ab") == b"ab"
    assert payload_of(bytes).decode(b"\xff\x00") == b"\xff\x00"
    assert payload_of(bytes).encode(bytearray(b"ab")) == b"ab"
    assert payload_of(bytes).encode(memoryview(b"abcd")[::2]) == b"ac"


@pytest.mark.parametrize(
    ("of", "wit"),
    [
        (
            list[tuple[Line, Tick | Circle | None]],
            "list<tuple<record { number: u64, type: string, note: option<string> }, "
            "option<variant { Tick, Circle(record { radius: f32 }) }>>>",
        ),
        (Sender[bytes], "sender<list<u8>>"),
        (Receiver[None], "receiver<tuple<>>"),
        (Barrier, "barrier"),
        (Request[int, str], "record { body: s64, reply: sender<string> }"),
        (Colour, "enum { Red, Green }"),
        (Movie, "record { title: string, year: option<s64> }"),
        (Box[list[T]], "record { content: list<list<u8>> }"),
        (Box[Box[int]], "record { content: record { content: s64 } }"),
        (dict[str, float], "list<tuple<string, f64>>"),
        (Sequence[int], "list<s64>"),
        (Any, "list<u8>"),
        (datetime.datetime, "string"),
    ],
)
def test_types(of: Any, wit: str) -> None:
    assert payload_of(of).wit == wit


@dataclass
class Tree:
    children: "list[Tree]"


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (Tree, "Tree cannot be a message: it holds itself"),
        (object(), "not a type that can cross a channel"),
        (pytest, "not a type that can cross a channel"),
        (Exception, "make it a dataclass"),
        (list[int] | list[str], "both called `list`"),
        (Literal[1, 2], "only texts"),
        (list[u8], "use `bytes`"),
    ],
)
def test_types_that_cannot_cross(of: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        payload_of(of)


def test_other_encodings() -> None:
    """What other languages write for the same values."""
    number = payload_of(float)
    assert number.decode(b"\x01") == 1.0
    # Half precision, with the examples of RFC 8949, appendix A.
    for bits, value in [
        (0x0000, 0.0),
        (0x3C00, 1.0),
        (0x3E00, 1.5),
        (0x7BFF, 65504.0),
        (0x0001, 5.960464477539063e-8),
        (0xC400, -4.0),
        (0x7C00, math.inf),
        (0xFC00, -math.inf),
    ]:
        message = b"\xf9" + bits.to_bytes(2, "big")
        assert number.decode(message) == value
        assert payload_of(f32).decode(message) == value
    assert math.isnan(number.decode(b"\xf9\x7e\x00"))
    assert payload_of(f32).decode(b"\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00") == 1.5
    assert payload_of(f32).decode(b"\xfb\x7f\xef\xff\xff\xff\xff\xff\xff") == math.inf
    assert payload_of(u8).decode(b"\x1b\x00\x00\x00\x00\x00\x00\x00\x07") == 7
    assert payload_of(char).decode(b"\x18\xe9") == "é"
    assert payload_of(str).decode(b"\x7f\x61a\x62bc\xff") == "abc"
    assert payload_of(list[bytes]).decode(b"\x81\x82\x01\x02") == [b"\x01\x02"]
    assert payload_of(list[int]).decode(b"\x9f\x01\x02\xff") == [1, 2]
    # Another order, a field that nobody knows, an option left out, indefinite length.
    message = b"\xbf\x64type\x61x\x67unknown\x82\x01\x81\x02\x66number\x07\xff"
    assert payload_of(Line).decode(message) == Line(7, "x")


@pytest.mark.parametrize(
    ("of", "message", "says"),
    [
        (u8, b"\x19\x01\x2c", "expected u8, found the integer 300 (byte 0)"),
        (u64, b"\x63abc", "expected u64, found the text `abc` (byte 0)"),
        (u64, b"", "expected u64, found the end of the message (byte 0)"),
        (
            list[tuple[u8, u8]],
            b"\x82\x82\x01\x02\x82\x01\xf5",
            "expected u8, found bool in `[1][1]` (byte 6)",
        ),
        (Line, b"\xa1\x66number\xf5", "expected u64, found bool in `.number` (byte 8)"),
        (
            Line,
            b"\xa1\x66number\x07",
            "expected string, found no such field in `.type` (byte 9)",
        ),
        (Colour, b"\x64Blue", "expected enum { Red, Green }, found `Blue` (byte 0)"),
        (tuple[u8, u8], b"\x81\x01", "expected tuple<u8, u8>, found 1 items instead of 2 (byte 0)"),
        (u8, b"\x07\x07", "expected the end of the message, found 1 bytes more (byte 1)"),
        (UUID, b"\x61x", "expected a UUID, found the text `x` (byte 0)"),
    ],
)
def test_errors_say_what_and_where(of: Any, message: bytes, says: str) -> None:
    with pytest.raises(Undecodable) as caught:
        payload_of(of).decode(message)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("of", "value", "says"),
    [
        (int, "7", "expected s64, found the str '7'"),
        (int, True, "expected s64, found the bool True"),
        (int, 2**63, "it holds -9223372036854775808 to 9223372036854775807"),
        (int, 1.0, "expected s64, found the float 1.0"),
        (float, 2**60 + 1, "it is not exactly a float"),
        (f32, 1e300, "it is too large"),
        (str, "\ud800", "half of a surrogate pair"),
        (str, None, "expected string, found None"),
        (bytes, "x", "expected bytes, found the str 'x'"),
        (list[int], (1,), "expected list (list<s64>), found a tuple"),
        (list[Line], [Line(1, "a"), Line(2, 3)], "expected string, found the int 3 in `[1].type`"),
        (dict[str, list[int]], {"a": [1, None]}, "expected s64, found None in `['a'][1]`"),
        (tuple[int, int], (1,), "it has 1 items instead of 2"),
        (int | str, 1.5, "expected int or str, found the float 1.5"),
        (Movie, {"year": 1931}, "in `.title` (it has no `title`)"),
        (Movie, {"title": "M", "year_of": 1931}, "it has no field 'year_of'"),
        (Literal["on"], "off", "expected one of 'on'"),
        (Any, object(), "expected any CBOR value, found a object"),
        (Any, {"a": [1, {2: object()}]}, "in `['a'][1][2]`"),
    ],
)
def test_wrong_values_say_where(of: Any, value: Any, says: str) -> None:
    with pytest.raises(TypeError) as caught:
        payload_of(of).encode(value)
    assert says in str(caught.value)


def test_any_value_that_holds_itself_is_refused() -> None:
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(Misfit, match="holds itself"):
        payload_of(Any).encode(knot)


@pytest.mark.parametrize(
    "message",
    [
        b"\x81" * 100_000,
        b"\xd8\x25" * 50_000,
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xffx",
        b"\xbf\x9f\xff\x01",
        b"\xa1\xa0\x01",
        b"\xc4\x82\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xc0\x61x",
        b"\xd8\x25\x41x",
        b"\x1c",
        b"\xff",
        b"\xf8\x20",
    ],
)
def test_hostile_messages_are_refused(message: bytes) -> None:
    for of in (Any, list[int], list[list[int]], Line, str):
        with pytest.raises(Undecodable):
            payload_of(of).decode(message)


def test_what_is_skipped_may_nest_as_it_likes() -> None:
    """A field that nobody knows is read past without recursion."""
    deep = b"\x81" * 100_000 + b"\x00"
    message = b"\xa3\x66number\x07\x64type\x61x\x63new" + deep
    assert payload_of(Line).decode(message) == Line(7, "x")


@pytest.mark.parametrize(
    "value",
    [
        2**64,
        -(2**64) - 1,
        2**4000,
        {"a": [1, None, True, 1.5, b"x"]},
        {(1, 2): "key", 3: {4}},
        Decimal("1e-30"),
        Decimal("-12345678901234567890123456789012345678901234567890.5"),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC),
        datetime.datetime(2026, 1, 2),
        datetime.date(2026, 1, 2),
        UUID(int=7),
        [],
        {},
        "",
        math.inf,
    ],
)
def test_any_value_round_trip(value: Any) -> None:
    payload = payload_of(Any)
    decoded = payload.decode(payload.encode(value))
    assert decoded == value
    assert type(decoded) is type(value)
