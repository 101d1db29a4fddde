"""PyCSP's `test/commtest.py`: every kind of channel, and choices on both sides."""

from pycsp import Network, check_all_arrived, delays
from pycsp_wirings import (
    any2any,
    any2one,
    any_alting2any_alting,
    one2any,
    one2one,
    one_alting2any,
)

NO_BUFFERS = (0, 0, 0, 0)


@delays
def test_one2one(read: str, write: str) -> None:
    check_all_arrived(one2one(Network(), NO_BUFFERS, read, write), 40)


@delays
def test_any2one(read: str, write: str) -> None:
    check_all_arrived(any2one(Network(), 0, read, write), 40)


@delays
def test_one2any(read: str, write: str) -> None:
    check_all_arrived(one2any(Network(), 0, read, write), 40)


@delays
def test_one_alting2any(read: str, write: str) -> None:
    check_all_arrived(one_alting2any(Network(), NO_BUFFERS, read, write), 40)


@delays
def test_any2any(read: str, write: str) -> None:
    check_all_arrived(any2any(Network(), 0, read, write), 40)


@delays
def test_any_alting2any_alting(read: str, write: str) -> None:
    check_all_arrived(any_alting2any_alting(Network(), NO_BUFFERS, read, write), 160)
