"""Barriers in memory."""

from __future__ import annotations

from ...errors import ChannelError, WouldBlock
from .. import NEVER, Patience, RawBarrier
from .end import MemoryEnd
from .world import Waiter, World, fresh

__all__ = ["MemoryBarrier"]


class MemoryBarrier:
    """How many members there are, and who of them has arrived."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.members = 0
        self.arrived: list[Waiter] = []
        self.poison: ChannelError | None = None

    def membership(self) -> Membership:
        """One membership more."""
        return Membership(self)

    def complete_phase(self) -> None:
        """Lets all go on."""
        arrived, self.arrived = self.arrived, []
        for waiter in arrived:
            if not waiter.completed:
                waiter.complete(self.world, None)

    def set_poison(self, error: ChannelError) -> None:
        """Ends the barrier at once."""
        if self.poison is None:
            self.poison = error
            arrived, self.arrived = self.arrived, []
            for waiter in arrived:
                if not waiter.completed:
                    waiter.complete(self.world, fresh(error))


class Membership(MemoryEnd[MemoryBarrier]):
    """One membership of a barrier."""

    kind = "barrier"

    def _count(self, change: int) -> None:
        barrier = self.channel
        barrier.members += change
        # Those who have arrived no longer wait for one that resigns.
        if change < 0 and barrier.arrived and len(barrier.arrived) >= barrier.members:
            barrier.complete_phase()

    def enrol(self) -> RawBarrier:
        with self.world.lock:
            self.world.enter()
            return self.channel.membership()

    def sync(self, patience: Patience) -> None:
        with self.world.lock:
            self.world.enter()
            barrier = self.channel
            if barrier.poison is not None:
                raise fresh(barrier.poison)
            if len(barrier.arrived) + 1 >= barrier.members:
                barrier.complete_phase()
                return
            if patience == NEVER:
                raise WouldBlock
            waiter = Waiter(lambda: "go on past a barrier")
            barrier.arrived.append(waiter)

            def withdraw() -> None:
                if waiter in barrier.arrived:
                    barrier.arrived.remove(waiter)

            self.world.wait(waiter, patience, withdraw)

    def members(self) -> int:
        with self.world.lock:
            return self.channel.members
