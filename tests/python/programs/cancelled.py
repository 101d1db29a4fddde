"""Cancels so many receives and so many sends of a process in its sandbox, and compares what its tasks took for received and
sent with what the other sides sent and received:

    python cancelled.py 100000

Nothing may be lost, or come twice.
"""

import asyncio
import random
import sys

from transputer import Closed, Network, Receiver, Sender, process


@process
def counts(numbers: Sender[int]):
    number = 0
    while True:
        numbers.send(number)
        number += 1


@process
def collects(numbers: Receiver[int], all: Sender[list[int]]):
    all.send(list(numbers))


@process
async def receives(numbers: Receiver[int], ledger: Sender[list[int]], count: int):
    got: list[int] = []

    async def one():
        got.append(await numbers.receive_async())

    ledger.send([await cancel_some(lambda _: one(), count), *got])


@process
async def sends(numbers: Sender[int], ledger: Sender[list[int]], count: int):
    sent: list[int] = []

    async def one(number: int):
        await numbers.send_async(number)
        sent.append(number)

    cancelled = await cancel_some(one, count)
    numbers.close()
    ledger.send([cancelled, *sent])


async def cancel_some(start, count: int) -> int:
    """Starts one task after the other, and cancels most of them at some moment, until so many have been cancelled."""
    chance = random.Random(7)
    cancelled = number = 0
    while cancelled < count:
        task = asyncio.create_task(start(number))
        number += 1
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < 0.8:
            task.cancel()
        await asyncio.wait([task])
        cancelled += task.cancelled()
    return cancelled


def main(count: int) -> None:
    # A ledger of all that crossed is one message.
    limits = {"memory": "512 MiB", "message": "64 MiB"}
    for capacity in (0, 3):
        with Network() as net:
            source, sink = net.process(counts), net.process(receives, limits=limits, count=count)
            net.connect(source.numbers, sink.numbers, capacity)
            net.start()
            cancelled, *got = sink.ledger.receive()
        assert got == list(range(len(got))), "received once, and in order"
        print(f"capacity {capacity}: {cancelled} receives cancelled, {len(got) - len(set(got))} lost or twice")
        with Network() as net:
            source = net.process(sends, limits=limits, count=count)
            sink = net.process(collects, limits=limits)
            net.connect(source.numbers, sink.numbers, capacity)
            net.start()
            cancelled, *sent = source.ledger.receive()
            arrived = sink.all.receive()
        assert arrived == sent, "what was sent arrived, and nothing else"
        print(f"capacity {capacity}: {cancelled} sends cancelled, {len(set(sent) ^ set(arrived))} lost or twice")


if __name__ == "__main__":
    main(int(sys.argv[1]))
