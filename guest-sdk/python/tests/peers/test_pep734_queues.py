"""PEP 734's queues between interpreters: CPython's `test_interpreters/test_queues.py`, asked of channels."""

import threading
from typing import Any

import pytest
from transputer import Channel, Closed, Overloaded, Receiver, Sender, TimedOut, WouldBlock, process
from transputer.payload import Object


def queue(maxsize: int) -> Channel[Any]:
    return Channel[Any](Object, capacity=maxsize)


def empty(q: Channel[Any]) -> bool:
    return q.receiver.statistics.waiting == 0


@pytest.mark.parametrize("maxsize", [1, 3, 100, 10_000])
def test_create(maxsize: int) -> None:
    q = queue(maxsize)
    for n in range(maxsize):
        q.sender.try_send(n)
    with pytest.raises(WouldBlock):
        q.sender.try_send(maxsize)


def test_create_negative_and_bad_maxsize() -> None:
    with pytest.raises(ValueError, match="cannot have the capacity -1"):
        queue(-1)
    with pytest.raises(TypeError):
        queue("1")  # type: ignore[arg-type]
    with pytest.raises(Overloaded):
        queue(1 << 40)


def test_shareable() -> None:
    """A queue can be sent through a queue, which here gives its end away."""
    q1 = Channel(Sender[int], capacity=1)
    inner, received = Channel(int, capacity=1)
    q1.sender.send(inner)
    q1.receiver.receive().send(5)
    assert received.receive() == 5


def test_ends_are_hashable_and_equal_to_themselves_alone() -> None:
    a, b = queue(1), queue(1)
    assert len({a.sender, a.receiver, b.sender}) == 3
    assert a.sender == a.sender
    assert a.sender != b.sender


def test_empty() -> None:
    q = queue(1)
    seen = [empty(q)]
    q.sender.send(None)
    seen.append(empty(q))
    q.receiver.receive()
    assert [*seen, empty(q)] == [True, False, True]


def test_full() -> None:
    q, full = queue(3), []
    for _ in range(3):
        full.append(q.sender.statistics.waiting == 3)
        q.sender.send(None)
    full.append(q.sender.statistics.waiting == 3)
    for _ in range(3):
        q.receiver.receive()
        full.append(q.sender.statistics.waiting == 3)
    assert full == [False, False, False, True, False, False, False]


def test_qsize() -> None:
    q, sizes = queue(8), []
    for step in (0, 1, 1, 1, -1, 1, -1, -1, -1, 1, -1):
        if step > 0:
            q.sender.send(None)
        elif step < 0:
            q.receiver.receive()
        sizes.append(q.sender.statistics.waiting)
    assert sizes == [0, 1, 2, 3, 2, 3, 2, 1, 0, 1, 0]


def test_put_get_main() -> None:
    q = queue(20)
    for n in range(20):
        q.sender.send(n)
    assert [q.receiver.receive() for _ in range(20)] == list(range(20))


def test_put_timeout() -> None:
    """CPython expects this one to fail, or did when its queues came."""
    q = queue(2)
    q.sender.send(None)
    q.sender.send(None)
    with pytest.raises(TimedOut):
        q.sender.send(None, timeout=0.01)
    q.receiver.receive()
    q.sender.send(None)


def test_put_nowait() -> None:
    q = queue(2)
    q.sender.try_send(None)
    q.sender.try_send(None)
    with pytest.raises(WouldBlock):
        q.sender.try_send(None)
    q.receiver.receive()
    q.sender.try_send(None)


def test_get_timeout_and_nowait() -> None:
    q = queue(1)
    with pytest.raises(TimedOut):
        q.receiver.receive(timeout=0.01)
    with pytest.raises(WouldBlock):
        q.receiver.try_receive()


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -(2**63), 2**63 - 1, 10**30, 1.5, "", "spam", b"", b"spam", (1, (2, "x")), ()],
    ids=repr,
)
def test_shareable_values_arrive_as_equal_copies(value: object) -> None:
    q = queue(1)
    q.sender.send(value)
    got = q.receiver.receive()
    assert got == value
    assert type(got) is type(value)


def test_what_cannot_be_shared_is_told() -> None:
    q = queue(1)
    for value in (object(), lambda: None, threading.Lock(), [1, {2: object()}]):
        with pytest.raises(TypeError):
            q.sender.send(value)
    assert empty(q)


@process
def other_interpreter(queue1: Receiver[bytes], queue2: Sender[bytes]) -> None:
    assert queue1.statistics.waiting == 1
    assert queue1.receive() == b"spam"
    assert queue1.statistics.waiting == 0
    queue2.send(b"eggs")


def test_put_get_different_interpreters() -> None:
    (put, queue1), (queue2, get) = Channel(bytes, capacity=1), Channel(bytes, capacity=1)
    put.send(b"spam")
    other_interpreter(queue1, queue2).start().join()
    assert get.statistics.waiting == 1
    assert get.receive() == b"eggs"


@process
def puts_two(queue: Sender[bytes]) -> None:
    queue.send(b"spam")
    queue.send(b"eggs")


def test_put_stays_when_the_subinterpreter_has_ended() -> None:
    """Where CPython clears what its interpreter had put, a process that ends normally leaves it."""
    q = Channel(bytes, capacity=4)
    puts_two(q.sender).start().join()
    assert list(q.receiver) == [b"spam", b"eggs"]


def test_put_get_different_threads() -> None:
    q1, q2 = queue(1), queue(1)
    thread = threading.Thread(target=lambda: q2.sender.send(q1.receiver.receive()))
    thread.start()
    original = b"spam" * 100
    q1.sender.send(original)
    got = q2.receiver.receive()
    thread.join()
    assert got == original
    assert got is not original


def test_destroyed() -> None:
    """Where an id no longer found raises there, the other side's end does here."""
    q = queue(1)
    q.receiver.close()
    with pytest.raises(Closed):
        q.sender.send(1)
