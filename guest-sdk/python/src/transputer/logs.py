"""The process's log: `log`, the `logging` module, and what is printed."""

from __future__ import annotations

import io
import logging
import sys


from .backend import current

__all__ = ["DEBUG", "ERROR", "INFO", "TRACE", "WARN", "LogHandler", "log", "take_over"]

TRACE, DEBUG, INFO, WARN, ERROR = range(5)

# The host cuts lines that are longer than 8 KiB; in UTF-8 a character has up to four bytes.
_MAX_LINE = 2048


def log(level: int, line: str) -> None:
    """Writes a line to the network's log, with `TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`.

    The `logging` module and `print` go there as well, so that few programs need this.
    """
    text = line.encode(errors="replace").decode()
    for start in range(0, max(len(text), 1), _MAX_LINE):
        current().log(level, text[start : start + _MAX_LINE])


class LogHandler(logging.Handler):
    """Passes the records of `logging` to the process's log, line by line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = min(max(record.levelno // 10, TRACE), ERROR)
            for line in self.format(record).splitlines() or [""]:
                log(level, line)
        except Exception:
            self.handleError(record)


class _Lines(io.TextIOBase):
    """A stream whose lines go to the log."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.unfinished = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self.unfinished = (self.unfinished + text).split("\n")
        for line in lines:
            log(self.level, line)
        # No program waits for the end of a line that never comes.
        while len(self.unfinished) > _MAX_LINE:
            log(self.level, self.unfinished[:_MAX_LINE])
            self.unfinished = self.unfinished[_MAX_LINE:]
        return len(text)

    def finish(self) -> None:
        """Writes a line that is not finished."""
        if self.unfinished:
            log(self.level, self.unfinished)
            self.unfinished = ""


_streams: list[_Lines] = []


def take_over() -> None:
    """Has `print`, warnings and `logging` go to the process's log, in a program that is one process."""
    out, err = _Lines(INFO), _Lines(WARN)
    _streams[:] = [out, err]
    sys.stdout, sys.stderr = out, err
    root = logging.getLogger()
    if not any(isinstance(handler, LogHandler) for handler in root.handlers):
        root.addHandler(LogHandler())


def finish() -> None:
    """Writes what was printed without the end of its line."""
    for stream in _streams:
        stream.finish()


