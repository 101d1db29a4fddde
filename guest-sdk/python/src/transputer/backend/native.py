"""The sandbox's extension, where this runs in a sandbox, and the class that all ends derive from.

There, that class has the commonest operations of ends as well, for messages of the simplest types: see `native/ends.rs`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["End", "native"]

native: Any = import_module("transputer_native") if sys.platform == "wasi" else None
"""The extension; `None` outside of a sandbox."""

if TYPE_CHECKING or native is None:

    class End:
        """What the extension has to know of an end."""

        __slots__ = ("_ahead", "_key", "_kind", "_number")

        _ahead: Any
        """Messages that a loop took in advance: a deque, of a receiver."""
        _key: int
        """The host's own number for the handle."""
        _kind: int
        """How the extension knows the type of the messages; 0 if it does not, or the end is not open."""
        def receive_now(self) -> Any:
            """A message that is there already; `None` if there is none, or if the extension does not know its type."""
            return None

        _number: int
        """One more than the number by which the host's quick functions know it, once that was asked for."""

else:
    End = native.End
