"""Programs, as they are handed over to a process that starts.

What the host passes to `run` is, in CBOR, an array of the program, which are bytes, and the process's own arguments.
Nobody but this module looks at what a program consists of.
"""

from __future__ import annotations

import importlib
import marshal
import sys
from typing import NamedTuple

from ..payload import Reader
from ..payload.base import BYTES
from ..processes import Process
from .modules import Finder, Module

__all__ = ["Program", "split"]

# The head of an array of two.
_PAIR = b"\x82"


class Program(NamedTuple):
    """Modules, and which process of theirs to run."""

    module: str
    process: str
    modules: dict[str, Module]

    def to_bytes(self) -> bytes:
        """How it is kept, and handed over."""
        modules = {name: tuple(module) for name, module in self.modules.items()}
        return marshal.dumps((self.module, self.process, modules))

    @classmethod
    def from_bytes(cls, handed_over: bytes | memoryview) -> Program:
        """Undoes `to_bytes`."""
        module, process, modules = marshal.loads(handed_over)
        return cls(module, process, {name: Module(*parts) for name, parts in modules.items()})

    def load(self) -> Process[...]:
        """Imports its module; raises what that raises."""
        sys.meta_path.append(Finder(self.modules))
        process = getattr(importlib.import_module(self.module), self.process, None)
        if not isinstance(process, Process):
            raise TypeError(f"`{self.module}` has no process `{self.process}` any more")
        return process


def split(handed_over: bytes) -> tuple[memoryview | None, bytes]:
    """The program, if there is one, and the process's arguments."""
    # Arguments alone are a map, or an array that begins with a text.
    if handed_over[:1] != _PAIR or len(handed_over) < 2 or handed_over[1] >> 5 != BYTES:
        return None, handed_over
    reader = Reader(handed_over)
    reader.at = 1
    _, length = reader.head("a program")
    assert length is not None
    end = reader.at + length
    return memoryview(handed_over)[reader.at : end], handed_over[end:]
