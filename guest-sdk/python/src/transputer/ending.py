"""How a process runs and ends, wherever it runs.

| What leaves the function | The process |
|---|---|
| it returns, or raises `Closed` | finished |
| any other `ChannelError` | failed, with its text |
| any other exception | failed, with the exception and its traceback |
| `sys.exit()`, `sys.exit(0)` | finished |
| `sys.exit(3)`, `sys.exit("text")` | failed, with `exit with status 3` or the text |
| `KeyboardInterrupt`, `MemoryError`, `RecursionError` | as any other exception |
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from typing import Any, NamedTuple

from .errors import ChannelError, Closed

__all__ = ["Ending", "outcome_of", "run"]

# Where a text that becomes an outcome is cut: a network's report, and every peer, gets all of it.
_MAX_TEXT = 8 * 1024


class Ending(NamedTuple):
    """What became of a process."""

    text: str | None
    """What its outcome says; `None` if it finished."""
    error: BaseException | None
    """What left its function. Its frames hold ends, which must be poisoned, not closed: whoever ends the
    process keeps this until the process is no more."""


def run(process: Any, arguments: bytes, inputs: list[tuple[str, Any]], outputs: list[tuple[str, Any]]) -> Ending:
    """Runs a process with what its host has handed to it."""
    try:
        values = process.take_in(arguments, inputs, outputs)
    except (TypeError, ValueError) as error:
        return Ending(f"process `{process.name}`: {error}", error)
    try:
        result = process.function(**values)
        if inspect.iscoroutine(result):
            from .aio import run as run_async

            run_async(result)
    except BaseException as error:
        return Ending(outcome_of(error), error)
    return Ending(None, None)


def outcome_of(error: BaseException) -> str | None:
    """What a process says of itself when this exception has left it; `None` if it finished.

    >>> outcome_of(Closed())
    >>> outcome_of(SystemExit(3))
    'exit with status 3'
    >>> print(outcome_of(ValueError("no such colour")))
    ValueError: no such colour
    """
    if _is_closed(error):
        return None
    if isinstance(error, SystemExit):
        return _exit(error.code)
    if isinstance(error, ChannelError):
        # Its text names the culprit, whose own traceback is in there.
        return _cut(str(error))
    frames = traceback.TracebackException.from_exception(error)
    _tidy(frames)
    said = "".join(frames.format_exception_only()).strip()
    if frames.stack or frames.__cause__ or frames.__context__ or isinstance(error, BaseExceptionGroup):
        return f"{_cut(said, _MAX_TEXT // 2)}\n{_cut(''.join(frames.format()).rstrip(), _MAX_TEXT // 2)}"
    return _cut(said)


def _is_closed(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_closed, error.exceptions))
    return isinstance(error, Closed)


def _exit(code: Any) -> str | None:
    if code is None or code == 0:
        return None
    return f"exit with status {code}" if isinstance(code, int) else _cut(str(code))


_RUNS_PROGRAMS = re.compile(
    r"transputer/(ending|aio|build/entry|interpreter/\w+)\.py$|importlib[./]__init__|^<frozen importlib"
)

# Where componentize-py mounts the folders that it imports from.
_MOUNTED = re.compile(r"^/\d+/")


def _tidy(frames: traceback.TracebackException) -> None:
    """Takes out of a traceback what has run the program or imported its modules, and names files as their
    programmers do.
    """
    frames.stack[:] = [frame for frame in frames.stack if not _RUNS_PROGRAMS.search(frame.filename)]
    for frame in frames.stack if sys.platform == "wasi" else ():
        frame.filename = _MOUNTED.sub("", frame.filename)
    for inner in (frames.__cause__, frames.__context__, *(frames.exceptions or ())):
        if inner is not None:
            _tidy(inner)


def _cut(text: str, most: int = _MAX_TEXT) -> str:
    """A text of at most so many characters: its beginning and its end, which say most."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
