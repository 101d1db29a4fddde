"""The process that makes a program: it imports a module, asks for what that imports, and looks for processes in it.

It runs in a sandbox as any other does, so that nothing of a program runs elsewhere.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import marshal
import sys
import zlib
from importlib.machinery import ModuleSpec
from types import ModuleType

from ..channel import Receiver, Sender
from ..ending import outcome_of
from ..processes import Process, process
from .modules import Finder, Module
from .program import Program

__all__ = ["Found", "Made", "prepare"]


@dataclasses.dataclass
class Found:
    """A module that the host has found."""

    file: str
    """What tracebacks are to call its file."""
    is_package: bool
    is_own: bool
    """Whether it lies beside the program, and is not one of the packages that are installed."""
    source: bytes
    """Its text; nothing for a folder that is no package."""
    is_native: bool
    """It is made of machine code, so that nothing of it can run here."""


@dataclasses.dataclass
class Made:
    """A program, or why there is none."""

    signature: str
    program: bytes
    fault: str | None


class _Unusable(Exception):
    """A program cannot be made; its text says why, and what to do."""


class _Asking(Finder):
    """Finds modules by asking for them, and keeps what it finds."""

    def __init__(self, wanted: Sender[str], found: Receiver[Found | None]) -> None:
        self.kept: dict[str, Module] = {}
        self.own: dict[str, bool] = {}
        self.sources: dict[str, bytes] = {}
        self.wanted = wanted
        self.found = found
        super().__init__(self.kept)

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.kept and not self._ask(fullname):
            return None
        return super().find_spec(fullname, path, target)

    def _ask(self, name: str) -> bool:
        self.wanted.send(name)
        found = self.found.receive()
        if found is None:
            return False
        if found.is_native:
            raise ImportError(
                f"`{name}` is made of machine code ({found.file}), which cannot run in a sandbox", name=name
            )
        code, source = b"", b""
        if found.source or found.is_package or found.file.endswith(".py"):
            compiled = compile(found.source, found.file, "exec", dont_inherit=True)
            code, source = marshal.dumps(compiled), zlib.compress(found.source, 1)
        self.kept[name] = Module(found.file, found.is_package, code, source)
        self.own[name] = found.is_own
        self.sources[name] = found.source
        return True

    def import_lazily(self) -> None:
        """Imports what functions would import later, when nobody can be asked any more. What is not there fails
        later, where it may be caught.
        """
        done: set[str] = set()
        while left := [name for name in self.kept if name not in done]:
            for name in left:
                done.add(name)
                for imported in _lazy_imports(name, self.kept[name].is_package, self.sources[name]):
                    # Packages look for many others that they can do without.
                    related = imported.partition(".")[0] == name.partition(".")[0]
                    if self.own[name] or related:
                        try:
                            importlib.import_module(imported)
                        except Exception:
                            continue


def _lazy_imports(module: str, is_package: bool, source: bytes) -> list[str]:
    """The modules that functions in this source import, and perhaps names in them that are no modules."""
    names: dict[str, None] = {}
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import):
                names.update((alias.name, None) for alias in inner.names)
            elif isinstance(inner, ast.ImportFrom):
                base = inner.module or ""
                if inner.level:
                    above = package.rsplit(".", inner.level - 1)[0] if inner.level > 1 else package
                    base = f"{above}.{base}" if base else above
                if base:
                    names[base] = None
                    names.update((f"{base}.{alias.name}", None) for alias in inner.names)
    return list(names)


@process
def prepare(
    found: Receiver[Found | None],
    wanted: Sender[str],
    made: Sender[Made],
    module: str,
    process: str | None = None,
) -> None:
    """Makes a program of a Python module."""
    try:
        chosen, program = _prepare(found, wanted, module, process)
        result = Made(chosen.signature.to_json(), program.to_bytes(), None)
    except _Unusable as error:
        result = Made("", b"", str(error))
    except BaseException as error:
        result = Made("", b"", f"it cannot be imported: {outcome_of(error) or type(error).__name__}")
    wanted.close()
    made.send(result)


def _prepare(
    found: Receiver[Found | None], wanted: Sender[str], module: str, process: str | None
) -> tuple[Process[...], Program]:
    if module in sys.modules or module in sys.builtin_module_names:
        raise _Unusable(f"there is a module `{module}` in the standard library; give the file another name")
    finder = _Asking(wanted, found)
    sys.meta_path.append(finder)
    imported = importlib.import_module(module)
    finder.import_lazily()
    processes = {
        name: value
        for name, value in vars(imported).items()
        if isinstance(value, Process) and value.function.__module__ == imported.__name__
    }
    name = _choose(module, processes, process)
    try:
        processes[name].signature.to_json()
    except (TypeError, NameError) as error:
        raise _Unusable(str(error)) from error
    return processes[name], Program(module, name, finder.kept)


def _choose(module: str, processes: dict[str, Process[...]], process: str | None) -> str:
    if not processes:
        raise _Unusable(f"no function of `{module}` is marked `@process`")
    names = ", ".join(f"`{name}`" for name in processes)
    if process is None and len(processes) == 1:
        return next(iter(processes))
    if process is None:
        first = next(iter(processes))
        raise _Unusable(
            f"it has {len(processes)} processes, {names}; choose one, such as `{module}.py:{first}`"
        )
    if process not in processes:
        raise _Unusable(f"it has no process `{process}`; it has {names}")
    return process
