"""What the program holds of an end of a channel, or of a membership of a barrier."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from .backend.native import End
from .errors import Closed, Moved

__all__ = ["Handle"]


class Handle(End):
    """The backend's own end, until it is closed or moves away. In a `with`, it is closed at the end."""

    __slots__ = ("__weakref__", "_raw")

    _raw: Any

    def _attach(self, raw: Any) -> None:
        """Has the backend's end from now on."""
        self._raw = raw

    def _detach(self) -> Any:
        """Has none any more."""
        raw, self._raw = self._raw, None
        self._kind = 0
        return raw

    def poison(self, reason: str) -> None:
        """Ends at once what this is an end of."""
        if self._raw is not None:
            self._raw.poison(reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes this end; after an exception other than `Closed`, poisons it with that first, for what
        has been done is not all that should have been.
        """
        if error is not None and not isinstance(error, Closed):
            self.poison(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        self._close()

    def _close(self) -> None:
        raw = self._detach()
        if raw is not None:
            raw.close()

    def _open(self) -> Any:
        if self._raw is None:
            raise Moved
        return self._raw

    def _take(self) -> Any:
        """Gives the backend's end away."""
        self._open()
        return self._detach()

    def _put_back(self, raw: Any) -> None:
        self._attach(raw)
