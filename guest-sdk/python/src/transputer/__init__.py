"""Communicating sequential processes in Python.

A **process** has memory of its own and shares nothing; it meets other processes only at **channels**.

    from transputer import Receiver, Sender, process

    @process
    def double(numbers: Receiver[int], doubled: Sender[int]):
        for n in numbers:
            doubled.send(2 * n)

`select` waits for one of several communications, `spawn` starts further processes. How a stream ends: it is
closed, which loops take as their end and a process that raises `Closed` as its own; or it is poisoned, by a
process that failed, and then every operation on it raises `Poisoned`.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from .alternation import SKIP, Chosen, Guard, after, alt, at, receiving, select, sending
from .barrier import Barrier
from .broadcast import Broadcast
from .channel import Channel, Overflow, Receiver, Sender, Statistics
from .children import Child, Failures, Outcome, Spawn, par, seq, spawn
from .clock import now, sleep, sleep_until, yield_now
from .errors import (
    CarriesEnds,
    ChannelError,
    Closed,
    Deadlock,
    Error,
    Failed,
    HoldsMessages,
    Malformed,
    Moved,
    NoGuard,
    Overloaded,
    PeerFailed,
    PeerKilled,
    PeerTrapped,
    Poisoned,
    SpawnRefused,
    TimedOut,
    TooLarge,
    Undecodable,
    WouldBlock,
)
from .logs import log
from .myself import id, name
from .payload import BigInt, Misfit, char, f32, f64, s8, s16, s32, s64, u8, u16, u32, u64
from .processes import Component, Process, process
from .request import Client, Request, Server

if _TYPE_CHECKING:
    from .executor import SandboxExecutor
    from .host import Host, HostError, Network

__version__ = "0.1.0"

__all__ = [
    "SKIP",
    "Barrier",
    "BigInt",
    "Broadcast",
    "CarriesEnds",
    "Channel",
    "ChannelError",
    "Child",
    "Chosen",
    "Client",
    "Closed",
    "Component",
    "Deadlock",
    "Error",
    "Failed",
    "Failures",
    "Guard",
    "HoldsMessages",
    "Host",
    "HostError",
    "Malformed",
    "Misfit",
    "Moved",
    "Network",
    "NoGuard",
    "Outcome",
    "Overflow",
    "Overloaded",
    "PeerFailed",
    "PeerKilled",
    "PeerTrapped",
    "Poisoned",
    "Process",
    "Receiver",
    "Request",
    "SandboxExecutor",
    "Sender",
    "Server",
    "Spawn",
    "SpawnRefused",
    "Statistics",
    "TimedOut",
    "TooLarge",
    "Undecodable",
    "WouldBlock",
    "after",
    "alt",
    "at",
    "char",
    "f32",
    "f64",
    "id",
    "log",
    "name",
    "now",
    "par",
    "process",
    "receiving",
    "s8",
    "s16",
    "s32",
    "s64",
    "select",
    "sending",
    "seq",
    "sleep",
    "sleep_until",
    "spawn",
    "u8",
    "u16",
    "u32",
    "u64",
    "yield_now",
]


def __getattr__(name: str) -> object:
    # Only programs that run networks need the host, and only there it exists.
    if name in ("Host", "HostError", "Network"):
        from . import host

        return getattr(host, name)
    if name == "SandboxExecutor":
        from .executor import SandboxExecutor

        return SandboxExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
