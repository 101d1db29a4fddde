"""What can go wrong.

Operations raise subclasses of `Error`. `Closed` is how a stream ends normally: a process that lets it
pass has ended normally, for it has nobody left to work for. Any other exception that leaves a process
fails it, and poisons the channels it holds.
"""

from __future__ import annotations

__all__ = [
    "CarriesEnds",
    "ChannelError",
    "Closed",
    "Deadlock",
    "Error",
    "Failed",
    "HoldsMessages",
    "Malformed",
    "Moved",
    "NoGuard",
    "Overloaded",
    "PeerFailed",
    "PeerKilled",
    "PeerTrapped",
    "Poisoned",
    "SpawnRefused",
    "TimedOut",
    "TooLarge",
    "Undecodable",
    "WouldBlock",
]


class Error(Exception):
    """What all exceptions of this package have in common."""


class ChannelError(Error):
    """Why an operation on a channel did not happen."""

    text = "the operation failed"

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        """Why, in the words of whoever ended the channel; `None` for errors that need none."""

    def __str__(self) -> str:
        return self.text if self.reason is None else f"{self.text}: {self.reason}"


class Closed(ChannelError):
    """The other side is gone: the normal end of a stream."""

    text = "the channel is closed"


class Poisoned(ChannelError):
    """The channel ended abnormally. Its subclasses say how; without one, somebody poisoned it.

    >>> issubclass(PeerFailed, Poisoned)
    True
    """

    text = "the channel was poisoned"


class PeerTrapped(Poisoned):
    """A process that held an end of the channel trapped: it exhausted its stack, say."""

    text = "a process at the channel trapped"


class PeerFailed(Poisoned):
    """A process that held an end of the channel failed: an exception left it."""

    text = "a process at the channel failed"


class PeerKilled(Poisoned):
    """The host killed a process that held an end of the channel, or somebody stopped it."""

    text = "a process at the channel was killed"

    def __init__(self, reason: str | None = None, limit: str | None = None) -> None:
        super().__init__(reason)
        self.limit = limit
        """The limit that the process went over, by its key in a network file; `None` if it was stopped."""


class Deadlock(ChannelError):
    """Every process that could make the operation finish waits as well; the reason says on what."""

    text = "deadlock"


class TimedOut(ChannelError, TimeoutError):
    """The deadline came first, and nothing has happened."""

    text = "the deadline passed"


class WouldBlock(ChannelError):
    """The operation would have had to wait."""

    text = "the operation would have to wait"


class TooLarge(ChannelError):
    """The message is over the limit on its size."""

    text = "the message is over the limit on its size"


class Overloaded(ChannelError):
    """The channel, or this process, has as many operations waiting, or channels open, as it may have."""

    text = "too many operations are waiting or too many channels open"


class CarriesEnds(ChannelError):
    """The message holds ends of channels, which this operation cannot carry."""

    text = "this operation cannot carry ends of channels: use `send` and `receive`"


class Malformed(ChannelError):
    """The host and this package disagree about the form of a message."""

    text = "the host and the guest SDK disagree about a message's form"


class Moved(ChannelError):
    """This end was closed, or has moved away in a message or to a spawned process."""

    text = "this end was closed, or has moved away in a message or to a spawned process"


class HoldsMessages(ChannelError):
    """This receiver holds messages that a loop over it took in advance and did not reach."""

    text = (
        "this receiver cannot move: it holds messages of a loop that was left; receive them first"
    )


class NoGuard(ChannelError):
    """An alternation in which no guard is enabled would wait forever."""

    text = "an alternation with no guard enabled would wait forever"


class Undecodable(Error, ValueError):
    """A message is not of the type that was expected. It has been taken; the next can be received.

    >>> print(Undecodable("s64", "bool", 8).within(".number").at_port("lines"))
    a message at `lines`: expected s64, found bool in `.number` (byte 8)
    """

    def __init__(self, expected: str, found: str, offset: int) -> None:
        super().__init__(expected, found, offset)
        self.expected = expected
        """What should have been there: a type, usually."""
        self.found = found
        """What was there."""
        self.offset = offset
        """How many bytes into the message."""
        self.path = ""
        """The path inside the message, like `.points[2].x`; empty at the top."""
        self.port = ""
        """The port of the receiver; empty where it has none."""

    def within(self, step: str) -> Undecodable:
        """The same, one step further inside: `.name` of a record or `[2]` of a list."""
        self.path = step + self.path
        return self

    def at_port(self, port: str) -> Undecodable:
        """The same, at this port."""
        self.port = port
        return self

    def __str__(self) -> str:
        port = f"a message at `{self.port}`: " if self.port else ""
        path = f" in `{self.path}`" if self.path else ""
        return f"{port}expected {self.expected}, found {self.found}{path} (byte {self.offset})"


class SpawnRefused(Error):
    """A process could not be started. The ends that were to be its ports are the caller's again."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        """`unknown component`, `misfit`, `capacity` or `instantiation`."""
        self.reason = reason
        """What is wrong."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


class Failed(Error):
    """A process that was waited for did not finish; its outcome says how it ended."""

    def __init__(self, process: str, outcome: object) -> None:
        super().__init__(process, outcome)
        self.process = process
        """Its name."""
        self.outcome = outcome
        """How it ended, an `Outcome`."""

    def __str__(self) -> str:
        return f"`{self.process}` {self.outcome}"
