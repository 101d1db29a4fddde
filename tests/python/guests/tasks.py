"""A process with many tasks: what the tests look at from outside."""

import asyncio
import dataclasses
import logging
import random
import sys
from collections.abc import Callable

from transputer import (
    SKIP,
    Barrier,
    Broadcast,
    Channel,
    Client,
    Closed,
    Component,
    Misfit,
    Moved,
    Poisoned,
    Receiver,
    Request,
    Sender,
    Server,
    SpawnRefused,
    TimedOut,
    WouldBlock,
    after,
    aio,
    id,
    name,
    now,
    process,
    select,
    sending,
    sleep,
    u64,
    yield_now,
)

Inbox = Receiver[u64]
Outbox = Sender[u64]
TASKS: dict[str, Callable[[int, Inbox, Outbox], None]] = {}


def task(function: Callable[[int, Inbox, Outbox], None]) -> Callable[[int, Inbox, Outbox], None]:
    TASKS[function.__name__] = function
    return function


@process
def perform(task: str, inbox: Inbox, outbox: Outbox, count: int = 0) -> None:
    """Performs the task of this name."""
    TASKS[task](count, inbox, outbox)


@task
def triples(count: int, inbox: Inbox, outbox: Outbox) -> None:
    for number in inbox:
        outbox.send(3 * number)


@task
def one_by_one(count: int, inbox: Inbox, outbox: Outbox) -> None:
    while True:
        outbox.send(inbox.receive() + 1)


@task
def sums(count: int, inbox: Inbox, outbox: Outbox) -> None:
    outbox.send(sum(inbox))


@task
def in_batches(count: int, inbox: Inbox, outbox: Outbox) -> None:
    outbox.send_all(list(range(count)))


@task
def fails(count: int, inbox: Inbox, outbox: Outbox) -> None:
    kept = outbox
    raise LookupError(f"nothing for {len([kept])}")


@task
def fails_to_open(count: int, inbox: Inbox, outbox: Outbox) -> None:
    open("nobody")  # noqa: SIM115


