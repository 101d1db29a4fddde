"""8. Commstime: the oldest benchmark of CSP, numbers that run in a circle of processes.

prints:
    0 1 2 3 4 5 6 7 8 9
"""

from transputer import Channel, Receiver, Sender, process


@process
def prefix(first: int, given: Receiver[int], out: Sender[int]) -> None:
    out.send(first)
    for number in given:
        out.send(number)


@process
def delta(given: Receiver[int], left: Sender[int], right: Sender[int]) -> None:
    for number in given:
        left.send(number)
        right.send(number)


@process
def successor(given: Receiver[int], out: Sender[int]) -> None:
    for number in given:
        out.send(number + 1)


if __name__ == "__main__":
    (a, from_prefix), (b, around), (c, back), (d, numbers) = (Channel(int) for _ in range(4))
    prefix(0, back, a).start()
    delta(from_prefix, d, b).start()
    successor(around, c).start()
    print(*(numbers.receive() for _ in range(10)))
