"""Channels, in memory: what the Rust SDK and the host say of them holds here, too."""

import gc
import threading
from typing import Any

import pytest
from transputer import (
    SKIP,
    Barrier,
    Broadcast,
    CarriesEnds,
    Channel,
    Closed,
    Deadlock,
    HoldsMessages,
    Misfit,
    Moved,
    NoGuard,
    Overflow,
    Poisoned,
    Receiver,
    Sender,
    TimedOut,
    Undecodable,
    WouldBlock,
    after,
    alt,
    process,
    receiving,
    select,
    sending,
)


def test_first_in_first_out() -> None:
    numbers, receiver = Channel(int, capacity=3)
    numbers.send_all([1, 2, 3])
    with pytest.raises(WouldBlock):
        numbers.try_send(4)
    assert [receiver.receive() for _ in range(3)] == [1, 2, 3]
    with pytest.raises(WouldBlock):
        receiver.try_receive()


def test_rendezvous_waits_for_the_receiver() -> None:
    numbers, receiver = Channel(int)
    with pytest.raises(WouldBlock):
        numbers.try_send(1)
    with pytest.raises(TimedOut):
        numbers.send(1, timeout=0.001)
    with pytest.raises(TimeoutError):
        receiver.receive(timeout=0)
    assert numbers.statistics == (0, 0, 0, 0)


def test_closed_after_what_waits() -> None:
    numbers, receiver = Channel(int, capacity=2)
    other = numbers.clone()
    numbers.send(1)
    numbers.close()
    numbers.close()
    other.send(2)
    other.close()
    assert list(receiver) == [1, 2]
    with pytest.raises(Closed):
        receiver.receive()
    with pytest.raises(Moved):
        numbers.send(3)


def test_a_dropped_end_is_closed() -> None:
    numbers, receiver = Channel(int, capacity=1)
    numbers.send(1)
    del numbers
    gc.collect()
    assert list(receiver) == [1]


def test_the_last_receiver_gone_closes_for_senders() -> None:
    numbers, receiver = Channel(int, capacity=2)
    numbers.send(1)
    receiver.close()
    with pytest.raises(Closed):
        numbers.send(2)
    assert numbers.statistics.dropped == 1


def test_poison_ends_both_sides_and_keeps_its_first_reason() -> None:
    numbers, receiver = Channel(int, capacity=2)
    numbers.send(1)
    receiver.poison("too hot")
    numbers.poison("later")
    for operation in (lambda: numbers.send(2), receiver.receive, lambda: list(receiver)):
        with pytest.raises(Poisoned, match="the channel was poisoned: too hot"):
            operation()
    assert receiver.poison_reason == "too hot"
    assert numbers.statistics.dropped == 1


@pytest.mark.parametrize(
    ("overflow", "left"), [(Overflow.DROP_OLDEST, [2, 3]), (Overflow.DROP_NEWEST, [1, 2])]
)
def test_overflow(overflow: Overflow, left: list[int]) -> None:
    numbers, receiver = Channel(int, 2, overflow)
    numbers.send_all([1, 2, 3])
    assert numbers.statistics == (3, 0, 1, 2)
    numbers.close()
    assert list(receiver) == left


def test_wrong_types_are_told_at_the_sender_and_nothing_is_sent() -> None:
    numbers, receiver = Channel(list[int], capacity=1)
    with pytest.raises(Misfit, match=r"found the str 'x' in `\[1\]`"):
        numbers.send([1, "x"])  # type: ignore[list-item]
    assert receiver.statistics.sent == 0


def test_a_loop_that_is_left_keeps_its_messages() -> None:
    numbers, receiver = Channel(int, capacity=5)
    numbers.send_all([1, 2, 3, 4, 5])
    for number in receiver:
        if number == 2:
            break
    carrier, _ = Channel(Receiver[int], capacity=1)
    with pytest.raises(HoldsMessages):
        carrier.send(receiver)
    assert select(SKIP, receiver, priority=True).index == 0
    assert select(receiver, SKIP, priority=True).message == 3
    assert receiver.try_receive() == 4
    assert receiver.receive() == 5
    numbers.close()
    assert list(receiver) == []


