"""python-csp: its README, `test/testcsp.py`, and the sizes of messages at which its channels broke."""

import pytest
from transputer import SKIP, Channel, Failures, Receiver, Sender, par, process, select, seq


@process
def writer(channel: Sender[int], n: int) -> None:
    for i in range(n):
        channel.send(i)


@process
def reader(channel: Receiver[int], seen: Sender[list[int]]) -> None:
    seen.send(list(channel))


def test_readme() -> None:
    """The README's example in this SDK's words; `tests/test_operators.py` has it in its own."""
    (sender, receiver), (last, seen) = Channel(int), Channel[list[int]](list[int], capacity=1)
    par(reader(receiver, last), writer(sender, 5))
    assert seen.receive() == [0, 1, 2, 3, 4]


@process
def echo(given: Receiver[bytes], back: Sender[bytes]) -> None:
    for message in given:
        back.send(message)


@process
def echo_text(given: Receiver[str], back: Sender[str]) -> None:
    for message in given:
        back.send(message)


SIZES = [size + step for size in (1016, 2040, 70_000) for step in (-1, 0, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_message_sizes(size: int) -> None:
    """Bytes and texts around 1016, 2040 and 70000 bytes, at a rendezvous and in a buffer."""
    for capacity in (0, 3):
        (numbers, wire), (last, back) = Channel(bytes, capacity), Channel(bytes, capacity)
        child = echo(wire, last).start()
        message = bytes(n % 251 for n in range(size))
        numbers.send(message)
        assert back.receive() == message
        numbers.close()
        child.join()
        (words, text_wire), (text_last, text_back) = Channel(str, capacity), Channel(str, capacity)
        child = echo_text(text_wire, text_last).start()
        text = "ä" * (size // 2) + "x" * (size % 2)
        words.send(text)
        assert text_back.receive() == text
        words.close()
        child.join()


@process
def foo(n: int, seen: Sender[int]) -> None:
    seen.send(n)


def test_testseq() -> None:
    last, seen = Channel(int, capacity=3)
    seq(*(foo(n, last.clone()) for n in (1, 2, 3)))
    last.close()
    assert list(seen) == [1, 2, 3]


def test_testpar() -> None:
    last, seen = Channel(int, capacity=5)
    par(*(foo(n, last.clone()) for n in range(5)))
    last.close()
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_send100_recv100() -> None:
    (sender, receiver), (last, seen) = Channel(int), Channel[list[int]](list[int], capacity=1)
    par(writer(sender, 100), reader(receiver, last))
    assert seen.receive() == list(range(100))


def test_testpoison() -> None:
    (sender, receiver), (last, _seen) = Channel(int), Channel[list[int]](list[int], capacity=1)
    sender.poison("Sending termination event")
    with pytest.raises(Failures, match="Sending termination event"):
        par(reader(receiver, last))


def test_alt0_of_skips() -> None:
    for _ in range(3):
        assert select(SKIP, SKIP, SKIP).message is None


def test_alt_of_two_senders_takes_each_once() -> None:
    (a, left), (b, right) = Channel(int), Channel(int)
    writer(a, 1).start()
    foo(7, b).start()
    first = select(left, right)
    second = select(right if first.index == 0 else left)
    assert sorted([first.message, second.message]) == [0, 7]
