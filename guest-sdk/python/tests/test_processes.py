"""Processes, in memory: how they start, end, fail and are told of each other."""

import sys
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from transputer import (
    Channel,
    Client,
    Closed,
    Component,
    Failed,
    Failures,
    Moved,
    PeerFailed,
    PeerKilled,
    Receiver,
    Request,
    Sender,
    Server,
    SpawnRefused,
    name,
    par,
    process,
    select,
    seq,
    spawn,
)
from transputer.testing import logged, provide


@process
def double(numbers: Receiver[int], doubled: Sender[int], by: int = 2) -> None:
    """Multiplies numbers.

    By two, unless told otherwise.
    """
    for n in numbers:
        doubled.send(by * n)


def recurse() -> None:
    recurse()


@process
def ends(how: str) -> None:
    """Ends in every way there is."""
    match how:
        case "error":
            raise ValueError("no such word")
        case "group":
            raise ExceptionGroup("both", [ValueError("a"), KeyError("b")])
        case "closed group":
            raise ExceptionGroup("both", [Closed(), Closed()])
        case "exit 3":
            sys.exit(3)
        case "exit text":
            sys.exit("enough")
        case "exit 0":
            sys.exit()
        case "interrupt":
            raise KeyboardInterrupt
        case "memory":
            raise MemoryError
        case "recursion":
            recurse()
        case "closed":
            raise Closed
        case "long":
            raise ValueError("x" * 100_000)


@pytest.mark.parametrize(
    ("how", "first_line"),
    [
        ("error", "ValueError: no such word"),
        ("group", "ExceptionGroup: both (2 sub-exceptions)"),
        ("exit 3", "exit with status 3"),
        ("exit text", "enough"),
        ("interrupt", "KeyboardInterrupt"),
        ("memory", "MemoryError"),
        ("recursion", "RecursionError: maximum recursion depth exceeded"),
        ("closed", None),
        ("closed group", None),
        ("exit 0", None),
        ("returns", None),
    ],
)
def test_outcomes(how: str, first_line: str | None) -> None:
    outcome = ends(how).start().wait()
    assert outcome.kind == ("finished" if first_line is None else "failed")
    assert (outcome.text.splitlines() or [None])[0] == first_line


def test_an_outcome_has_the_traceback_with_source_lines() -> None:
    text = ends("error").start().wait().text
    assert 'raise ValueError("no such word")' in text
    assert "ending.py" not in text


def test_a_long_outcome_is_cut() -> None:
    text = ends("long").start().wait().text
    assert len(text) < 9000
    assert "characters left out" in text


def test_join_raises_what_went_wrong() -> None:
    child = ends("error").start()
    with pytest.raises(Failed, match="`ends` failed: ValueError: no such word"):
        child.join()


def test_a_process_that_fails_poisons_its_channels() -> None:
    @process
    def breaks(numbers: Receiver[int], doubled: Sender[int]) -> None:
        kept = doubled  # Dropped on the way out, it is poisoned all the same.
        numbers.receive()
        raise ValueError(f"{kept is doubled}")

    (numbers, wire), (last, doubled) = Channel(int), Channel(int)
    breaks(wire, last).named("b").start()
    numbers.send(1)
    with pytest.raises(PeerFailed, match="process `b` failed: ValueError: True"):
        doubled.receive()


def test_failures_travel_through_the_network_as_text() -> None:
    (numbers, wire), (middle, between), (last, doubled) = Channel(int), Channel(int), Channel(int)
    first = double(wire, middle).named("first").start()
    second = double(between, last).named("second").start()
    numbers.poison("no more")
    with pytest.raises(PeerFailed):
        doubled.receive()
    assert first.wait().text == "the channel was poisoned: no more"
    assert second.wait().text == (
        "a process at the channel failed: process `first` failed: the channel was poisoned: no more"
    )


def test_closed_ends_a_process_normally() -> None:
    (numbers, wire), (last, doubled) = Channel(int), Channel(int)
    child = double(wire, last).start()
    doubled.close()
    numbers.send(1)
    assert child.wait().is_finished
    with pytest.raises(Closed):
        numbers.send(2)


def test_a_child_can_be_killed() -> None:
    (numbers, wire), (last, doubled) = Channel(int), Channel(int)
    child = double(wire, last).start()
    assert child.try_wait() is None
    child.kill("too slow")
    child.kill("again")
    assert str(child.wait()) == "stopped: too slow"
    with pytest.raises(PeerKilled, match="was stopped: too slow"):
        numbers.send(1)
    del doubled


def test_a_monitor_tells_of_the_end() -> None:
    child = ends("error").start()
    text = child.monitor().receive()
    assert text.startswith("failed: ValueError: no such word\n")
    finished = ends("returns").start()
    assert select(finished.monitor()).message == ""


def test_links_end_each_other() -> None:
    @process
    def waits(numbers: Receiver[int], linked: Sender[str]) -> None:
        ends("error").named("bad").start_linked()
        linked.send("linked")
        numbers.receive()

    (_numbers, wire), (last, linked) = Channel(int), Channel(str, capacity=1)
    child = waits(wire, last).start()
    outcome = child.wait()
    assert outcome.kind == "stopped"
    assert outcome.text.startswith("`bad`, to which it is linked, failed: ValueError: no such word")
    del linked