class Mine(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(number)


@task
def fails_in_its_own_way(count: int, inbox: Inbox, outbox: Outbox) -> None:
    raise Mine(7)


@task
def fails_in_group(count: int, inbox: Inbox, outbox: Outbox) -> None:
    raise ExceptionGroup("both", [ValueError("left"), KeyError("right")])


@task
def exits(count: int, inbox: Inbox, outbox: Outbox) -> None:
    sys.exit(count)


@task
def interrupts(count: int, inbox: Inbox, outbox: Outbox) -> None:
    raise KeyboardInterrupt


@task
def recurses(count: int, inbox: Inbox, outbox: Outbox) -> None:
    def deeper(depth: int) -> int:
        return deeper(depth + 1) + 1

    try:
        deeper(0)
    except RecursionError:
        outbox.send(7)
    deeper(0)


@task
def recurses_in_c(count: int, inbox: Inbox, outbox: Outbox) -> None:
    class Endless:
        def __eq__(self, other: object) -> bool:
            return max([self], key=lambda endless: endless == other) is self

    print(Endless() == Endless())


@task
def hoards(count: int, inbox: Inbox, outbox: Outbox) -> None:
    kept = []
    while True:
        kept.append(bytes(1 << 20))


@task
def spins(count: int, inbox: Inbox, outbox: Outbox) -> None:
    while True:
        pass


@task
def talks(count: int, inbox: Inbox, outbox: Outbox) -> None:
    print("printed", end="")
    print(" in pieces")
    print("told to stderr", file=sys.stderr)
    logging.getLogger("tasks").warning("logged: %d", 7)
    print("not finished", end="")


@task
def chances(count: int, inbox: Inbox, outbox: Outbox) -> None:
    outbox.send(random.getrandbits(63))


@task
def chooses(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Everything that an alternation can do; sends how many steps it has come through."""
    a, b = Channel(int, 1), Channel(str, 1)
    assert select(a.receiver, b.receiver, SKIP).index == 2
    assert select(a.receiver, after(0.01)).index == 1
    a.sender.send(5)
    assert tuple(select(b.receiver, a.receiver)) == (1, 5)
    assert select(sending(b.sender, "x"), a.receiver).index == 0
    a.sender.send(6)
    assert select(b.receiver, a.receiver, priority=True).message == "x"
    assert a.receiver.receive() == 6
    a.sender.poison("spoiled")
    chosen = select(a.receiver, b.receiver)
    assert str(chosen.error) == "the channel was poisoned: spoiled"
    b.sender.close()
    assert list(b.receiver) == []
    batch = Channel(int, 8)
    batch.sender.send_all([1, 2, 3])
    batch.sender.close()
    for number in batch.receiver:
        assert number == 1
        break
    assert select(batch.receiver, SKIP, priority=True).message == 2
    assert list(batch.receiver) == [3]
    outbox.send(1)


@task
def moves_ends(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Ends in messages, those that come back, and what is left of an end that has gone."""
    carrier, carried = Channel(Sender[str], 1)
    words, receiver = Channel(str, 1)
    carrier.send(words)
    try:
        words.send("lost")
    except Moved:
        pass
    carried.receive().send("found")
    assert receiver.receive() == "found"
    other, _ = Channel(Sender[str])
    again, receiver = Channel(str, 1)
    try:
        other.try_send(again)
    except WouldBlock:
        again.send("still here")
    assert receiver.receive() == "still here"
    barrier = Barrier()
    barriers = Channel(Barrier, 1)
    barriers.sender.send(barrier.enrol())
    second = barriers.receiver.receive()
    assert barrier.members == 2
    try:
        barrier.sync(timeout=0.001)
    except TimedOut:
        second.resign()
    barrier.sync()
    outbox.send(2)


@dataclasses.dataclass
class Order:
    id: int
    tags: list[str]


@task
def types(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Values of many types, wrong ones, and long messages."""
    orders = Channel(Order | str | None, 1)
    for value in (Order(7, ["a", "b"]), "x" * 100_000, None):
        orders.sender.send(value)
        assert orders.receiver.receive() == value
    try:
        orders.sender.send(Order(7, ["a", 1]))  # type: ignore[list-item]
    except Misfit as misfit:
        assert "in `.tags[1]`" in str(misfit), misfit
    anything = Channel(capacity=1)
    anything.sender.send({"n": 2**70, "t": (1, 2.5)})
    assert anything.receiver.receive() == {"n": 2**70, "t": [1, 2.5]}
    raw = Channel(bytes, 1)
    raw.sender.send(b"\xff" * 17)
    assert raw.receiver.receive() == b"\xff" * 17
    news: Broadcast[int] = Broadcast(int)
    subscribers = [news.subscribe(1) for _ in range(3)]
    assert news.send(4) == 3
    assert [each.receive() for each in subscribers] == [4, 4, 4]
    before = now()
    sleep(0.002)
    yield_now()
    assert now() - before >= 0.002
    assert name() == "perform", name()
    assert id() > 0
    outbox.send(3)


@task
def spawns(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Children in Rust and in Python, their ends, and what is refused."""
    (numbers, wire), (last, doubled) = Channel(u64), Channel(u64)
    child = Component("double")(numbers=wire, doubled=last).named("twice").start()
    numbers.send(21)
    assert doubled.receive() == 42
    assert child.name == "twice"
    assert child.try_wait() is None
    numbers.close()
    child.join()

    (numbers, wire), (last, tripled) = Channel(u64), Channel(u64)
    child = perform("triples", wire, last).start()
    numbers.send(5)
    assert tripled.receive() == 15
    child.kill("enough")
    assert str(child.wait()) == "stopped: enough"
    try:
        tripled.receive()
    except Poisoned as poisoned:
        assert "enough" in str(poisoned)

    (_, wire), (last, _) = Channel(u64), Channel(u64)
    monitor = perform("fails", wire, last).start().monitor()
    assert monitor.receive().startswith("failed: LookupError: nothing for 1\n")
    numbers, wire = Channel(u64, 1)
    try:
        Component("nobody")(numbers=wire).start()
    except SpawnRefused as refused:
        assert refused.kind == "unknown component", refused
    numbers.send(1)
    assert wire.receive() == 1
    outbox.send(4)


@task
def serves(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Two clients of a server in Rust."""
    (requests, a), (others, b) = Channel(Request[u64, u64]), Channel(Request[u64, u64])
    last, lost = Channel(u64)
    child = Component("squares")(a=a, b=b, lost=last).start()
    client: Client[int, int] = Client(requests)
    assert [client.call(n) for n in range(4)] == [0, 1, 4, 9]
    client.close()
    others.close()
    assert lost.receive() == 0
    child.join()
    outbox.send(5)


@task
def sends_much(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Long messages to itself, many more than its memory could keep."""
    blocks = Channel(bytes, 1)
    block = bytes(65_536)
    for _ in range(count):
        blocks.sender.send(block)
        blocks.receiver.receive()
    outbox.send(count)


@task
def serves_once(count: int, inbox: Inbox, outbox: Outbox) -> None:
    clients = Channel(Request[str, int], 1)
    Client(clients.sender)
    clients.sender.close()
    Server([clients.receiver]).serve(len)
    outbox.send(6)


@task
def awaits(count: int, inbox: Inbox, outbox: Outbox) -> None:
    """Tasks that wait for channels, timers and each other; most receives are cancelled, and none loses anything."""

    async def main() -> None:
        results, handed_over = Channel(u64, 1)

        async def passes() -> None:
            async for number in inbox:
                await results.send_async(number)
            results.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(passes())
            missed, total = 0, 0
            while True:
                try:
                    async with asyncio.timeout(0 if missed % 2 else 60):
                        total += await handed_over.receive_async()
                except TimeoutError:
                    pass
                except Closed:
                    break
                missed += 1
            outbox.send(total)
        await asyncio.sleep(0.001)

    aio.run(main())
