"""What a call can come to that is no exception of its function's."""

from __future__ import annotations

from ..errors import Error

__all__ = ["LimitExceeded", "RemoteError"]


class LimitExceeded(Error):
    """The call's process was killed, for it went over one of its limits."""

    def __init__(self, text: str, limit: str) -> None:
        super().__init__(text)
        self.limit = limit
        """The limit: `memory`, `cpu`, `message` and so on."""


class RemoteError(Error):
    """An exception left the function whose class is not known here, or may not be raised here: one of another module,
    or `SystemExit`, say. Its text names it; its cause is the traceback.
    """
