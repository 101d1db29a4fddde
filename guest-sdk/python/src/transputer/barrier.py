"""Barriers, at which a number of processes wait for each other."""

from __future__ import annotations

from .backend import NEVER, RawBarrier, current
from .clock import patience
from .handle import Handle

__all__ = ["Barrier"]


class Barrier(Handle):
    """One membership of a barrier: each time that all members have arrived, all go on together.

    A process opens the barrier, enrols others and sends each its membership in a message; dropping it
    resigns. A process that fails poisons the barriers that it is a member of.

    >>> barrier = Barrier()
    >>> other = barrier.enrol()
    >>> barrier.members
    2
    >>> other.resign()
    >>> barrier.sync()
    """

    __slots__ = ()

    _raw: RawBarrier | None

    def __init__(self) -> None:
        """Opens a barrier, of which this is the first membership."""
        self._raw = current().open_barrier()

    @classmethod
    def _from_raw(cls, raw: RawBarrier) -> Barrier:
        barrier = cls.__new__(cls)
        barrier._raw = raw
        return barrier

    def enrol(self) -> Barrier:
        """One membership more, to be given away. The phase under way waits for it too."""
        return Barrier._from_raw(self._open().enrol())

    def sync(self, *, timeout: float | None = None, deadline: float | None = None) -> None:
        """Arrives, and blocks until all members have arrived or resigned. With a timeout in seconds, or
        a deadline of `now`, it takes the arrival back with `TimedOut`.
        """
        self._open().sync(patience(timeout, deadline))

    def try_sync(self) -> None:
        """Goes on with all members if this is the last one to arrive; otherwise raises `WouldBlock`."""
        self._open().sync(NEVER)

    @property
    def members(self) -> int:
        """How many members there are, this one included; 0 if it has resigned or moved away."""
        return 0 if self._raw is None else self._raw.members()

    def resign(self) -> None:
        """Leaves at once: the others no longer wait for this member."""
        self._close()

    def poison(self, reason: str) -> None:
        """Ends the barrier at once: whoever waits, now or later, gets `Poisoned` and this reason."""
        super().poison(reason)

    @property
    def poison_reason(self) -> str | None:
        """Why the barrier was poisoned, if it was."""
        return None if self._raw is None else self._raw.reason()
