"""Nothing is lost, whatever is cancelled: operations of every kind of event loop, with a ledger.

    TRANSPUTER_CANCELLATIONS=100000 pytest tests/test_cancellation.py      the full run, of some minutes
"""

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any

import pytest
from transputer import Channel, Closed, Receiver, Sender, aio, process

COUNT = int(os.environ.get("TRANSPUTER_CANCELLATIONS", "1500"))
"""How many operations each test cancels."""


@process
def counts(numbers: Sender[int]) -> None:
    number = 0
    while True:
        numbers.send(number)
        number += 1


@process
def collects(numbers: Receiver[int], all: Sender[list[int]]) -> None:
    all.send(list(numbers))


Runs = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=[aio.run, asyncio.run], ids=["a process's loop", "asyncio's loop"])
def runs(request: pytest.FixtureRequest) -> Runs:
    run: Runs = request.param
    return run


@pytest.mark.parametrize("capacity", [0, 3])
def test_cancelled_receives(runs: Runs, capacity: int) -> None:
    """What is received are all numbers in order, although most receives are cancelled, at every moment."""
    chance = random.Random(capacity)

    async def main(numbers: Receiver[int]) -> list[int]:
        got: list[int] = []

        async def one() -> None:
            got.append(await numbers.receive_async())

        cancelled = 0
        while cancelled < COUNT:
            task = asyncio.create_task(one())
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.8:
                task.cancel()
            await asyncio.wait([task])
            cancelled += task.cancelled()
        return got

    out, numbers = Channel(int, capacity)
    counts(out).start()
    got = runs(main(numbers))
    assert got == list(range(len(got)))


@pytest.mark.parametrize("capacity", [0, 3])
def test_cancelled_sends(runs: Runs, capacity: int) -> None:
    """What its sender takes for sent arrives, and nothing else does."""
    chance = random.Random(capacity)

    async def main(out: Sender[int]) -> list[int]:
        sent: list[int] = []

        async def one(number: int) -> None:
            await out.send_async(number)
            sent.append(number)

        number = cancelled = 0
        while cancelled < COUNT:
            task = asyncio.create_task(one(number))
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.8:
                task.cancel()
            await asyncio.wait([task])
            cancelled += task.cancelled()
            number += 1
        out.close()
        return sent

    (out, wire), (last, everything) = Channel(int, capacity), Channel[list[int]](list[int])
    collects(wire, last).start()
    sent = runs(main(out))
    assert everything.receive() == sent


def test_both_sides_at_once(runs: Runs) -> None:
    """Receives and sends of several tasks on one stream to a process and back, many of them cancelled."""

    @process
    def passes(given: Receiver[int], back: Sender[int]) -> None:
        for number in given:
            back.send(number)

    async def main(out: Sender[int], back: Receiver[int]) -> tuple[set[int], list[int]]:
        sent: set[int] = set()
        got: list[int] = []

        async def sends(number: int) -> None:
            await out.send_async(number)
            sent.add(number)

        async def receives() -> None:
            got.append(await back.receive_async())

        chance = random.Random(1)
        number = cancelled = 0
        while cancelled < COUNT:
            tasks = [asyncio.create_task(receives()) for _ in range(2)]
            for _ in range(2):
                tasks.append(asyncio.create_task(sends(number)))
                number += 1
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            cancelled += sum(task.cancelled() for task in tasks)
        out.close()
        async for left in back:
            got.append(left)
        return sent, got

    (out, wire), (last, back) = Channel(int, 1), Channel(int)
    passes(wire, last).start()
    sent, got = runs(main(out, back))
    assert sorted(got) == sorted(sent)


def test_ends_in_asyncio_beside_its_own_things() -> None:
    async def main(out: Sender[int], numbers: Receiver[int]) -> list[int]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await numbers.receive_async()
        async with asyncio.TaskGroup() as group:
            group.create_task(out.send_async(1))
            first = group.create_task(numbers.receive_async())
        await out.send_async(2)
        out.close()
        return [first.result(), *[number async for number in numbers]]

    assert asyncio.run(main(*Channel(int, 1))) == [1, 2]


def test_how_channels_end_is_told_in_asyncio() -> None:
    async def main() -> None:
        out, numbers = Channel(int)
        out.close()
        with pytest.raises(Closed):
            await numbers.receive_async()

    asyncio.run(main())


def test_trio_through_anyio() -> None:
    if find_spec("trio") is None or find_spec("anyio") is None:
        pytest.skip("NOT CHECKED: needs anyio and trio (`pip install anyio trio`)")
    import anyio

    async def main() -> list[int]:
        (out, wire), (last, everything) = Channel(int), Channel[list[int]](list[int])
        collects(wire, last).start()
        async with anyio.create_task_group() as group:
            group.start_soon(out.send_async, 1)
            with anyio.move_on_after(0.01):
                await everything.receive_async()
        await out.send_async(2)
        out.close()
        return await everything.receive_async()

    assert anyio.run(main, backend="trio") == [1, 2]


def test_where_there_is_no_loop_that_is_told() -> None:
    _out, numbers = Channel(int)
    coroutine = numbers.receive_async()
    # Whose words these are depends on whether anyio is installed.
    with pytest.raises(RuntimeError):
        coroutine.send(None)
    coroutine.close()