def test_with_closes_and_poisons_after_an_exception() -> None:
    numbers, receiver = Channel(int, capacity=1)
    with numbers:
        numbers.send(1)
    assert list(receiver) == [1]
    numbers, receiver = Channel(int, capacity=1)
    with pytest.raises(KeyError), numbers:
        raise KeyError("lost")
    with pytest.raises(Poisoned, match="KeyError: 'lost'"):
        receiver.receive()


def test_ends_move_inside_messages() -> None:
    carrier, carried = Channel(Sender[str], capacity=1)
    words, receiver = Channel(str, capacity=1)
    carrier.send(words)
    with pytest.raises(Moved):
        words.send("lost")
    moved = carried.receive()
    moved.send("found")
    assert receiver.receive() == "found"
    with pytest.raises(Misfit, match="it is a sender<s64>"):
        carrier.send(Channel(int).sender)  # type: ignore[arg-type]


def test_ends_come_back_if_they_are_not_sent() -> None:
    carrier, carried = Channel(Sender[str])
    words, receiver = Channel(str, capacity=1)
    with pytest.raises(WouldBlock):
        carrier.try_send(words)
    words.send("still here")
    assert receiver.receive() == "still here"
    carried.close()
    with pytest.raises(Closed):
        carrier.send(words)
    words.send("still here")


def test_ends_in_a_message_that_is_dropped_are_closed() -> None:
    carrier, carried = Channel(Sender[str], capacity=1)
    words, receiver = Channel(str, capacity=1)
    carrier.send(words)
    carried.poison("nobody reads them")
    with pytest.raises(Closed):
        receiver.receive()


def test_select_is_one_communication() -> None:
    a, b = Channel(int, capacity=1), Channel(int, capacity=1)
    a.sender.send(1)
    b.sender.send(2)
    seen = {select(a.receiver, b.receiver).message for _ in range(2)}
    assert seen == {1, 2}
    assert select(a.receiver, b.receiver, SKIP).index == 2
    assert select(a.receiver, after(0.001)).index == 1
    assert select(None, sending(a.sender, 7), None).index == 1
    assert a.receiver.receive() == 7
    with pytest.raises(NoGuard):
        select(None)


def test_select_with_priority_takes_the_first() -> None:
    a, b = Channel(int, capacity=64), Channel(int, capacity=64)
    for _ in range(32):
        a.sender.send(1)
        b.sender.send(2)
    assert [select(b.receiver, a.receiver, priority=True).message for _ in range(32)] == [2] * 32
    assert select(b.receiver, a.receiver, priority=True).message == 1


def test_fair_select_chooses_every_guard() -> None:
    a, b = Channel(int, capacity=256), Channel(int, capacity=256)
    a.sender.send_all([1] * 256)
    b.sender.send_all([2] * 256)
    # All alike in one of 2**127 runs.
    assert {select(a.receiver, b.receiver).message for _ in range(128)} == {1, 2}


def test_select_never_communicates_with_itself() -> None:
    numbers, receiver = Channel(int)
    assert select(receiving(receiver), sending(numbers, 1), after(0.001)).index == 2


def test_select_tells_how_a_channel_has_ended() -> None:
    numbers, receiver = Channel(int)
    numbers.close()
    chosen = select(receiver)
    assert isinstance(chosen.error, Closed)
    with pytest.raises(Closed):
        _ = chosen.message


def test_select_sends_to_whoever_waits() -> None:
    numbers, receiver = Channel(int)
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(receiver.receive()))
    thread.start()
    assert select(sending(numbers, 3)).index == 0
    thread.join()
    assert got == [3]


def test_a_message_with_ends_cannot_be_offered() -> None:
    carrier, _ = Channel(Sender[int])
    with pytest.raises(CarriesEnds):
        sending(carrier, Channel(int).sender)


