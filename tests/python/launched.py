"""Processes that run in memory and in sandboxes, with the same outcome."""

from transputer import Channel, Receiver, Sender, process, select, sending
from transputer.group import Group, run_group
from transputer.operators import guard
from transputer.payload import Object
from transputer.request import Client, Request, Server


@process
def double(numbers: Receiver[int], doubled: Sender[int], by: int = 2) -> None:
    for number in numbers:
        doubled.send(by * number)


@process
def fails(numbers: Receiver[int], words: Sender[str]) -> None:
    words.send("about to fail")
    raise LookupError(f"nothing for {numbers.receive()}")


@process
def exits(numbers: Receiver[int], words: Sender[str]) -> None:
    raise SystemExit(3)


@process
def chooses(numbers: Receiver[int], words: Sender[str]) -> None:
    kept, given = Channel(int, capacity=1)
    assert select(numbers, sending(kept, 7)).index in (0, 1)
    words.send(str((guard(given) | numbers).select()))


@process
def rank(group: Receiver[Group], results: Sender[tuple[int, Object]]) -> None:
    """Everything that a group does together."""
    from transputer import group as words

    comm = group.receive()
    got = [
        comm.bcast(("root", comm.rank) if comm.rank == 1 else None, root=1),
        comm.scatter(list(range(comm.size)) if comm.rank == 0 else None),
        comm.gather(comm.rank),
        comm.allgather(str(comm.rank)),
        comm.reduce(comm.rank + 1, op=words.PROD),
        comm.allreduce(0.1 * comm.rank),
        comm.sendrecv("x" * 70_000, dest=(comm.rank + 1) % comm.size)[:3],
    ]
    comm.barrier()
    results.send((comm.rank, got))


@process
def launches(size: int, results: Sender[list[Object]]) -> None:
    """Starts a group, and tells what its ranks have come to, in order."""
    last, told = Channel[tuple[int, object]](tuple[int, Object], capacity=size)
    run_group(size, "rank", results=last)
    results.send([got for _, got in sorted(told, key=lambda pair: pair[0])])


@process
def exchanges(group: Receiver[Group], sums: Sender[int], count: int) -> None:
    """Sends long messages before it receives any."""
    comm = group.receive()
    for n in range(count):
        comm.send(bytes([n]) * 500_000, dest=1 - comm.rank)
    sums.send(sum(comm.recv(source=1 - comm.rank)[0] for _ in range(count)))


@process
def exchange(count: int, totals: Sender[int]) -> None:
    run_group(2, "exchanges", count=count, sums=totals)


@process
def squares(requests: Receiver[Request[int, int]]) -> None:
    Server([requests]).serve(lambda n: n * n)


@process
def asks(words: Sender[str]) -> None:
    from transputer import Component

    requests, served = Channel(Request[int, int])
    child = Component("squares")(requests=served).start()
    client: Client[int, int] = Client(requests)
    words.send(str([client.call(n) for n in range(4)]))
    client.close()
    words.send(str(child.wait()))




@process
def crosses(inbox: Receiver[int], outbox: Sender[int]) -> None:
    """Waits for what only comes once it has sent."""
    outbox.send(inbox.receive())
