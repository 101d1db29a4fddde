"""The same processes in memory, where tests run them, and in sandboxes: each comes to the same outcome."""

from typing import Any

import launched
import pytest
from transputer import Failed, Host, Network
from transputer.host import RemoteTraceback
from transputer.testing import MemoryHost


@pytest.fixture(scope="module", params=["memory", "sandbox"])
def host(request: pytest.FixtureRequest) -> Host:
    return MemoryHost() if request.param == "memory" else Host(max_processes=50)


def test_a_stream(host: Host) -> None:
    with Network(host=host) as net:
        first, second = net.process(launched.double), net.process(launched.double, by=5)
        net.connect(first.doubled, second.numbers, capacity=8)
        net.start()
        first.numbers.send_all([1, 2, 3])
        first.numbers.close()
        assert list(second.doubled) == [10, 20, 30]


def test_a_failure(host: Host) -> None:
    with pytest.raises(Failed, match="nothing for 7") as caught:
        with Network(host=host) as net:
            p = net.start(launched.fails)
            assert p.words.receive() == "about to fail"
            p.numbers.send(7)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert 'raise LookupError(f"nothing for {numbers.receive()}")' in str(caught.value.__cause__)


def test_an_exit(host: Host) -> None:
    with pytest.raises(Failed, match="`exits` failed: exit with status 3"), Network(host=host) as net:
        net.start(launched.exits)


def test_a_deadlock(host: Host) -> None:
    """It is found, and names those who wait for each other."""
    net = Network(host=host)
    first, second = net.process(launched.crosses, name="first"), net.process(launched.crosses, name="second")
    net.connect(first.outbox, second.inbox)
    net.connect(second.outbox, first.inbox)
    net.start()
    outcomes = net.wait()
    assert set(outcomes) == {"first", "second"}
    told = next(outcome.text for outcome in outcomes.values() if outcome.text.startswith("deadlock"))
    assert "first" in told
    assert "second" in told


def test_choices_and_operators(host: Host) -> None:
    with Network(host=host) as net:
        assert net.start(launched.chooses).words.receive() == "7"


def test_a_group(host: Host) -> None:
    """The results of mpi4py, with which tests/test_group.py of the package compares more."""
    with Network(host=host) as net:
        results: list[list[Any]] = net.start(
            launched.launches, size=3, may_spawn={"rank": launched.rank}
        ).results.receive()
    assert [got[0] for got in results] == [("root", 1)] * 3
    assert [got[1] for got in results] == [0, 1, 2]
    assert [got[2] for got in results] == [[0, 1, 2], None, None]
    assert [got[3] for got in results] == [["0", "1", "2"]] * 3
    assert [got[4] for got in results] == [6, None, None]
    assert [got[5] for got in results] == [0.1 + 0.2] * 3
    assert [got[6] for got in results] == ["xxx"] * 3


def test_a_group_exchanges_long_messages(host: Host) -> None:
    with Network(host=host) as net:
        p = net.start(launched.exchange, count=30, may_spawn={"exchanges": launched.exchanges})
        assert list(p.totals) == [sum(range(30))] * 2


def test_a_server(host: Host) -> None:
    with Network(host=host) as net:
        p = net.start(launched.asks, may_spawn={"squares": launched.squares})
        assert list(p.words) == ["[0, 1, 4, 9]", "finished"]
