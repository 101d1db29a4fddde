"""What can go wrong in the host."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from typing import Any

from ..children import Outcome
from ..errors import Error, Failed

__all__ = ["HostError", "RemoteTraceback", "failure"]


class HostError(Error):
    """The host could not do what it was asked: a component is none, ports do not fit, ...

    What goes wrong inside a process is its outcome instead, and raised as `Failed`.
    """


class RemoteTraceback(Exception):
    """The traceback of an exception that left a process in its sandbox: the cause of a `Failed`."""

    def __init__(self, traceback: str) -> None:
        super().__init__(traceback)
        self.traceback = traceback

    def __str__(self) -> str:
        return f'\n"""\n{self.traceback}\n"""'


def failure(process: str, outcome: Outcome) -> Failed:
    """The exception for a process that did not finish.

    It is a `Failed`. If an exception has left the process, its traceback is the cause; and if this program knows the
    type of that exception, the failure is one of that type as well, so that `except LookupError` catches it.

    >>> raised = failure("seeks", Outcome("failed", "LookupError: nothing"))
    >>> isinstance(raised, LookupError), isinstance(raised, Failed), str(raised)
    (True, True, '`seeks` failed: LookupError: nothing')
    """
    text, _, traceback = outcome.text.partition("\n")
    if outcome.kind != "failed" or not (text and _TYPE.match(text)):
        return Failed(process, outcome)
    failed = _of_type(_exception_type(text))(process, Outcome(outcome.kind, text))
    if traceback.startswith("Traceback") or "\nTraceback" in traceback:
        failed.__cause__ = RemoteTraceback(traceback)
    return failed


# How the text of an exception begins: with its type.
_TYPE = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")


def _exception_type(text: str) -> type[Exception]:
    """The type that a text names, if this program has it already; nothing is imported for what a process says."""
    found = _TYPE.match(text)
    module, _, name = found[1].rpartition(".") if found else ("", "", "")
    place: Any = builtins if not module else sys.modules.get(module, _main(module))
    kind = getattr(place, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        return kind
    return Exception


def _main(module: str) -> object:
    """The program that runs, if that is what a sandbox calls by the name of its file."""
    main = sys.modules.get("__main__")
    return main if Path(getattr(main, "__file__", None) or "").stem == module else None


_made: dict[type[Exception], type[Failed]] = {}


def _of_type(kind: type[Exception]) -> type[Failed]:
    """The type of failures that are exceptions of this type, too."""
    if kind not in _made:
        _made[kind] = Failed if issubclass(Failed, kind) else _joined(kind)
    return _made[kind]


def _joined(kind: type[Exception]) -> type[Failed]:

    def new(cls: type[Failed], process: str, outcome: object) -> Failed:
        return kind.__new__(cls)

    def init(self: Failed, process: str, outcome: object) -> None:
        # Not what the type itself would be made of, which only the process has.
        BaseException.__init__(self, process, outcome)
        self.process, self.outcome = process, outcome

    members = {"__new__": new, "__init__": init, "__module__": kind.__module__, "__doc__": Failed.__doc__}
    try:
        made: type[Failed] = type(kind.__name__, (Failed, kind), members)
        made("", None)
    except TypeError:
        # One that cannot be made in this way.
        return Failed
    return made