def test_alt_goes_on_until_all_are_closed() -> None:
    a, b = Channel(int, capacity=2), Channel(int, capacity=2)
    a.sender.send_all([1, 2])
    b.sender.send(3)
    a.sender.close()
    b.sender.close()
    assert sorted(chosen.message for chosen in alt(a.receiver, b.receiver)) == [1, 2, 3]


def test_undecodable_names_the_port_and_the_next_can_be_received() -> None:
    @process
    def strict(numbers: Receiver[int], told: Sender[str]) -> None:
        try:
            numbers.receive()
        except Undecodable as error:
            told.send(str(error))
        told.send(str(numbers.receive()))

    texts, wire = Channel(int, capacity=2)
    texts._open().send(b"\x61x", None)
    texts.send(7)
    last, told = Channel(str, capacity=2)
    strict(wire, last).start().join()
    assert list(told) == ["a message at `numbers`: expected s64, found the text `x` (byte 0)", "7"]


def test_a_barrier_lets_all_go_on_together() -> None:
    @process
    def member(places: Receiver[Barrier], passed: Sender[int], rounds: int) -> None:
        barrier = places.receive()
        for turn in range(rounds):
            barrier.sync()
            passed.send(turn)

    barrier = Barrier()
    last, passed = Channel(int, capacity=8)
    children = []
    for _ in range(2):
        places, wire = Channel(Barrier, capacity=1)
        places.send(barrier.enrol())
        children.append(member(wire, last.clone(), 2).start())
    last.close()
    assert barrier.members == 3
    with pytest.raises(WouldBlock):
        passed.try_receive()
    barrier.sync()
    assert sorted([passed.receive(), passed.receive()]) == [0, 0]
    barrier.resign()
    assert sorted(passed) == [1, 1]
    for child in children:
        child.join()


def test_broadcast_leaves_out_who_has_gone() -> None:
    news: Broadcast[str] = Broadcast(str)
    a, b = news.subscribe(capacity=1), news.subscribe(capacity=1)
    a.close()
    assert news.send("one") == 1
    assert b.receive() == "one"
    b.poison("enough")
    assert news.send("two") == 0
    assert [str(error) for error in news.lost] == ["the channel was poisoned: enough"]
    with pytest.raises(CarriesEnds):
        Broadcast(Sender[int])


def test_a_deadlock_is_found_and_named() -> None:
    @process
    def waits(inbox: Receiver[int], outbox: Sender[int]) -> None:
        outbox.send(inbox.receive())

    a, b = Channel(int), Channel(int)
    first = waits(a.receiver, b.sender).named("first").start()
    second = waits(b.receiver, a.sender).named("second").start()
    for child in (first, second):
        outcome = child.wait()
        assert outcome.kind == "failed"
        assert outcome.text.startswith(("deadlock: ", "a process at the channel failed: "))
    texts = first.wait().text + second.wait().text
    assert "process `first` waits to receive from `second.outbox -> first.inbox`" in texts
    assert "process `second` waits to receive from `first.outbox -> second.inbox`" in texts


def test_a_program_that_waits_for_itself_is_told() -> None:
    numbers, receiver = Channel(int)
    with pytest.raises(Deadlock):
        receiver.receive()
    assert numbers.statistics.sent == 0


def test_untyped_ends_carry_any_value() -> None:
    anything, receiver = Channel(capacity=1)
    value: Any = {"n": 2**70, 3: [None, b"x"]}
    anything.send(value)
    assert receiver.receive() == value


def test_a_thread_that_ends_leaves_a_deadlock_that_is_found() -> None:
    numbers, receiver = Channel(int)
    others = threading.Event()
    thread = threading.Thread(target=others.wait)
    thread.start()
    threading.Timer(0.05, others.set).start()
    with pytest.raises(Deadlock):
        receiver.receive()
    thread.join()
    assert numbers.statistics.sent == 0
