"""What runs inside a component before a process does; once, while the component is made.

The component holds a snapshot of the interpreter after this, so what is imported here needs no time, and no
file, when a process starts.
"""

from __future__ import annotations

import gc
import importlib
import linecache
import random
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from ..logs import finish, take_over
from ..backend import current
from ..ending import Ending, outcome_of, run
from ..processes import Process

__all__ = ["freeze", "import_lazily", "remember_sources", "world", "world_of"]

# Parts of the standard library that it imports itself only when it needs them.
_LATE = (
    "calendar",
    "collections.abc",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.utf_16",
    "encodings.utf_32",
    "encodings.utf_8_sig",
    "_strptime",
    "heapq",
    "locale",
    "numbers",
    "string",
    "unicodedata",
    "warnings",
)

# What ended the process. Its frames hold ends, which the host is to poison, not a destructor to close.
_kept: list[Ending] = []


def import_lazily(modules: Sequence[str]) -> None:
    """Imports what functions would import later. What is not there fails later, where it may be caught."""
    for name in (*_LATE, *modules):
        try:
            importlib.import_module(name)
        except Exception:
            continue


def remember_sources(packages: Sequence[str]) -> None:
    """Keeps the lines of these packages, and of this one, for tracebacks."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not file or module.__name__.partition(".")[0] not in (*packages, "transputer"):
            continue
        try:
            with open(file, encoding="utf-8") as source:
                lines = source.read().splitlines(keepends=True)
        except (OSError, UnicodeDecodeError):
            continue
        # Without a time of modification, an entry is never compared with the file.
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


def world(process: Process[...]) -> type:
    """The class that componentize-py looks for, for a component of one process."""
    return world_of(lambda arguments: (process, arguments))


def world_of(chosen: Callable[[bytes], tuple[Process[...], bytes]]) -> type:
    """The class that componentize-py looks for: the exports of WIT's world `guest`. `chosen` makes a process and its
    arguments of what the host hands over.
    """
    err: Any = importlib.import_module("componentize_py_types").Err

    class WitWorld:
        def run(
            self, args: bytes, inputs: list[tuple[str, Any]], outputs: list[tuple[str, Any]]
        ) -> None:
            from ..backend.sandbox import SandboxReceiver, SandboxSender

            take_over()
            random.seed()
            receivers = [(port, SandboxReceiver(handle)) for port, handle in inputs]
            senders = [(port, SandboxSender(handle)) for port, handle in outputs]
            try:
                process, arguments = chosen(args)
            except BaseException as error:
                ending = Ending(outcome_of(error), error)
            else:
                ending = run(process, arguments, receivers, senders)
            finish()
            if ending.text is not None:
                _kept.append(ending)
                raise err(ending.text.encode(errors="replace").decode())

    return WitWorld


def freeze() -> None:
    """Call it last. Nothing that exists now is looked at by the garbage collector again, which would write to
    each object, and so to each page of the snapshot, in every process.
    """
    current()
    # A first exception with a traceback makes the interpreter's own caches.
    try:
        raise ValueError
    except ValueError:
        traceback.format_exc()
    gc.collect()
    gc.freeze()
