"""What the tests of the executor have called in sandboxes."""

import dataclasses
import enum
import json
import sys
from collections.abc import Callable


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Order:
    id: int
    colour: Colour
    tags: tuple[str, ...] = ()


class Spoiled(Exception):
    """An exception of this module's."""


def square(n: int) -> int:
    return n * n


def bigger(order: Order, by: int = 1) -> Order:
    return dataclasses.replace(order, id=order.id + by)


def where() -> str:
    return sys.platform


def words(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in json.loads(text):
        counts[word] = counts.get(word, 0) + 1
    return counts


def fails(kind: str) -> None:
    FAILURES[kind]()


def _own() -> None:
    raise Spoiled("sour")


def _lookup() -> None:
    raise LookupError("nothing", 3)


FAILURES: dict[str, Callable[[], None]] = {"own": _own, "lookup": _lookup, "exit": lambda: sys.exit(3)}

STATE: list[int] = []


def appends(n: int) -> list[int]:
    STATE.append(n)
    return STATE


def spins() -> None:
    while True:
        pass
