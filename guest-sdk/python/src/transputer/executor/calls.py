"""Which module a call needs, and which classes its result may be made of."""

from __future__ import annotations

import dataclasses
import enum
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..build import BuildError, Origin
from ..payload.objects import OBJECT, Objects, builtin_exception, loaded_class, module_name
from ..processes import Process
from .worker import Call, work

__all__ = ["Worker", "call_of", "result_of", "source_call", "worker_for"]

# The module of a worker that imports nothing of the program's, or a whole module of it.
_MODULE = "transputer_call"

_WORKER = '''
from transputer import Receiver as _Receiver, Sender as _Sender
from transputer.executor import worker as _worker

@_worker.process
def work(calls: _Receiver[_worker.Call], answers: _Sender[_worker.Answer]) -> None:
    """Performs calls."""
    _worker.serve(calls, answers)
'''


class Worker(Process[...]):
    """The process that performs calls, with the module of a program's that it needs."""

    def __init__(self, module: str, root: Path, source: str) -> None:
        super().__init__(work.function)
        self.origin = Origin(module, root, source)


def call_of(function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]) -> Call:
    """A call of a function, which is found by its name.

    Raises `TypeError` for one that cannot be, or for arguments that cannot cross.
    """
    name = getattr(function, "__qualname__", None)
    module = getattr(function, "__module__", None) or "builtins"
    found: Any = sys.modules.get(module)
    for step in (name or "").split("."):
        found = getattr(found, step, None)
    if name is None or found != function:
        raise TypeError(
            f"{function!r} cannot be called in a sandbox, which finds functions by their names: "
            "make it a function at the top level of a module"
        )
    return Call("function", module_name(module), name, OBJECT.encode((positional, named)))


def source_call(source: str, entry: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Call:
    """A call of a function that a text defines."""
    return Call("source", source, entry, OBJECT.encode((positional, named)))


def worker_for(module: str) -> Worker:
    """The worker that has a module of this program's.

    Raises `BuildError` for a module that is not in a file.
    """
    here = Path(__file__).parent
    if module.partition(".")[0] in sys.stdlib_module_names:
        return Worker(_MODULE, here, _WORKER)
    if module == module_name("__main__"):
        return _worker_of_main()
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    if not file.is_file():
        raise BuildError(f"`{module}` is not in a file, from which a sandbox could import it")
    above = module.count(".") + (file.name == "__init__.py")
    return Worker(_MODULE, file.resolve().parents[above], f"import {module}\n{_WORKER}")


def _worker_of_main() -> Worker:
    from ..build.program import definitions

    file = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    if not file.is_file() or not file.stem.isidentifier():
        raise BuildError(
            "the program is not in a file with a name such as `shout.py`, from which a sandbox could import it"
        )
    return Worker(file.stem, file.resolve().parent, definitions(file) + _WORKER)


def result_of(module: str | None, extra: Sequence[type]) -> Objects:
    """Reads results, whose sender may be anybody's code: of the classes that this program has, only the exceptions of
    Python's, those given, and the dataclasses, named tuples, enums and exceptions of the module that was called.
    """
    given = {f"{module_name(kind.__module__)}:{kind.__qualname__}": kind for kind in extra}

    def class_of(name: str) -> type | None:
        kind = given.get(name)
        if kind is None and module is not None and name.partition(":")[0] == module:
            kind = loaded_class(name)
        if kind is None:
            kind = builtin_exception(name)
        return kind if kind is not None and _is_harmless(kind) else None

    return Objects(class_of)


def _is_harmless(kind: type) -> bool:
    if issubclass(kind, BaseException):
        # `SystemExit`, raised here, would end this program.
        return issubclass(kind, Exception)
    is_record = dataclasses.is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    return is_record or issubclass(kind, enum.Enum)
