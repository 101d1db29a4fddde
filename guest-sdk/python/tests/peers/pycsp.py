"""The processes of PyCSP's tests: readers and writers that note what they have communicated."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from transputer import Channel, Closed, Poisoned, Receiver, Sender, process, select, sending, sleep
from transputer.children import Child, Outcome

Number = tuple[int, int]
"""Who sends, and how many before."""

DELAYS: dict[str, Callable[[], None]] = {
    "Zero": lambda: None,
    "One": lambda: sleep(0.0001),
    "Random": lambda: sleep(random.random() * 0.0001),
}

# Every pair of delays, of readers and of writers, but the one in which both take equally long.
delays = pytest.mark.parametrize(
    ("read", "write"),
    [(read, write) for read in DELAYS for write in DELAYS if (read, write) != ("One", "One")],
)


@process
def reader(numbers: Receiver[Number], noted: Sender[list[Number]], delay: str) -> None:
    with noting(noted) as got:
        while True:
            DELAYS[delay]()
            got.append(numbers.receive())


@process
def par_reader(
    a: Receiver[Number],
    b: Receiver[Number],
    c: Receiver[Number],
    d: Receiver[Number],
    noted: Sender[list[Number]],
    delay: str,
) -> None:
    with noting(noted) as got:
        while True:
            DELAYS[delay]()
            got.append(select(a, b, c, d).message)


@process
def writer(
    numbers: Sender[Number], noted: Sender[list[Number]], id: int, count: int, delay: str, end: str
) -> None:
    with noting(noted) as sent:
        for n in range(count):
            DELAYS[delay]()
            numbers.send((id, n))
            sent.append((id, n))
        finish(end, numbers)


@process
def par_writer(
    a: Sender[Number],
    b: Sender[Number],
    c: Sender[Number],
    d: Sender[Number],
    noted: Sender[list[Number]],
    id: int,
    count: int,
    delay: str,
    end: str,
) -> None:
    with noting(noted) as sent:
        for n in range(count):
            DELAYS[delay]()
            chosen = select(*(sending(sender, (id, n)) for sender in (a, b, c, d)))
            _ = chosen.message
            sent.append((id, n))
        finish(end, a, b, c, d)


def finish(end: str, *senders: Sender[Number]) -> None:
    for sender in senders:
        if end == "poison":
            sender.poison("done")
        else:
            sender.close()


class noting:
    """What a process has communicated, told at its end, whatever that is."""

    def __init__(self, noted: Sender[list[Number]]) -> None:
        self.noted = noted
        self.numbers: list[Number] = []

    def __enter__(self) -> list[Number]:
        return self.numbers

    def __exit__(self, *error: Any) -> None:
        self.noted.send(self.numbers)
        # No failure poisons what is in there.
        self.noted.close()


class Network:
    """Readers and writers that have been started."""

    def __init__(self) -> None:
        self.readers: list[Receiver[list[Number]]] = []
        self.writers: list[Receiver[list[Number]]] = []
        self.children: list[Child] = []

    def read(self, delay: str, *receivers: Receiver[Number]) -> None:
        last, noted = Channel[list[Number]](list[Number], capacity=1)
        ends = [receiver.clone() for receiver in receivers]
        if len(ends) == 1:
            self.children.append(reader(ends[0], last, delay).start())
        else:
            self.children.append(par_reader(*ends, noted=last, delay=delay).start())
        self.readers.append(noted)

    def write(self, id: int, count: int, delay: str, end: str, *senders: Sender[Number]) -> None:
        last, noted = Channel[list[Number]](list[Number], capacity=1)
        ends = [sender.clone() for sender in senders]
        if len(ends) == 1:
            self.children.append(writer(ends[0], last, id, count, delay, end).start())
        else:
            described = par_writer(*ends, noted=last, id=id, count=count, delay=delay, end=end)
            self.children.append(described.start())
        self.writers.append(noted)

    def close(self, channels: Iterable[Channel[Number]]) -> None:
        """Call it when all processes have their ends: the program's own keep no channel open."""
        for sender, receiver in channels:
            sender.close()
            receiver.close()

    def received(self) -> list[list[Number]]:
        """What each reader has received, once all have ended."""
        return [noted.receive() for noted in self.readers]

    def sent(self) -> list[list[Number]]:
        return [noted.receive() for noted in self.writers]

    def outcomes(self) -> list[Outcome]:
        return [child.wait() for child in self.children]


def flat(lists: list[list[Number]]) -> Counter[Number]:
    return Counter(number for numbers in lists for number in numbers)


def in_order(numbers: list[Number]) -> bool:
    """Whether the numbers of each writer have come in the order in which they were sent."""
    return all(
        own == sorted(own)
        for id in {id for id, _ in numbers}
        if (own := [n for sender, n in numbers if sender == id])
    )


def check_all_arrived(network: Network, count: int) -> None:
    """Each message that was sent has been received once, and everybody has ended normally."""
    received, sent = network.received(), network.sent()
    assert flat(received) == flat(sent)
    assert sum(map(len, received)) == count
    assert all(map(in_order, received))
    assert all(outcome.is_finished for outcome in network.outcomes())


__all__ = ["Closed", "Network", "Number", "Poisoned", "check_all_arrived", "delays", "flat"]
