"""The components that processes run: files, and Python functions, which the interpreter's component runs."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import transputer

from ..build import origin_of
from ..processes import Process

__all__ = ["INTERPRETER", "load_component", "module_path"]

INTERPRETER = Path(transputer.__file__).resolve().parent / "python.wasm"
"""The component that runs programs in Python."""


def module_path() -> list[str]:
    """The folders in which processes find the packages that are installed: this program's, without the standard
    library, of which the interpreter has its own.
    """
    library = os.path.dirname(os.path.realpath(os.__file__))

    def is_library(folder: str) -> bool:
        inside = folder == library or folder.startswith(library + os.sep)
        return inside and "-packages" not in folder

    folders = [os.path.realpath(entry) for entry in sys.path if os.path.isdir(entry or ".")]
    return [folder for folder in dict.fromkeys(folders) if not is_library(folder)]


def load_component(host: Any, what: Process[Any] | str | os.PathLike[str]) -> Any:
    """The component of a Python process of this program's, or of a file. What the interpreter makes of a module is
    kept until one of its files changes.

    Raises `BuildError` for a process that is not in a file, `HostError` for what the host says.
    """
    if not isinstance(what, Process):
        with _told_if_slow(os.fspath(what)):
            return host.component(os.fspath(what))
    origin = what.origin or origin_of(what)
    source = None
    if origin.source is not None:
        source = (f"{origin.module}.py", origin.source.encode())
    with _told_if_slow(f"what runs `{what.name}`"):
        return host.python(origin.module, what.name, str(origin.root), source)


# What takes longer than this is compiling or importing; loading takes some milliseconds.
_SLOW = 1.0


@contextlib.contextmanager
def _told_if_slow(what: str) -> Iterator[None]:
    """Says on standard error what takes so long, and how long it took, if it takes long."""
    begun = time.monotonic()
    told = threading.Event()

    def tell() -> None:
        told.set()
        print(f"transputer: preparing {what}, once ...", file=sys.stderr)

    timer = threading.Timer(_SLOW, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if told.is_set():
        print(f"transputer: ready after {time.monotonic() - begun:.0f} s", file=sys.stderr)
