"""Names for the types of WIT that Python has no types for.

To a type checker each is the Python type that stands for it: `u64` is `int`.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

__all__ = [
    "BigInt",
    "Object",
    "Wit",
    "char",
    "f32",
    "f64",
    "s8",
    "s16",
    "s32",
    "s64",
    "u8",
    "u16",
    "u32",
    "u64",
]


class Wit(str):
    """Says in an annotation as which type of WIT a value crosses."""

    __slots__ = ()


u8: TypeAlias = Annotated[int, Wit("u8")]
u16: TypeAlias = Annotated[int, Wit("u16")]
u32: TypeAlias = Annotated[int, Wit("u32")]
u64: TypeAlias = Annotated[int, Wit("u64")]
s8: TypeAlias = Annotated[int, Wit("s8")]
s16: TypeAlias = Annotated[int, Wit("s16")]
s32: TypeAlias = Annotated[int, Wit("s32")]
s64: TypeAlias = Annotated[int, Wit("s64")]
f32: TypeAlias = Annotated[float, Wit("f32")]
f64: TypeAlias = Annotated[float, Wit("f64")]
char: TypeAlias = Annotated[str, Wit("char")]

BigInt: TypeAlias = Annotated[int, Wit("bigint")]
"""An `int` of any size, exact."""

Object: TypeAlias = Annotated[Any, Wit("object")]
"""Any value of Python's, between processes in Python: what `Any` carries, tuples as what they are, dataclasses, named
tuples, enums and exceptions, without `pickle`."""
