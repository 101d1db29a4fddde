"""What channels, alternations and processes are made of, below this package.

The rest of the package knows only the protocols in here. There is a backend for each place in which a
process can run:

| Backend | Where | Processes are |
|---|---|---|
| `sandbox` | inside a component, on Transputer's host | components, each in its own instance |
| `memory` | in any Python program, such as a test | threads of this program, over the host's core if it is there |

Messages are bytes, and times are nanoseconds on the backend's clock.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

from ..errors import ChannelError

__all__ = [
    "NEVER",
    "Backend",
    "Chosen",
    "Guard",
    "Patience",
    "RawBarrier",
    "RawChild",
    "RawEnd",
    "RawOutcome",
    "RawReceiver",
    "RawSender",
    "RawStatistics",
    "current",
]

Patience: TypeAlias = int | None
"""How long an operation may wait: `None` for ever, `NEVER` not at all, otherwise until this time."""

NEVER: Final = -1


class RawOutcome(NamedTuple):
    """How a process ended."""

    kind: str
    """`finished`, `failed`, `trapped`, `killed` or `stopped`."""
    text: str = ""
    limit: str | None = None
    """The key of the limit that it was killed for."""



RawStatistics: TypeAlias = tuple[int, int, int, int]
"""Messages sent, received, dropped, waiting."""


class RawEnd(Protocol):
    """What all ends can do. Dropping one closes it."""

    kind: str
    """`sender`, `receiver` or `barrier`."""

    def close(self) -> None: ...
    def poison(self, reason: str) -> None: ...
    def reason(self) -> str | None: ...


class RawSender(RawEnd, Protocol):
    """A channel's sending end. Operations raise a `ChannelError`; nothing was sent then."""

    def send(self, message: bytes, patience: Patience) -> None: ...

    def send_batch(self, messages: Sequence[bytes]) -> tuple[int, ChannelError | None]:
        """Sends messages in order, waiting as long as it takes; how many, and why not more."""
        ...

    def send_ends(
        self, message: bytes, ends: list[Any], patience: Patience
    ) -> tuple[ChannelError, list[Any]] | None:
        """Sends a message with ends attached; after an error, the ends come back with it."""
        ...

    def clone(self) -> RawSender: ...
    def statistics(self) -> RawStatistics: ...


class RawReceiver(RawEnd, Protocol):
    """A channel's receiving end. Operations raise a `ChannelError`."""

    def receive(self, patience: Patience) -> bytes: ...

    def receive_some(self, most: int) -> Sequence[bytes]:
        """Waits for one message, then takes what else is there already, up to `most` in all."""
        ...

    def receive_there(self, most: int, kind: int) -> Sequence[Any]:
        """Takes what is there already, up to `most`, which may be nothing. A backend that knows the type of this
        kind may decode them.
        """
        ...

    def receive_ends(self, patience: Patience) -> tuple[bytes, list[Any]]: ...
    def clone(self) -> RawReceiver: ...
    def statistics(self) -> RawStatistics: ...


class RawBarrier(RawEnd, Protocol):
    """One membership of a barrier."""

    def enrol(self) -> RawBarrier: ...
    def sync(self, patience: Patience) -> None: ...
    def members(self) -> int: ...


class RawChild(Protocol):
    """A process that this one has started."""

    def name(self) -> str: ...
    def id(self) -> int: ...
    def wait(self, patience: Patience) -> RawOutcome | None: ...
    def kill(self, reason: str) -> None: ...
    def link(self) -> None: ...
    def monitor(self) -> RawReceiver: ...


class Guard(NamedTuple):
    """What an alternation can wait for."""

    kind: Literal["receive", "send", "after", "skip"]
    end: Any = None
    message: bytes = b""
    time: int = 0


class Chosen(NamedTuple):
    """Which guard won, and what came of it."""

    guard: int
    message: bytes | None = None
    ends: Sequence[Any] = ()
    error: ChannelError | None = None


class Backend(Protocol):
    """Everything that a process can ask for."""

    def open(self, capacity: int, overflow: int) -> tuple[RawSender, RawReceiver]:
        """Opens a channel; `overflow` is 0 to block, 1 to drop the oldest, 2 to drop the newest."""
        ...

    def open_barrier(self) -> RawBarrier: ...
    def select(self, guards: Sequence[Guard], fair: bool) -> Chosen: ...

    def spawn(
        self,
        component: Any,
        name: str | None,
        arguments: bytes,
        inputs: list[tuple[str, Any]],
        outputs: list[tuple[str, Any]],
        patience: Patience,
        wait_as_set: bool,
    ) -> RawChild:
        """Starts a process. Raises `Refusal`, with the ends."""
        ...

    def process_name(self) -> str: ...
    def process_id(self) -> int: ...
    def now(self) -> int: ...
    def sleep_until(self, deadline: int) -> None: ...
    def yield_now(self) -> None: ...

    def log(self, level: int, line: str) -> None:
        """Writes a line to the log; levels are 0 for trace to 4 for error."""
        ...


class Refusal(Exception):
    """A process could not be started; here are the ends that were to be its ports."""

    def __init__(
        self,
        kind: str,
        reason: str,
        inputs: list[tuple[str, Any]],
        outputs: list[tuple[str, Any]],
    ) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason
        self.inputs = inputs
        self.outputs = outputs


_current: Backend | None = None


def current() -> Backend:
    """The backend of the place where this runs."""
    global _current
    if _current is None:
        if sys.platform == "wasi":
            from .sandbox import Sandbox

            _current = Sandbox()
        else:
            from .memory import WORLD

            _current = WORLD
    return _current
