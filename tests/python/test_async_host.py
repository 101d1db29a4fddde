"""A program's own event loop, and the ends of processes in sandboxes: awaited as all else is, and nothing is lost."""

import asyncio
import random
from collections.abc import Iterator

import launched
import pytest
from transputer import Host, Network, PeerFailed, Receiver


@pytest.fixture
def net() -> Iterator[Network]:
    network = Network("test", host=Host.default())
    yield network
    network.stop("the test is over")
    network.close()


def test_many_processes_in_one_loop(net: Network) -> None:
    async def main() -> list[int]:
        members = [net.process(launched.double, by=by) for by in range(5)]
        net.start()

        async def ask(by: int) -> int:
            await members[by].numbers.send_async(by)
            answer: int = await members[by].doubled.receive_async()
            return answer

        return await asyncio.gather(*(ask(by) for by in range(5)))

    assert asyncio.run(main()) == [0, 1, 4, 9, 16]


def test_cancelled_operations_lose_nothing(net: Network) -> None:
    """What was sent comes back, once and in order, whatever was cancelled on both sides."""
    chance = random.Random(3)

    async def main() -> tuple[list[int], list[int]]:
        p = net.start(launched.double)
        sent: list[int] = []
        got: list[int] = []

        async def sends(number: int) -> None:
            await p.numbers.send_async(number)
            sent.append(number)

        async def receives() -> None:
            got.append(await p.doubled.receive_async())

        for number in range(500):
            tasks = [asyncio.create_task(sends(number)), asyncio.create_task(receives())]
            for _ in range(chance.randrange(8)):
                await asyncio.sleep(0)
            for task in tasks:
                if chance.random() < 0.7:
                    task.cancel()
            await asyncio.wait(tasks, timeout=0.001)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        closing = asyncio.create_task(_rest(p.doubled, got))
        p.numbers.close()
        await closing
        return sent, got

    sent, got = asyncio.run(main())
    assert got == [2 * number for number in sent]


async def _rest(numbers: Receiver[int], got: list[int]) -> None:
    async for number in numbers:
        got.append(number)


def test_a_failure_is_told_where_it_is_awaited(net: Network) -> None:
    async def main() -> str:
        p = net.start(launched.fails)
        words: str = await p.words.receive_async()
        await p.numbers.send_async(7)
        with pytest.raises(PeerFailed, match="nothing for 7"):
            await p.words.receive_async()
        return words

    assert asyncio.run(main()) == "about to fail"
