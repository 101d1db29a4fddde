"""The fixtures of `transputer.testing`: a network in memory is used, and ends, as one in sandboxes does."""

import dataclasses
import enum
import os
from importlib.util import find_spec

import pytest
from transputer import (
    Channel,
    Closed,
    Component,
    Deadlock,
    Failed,
    HostError,
    Network,
    PeerFailed,
    Receiver,
    Sender,
    TimedOut,
    log,
    process,
)
from transputer.host import RemoteTraceback
from transputer.testing import MemoryHost

pytest_plugins = ["pytester"]


@process
def double(numbers: Receiver[int], doubled: Sender[int], by: int = 2) -> None:
    for n in numbers:
        doubled.send(by * n)


@process
def fails(numbers: Receiver[int]) -> None:
    raise LookupError(f"nothing for {numbers.receive()}")


@process
def crosses(inbox: Receiver[int], outbox: Sender[int]) -> None:
    outbox.send(inbox.receive())


def test_a_process_is_started_and_talked_to(network: Network) -> None:
    p = network.start(double, by=3)
    p.numbers.send(7)
    assert p.doubled.receive() == 21
    p.numbers.close()
    assert list(p.doubled) == []
    assert p.wait().is_finished


def test_processes_are_wired(network: Network) -> None:
    first, second = network.process(double), network.process(double, by=5)
    network.connect(first.doubled, second.numbers, capacity=4)
    network.start()
    assert (first.name, second.name) == ("double", "double-2")
    first.numbers.send(1)
    assert second.doubled.receive() == 10
    with pytest.raises(AttributeError, match="no port `doubled`"):
        _ = first.doubled


def test_mistakes_are_told(network: Network) -> None:
    first = network.process(double)
    with pytest.raises(HostError, match="is an output, not an input"):
        network.connect(first.doubled, first.doubled)
    with pytest.raises(HostError, match="only Python functions marked `@process` run in memory"):
        network.process("double.wasm")
    with pytest.raises(HostError, match="no argument `times`"):
        network.process(double, times=3)
    network.start()


def test_a_failure_is_raised_with_its_traceback() -> None:
    net = Network(host=MemoryHost())
    with pytest.raises(Failed, match="`fails` failed: LookupError: nothing for 1") as caught, net:
        net.start(fails).numbers.send(1)
    assert isinstance(caught.value.__cause__, RemoteTraceback)


def test_a_deadlock_is_found_and_named() -> None:
    net = Network(host=MemoryHost())
    first, second = net.process(crosses, name="first"), net.process(crosses, name="second")
    net.connect(first.outbox, second.inbox)
    net.connect(second.outbox, first.inbox)
    net.start()
    with pytest.raises(Failed, match="deadlock: ") as caught:
        net.join()
    assert "process `first` waits to receive from `second.outbox -> first.inbox`" in str(caught.value)
    assert "process `second` waits to receive from `first.outbox -> second.inbox`" in str(caught.value)


def test_a_test_that_waits_for_ever_is_told_so() -> None:
    p = Network(host=MemoryHost()).start(crosses)
    with pytest.raises(Deadlock, match="process `crosses` waits to receive from `program -> crosses.inbox`"):
        p.outbox.receive()


def test_stopping_and_waiting(network: Network) -> None:
    p = network.start(double)
    with pytest.raises(TimedOut):
        p.wait(timeout=0.001)
    p.numbers.close()
    with pytest.raises(Closed):
        p.doubled.receive()


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Settings:
    colour: Colour
    size: int | None = None


@process
def tells(settings: Settings, out: Sender[str]) -> None:
    log(3, "about to tell")
    out.send(f"{settings.colour.name} {settings.size}")


def test_arguments_and_logs(network: Network, process_log: list[tuple[str, str, str]]) -> None:
    p = network.start(tells, settings=Settings(Colour.RED), limits={"memory": "64 MiB"})
    assert p.out.receive() == "RED None"
    p.join()
    assert process_log == [("tells", "warn", "about to tell")]


@process
def spawns(words: Sender[str]) -> None:
    Component("teller")(settings=Settings(Colour.RED, 3), out=words).start()


def test_children_by_name(network: Network) -> None:
    p = network.start(spawns, may_spawn={"teller": tells})
    assert p.words.receive() == "RED 3"


def test_peers_hear_of_a_failure_and_the_cause_comes_first() -> None:
    net = Network(host=MemoryHost())
    second = net.process(double, name="a")
    first = net.process(double_then_fails, name="b")
    net.connect(first.doubled, second.numbers)
    net.start()
    first.numbers.send(1)
    with pytest.raises(PeerFailed):
        second.doubled.receive()
    assert list(net.wait()) == ["b", "a"]


@process
def double_then_fails(numbers: Receiver[int], doubled: Sender[int]) -> None:
    numbers.receive()
    raise ValueError("spoiled")


def test_a_test_whose_process_fails_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from transputer import Receiver, process

        @process
        def fails(numbers: Receiver[int]):
            raise LookupError("nothing")

        def test_it(network):
            network.start(fails)
    """)
    outcome = pytester.runpytest_inprocess("-p", "transputer.testing.plugin", "-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=1, errors=1)
    outcome.stdout.fnmatch_lines(["*LookupError: `fails` failed: LookupError: nothing*"])


def test_channels_are_those_of_the_core_where_the_host_is() -> None:
    own = os.environ.get("TRANSPUTER_MEMORY") == "python" or find_spec("transputer._host") is None
    sender, receiver = Channel(int, capacity=1)
    made = {type(end._raw).__module__.rpartition(".")[2] for end in (sender, receiver)}
    assert made == {"channel" if own else "core"}
