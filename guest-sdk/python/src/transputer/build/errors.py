"""What can go wrong while a component is made."""

from __future__ import annotations

from ..errors import Error

__all__ = ["BuildError"]


class BuildError(Error):
    """A component could not be made. Its text says why, and what to do."""
