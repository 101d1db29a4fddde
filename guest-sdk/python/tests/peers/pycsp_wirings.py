"""The six ways in which PyCSP's tests wire readers and writers."""

from pycsp import Network, Number
from transputer import Channel

# What each writer sends.
COUNT = 10

Capacities = tuple[int, int, int, int]


def channel(capacity: int) -> Channel[Number]:
    return Channel[Number](Number, capacity)


def one2one(net: Network, capacities: Capacities, read: str, write: str) -> Network:
    channels = [channel(capacity) for capacity in capacities]
    for id, (sender, receiver) in enumerate(channels):
        net.read(read, receiver)
        net.write(id, COUNT, write, "retire", sender)
    net.close(channels)
    return net


def any2one(net: Network, capacity: int, read: str, write: str) -> Network:
    sender, receiver = both = channel(capacity)
    net.read(read, receiver)
    for id in range(4):
        net.write(id, COUNT, write, "retire", sender)
    net.close([both])
    return net


def one2any(net: Network, capacity: int, read: str, write: str) -> Network:
    sender, receiver = both = channel(capacity)
    net.write(0, 4 * COUNT, write, "retire", sender)
    for _ in range(4):
        net.read(read, receiver)
    net.close([both])
    return net


def one_alting2any(net: Network, capacities: Capacities, read: str, write: str) -> Network:
    channels = [channel(capacity) for capacity in capacities]
    net.write(0, 4 * COUNT, write, "retire", *(sender for sender, _ in channels))
    for _, receiver in channels:
        net.read(read, receiver)
    net.close(channels)
    return net


def any2any(net: Network, capacity: int, read: str, write: str, end: str = "retire") -> Network:
    sender, receiver = both = channel(capacity)
    for id in range(4):
        net.read(read, receiver)
        net.write(id, COUNT, write, end, sender)
    net.close([both])
    return net


def any_alting2any_alting(
    net: Network,
    capacities: Capacities,
    read: str,
    write: str,
    writers: int = 4,
    readers: int = 3,
    end: str = "retire",
) -> Network:
    channels = [channel(capacity) for capacity in capacities]
    for id in range(writers):
        net.write(id, 4 * COUNT, write, end, *(sender for sender, _ in channels))
    for _ in range(readers):
        net.read(read, *(receiver for _, receiver in channels))
    net.close(channels)
    return net
