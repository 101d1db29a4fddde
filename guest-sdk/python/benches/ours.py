"""What runs in sandboxes: processes that send, receive, compute, and time themselves by the network's clock."""

from transputer import Receiver, Sender, alt, now, process, u64
from transputer.group import Group, run_group


@process
def source(count: int, numbers: Sender[int]) -> None:
    numbers.send_all(list(range(count)))


@process
def source_one_by_one(count: int, numbers: Sender[int]) -> None:
    for number in range(count):
        numbers.send(number)


@process
def sink(count: int, numbers: Receiver[int], took: Sender[float]) -> None:
    """Seconds from the first message to the last."""
    total = numbers.receive()
    start = now()
    for number in numbers:
        total += number
    took.send(now() - start)
    assert total == count * (count - 1) // 2


@process
def source_unsigned(count: int, numbers: Sender[u64]) -> None:
    """For a process in Rust to receive."""
    for number in range(count):
        numbers.send(number)


@process
def sink_unsigned(count: int, numbers: Receiver[u64], took: Sender[float]) -> None:
    """What a process in Rust sends."""
    numbers.receive()
    start = now()
    for _ in numbers:
        pass
    took.send(now() - start)


@process
async def sink_in_loop(count: int, numbers: Receiver[int], took: Sender[float]) -> None:
    """Awaits each message by itself."""
    await numbers.receive_async()
    start = now()
    for _ in range(count - 1):
        await numbers.receive_async()
    took.send(now() - start)


@process
async def sink_async_for(count: int, numbers: Receiver[int], took: Sender[float]) -> None:
    await numbers.receive_async()
    start = now()
    async for _ in numbers:
        pass
    took.send(now() - start)


@process
def sink_of_two(count: int, first: Receiver[int], second: Receiver[int], took: Sender[float]) -> None:
    """Chooses, again and again."""
    first.receive()
    start = now()
    for _ in alt(first, second):
        pass
    took.send(now() - start)


@process
def sink_blocks(numbers: Receiver[bytes], took: Sender[float]) -> None:
    numbers.receive()
    start = now()
    for _ in numbers:
        pass
    took.send(now() - start)


@process
def source_blocks(count: int, size: int, numbers: Sender[bytes]) -> None:
    block = bytes(size)
    for _ in range(count):
        numbers.send(block)


@process
def ping(rounds: int, out: Sender[int], back: Receiver[int], took: Sender[float]) -> None:
    start = now()
    for number in range(rounds):
        out.send(number)
        back.receive()
    took.send(now() - start)


@process
def pong(given: Receiver[int], back: Sender[int]) -> None:
    while True:
        back.send(given.receive())


@process
def echo(given: Receiver[int], back: Sender[int]) -> None:
    for number in given:
        back.send(number)


@process
def parked(ready: Sender[int], never: Receiver[int]) -> None:
    """Tells that it is there, and waits."""
    ready.send(1)
    never.receive()


def compute(rounds: int) -> int:
    """A loop of integers, as any interpreter has to run."""
    a, b = 1, 2
    for n in range(rounds):
        a, b = b, (a * 31 + n) % 1_000_003
    return b


@process
def computes(rounds: int, took: Sender[float]) -> None:
    start = now()
    compute(rounds)
    took.send(now() - start)


def nothing(n: int) -> int:
    return n


@process
def rank(group: Receiver[Group], rounds: int, size: int, took: Sender[float]) -> None:
    """Half a round trip between two ranks."""
    comm = group.receive()
    block = bytes(size)
    comm.barrier()
    start = now()
    for _ in range(rounds):
        if comm.rank == 0:
            comm.send(block, dest=1)
            comm.recv(source=1)
        else:
            comm.recv(source=0)
            comm.send(block, dest=0)
    if comm.rank == 0:
        took.send((now() - start) / rounds / 2)


@process
def ranks(rounds: int, size: int, took: Sender[float]) -> None:
    """Starts the two ranks."""
    run_group(2, "rank", rounds=rounds, size=size, took=took)
