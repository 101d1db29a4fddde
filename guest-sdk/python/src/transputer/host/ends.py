"""Host ends, as the rest of the package knows ends."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ..backend import NEVER, Chosen, Guard, Patience, RawStatistics, current
from ..errors import CarriesEnds, ChannelError, Closed

__all__ = ["HostReceiver", "HostSender"]


def _timeout(patience: Patience) -> float | None:
    return None if patience is None else max(0, patience - current().now()) / 1e9


class _HostEnd:
    """An end of a channel that a network's process has the other end of."""

    kind = ""

    def __init__(self, host: Any, native: Any) -> None:
        self.backend = _Selects(host)
        self.native = native
        self.reason_given: str | None = None

    def close(self) -> None:
        self.native.close()

    def poison(self, reason: str) -> None:
        self.native.poison(reason)

    def reason(self) -> str | None:
        """Why the channel was poisoned, as far as an operation of this end has been told."""
        return self.reason_given

    def statistics(self) -> RawStatistics:
        statistics: RawStatistics = self.native.statistics()
        return statistics


class HostSender(_HostEnd):
    """A sending end."""

    kind = "sender"

    def send(self, message: bytes, patience: Patience) -> None:
        try:
            if patience == NEVER:
                self.native.try_send(message)
            else:
                self.native.send(message, _timeout(patience))
        except ChannelError as error:
            self.reason_given = error.reason
            raise

    def send_batch(self, messages: Sequence[bytes]) -> tuple[int, ChannelError | None]:
        for count, message in enumerate(messages):
            try:
                self.send(message, None)
            except ChannelError as error:
                return count, error
        return len(messages), None

    def send_ends(
        self, message: bytes, ends: list[Any], patience: Patience
    ) -> tuple[ChannelError, list[Any]] | None:
        return CarriesEnds(), ends

    def clone(self) -> HostSender:
        return HostSender(self.backend.host, self.native.duplicate())


class HostReceiver(_HostEnd):
    """A receiving end."""

    kind = "receiver"

    def receive(self, patience: Patience) -> bytes:
        try:
            message: bytes
            if patience == NEVER:
                message = self.native.try_receive()
            else:
                message = self.native.receive(_timeout(patience))
            return message
        except ChannelError as error:
            self.reason_given = error.reason
            raise

    def receive_some(self, most: int) -> Sequence[bytes]:
        try:
            messages: Sequence[bytes] = self.native.receive_some(most)
            return messages
        except ChannelError as error:
            self.reason_given = error.reason
            raise

    def receive_ends(self, patience: Patience) -> tuple[bytes, list[Any]]:
        raise CarriesEnds

    def clone(self) -> HostReceiver:
        return HostReceiver(self.backend.host, self.native.duplicate())


class _Selects:
    """Chooses among host ends."""

    def __init__(self, host: Any) -> None:
        self.host = host

    def select(self, guards: Sequence[Guard], fair: bool) -> Chosen:
        given: list[Any] = []
        places: list[int] = []
        timeout, without_channel = None, -1
        for place, guard in enumerate(guards):
            if guard.end is None:
                wait = 0.0 if guard.kind == "skip" else _timeout(guard.time)
                assert wait is not None
                if timeout is None or wait < timeout:
                    timeout, without_channel = wait, place
                continue
            if not isinstance(guard.end, _HostEnd):
                raise TypeError("a choice is among ends of one kind: host ends, or ends in memory")
            # A closed end is ready, as it is elsewhere.
            places.append(place)
            native = guard.end.native
            given.append(native if guard.kind == "receive" else (native, guard.message))
        _host: Any = import_module("transputer._host")
        try:
            chosen = _host.select(self.host, given, fair, timeout)
        except Closed as closed:
            return Chosen(places[0], error=closed)
        if chosen is None:
            return Chosen(without_channel)
        index, message, error = chosen
        return Chosen(places[index], message, error=error)
