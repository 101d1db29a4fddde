"""What a process knows of itself."""

from __future__ import annotations

from .backend import current

__all__ = ["id", "name"]


def name() -> str:
    """This process's name, unique in the network."""
    return current().process_name()


def id() -> int:
    """This process's number, unique in the network."""
    return current().process_id()
