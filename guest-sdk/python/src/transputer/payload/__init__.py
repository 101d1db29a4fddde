"""What can cross a channel: types, writing and reading.

A message is one CBOR item (RFC 8949), except that a message which is nothing but bytes crosses as it is.
Its type is written in WIT's syntax in a component's signature, which is how the host compares ports, in
whatever language their processes are written:

| Python | WIT | CBOR |
|---|---|---|
| `int`; `u8` ... `u64`, `s8` ... `s64` | `s64`; the same | integer |
| `float`; `f32`, `f64` | `f64`; the same | float; an integer is read too |
| `bool` | `bool` | true, false |
| `str`; `char` | `string`; `char` | text |
| `bytes` | `list<u8>` | byte string inside a message |
| `list[T]`, `set[T]`, `tuple[T, ...]` | `list<T>` | array |
| `tuple[A, B]`, `None` | `tuple<A, B>`, `tuple<>` | array |
| `dict[K, V]` | `list<tuple<K, V>>` | array of pairs |
| `T \\| None` | `option<T>` | the value, or null |
| a dataclass, `NamedTuple`, `TypedDict` | `record { ... }` | map from field names to values |
| an enum, `Literal["a", "b"]` | `enum { ... }` | the name |
| `A \\| B` | `variant { A(...), B(...) }` | a map from the case's name to its payload, or the name alone |
| `datetime`, `date`, `time`, `Decimal`, `UUID` | `string` | text |
| `timedelta` | `s64` | microseconds |
| `BigInt` | `list<u8>` | two's complement, the highest byte first |
| `Sender[T]`, `Receiver[T]`, `Barrier` | `sender<T>`, `receiver<T>`, `barrier` | its index among the attached ends |
| `Any`, or a bare `Sender` or `Receiver` | `list<u8>` | any CBOR item, in a byte string |
| `Object` | `list<u8>` | the same, with the tag 27 where Python knows more than CBOR |
"""

from .annotations import payload_of
from .base import Misfit, Payload, Reader, Writer
from .names import BigInt, Object, char, f32, f64, s8, s16, s32, s64, u8, u16, u32, u64

__all__ = [
    "BigInt",
    "Misfit",
    "Object",
    "Payload",
    "Reader",
    "Writer",
    "char",
    "f32",
    "f64",
    "payload_of",
    "s8",
    "s16",
    "s32",
    "s64",
    "u8",
    "u16",
    "u32",
    "u64",
]
