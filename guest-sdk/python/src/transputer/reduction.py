"""What `Group.reduce` can make of two values: MPI's operations, as mpi4py has them for objects.

Any function of two values will do as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = [
    "BAND",
    "BOR",
    "BXOR",
    "LAND",
    "LOR",
    "LXOR",
    "MAX",
    "MAXLOC",
    "MIN",
    "MINLOC",
    "PROD",
    "SUM",
    "Operation",
]

Operation: TypeAlias = Callable[[Any, Any], Any]
"""Makes one value of those of two neighbours, the one of the lower rank first."""


def SUM(a: Any, b: Any) -> Any:
    """`a + b`.

    >>> SUM("a", "b")
    'ab'
    """
    return a + b


def PROD(a: Any, b: Any) -> Any:
    """`a * b`."""
    return a * b


def MAX(a: Any, b: Any) -> Any:
    """The larger one; `a` if they are equal."""
    return b if b > a else a


def MIN(a: Any, b: Any) -> Any:
    """The smaller one; `a` if they are equal."""
    return b if b < a else a


def LAND(a: Any, b: Any) -> Any:
    """Whether both are true."""
    return bool(a) & bool(b)


def LOR(a: Any, b: Any) -> Any:
    """Whether one of them is true."""
    return bool(a) | bool(b)


def LXOR(a: Any, b: Any) -> Any:
    """Whether exactly one of them is true."""
    return bool(a) ^ bool(b)


def BAND(a: Any, b: Any) -> Any:
    """`a & b`."""
    return a & b


def BOR(a: Any, b: Any) -> Any:
    """`a | b`."""
    return a | b


def BXOR(a: Any, b: Any) -> Any:
    """`a ^ b`."""
    return a ^ b


def MAXLOC(a: Any, b: Any) -> Any:
    """Of two pairs of a value and a place, the one with the larger value; with the lower place if they are equal.

    >>> MAXLOC((3, 5), (3, 2))
    (3, 2)
    """
    return (a[0], min(a[1], b[1])) if a[0] == b[0] else max(a, b, key=lambda pair: pair[0])


def MINLOC(a: Any, b: Any) -> Any:
    """Of two pairs of a value and a place, the one with the smaller value; with the lower place if they are equal."""
    return (a[0], min(a[1], b[1])) if a[0] == b[0] else min(a, b, key=lambda pair: pair[0])
