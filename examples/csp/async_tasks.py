"""9. async: one process with several tasks, which wait for channels as they wait for timers.

prints:
    left: 0 1 2
    right: 10 11 12
    nothing came within 10 ms, and nothing is lost
"""

import asyncio

from transputer import Channel, Receiver, Sender, process


@process
async def merge(left: Receiver[int], right: Receiver[int], merged: Sender[tuple[str, int]]) -> None:
    async def passes(name: str, numbers: Receiver[int]) -> None:
        async for number in numbers:
            await merged.send_async((name, number))

    async with asyncio.TaskGroup() as group:
        group.create_task(passes("left", left))
        group.create_task(passes("right", right))


@process
def counts(start: int, numbers: Sender[int]) -> None:
    numbers.send_all(range(start, start + 3))


async def main() -> None:
    """A program's own event loop awaits ends, too."""
    out, words = Channel(str, capacity=1)
    try:
        async with asyncio.timeout(0.01):
            await words.receive_async()
    except TimeoutError:
        await out.send_async("nothing is lost")
    print(f"nothing came within 10 ms, and {await words.receive_async()}")


if __name__ == "__main__":
    (a, left), (b, right), (last, merged) = Channel(int), Channel(int), Channel[tuple[str, int]](tuple[str, int])
    counts(0, a).start()
    counts(10, b).start()
    merge(left, right, last).start()
    got = list(merged)
    for side in ("left", "right"):
        print(f"{side}:", *(number for name, number in got if name == side))
    asyncio.run(main())
