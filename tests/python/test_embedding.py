"""Networks in a Python program, whose processes run in sandboxes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PYTHON_GUESTS, RUST_GUESTS, TIMEOUT, environment
from transputer import (
    SKIP,
    Closed,
    Failed,
    Host,
    HostError,
    Misfit,
    Network,
    PeerFailed,
    PeerKilled,
    TimedOut,
    WouldBlock,
    after,
    select,
    sending,
)
from transputer.host import RemoteTraceback, load

PERFORM = PYTHON_GUESTS / "tasks.py"
COUNT = RUST_GUESTS / "count.wasm"
DOUBLE = RUST_GUESTS / "double.wasm"


@pytest.fixture(scope="module")
def host() -> Host:
    return Host(max_processes=50)


@pytest.fixture
def logged() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def net(host: Host, logged: list[tuple[str, str, str]]) -> Iterator[Network]:
    network = Network("test", host=host, log=lambda *line: logged.append(line))
    yield network
    network.stop("the test is over")
    network.close()


def program(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of a user's."""
    return subprocess.run(
        [sys.executable, str(Path(__file__).parent / "programs" / name), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_the_three_minute_program() -> None:
    done = program("three_minutes.py")
    assert (done.stdout, done.returncode) == ("42\n", 0), done.stderr


def test_a_program_of_several_modules() -> None:
    """Functions of other modules, one in a package, and a process in Rust, each with limits and arguments."""
    done = program("several.py", str(DOUBLE))
    assert (done.stdout, done.returncode) == ("[0, 18, 72, 162]\n", 0), done.stderr


def test_messages_leave_no_memory_behind() -> None:
    """A hundred thousand messages of 1 KiB each way, between processes that may have 64 MiB each."""
    done = program("many_messages.py", "100000", "1024")
    assert (done.stdout, done.returncode) == ("100000\n", 0), done.stderr


def test_long_messages_leave_no_memory_behind() -> None:
    """Nor those that a choice sends, or that carry ends of channels."""
    done = program("long_messages.py", "1000")
    assert (done.stdout, done.returncode) == ("1000\n", 0), done.stderr


def test_cancelled_operations_lose_nothing_in_a_sandbox() -> None:
    done = program("cancelled.py", "1000")
    assert (done.stdout.count(" 0 lost or twice\n"), done.returncode) == (4, 0), done.stderr


def test_wired_processes_in_two_languages(net: Network) -> None:
    with net:
        count = net.process(COUNT, limit=500)
        triples = net.process(PERFORM, task="triples")
        net.connect(count.numbers, triples.inbox, capacity=8)
        net.start()
        assert list(triples.outbox) == [3 * n for n in range(500)]
    assert net.wait() == {}


def test_ends_send_and_receive(net: Network) -> None:
    p = net.start(PERFORM, task="one_by_one")
    with pytest.raises(WouldBlock):
        p.outbox.try_receive()
    with pytest.raises(TimedOut):
        p.outbox.receive(timeout=0.01)
    for n in range(100):
        p.inbox.send(n, timeout=TIMEOUT)
        assert p.outbox.receive() == n + 1
    assert p.inbox.statistics.received == 100
    with pytest.raises(Misfit, match="a message for `inbox`: expected u64, found the int -1"):
        p.inbox.send(-1)
    p.inbox.close()
    assert list(p.outbox) == []
    assert p.wait().is_finished
    p.join()


def test_a_choice_among_ends(net: Network) -> None:
    a, b = net.process(DOUBLE), net.process(DOUBLE)
    net.start()
    assert select(a.doubled, b.doubled, SKIP).index == 2
    assert select(a.doubled, b.doubled, after(0.01)).index == 2
    assert select(sending(b.numbers, 4), a.doubled).index == 0
    assert tuple(select(a.doubled, b.doubled)) == (1, 8)
    a.numbers.close()
    assert isinstance(select(a.doubled, b.doubled).error, Closed)


def test_a_failure_is_raised_with_the_remote_traceback(net: Network) -> None:
    p = net.start(PERFORM, task="fails")
    with pytest.raises(PeerFailed, match="LookupError: nothing for 1"):
        p.outbox.receive()
    with pytest.raises(Failed, match="`perform` failed: LookupError: nothing for 1") as caught:
        p.join()
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert 'raise LookupError(f"nothing for {len([kept])}")' in str(caught.value.__cause__)
    with pytest.raises(Failed), net:
        pass


@pytest.mark.parametrize(
    ("task", "kind", "says"),
    [
        ("fails", LookupError, "LookupError: nothing for 1"),
        ("fails_to_open", FileNotFoundError, "No such file or directory: 'nobody'"),
        ("fails_in_its_own_way", Failed, "tasks.Mine: 7"),
        ("fails_in_group", Failed, "both (2 sub-exceptions)"),
        ("interrupts", Failed, "KeyboardInterrupt"),
        ("recurses", RecursionError, "maximum recursion depth exceeded"),
        ("exits", Failed, "exit with status 3"),
    ],
)
def test_a_failure_is_of_its_own_type(net: Network, task: str, kind: type[Exception], says: str) -> None:
    p = net.start(PERFORM, task=task, count=3)
    assert task != "recurses" or p.outbox.receive() == 7
    with pytest.raises(kind) as caught:
        p.join()
    assert isinstance(caught.value, Failed)
    assert says in str(caught.value)


def test_a_failure_is_of_a_type_of_the_program(tmp_path: Path) -> None:
    done = program("own_exception.py")
    assert (done.stdout, done.returncode) == ("caught `counts` failed: own_exception.TooMany: 3\n", 0), done.stderr


def test_limits_are_outcomes(net: Network) -> None:
    p = net.start(PERFORM, task="spins", limits={"cpu": "300 ms"})
    with pytest.raises(PeerKilled) as caught:
        p.outbox.receive()
    assert caught.value.limit == "cpu"
    outcome = p.wait()
    assert (outcome.kind, outcome.limit) == ("killed", "cpu")
    with pytest.raises(TypeError, match="there is no limit `time`"):
        net.process(PERFORM, task="spins", limits={"time": 1})


def test_what_processes_print_is_told(net: Network, logged: list[tuple[str, str, str]]) -> None:
    net.start(PERFORM, task="talks").join()
    assert ("perform", "info", "printed in pieces") in logged
    assert ("perform", "warn", "logged: 7") in logged


def test_mistakes_in_the_wiring_are_told(net: Network) -> None:
    count = net.process(COUNT, limit=1)
    with pytest.raises(HostError, match="is an output, not an input"):
        net.connect(count.numbers, count.numbers)
    with pytest.raises(AttributeError, match="no port `number`; it has `numbers`"):
        _ = count.number
    with pytest.raises(HostError, match="nobody.wasm"):
        net.process(PYTHON_GUESTS / "nobody.wasm")
    with pytest.raises(HostError, match="no argument `limits_`"):
        net.start(COUNT, limits_=1)


def test_stopping_a_network(net: Network) -> None:
    p = net.start(PERFORM, task="spins")
    with pytest.raises(TimedOut):
        p.wait(timeout=0.01)
    net.stop("enough")
    assert str(p.wait()) == "stopped: enough"


def test_ctrl_c_ends_a_wait(net: Network) -> None:
    p = net.start(PERFORM, task="triples")
    # Shells have programs in the background ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        # Whether it comes before the wait or during it, the wait does not go on.
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            p.outbox.receive()
    finally:
        signal.signal(signal.SIGINT, before)
    p.inbox.send(1)
    assert p.outbox.receive() == 3


def test_a_network_file(host: Host, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "network.toml"
    file.write_text(f"""
[arguments]
limit = 1
[process.count]
component = "{COUNT}"
[process.double]
component = "{DOUBLE}"
[[channel]]
from = "count.numbers"
to = "double.numbers"
[stdout]
from = "double.doubled"
""")
    assert load(file, host=host, limit=3) == {}
    assert capfd.readouterr().out == "0\n2\n4\n"


def test_processes_that_cannot_become_components(net: Network) -> None:
    from transputer import process
    from transputer.build import BuildError

    @process
    def inner() -> None: ...

    with pytest.raises(BuildError, match="a function at the top level of its module"):
        net.start(inner)
