"""The operators, and programs as python-csp's users wrote them."""

import pytest
from transputer import Channel as TypedChannel
from transputer import Failures, Sender, sending
from transputer.operators import Alt, Channel, Par, Seq, Skip, Spawnable, Timer, guard, process


def test_python_csp_readme(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of python-csp's README, with Python 3's `range` and `print`."""

    @process
    def writer(channel, n):  # type: ignore[no-untyped-def]
        for i in range(n):
            channel.write(i)
        channel.poison()
        return

    @process
    def reader(channel):  # type: ignore[no-untyped-def]
        while True:
            print(channel.read())

    chan = Channel()
    Par(reader(chan), writer(chan, 5)).start()
    assert capsys.readouterr().out == "0\n1\n2\n3\n4\n"


def test_python_csp_seq_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    @process
    def foo(n):  # type: ignore[no-untyped-def]
        print("n:", n)

    (foo(1) > foo(2) > foo(3)).start()
    s = Seq(foo(100), foo(200), foo(300))
    s.start()
    assert capsys.readouterr().out.split() == "n: 1 n: 2 n: 3 n: 100 n: 200 n: 300".split()


def test_python_csp_alt_of_skips_and_a_timer() -> None:
    assert Alt(Skip(), Skip(), Skip()).select() is None
    timer = Timer()
    timer.set_alarm(0.001)
    chan = Channel()
    assert (timer | chan).chosen().index == 0
    assert (chan | Skip()).chosen().index == 1


def test_python_csp_poison_spreads_over_a_pipeline() -> None:
    @process
    def passes(given, taken):  # type: ignore[no-untyped-def]
        while True:
            taken.write(given.read())

    @process
    def ends(given, taken):  # type: ignore[no-untyped-def]
        for n in range(3):
            given.write(n)
            assert taken.read() == n
        given.poison()

    a, b, c = Channel(), Channel(), Channel()
    names = (passes(a, b) // [passes(b, c), ends(a, c)]).start()
    assert len(names) == 3


@process
def says(word: str, words: Sender[str]) -> None:
    words.send(word)


@process
def fails() -> None:
    raise ValueError("no")


def test_they_nest() -> None:
    """What a sequence says stays in order, also beside another."""
    words, said = TypedChannel(str, capacity=8)

    def speak(word: str) -> Spawnable:
        return says(word, words.clone())

    ((speak("a1") > speak("a2")) // (speak("b1") > (speak("b2") // speak("b3")) > speak("b4"))).start()
    words.close()
    order = list(said)
    assert [word for word in order if word[0] == "a"] == ["a1", "a2"]
    own = [word for word in order if word[0] == "b"]
    assert (own[0], set(own[1:3]), own[3]) == ("b1", {"b2", "b3"}, "b4")


def test_what_comes_after_a_failure_is_not_started() -> None:
    words, said = TypedChannel(str, capacity=8)
    with pytest.raises(Failures) as caught:
        (says("first", words.clone()) > fails() > (says("x", words.clone()) // says("y", words.clone()))).start()
    assert said.receive() == "first"
    assert said.statistics.sent == 1
    assert [name for name, _ in caught.value.failed] == ["fails"]
    assert caught.value.not_started == ["says", "says"]


def test_what_is_never_started_warns() -> None:
    with pytest.warns(RuntimeWarning, match=r"Par\(.*fails.*\) was never started"):
        fails() // fails()


def test_a_choice_sends_too() -> None:
    numbers, received = TypedChannel(int, capacity=1)
    _, other = TypedChannel(int)
    assert (guard(other) | sending(numbers, 3)).chosen().index == 1
    assert (guard(other) | received).pri_select() == 3


def test_a_choice_is_fair_unless_told_otherwise() -> None:
    (a, left), (b, right) = TypedChannel(int, capacity=200), TypedChannel(int, capacity=200)
    a.send_all([1] * 200)
    b.send_all([2] * 200)
    assert {(guard(left) | right).select() for _ in range(128)} == {1, 2}
    assert {(guard(left) | right).pri_select() for _ in range(30)} == {1}


def test_annotated_processes_are_processes_anywhere() -> None:
    assert says.signature.outputs["words"].wit == "string"
    (numbers, wire) = TypedChannel(int, capacity=1)
    with pytest.raises(TypeError, match="given a receiver"):
        (says("x", wire) // fails()).start()  # type: ignore[arg-type]
    del numbers
