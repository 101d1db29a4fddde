"""asyncio over channels, in memory: nothing is lost, whatever is cancelled."""

import asyncio
import random

import pytest
from transputer import Channel, Closed, Deadlock, Poisoned, Receiver, Sender, process
from transputer.aio import run


@process
async def merges(left: Receiver[int], right: Receiver[int], out: Sender[int]) -> None:
    async def passes(numbers: Receiver[int]) -> None:
        async for number in numbers:
            await out.send_async(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(passes(left))
        group.create_task(passes(right))


@process
def counts(start: int, count: int, out: Sender[int]) -> None:
    for number in range(start, start + count):
        out.send(number)


@process
def collects(numbers: Receiver[int], all: Sender[list[int]]) -> None:
    all.send(list(numbers))


def test_an_async_process_merges_two_streams() -> None:
    (a, left), (b, right), (out, merged) = Channel(int), Channel(int), Channel(int)
    counts(0, 300, a).start()
    counts(1000, 200, b).start()
    child = merges(left, right, out).start()
    got = list(merged)
    child.join()
    assert [n for n in got if n < 1000] == list(range(300))
    assert [n for n in got if n >= 1000] == list(range(1000, 1200))


def test_failures_of_tasks_are_the_outcome_of_the_process() -> None:
    (a, left), (_b, right), (out, _merged) = Channel(int), Channel(int), Channel(int)
    child = merges(left, right, out).start()
    a.poison("spoiled")
    outcome = child.wait()
    assert outcome.kind == "failed"
    assert "the channel was poisoned: spoiled" in outcome.text


def test_closed_in_all_tasks_is_an_end() -> None:
    (a, left), (_b, right), (out, merged) = Channel(int), Channel(int), Channel(int)
    child = merges(left, right, out).start()
    merged.close()
    a.send(1)
    assert child.wait().is_finished


def test_cancelled_receives_lose_nothing() -> None:
    """Every message is received once, although most receives are cancelled, at every moment there is."""
    count = 2000
    chance = random.Random(7)

    async def main(numbers: Receiver[int]) -> list[int]:
        got: list[int] = []

        async def one() -> None:
            got.append(await numbers.receive_async())

        while len(got) < count:
            task = asyncio.create_task(one())
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.8:
                task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and isinstance(task.exception(), Closed):
                break
        return got

    out, numbers = Channel(int)
    counts(0, count, out).start()
    assert run(main(numbers)) == list(range(count))


def test_cancelled_sends_are_sent_or_not() -> None:
    """What its sender takes for sent arrives, and nothing else does."""

    async def main(out: Sender[int]) -> list[int]:
        sent: list[int] = []

        async def one(number: int) -> None:
            await out.send_async(number)
            sent.append(number)

        for number in range(1000):
            task = asyncio.create_task(one(number))
            for _ in range(number % 4):
                await asyncio.sleep(0)
            if number % 3:
                task.cancel()
            await asyncio.wait([task])
        out.close()
        return sent

    (out, wire), (last, everything) = Channel(int), Channel(list[int])
    collects(wire, last).start()
    sent = run(main(out))
    assert everything.receive() == sent


def test_timeouts_and_timers() -> None:
    async def main(numbers: Receiver[int], out: Sender[int]) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await numbers.receive_async()
        await out.send_async(1)
        async with asyncio.timeout(60):
            assert await numbers.receive_async() == 1
        received.set()
        slept, error = await asyncio.gather(
            asyncio.sleep(0.001, "slept"), numbers.receive_async(), return_exceptions=True
        )
        assert slept == "slept"
        assert isinstance(error, Poisoned)

    out, numbers = Channel(int, capacity=1)
    received = asyncio.Event()

    async def poisons_later() -> None:
        await received.wait()
        # The others wait by now.
        await asyncio.sleep(0.002)
        out.poison("enough")

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(main(numbers, out))
            group.create_task(poisons_later())

    run(both())


def test_what_can_never_happen_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="no process can bring about"):
        run(main())

    async def waits(numbers: Receiver[int]) -> int:
        return await numbers.receive_async()

    out, numbers = Channel(int)
    with pytest.raises(Deadlock):
        run(waits(numbers))
    del out
