"""The process that performs calls, one after the other."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import linecache
import sys
from collections.abc import Iterator
from types import ModuleType, TracebackType
from typing import Any, Literal

from ..channel import Receiver, Sender
from ..ending import outcome_of
from ..payload import Misfit
from ..payload.objects import OBJECT, main_name
from ..processes import process

__all__ = ["SOURCE", "Answer", "Call", "process", "serve", "work"]

SOURCE = "<source>"
"""What tracebacks call the file of a source that was given as text."""

# Streams hand over this much at a time, and each line that has ended.
_PIECE = 4096


@dataclasses.dataclass
class Call:
    """What is to be done."""

    kind: Literal["function", "source"]
    where: str
    """The module that has the function, or the source."""
    name: str
    """The function; nothing for a source that is only run."""
    arguments: bytes
    """A pair of positional and named arguments, as `Object`."""


@dataclasses.dataclass
class Answer:
    """What a call has written, and at last what came of it."""

    kind: Literal["stdout", "stderr", "value", "error"]
    value: bytes
    """The result or the exception, as `Object`; nothing for an exception that cannot be written so."""
    text: str
    """What was written, or the exception with its traceback."""


@process
def work(calls: Receiver[Call], answers: Sender[Answer]) -> None:
    """Performs calls."""
    serve(calls, answers)


def serve(calls: Receiver[Call], answers: Sender[Answer]) -> None:
    """What `work` does."""
    for call in calls:
        try:
            value = OBJECT.encode(_perform(call, answers))
        except BaseException as error:
            answers.send(_failed(error))
        else:
            answers.send(Answer("value", value, ""))


def _perform(call: Call, answers: Sender[Answer]) -> Any:
    positional, named = OBJECT.decode(call.arguments)
    if call.kind == "source":
        with _captured(answers):
            return _run_source(call.where, call.name, positional, named)
    found: Any = _module(call.where)
    for step in call.name.split("."):
        found = getattr(found, step)
    return found(*positional, **named)


def _module(name: str) -> ModuleType:
    if name == main_name():
        return sys.modules["__main__"]
    return importlib.import_module(name)


def _run_source(source: str, entry: str, positional: Any, named: Any) -> Any:
    module = ModuleType("source")
    module.__file__ = SOURCE
    sys.modules["source"] = module
    linecache.cache[SOURCE] = (len(source), None, source.splitlines(keepends=True), SOURCE)
    exec(compile(source, SOURCE, "exec", dont_inherit=True), vars(module))
    if not entry:
        return None
    function = getattr(module, entry, None)
    if not callable(function):
        raise LookupError(f"the source has no function `{entry}`")
    return function(*positional, **named)


def _failed(error: BaseException) -> Answer:
    error.__traceback__ = _without_own(error.__traceback__)
    try:
        value = OBJECT.encode(error)
    except (Misfit, RecursionError):
        value = b""
    return Answer("error", value, outcome_of(error) or type(error).__name__)


def _without_own(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


class _Stream(io.TextIOBase):
    """Hands over what is written."""

    def __init__(self, kind: Literal["stdout", "stderr"], answers: Sender[Answer]) -> None:
        self.kind: Literal["stdout", "stderr"] = kind
        self.answers = answers
        self.kept = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept += text
        if "\n" in text or len(self.kept) >= _PIECE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        kept, self.kept = self.kept.encode(errors="replace").decode(), ""
        for start in range(0, len(kept), _PIECE):
            self.answers.send(Answer(self.kind, b"", kept[start : start + _PIECE]))


@contextlib.contextmanager
def _captured(answers: Sender[Answer]) -> Iterator[None]:
    """Hands over what is printed meanwhile."""
    out, err = _Stream("stdout", answers), _Stream("stderr", answers)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        out.flush()
        err.flush()
