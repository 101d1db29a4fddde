"""A program that is to become components: its module, what that imports, and its processes."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ..processes import Process
from .errors import BuildError

__all__ = ["Origin", "Program", "definitions", "load", "origin_of"]


class Program(NamedTuple):
    """A module with processes."""

    module: str
    """Its name."""
    processes: dict[str, Process[...]]
    """Its processes, by the names of their functions."""
    paths: tuple[Path, ...]
    """Where its modules are found."""
    packages: tuple[str, ...]
    """The top names of its modules, whose lines are kept for tracebacks."""
    lazily: tuple[str, ...]
    """Modules that functions import when they run. In a sandbox there are no files to import them from, so
    they are imported when the component is made.
    """


def load(file: Path, paths: Sequence[Path] = ()) -> Program:
    """Imports a file with processes, in this Python, and looks at what it is made of.

    Raises `BuildError` if that fails, or if there is no process in it.
    """
    if not file.is_file():
        raise BuildError(f"{file}: there is no such file")
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise BuildError(f"{file}: not the file of a Python module, such as `shout.py`")
    folders = tuple(path.resolve() for path in (file.parent, *paths))
    before = list(sys.path)
    sys.path[:0] = map(str, folders)
    try:
        module = importlib.import_module(file.stem)
    except Exception as error:
        raise BuildError(f"{file} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path[:] = before
    if Path(module.__file__ or "").resolve() != file.resolve():
        raise BuildError(
            f"{file} cannot be imported: there is a module `{file.stem}` already, {module.__file__}; "
            "give the file another name"
        )
    processes = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, Process) and value.function.__module__ == module.__name__
    }
    if not processes:
        raise BuildError(f"{file} has no process: no function in it is marked `@process`")
    return _program(file.stem, processes, folders)


class Origin(NamedTuple):
    """Where a process of this Python comes from."""

    module: str
    """The module that it is in."""
    root: Path
    """The folder from which that is imported."""
    source: str | None
    """What the module is made of, if that is not what its file holds."""


def origin_of(process: Process[...]) -> Origin:
    """Where a process of this Python comes from.

    Of the file that is run itself, only imports, functions, classes and assignments at the top level become part of
    a process: the rest is what the program does.

    Raises `BuildError` for a process that is not in a file.
    """
    name = process.function.__module__
    module = sys.modules.get(name)
    file = Path(getattr(module, "__file__", None) or "")
    if module is None or not file.is_file():
        raise BuildError(
            f"`{process.name}` is not in a file, from which a sandbox could import it; "
            "it was typed in, or made by `exec`"
        )
    if process.function.__qualname__ != process.name:
        raise BuildError(
            f"`{process.name}` is made inside of `{process.function.__qualname__.split('.')[0]}`; "
            "a process is a function at the top level of its module"
        )
    if name == "__main__":
        if not file.stem.isidentifier():
            raise BuildError(f"{file}: a program with processes needs a name such as `shout.py`")
        return Origin(file.stem, file.resolve().parent, definitions(file))
    above = name.count(".") + (file.name == "__init__.py")
    return Origin(name, file.resolve().parents[above], None)


def _program(name: str, processes: dict[str, Process[...]], folders: tuple[Path, ...]) -> Program:
    own = [module for module in list(sys.modules.values()) if _is_within(module, folders)]
    packages = {module.__name__.partition(".")[0] for module in own} - {"__main__"} | {name}
    files = {Path(module.__file__) for module in own if module.__file__}
    lazily = {imported for file in files for imported in _lazy_imports(file)}
    return Program(name, processes, folders, tuple(sorted(packages)), tuple(sorted(lazily)))


_DEFINITIONS = (
    ast.AnnAssign,
    ast.Assign,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.FunctionDef,
    ast.Import,
    ast.ImportFrom,
)


def definitions(file: Path) -> str:
    """A file without the statements that do something. Lines keep their numbers."""
    text = file.read_bytes()
    lines = text.decode().splitlines(keepends=True)
    for node in ast.parse(text).body:
        is_definition = isinstance(node, _DEFINITIONS) or (
            isinstance(node, ast.Try) and all(isinstance(inner, _DEFINITIONS) for inner in node.body)
        )
        if not is_definition and node.end_lineno is not None:
            for line in range(node.lineno - 1, node.end_lineno):
                lines[line] = "\n"
    return "".join(lines)


def _is_within(module: ModuleType, folders: Sequence[Path]) -> bool:
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        return False
    return any(Path(file).resolve().is_relative_to(folder) for folder in folders)


def _lazy_imports(source: Path) -> set[str]:
    """The modules that functions in this file import. Relative imports come along with their package."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_bytes())):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import):
                names.update(alias.name for alias in inner.names)
            elif isinstance(inner, ast.ImportFrom) and inner.module and not inner.level:
                names.add(inner.module)
                names.update(f"{inner.module}.{alias.name}" for alias in inner.names)
    return names