def test_par_and_seq() -> None:
    assert par(ends("returns"), ends("closed").named("second")) == ["ends", "second"]
    with pytest.raises(Failures, match="1 of 2 processes failed: `bad` failed: ValueError"):
        par(ends("returns"), ends("error").named("bad"))
    with pytest.raises(Failures) as caught:
        seq(ends("returns").named("a"), ends("error").named("b"), ends("returns").named("c"))
    assert caught.value.finished == ["a"]
    assert [name for name, _ in caught.value.failed] == ["b"]
    assert caught.value.not_started == ["c"]


def test_par_stops_the_others_on_failure() -> None:
    (numbers, wire), (last, doubled) = Channel(int), Channel(int)
    with pytest.raises(Failures) as caught:
        par(double(wire, last).named("waits"), ends("error").named("bad"), stop_on_failure=True)
    assert {name: cause.kind for name, cause in caught.value.failed} == {
        "waits": "stopped",
        "bad": "failed",
    }
    del numbers, doubled


def test_spawn_gives_back_what_it_refuses() -> None:
    numbers, receiver = Channel(int, capacity=1)
    with pytest.raises(SpawnRefused, match="unknown component"):
        spawn("nobody", numbers=numbers)
    numbers.send(1)
    with (
        provide(double=double),
        pytest.raises(SpawnRefused, match="output port `doubled` of process `double` is not given"),
    ):
        spawn("double", numbers=receiver)
    assert receiver.receive() == 1
    with pytest.raises(TypeError, match="carries `s64`, but the end given to it `string`"):
        spawn(double, numbers=Channel(str).receiver, doubled=numbers)
    with pytest.raises(TypeError, match="argument `by` of process `double`: expected s64"):
        double(receiver, numbers, "x").start()  # type: ignore[arg-type]
    numbers.close()
    with pytest.raises(SpawnRefused, match="was closed"):
        double(receiver, numbers).start()
    assert issubclass(Moved, Exception)


def test_components_by_name_take_plain_values() -> None:
    @dataclass
    class Settings:
        names: list[str]

    @process
    def tells(settings: Settings, out: Sender[str]) -> None:
        out.send(f"{name()} {settings.names[0]}")

    out, told = Channel(str)
    with provide(teller=tells):
        Component("teller")(settings=Settings(["a"]), out=out).named("t").start()
    assert told.receive() == "t a"


def test_a_client_and_a_server() -> None:
    @process
    def squares(a: Receiver[Request[int, int]], b: Receiver[Request[int, int]]) -> None:
        Server([a, b]).serve(lambda n: n * n)

    (a, served_a), (b, served_b) = Channel(Request[int, int]), Channel(Request[int, int])
    child = squares(served_a, served_b).start()
    first: Client[int, int] = Client(a)
    second: Client[int, int] = Client(b)
    assert [first.call(2), second.call(3), first.call(4, timeout=10)] == [4, 9, 16]
    first.close()
    assert second.call(5) == 25
    second.close()
    child.join()
    with pytest.raises(Moved):
        first.call(1)


def test_what_is_printed_and_logged_is_told() -> None:
    from transputer import log

    @process
    def talks() -> None:
        log(2, "hello")

    with logged() as lines:
        talks().start().join()
    assert lines == [("talks", 2, "hello")]


@pytest.mark.parametrize(
    ("annotations", "says"),
    [
        ({}, "parameter `x` has no annotation"),
        ({"x": Exception}, "parameter `x`: Exception cannot cross a channel"),
        ({"x": list[Sender[int]]}, "make it a port"),
        ({"x": Receiver[object()]}, "not a type that can cross"),  # type: ignore[misc]
    ],
)
def test_signatures_that_cannot_be(annotations: dict[str, Any], says: str) -> None:
    def bad(x):  # type: ignore[no-untyped-def]
        pass

    bad.__annotations__ = annotations
    with pytest.raises(TypeError, match=f"process `bad`: .*{says}"):
        _ = process(bad).signature


def test_a_signature_says_all() -> None:
    signature = double.signature
    assert signature.doc == "Multiplies numbers."
    assert signature.arguments["by"].wit == "option<s64>"
    assert list(signature.inputs) == ["numbers"]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\xa1\x62by\x61x", "argument `by`: expected s64, found the text `x`"),
        (b"\xa1\x61z\x01", "it has no argument `z`"),
        (b"\xa2\x62by\x01\x62by\x01", "argument `by` is given twice"),
        (b"\x01", "expected a map of arguments"),
        (b"\x82\x61x\xa0", "this component has no process `x`"),
    ],
)
def test_arguments_that_do_not_fit(message: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        double.take_in(message, [], [])


def test_many_messages_between_threads_are_all_there() -> None:
    (numbers, wire), (last, doubled) = Channel(int, capacity=16), Channel(int, capacity=3)
    double(wire, last).start()
    feeder = threading.Thread(target=lambda: (numbers.send_all(range(5000)), numbers.close()))
    feeder.start()
    assert list(doubled) == [2 * n for n in range(5000)]
    feeder.join()
