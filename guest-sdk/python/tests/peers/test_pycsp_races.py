"""PyCSP's retire and poison, from several sides at the same moment."""

import random
import threading
from collections.abc import Callable

from pycsp import Network, flat
from pycsp_wirings import channel
from transputer import Channel, Closed, Poisoned, Receiver, select, sending

ROUNDS = 200


def together(*actions: Callable[[], None]) -> None:
    """Runs the actions at once, as near as threads come to that."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], None]) -> None:
        barrier.wait()
        action()

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_retire_race_loses_nothing() -> None:
    """Writers that retire while others send, and readers that retire while others receive."""
    for run in range(ROUNDS // 4):
        chance = random.Random(run)
        net = Network()
        sender, receiver = both = channel(chance.choice((0, 1, 5)))
        for id in range(4):
            net.write(id, chance.randrange(6), "Zero", "retire", sender)
        for _ in range(3):
            net.read("Zero", receiver)
        net.close([both])
        assert flat(net.received()) == flat(net.sent())
        assert all(outcome.is_finished for outcome in net.outcomes())


def test_retire_against_send() -> None:
    """The last reader retires while a message comes: it was sent and dropped, or was not sent."""
    for _ in range(ROUNDS):
        sender, receiver = Channel(int, capacity=1)
        sent: list[bool] = []

        def send(sender: object = sender, sent: list[bool] = sent) -> None:
            try:
                sender.send(1)  # type: ignore[attr-defined]
                sent.append(True)
            except Closed:
                sent.append(False)

        together(send, receiver.close)
        statistics = sender.statistics
        assert (statistics.sent, statistics.dropped) == ((1, 1) if sent == [True] else (0, 0))


def test_poison_race_has_one_reason() -> None:
    """Both sides poison at once: whoever was first, all hear the same."""
    for _ in range(ROUNDS):
        sender, receiver = Channel(int)
        third = receiver.clone()
        heard: list[str] = []

        def wait(third: Receiver[int] = third, heard: list[str] = heard) -> None:
            try:
                third.receive()
            except Poisoned as poisoned:
                heard.append(poisoned.reason or "")

        together(wait, lambda: sender.poison("left"), lambda: receiver.poison("right"))
        assert heard == [sender.poison_reason] == [receiver.poison_reason]
        assert heard[0] in ("left", "right")


def test_poison_against_a_rendezvous() -> None:
    """Poison never undoes a rendezvous: both sides have it, or neither."""
    for _ in range(ROUNDS):
        sender, receiver = Channel(int)
        met: list[str] = []

        def send(sender: object = sender, met: list[str] = met) -> None:
            try:
                sender.send(1)  # type: ignore[attr-defined]
                met.append("sent")
            except Poisoned:
                pass

        def receive(receiver: Receiver[int] = receiver, met: list[str] = met) -> None:
            try:
                met.append(f"received {receiver.receive()}")
            except Poisoned:
                pass

        poisoner = receiver.clone()
        together(send, receive, lambda: poisoner.poison("now"))
        assert sorted(met) in ([], ["received 1", "sent"])


def test_choices_that_meet_while_one_side_retires() -> None:
    """Choices on both sides, one of whose channels closes meanwhile: the other carries on, and no process is left."""
    before = threading.active_count()
    for _ in range(ROUNDS):
        a, b = Channel(int), Channel(int)
        other = a.receiver.clone()
        a.receiver.close()
        got: list[int] = []

        def offer(a: Channel[int] = a, b: Channel[int] = b) -> None:
            chosen = select(sending(a.sender, 1), sending(b.sender, 2))
            if chosen.index == 0 and isinstance(chosen.error, Closed):
                b.sender.send(2)

        together(offer, other.close, lambda: got.append(b.receiver.receive()))
        assert got == [2]
    assert threading.active_count() == before
