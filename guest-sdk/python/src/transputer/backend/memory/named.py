"""How channels are called in reports."""

from __future__ import annotations

__all__ = ["Named"]


class Named:
    """A channel's number, and the ports that it joins."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ports = {"sender": "", "receiver": "", "barrier": ""}

    @property
    def label(self) -> str:
        """Its name, as the host names channels."""
        sender, receiver = self.ports["sender"], self.ports["receiver"]
        if not sender and not receiver:
            return f"channel {self.number}"
        return f"`{sender or 'program'} -> {receiver or 'program'}`"
