"""The clock: seconds since the network started, which never go back."""

from __future__ import annotations

import math

from .backend import Patience, current

__all__ = ["now", "sleep", "sleep_until", "yield_now"]

_LAST = (1 << 64) - 1


def now() -> float:
    """Seconds since the network started.

    For something periodic, add to the last deadline, not to the present:

    >>> deadline = now()
    >>> for _ in range(3):
    ...     deadline += 0.001
    ...     sleep_until(deadline)
    >>> now() >= deadline
    True
    """
    return current().now() / 1e9


def sleep(seconds: float) -> None:
    """Blocks for this long."""
    backend = current()
    backend.sleep_until(_after(backend.now(), seconds))


def sleep_until(time: float) -> None:
    """Blocks until this time of `now`; not at all if it has passed."""
    current().sleep_until(nanoseconds(time))


def yield_now() -> None:
    """Lets other processes run before this one goes on."""
    current().yield_now()


def nanoseconds(seconds: float) -> int:
    """A time in nanoseconds, between the start of the network and the end of its clock."""
    if math.isnan(seconds):
        raise ValueError("a time cannot be NaN")
    if seconds <= 0:
        return 0
    return min(int(seconds * 1e9), _LAST) if seconds < _LAST else _LAST


def _after(start: int, seconds: float) -> int:
    return min(start + nanoseconds(seconds), _LAST)


def patience(timeout: float | None, deadline: float | None = None) -> Patience:
    """How long an operation may wait that was given a timeout, a deadline, or neither."""
    if timeout is not None and deadline is not None:
        raise TypeError("either a timeout or a deadline, not both")
    if deadline is not None:
        return None if deadline == math.inf else nanoseconds(deadline)
    if timeout is None or timeout == math.inf:
        return None
    return _after(current().now(), timeout)
