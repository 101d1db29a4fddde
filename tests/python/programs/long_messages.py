"""Sends long messages in every way there is, from a process that may have 64 MiB: what each left behind would end it."""

import sys

from transputer import Channel, Network, Receiver, Sender, process, select, sending

BLOCK = 64 << 10


@process
def sends_all_ways(
    plain: Sender[bytes], with_ends: Sender[tuple[bytes, Receiver[int]]], answers: Receiver[int], count: int
):
    block = bytes(BLOCK)
    for number in range(count):
        plain.send(block)
        plain.send(block, timeout=60)
        select(sending(plain, block), answers)
        numbers, given = Channel(int, capacity=1)
        numbers.send(number)
        with_ends.send((block, given))


@process
def takes(
    plain: Receiver[bytes],
    with_ends: Receiver[tuple[bytes, Receiver[int]]],
    answers: Sender[int],
    total: Sender[int],
    count: int,
):
    lengths = numbers = 0
    for _ in range(count):
        lengths += sum(len(plain.receive()) for _ in range(3))
        block, given = with_ends.receive()
        lengths += len(block)
        numbers += given.receive()
    total.send(lengths // BLOCK + numbers)


def main(count: int) -> None:
    with Network() as net:
        limits = {"memory": "64 MiB"}
        source = net.process(sends_all_ways, limits=limits, count=count)
        sink = net.process(takes, limits=limits, count=count)
        net.connect(source.plain, sink.plain)
        net.connect(source.with_ends, sink.with_ends)
        net.connect(sink.answers, source.answers)
        net.start()
        assert sink.total.receive() == 4 * count + sum(range(count))
        print(count)


if __name__ == "__main__":
    main(int(sys.argv[1]))
