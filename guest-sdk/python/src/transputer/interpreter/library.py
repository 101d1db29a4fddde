"""The standard library, as modules that are found in memory.

This runs once, while the component is made, where the library still is in files.
"""

from __future__ import annotations

import importlib
import marshal
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from .modules import Module

__all__ = ["import_ahead", "modules_in", "standard_library"]

# What a sandbox cannot use: it has no terminal, no threads or subprocesses, and nothing to install into.
_LEFT_OUT = frozenset((
    "_aix_support",
    "_apple_support",
    "_android_support",
    "_ios_support",
    "_pyrepl",
    "_osx_support",
    "antigravity",
    "config-3.14-wasm32-wasi",
    "ctypes",
    "curses",
    "dbm",
    "ensurepip",
    "idlelib",
    "lib-dynload",
    "pdb",
    "pip",
    "pty",
    "pydoc_data",
    "site-packages",
    "test",
    "this",
    "tkinter",
    "turtle",
    "turtledemo",
    "venv",
    "webbrowser",
))

# What programs usually import: imported ahead, it costs a process nothing.
_AHEAD = (
    "abc",
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "binascii",
    "bisect",
    "calendar",
    "collections.abc",
    "colorsys",
    "concurrent.futures",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email.message",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.utf_16",
    "encodings.utf_32",
    "encodings.utf_8_sig",
    "enum",
    "errno",
    "fnmatch",
    "fractions",
    "functools",
    "graphlib",
    "hashlib",
    "heapq",
    "hmac",
    "html.parser",
    "http",
    "importlib.resources",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "locale",
    "logging",
    "math",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "reprlib",
    "sched",
    "secrets",
    "shlex",
    "shutil",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib.parse",
    "uuid",
    "warnings",
    "weakref",
    "xml.etree.ElementTree",
    "zlib",
    "zoneinfo",
    "_strptime",
)


def import_ahead() -> None:
    """Imports what programs usually import."""
    for name in _AHEAD:
        importlib.import_module(name)


def standard_library() -> dict[str, Module]:
    """The modules of the standard library that have not been imported. Those that have stay as they are."""
    # `os` is frozen, and has no file.
    folder = Path(importlib.import_module("json").__file__ or "").parents[1]
    found = modules_in(folder, "", _LEFT_OUT)
    return {name: module for name, module in found if name not in sys.modules}


def modules_in(
    folder: Path, prefix: str, left_out: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Module]]:
    """The modules in a folder, compiled, by their names."""
    for entry in sorted(folder.iterdir()):
        name = entry.name.removesuffix(".py")
        if name in left_out or not name.isidentifier():
            continue
        if entry.is_dir():
            if (entry / "__init__.py").is_file():
                yield prefix + name, _compiled(entry / "__init__.py", is_package=True)
                yield from modules_in(entry, f"{prefix}{name}.", frozenset(("test", "tests", "__main__")))
        elif entry.suffix == ".py" and name != "__init__":
            yield prefix + name, _compiled(entry, is_package=False)


def _compiled(file: Path, is_package: bool) -> Module:
    name = file.name if not is_package else f"{file.parent.name}/{file.name}"
    code = compile(file.read_bytes(), name, "exec", dont_inherit=True)
    return Module(name, is_package, zlib.compress(marshal.dumps(code), 9), b"", True)
