"""PyCSP's `test/poisontest.py`: whoever has sent everything poisons its channels."""

import pytest
from pycsp import Network, delays, flat
from pycsp_wirings import COUNT, any2any, any_alting2any_alting, channel

NO_BUFFERS = (0, 0, 0, 0)


def check_poisoned(net: Network, least: int, most: int) -> None:
    """Nothing arrived that was not sent, and only what was received counts as sent; the poison got everywhere."""
    received, sent = net.received(), net.sent()
    assert flat(received) == flat(sent)
    assert least <= sum(map(len, received)) <= most
    for outcome in net.outcomes():
        assert outcome.is_finished or outcome.text.endswith("the channel was poisoned: done")


@delays
def test_one2one(read: str, write: str) -> None:
    net = Network()
    sender, receiver = both = channel(0)
    net.read(read, receiver)
    net.write(1, COUNT, write, "poison", sender)
    net.close([both])
    check_poisoned(net, 10, 10)
    assert [outcome.kind for outcome in net.outcomes()] == ["failed", "finished"]


@delays
def test_any2one_alting(read: str, write: str) -> None:
    net = Network()
    channels = [channel(0) for _ in range(4)]
    net.read(read, *(receiver for _, receiver in channels))
    for id, (sender, _) in enumerate(channels):
        net.write(id, COUNT, write, "poison", sender)
    net.close(channels)
    check_poisoned(net, 10, 40)


@delays
def test_any2any(read: str, write: str) -> None:
    check_poisoned(any2any(Network(), 0, read, write, "poison"), 10, 40)


@pytest.mark.parametrize("run", range(8))
def test_any_alting2any_alting(run: int) -> None:
    net = any_alting2any_alting(Network(), NO_BUFFERS, "Zero", "Zero", 2, 2, "poison")
    check_poisoned(net, 40, 80)
