"""Groups of numbered processes that talk in MPI's words, as mpi4py's lower-case methods spell them.

    @process
    def estimate(group: Receiver[Group], steps: int, answer: Sender[float]):
        comm = group.receive()
        part = sum(4 / (1 + ((i + 0.5) / steps) ** 2) for i in range(comm.rank, steps, comm.size))
        pi = comm.reduce(part / steps, op=SUM)
        if comm.rank == 0:
            answer.send(pi)

    run_group(4, estimate, steps=1000, answer=last)

Each rank has one channel into it, of which all others have a sender. What arrives before it is asked for is kept by the
rank, in its own memory. As in an MPI library, a rank that waits to send takes in what arrives meanwhile, so two that
both send before they receive do not wait for each other.

A rank that fails poisons the group, and the others with it. One that waits for a message which nobody can send any more
gets `RankGone`; if they all wait for each other, that is a deadlock, found and named as any other.

Not here: communicators within communicators, non-blocking requests, and the upper-case methods for buffers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from .alternation import _Sending, select
from .channel import Channel, Receiver, Sender
from .children import Child, Spawn, run_together
from .clock import patience
from .errors import Closed, Error, HoldsMessages, TimedOut, WouldBlock
from .payload import Object
from .payload.records import Record
from .processes import Process
from .reduction import (
    BAND,
    BOR,
    BXOR,
    LAND,
    LOR,
    LXOR,
    MAX,
    MAXLOC,
    MIN,
    MINLOC,
    PROD,
    SUM,
    Operation,
)

__all__ = [
    "ANY_SOURCE",
    "ANY_TAG",
    "BAND",
    "BOR",
    "BXOR",
    "LAND",
    "LOR",
    "LXOR",
    "MAX",
    "MAXLOC",
    "MIN",
    "MINLOC",
    "PROD",
    "SUM",
    "Group",
    "RankGone",
    "Status",
    "open_group",
    "run_group",
    "start_group",
]

ANY_SOURCE: Final = -2
"""Receives from whichever rank sends first."""
ANY_TAG: Final = -1
"""Receives whatever the tag is."""

# Below this, tags are those of collective operations, each of which has its own.
_COLLECTIVE: Final = -2

# In a sandbox, what a choice sends costs its length until the process ends (README, *In the sandbox*). So messages longer
# than this are sent with timeouts first, in seconds, and what arrives is taken in between.
_LONG: Final = 4096
_FIRST_PAUSE: Final = 0.001
_LAST_PAUSE: Final = 0.5

Packet: TypeAlias = tuple[int, int, Object]
"""A rank, a tag, and what it sends with it."""


class RankGone(Error):
    """The ranks that could send or take this message have ended."""


class Status:
    """Where a message came from, for who received it from anybody."""

    def __init__(self) -> None:
        self.source = ANY_SOURCE
        """The rank that sent it."""
        self.tag = ANY_TAG
        """The tag that it was sent with."""

    def Get_source(self) -> int:
        """As mpi4py spells it."""
        return self.source

    def Get_tag(self) -> int:
        """As mpi4py spells it."""
        return self.tag


class Group:
    """One rank's place in a group. It can be sent to the process that is to be this rank, once.

    >>> from threading import Thread
    >>> zero, one = open_group(2)
    >>> other = Thread(target=lambda: one.send(one.recv(source=0) + 1, dest=0, tag=7))
    >>> other.start()
    >>> zero.send(41, dest=1)
    >>> zero.recv(source=1, tag=7)
    42
    >>> other.join()
    """

    __slots__ = ("_inbox", "_kept", "_operations", "_outboxes", "rank", "size")

    def __init__(
        self, rank: int, size: int, inbox: Receiver[Packet], outboxes: list[Sender[Packet]]
    ) -> None:
        self.rank = rank
        """Its number, from 0."""
        self.size = size
        """How many ranks there are."""
        self._inbox = inbox
        self._outboxes = outboxes
        self._kept: deque[Packet] = deque()
        self._operations = 0

    def _field(self, name: str) -> object:
        if self._kept:
            raise HoldsMessages
        return getattr(self, name if name in ("rank", "size") else f"_{name}")

    def Get_rank(self) -> int:
        """As mpi4py spells it."""
        return self.rank

    def Get_size(self) -> int:
        """As mpi4py spells it."""
        return self.size

    def __repr__(self) -> str:
        return f"<rank {self.rank} of {self.size}>"

    # One to one.

    def send(self, obj: Any, dest: int, tag: int = 0) -> None:
        """Sends any value that `Object` carries; a copy arrives. Blocks while the channel of `dest` is full."""
        self._send(obj, self._other(dest, "dest"), _own_tag(tag))

    def recv(self, *, source: int = ANY_SOURCE, tag: int = ANY_TAG, status: Status | None = None) -> Any:
        """Blocks until a message of this source and tag is there, and takes it. Those of one rank with one tag
        come in the order in which they were sent.
        """
        if source != ANY_SOURCE:
            self._other(source, "source")
        packet = self._receive(source, tag)
        if status is not None:
            status.source, status.tag = packet[:2]
        return packet[2]

    def sendrecv(
        self,
        sendobj: Any,
        dest: int,
        sendtag: int = 0,
        *,
        source: int = ANY_SOURCE,
        recvtag: int = ANY_TAG,
        status: Status | None = None,
    ) -> Any:
        """Sends and receives."""
        self.send(sendobj, dest, sendtag)
        return self.recv(source=source, tag=recvtag, status=status)

    # All together: every rank calls the same ones, in the same order.

    def barrier(self) -> None:
        """Blocks until every rank has come here."""
        tag = self._next_operation()
        distance = 1
        while distance < self.size:
            self._send(None, (self.rank + distance) % self.size, tag)
            self._receive((self.rank - distance) % self.size, tag)
            distance *= 2

    def bcast(self, obj: Any, root: int = 0) -> Any:
        """What `root` gave, for every rank."""
        self._other(root, "root")
        tag = self._next_operation()
        # A tree, in which the place of a rank is its distance from the root.
        place = (self.rank - root) % self.size
        distance = 1
        while distance < self.size:
            if place & distance:
                obj = self._receive((self.rank - distance) % self.size, tag)[2]
                break
            distance *= 2
        distance //= 2
        while distance:
            if place + distance < self.size:
                self._send(obj, (self.rank + distance) % self.size, tag)
            distance //= 2
        return obj

    def scatter(self, sendobj: Sequence[Any] | None, root: int = 0) -> Any:
        """The item of `root`'s sequence that has this rank's number."""
        self._other(root, "root")
        tag = self._next_operation()
        if self.rank != root:
            return self._receive(root, tag)[2]
        items = list(sendobj or ())
        if len(items) != self.size:
            raise ValueError(f"expected {self.size} items to scatter, one for each rank, found {len(items)}")
        for rank, item in enumerate(items):
            if rank != root:
                self._send(item, rank, tag)
        return items[root]

    def gather(self, sendobj: Any, root: int = 0) -> list[Any] | None:
        """For `root` a list of what each rank gave, by number; `None` for the others."""
        self._other(root, "root")
        tag = self._next_operation()
        if self.rank != root:
            self._send(sendobj, root, tag)
            return None
        return [
            sendobj if rank == root else self._receive(rank, tag)[2] for rank in range(self.size)
        ]

    def allgather(self, sendobj: Any) -> list[Any]:
        """A list of what each rank gave, by number, for every rank."""
        gathered: list[Any] = self.bcast(self.gather(sendobj))
        return gathered

    def reduce(self, sendobj: Any, op: Operation = SUM, root: int = 0) -> Any:
        """For `root` what `op` makes of the values of all ranks, `None` for the others. Ranks keep their order;
        which pairs are combined first is as in mpi4py, so that floats come out equal.
        """
        self._other(root, "root")
        tag = self._next_operation()
        result, distance = sendobj, 1
        while distance < self.size:
            if self.rank & distance:
                self._send(result, self.rank - distance, tag)
                break
            if self.rank + distance < self.size:
                result = op(result, self._receive(self.rank + distance, tag)[2])
            distance *= 2
        if root == 0:
            return result if self.rank == 0 else None
        if self.rank == 0:
            self._send(result, root, tag)
        return self._receive(0, tag)[2] if self.rank == root else None

    def allreduce(self, sendobj: Any, op: Operation = SUM) -> Any:
        """What `op` makes of the values of all ranks, for every rank."""
        return self.bcast(self.reduce(sendobj, op))

    # How packets travel.

    def _next_operation(self) -> int:
        self._operations += 1
        return _COLLECTIVE - self._operations

    def _other(self, rank: int, what: str) -> int:
        if not 0 <= rank < self.size:
            raise ValueError(f"{what} is {rank}, but the ranks of this group are 0 to {self.size - 1}")
        return rank

    def _send(self, obj: Any, dest: int, tag: int) -> None:
        packet = (self.rank, tag, obj)
        if dest == self.rank:
            # Through the codec, so that what arrives is a copy here, too.
            payload = self._inbox.payload
            self._kept.append(payload.decode(payload.encode(packet)))
            return
        outbox = self._outboxes[dest - (dest > self.rank)]
        try:
            try:
                outbox.try_send(packet)
            except WouldBlock:
                self._send_slowly(outbox, packet)
        except Closed:
            raise RankGone(f"rank {self.rank} sends to rank {dest}, which has ended") from None

    def _send_slowly(self, outbox: Sender[Packet], packet: Packet) -> None:
        encoded = outbox._encoded(packet)
        pause = _FIRST_PAUSE if len(encoded) > _LONG else _LAST_PAUSE
        while pause < _LAST_PAUSE:
            try:
                outbox._open().send(encoded, patience(pause))
                return
            except TimedOut:
                self._take_in()
                pause *= 2
        offer = _Sending(outbox, encoded)
        inbox: Receiver[Packet] | None = self._inbox
        while True:
            chosen = select(offer, inbox, priority=True)
            if chosen.index == 0:
                _ = chosen.message
                return
            if isinstance(chosen.error, Closed):
                inbox = None
            else:
                self._kept.append(chosen.message)

    def _take_in(self) -> None:
        """Keeps what has arrived."""
        while True:
            try:
                self._kept.append(self._inbox.try_receive())
            except (WouldBlock, Closed):
                return

    def _receive(self, source: int, tag: int) -> Packet:
        for at, packet in enumerate(self._kept):
            if _fits(packet, source, tag):
                del self._kept[at]
                return packet
        while True:
            try:
                packet = self._inbox.receive()
            except Closed:
                whom = "any rank" if source == ANY_SOURCE else f"rank {source}"
                raise RankGone(
                    f"rank {self.rank} waits for a message of {whom}, but all others have ended"
                ) from None
            if _fits(packet, source, tag):
                return packet
            self._kept.append(packet)


def _fits(packet: Packet, source: int, tag: int) -> bool:
    return (source in (ANY_SOURCE, packet[0])) and (
        packet[1] == tag if tag != ANY_TAG else packet[1] >= 0
    )


def _own_tag(tag: int) -> int:
    if tag < 0:
        raise ValueError(f"tag is {tag}, but tags are 0 and more")
    return tag


def open_group(size: int, capacity: int = 16) -> list[Group]:
    """The places of a new group, by rank. `capacity` is how many messages can wait in each rank's channel, beside
    those that the rank itself keeps.
    """
    if size < 1:
        raise ValueError(f"a group cannot have {size} ranks")
    channels = [Channel[Packet](Packet, capacity) for _ in range(size)]
    groups = []
    for rank, (_, inbox) in enumerate(channels):
        outboxes = [sender.clone() for other, (sender, _) in enumerate(channels) if other != rank]
        groups.append(Group(rank, size, inbox, outboxes))
    for sender, _ in channels:
        sender.close()
    return groups


def start_group(size: int, what: Process[...] | str, /, **values: Any) -> list[Child]:
    """Starts `size` processes that are the ranks of one group, each with these arguments and with clones of these
    ends. The process has a port of type `Receiver[Group]`, at which it receives its place; for a component by
    name, that port is called `group`.
    """
    return [described.start() for described in _ranks(size, what, values)]


def run_group(size: int, what: Process[...] | str, /, **values: Any) -> list[str]:
    """Starts a group as `start_group` does, and waits until all ranks have ended. Returns their names.

    >>> from transputer import process
    >>> @process
    ... def total(group: Receiver[Group], answer: Sender[int]):
    ...     comm = group.receive()
    ...     together = comm.reduce(comm.rank + 1, op=SUM)
    ...     if comm.rank == 0:
    ...         answer.send(together)
    >>> last, answer = Channel(int, capacity=1)
    >>> run_group(4, total, answer=last)
    ['total-0', 'total-1', 'total-2', 'total-3']
    >>> answer.receive()
    10

    Raises `Failures` if one fails; the others are stopped then.
    """
    return run_together(_ranks(size, what, values), stop_on_failure=True)


def _ranks(size: int, what: Process[...] | str, values: dict[str, Any]) -> list[Spawn]:
    name = what if isinstance(what, str) else what.name
    port = "group" if isinstance(what, str) else _group_port(what)
    ends = {key: end for key, end in values.items() if isinstance(end, (Sender, Receiver))}
    described = []
    for place in open_group(size):
        wire = Channel[Group](Group, 1)
        own = {**values, **{key: end.clone() for key, end in ends.items()}, port: wire.receiver}
        described.append(Spawn(what, name, own).named(f"{name}-{place.rank}"))
        wire.sender.send(place)
        wire.sender.close()
    for end in ends.values():
        end.close()
    return described


def _group_port(process: Process[...]) -> str:
    for name, payload in process.signature.inputs.items():
        if isinstance(payload, Record) and payload.kind is Group:
            return name
    raise TypeError(
        f"process `{process.name}` has no port of type `Receiver[Group]`, at which it would receive its place"
    )
