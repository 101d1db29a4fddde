"""What runs in the interpreter's component before a process does; once, while the component is made."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import transputer

from ..build.entry import freeze, remember_sources, world_of
from ..processes import Process
from .library import import_ahead, modules_in, standard_library
from .modules import Finder
from .prepare import prepare
from .program import Program, split

__all__ = ["world"]


def world() -> type:
    """The exports of the component: it runs the program that it is given, and without one, `prepare`."""
    import_ahead()
    # Whatever is imported later comes from memory. Both are in the snapshot, and each module is unpacked when it is
    # imported.
    folder = Path(transputer.__file__ or "").parent
    own = {name: module for name, module in modules_in(folder, "transputer.") if name not in sys.modules}
    for late in ("transputer.aio", "transputer.logs"):
        importlib.import_module(late)
    library = {**standard_library(), **own}
    remember_sources(())
    sys.meta_path.append(Finder(library))
    made = world_of(_chosen)
    freeze()
    return made


def _chosen(handed_over: bytes) -> tuple[Process[...], bytes]:
    # The folders of the machine that made the component.
    sys.path.clear()
    program, arguments = split(handed_over)
    if program is None:
        return prepare, arguments
    return Program.from_bytes(program).load(), arguments
