"""PyCSP's `test/buffertest.py`: the same with buffers of 1, 5, 10 and 20 messages."""

from pycsp import Network, check_all_arrived, delays, flat
from pycsp_wirings import (
    COUNT,
    any2any,
    any2one,
    any_alting2any_alting,
    channel,
    one2any,
    one2one,
    one_alting2any,
)

BUFFERS = (1, 5, 10, 20)


@delays
def test_buffer(read: str, write: str) -> None:
    """All is sent before anybody receives."""
    net = Network()
    sender, receiver = both = channel(COUNT)
    net.write(0, COUNT, write, "retire", sender)
    assert net.children[0].wait().is_finished
    net.read(read, receiver)
    net.close([both])
    check_all_arrived(net, COUNT)


@delays
def test_one2one(read: str, write: str) -> None:
    check_all_arrived(one2one(Network(), BUFFERS, read, write), 40)


@delays
def test_any2one(read: str, write: str) -> None:
    check_all_arrived(any2one(Network(), 20, read, write), 40)


@delays
def test_one2any(read: str, write: str) -> None:
    check_all_arrived(one2any(Network(), 20, read, write), 40)


@delays
def test_one_alting2any(read: str, write: str) -> None:
    check_all_arrived(one_alting2any(Network(), BUFFERS, read, write), 40)


@delays
def test_any2any(read: str, write: str) -> None:
    check_all_arrived(any2any(Network(), 20, read, write), 40)


@delays
def test_any_alting2any_alting(read: str, write: str) -> None:
    """A reader ends with the first of its channels that has, as in PyCSP; what is left in the others has been sent to
    nobody. So it counts between 40 and 160.
    """
    net = any_alting2any_alting(Network(), BUFFERS, read, write)
    received, sent = flat(net.received()), flat(net.sent())
    assert not received - sent
    assert 40 <= received.total() <= sent.total() == 160
