"""Functions that the tests of the executor have called."""

import dataclasses
import enum
import sys
import threading
import time
from typing import NamedTuple

import transputer

STATE: list[int] = []


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: float
    y: float


@dataclasses.dataclass
class Order:
    id: int
    colour: Colour
    at: Point
    tags: tuple[str, ...] = ()


class Spoiled(Exception):
    """An exception of this module's."""


class Holder:
    @staticmethod
    def inner(n: int) -> int:
        return n + 1


@dataclasses.dataclass
class Strange:
    order: Order


def square(n: int) -> int:
    return n * n


def bigger(order: Order, by: int = 1) -> Order:
    return dataclasses.replace(order, id=order.id + by, tags=(*order.tags, "bigger"))


def fails(kind: str) -> None:
    match kind:
        case "builtin":
            raise LookupError("nothing", 3)
        case "own":
            raise Spoiled("sour")
        case "exit":
            sys.exit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "odd":
            raise ValueError(threading.Lock())


def unsendable() -> object:
    return threading.Lock()


def sleeps(seconds: float) -> str:
    transputer.sleep(seconds)
    return "slept"


def appends(n: int) -> list[int]:
    STATE.append(n)
    return STATE


def loops() -> None:
    while True:
        pass


def hoards() -> int:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def recurses() -> None:
    recurses()


def clock() -> float:
    return time.monotonic()
