"""PyCSP's `test/selecttest.py` and `test/guardtest.py`: kinds of choice, skip and timeouts."""

import pytest
from pycsp import Number
from transputer import SKIP, Channel, Receiver, Sender, after, process, select, sending

COUNT = 10


@process
def writer(numbers: Sender[Number], id: int, count: int) -> None:
    for n in range(count):
        numbers.send((id, n))


def four_writers() -> list[Channel[Number]]:
    channels = [Channel[Number](Number) for _ in range(4)]
    for id, (sender, _) in enumerate(channels):
        writer(sender, id, COUNT).start()
    return channels


@pytest.mark.parametrize("kind", ["AltSelect", "PriSelect", "FairSelect"])
def test_any2one_alting(kind: str) -> None:
    receivers = [receiver for _, receiver in four_writers()]
    got: list[Number] = []
    left = list(receivers)
    while left:
        chosen = select(*left, priority=kind == "PriSelect")
        if chosen.error is not None:
            left.pop(chosen.index)
        else:
            got.append(chosen.message)
    for id in range(4):
        assert [n for sender, n in got if sender == id] == list(range(COUNT))


def test_skip_guard_in_the_middle() -> None:
    """Before a skip, channels are looked at without waiting; behind it, never. Nothing is lost by looking."""
    left: list[Receiver[Number] | None] = [receiver for _, receiver in four_writers()]
    got: list[Number] = []
    while any(left):
        chosen = select(left[0], left[1], SKIP, left[2], left[3], priority=True)
        place = chosen.index - (chosen.index > 2)
        if chosen.index == 2:
            waiting = [end for end in left if end is not None]
            chosen = select(*waiting)
            place = left.index(waiting[chosen.index])
        if chosen.error is None:
            got.append(chosen.message)
        else:
            left[place] = None
    assert sorted(got) == [(id, n) for id in range(4) for n in range(COUNT)]


def test_timeout_guard() -> None:
    _kept, receiver = Channel(int)
    assert select(receiver, after(0.001), priority=True).index == 1


def test_output_guard_with_timeout() -> None:
    sender, receiver = Channel(int)
    assert select(sending(sender, 1), after(0.001)).index == 1
    assert receiver.statistics == (0, 0, 0, 0)
