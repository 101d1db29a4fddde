"""The executor, in memory: what its futures come to. tests/python has it in sandboxes, with what only those stop."""

import asyncio
import concurrent.futures
import math
import operator
from collections.abc import Iterator

import called
import pytest
from called import Colour, Order, Point, Spoiled
from transputer import SandboxExecutor
from transputer.executor import RemoteError
from transputer.executor.calls import call_of, worker_for
from transputer.host import RemoteTraceback
from transputer.testing import MemoryHost


@pytest.fixture
def executor() -> Iterator[SandboxExecutor]:
    with SandboxExecutor(max_workers=2, host=MemoryHost()) as executor:
        yield executor
        executor.shutdown(cancel_futures=True)


def test_submit_and_map(executor: SandboxExecutor) -> None:
    assert executor.submit(called.square, 12).result() == 144
    assert list(executor.map(called.square, range(20))) == [n * n for n in range(20)]
    assert executor.submit(math.gcd, 12, 18).result() == 6
    assert executor.submit(called.Holder.inner, 1).result() == 2
    assert executor.submit(operator.add, "a", "b").result() == "ab"


def test_values_are_those_that_were_sent(executor: SandboxExecutor) -> None:
    order = Order(7, Colour.RED, Point(1.5, 2.5), ("a",))
    got = executor.submit(called.bigger, order, by=2).result()
    assert got == Order(9, Colour.RED, Point(1.5, 2.5), ("a", "bigger"))


def test_exceptions_are_raised_with_the_remote_traceback(executor: SandboxExecutor) -> None:
    with pytest.raises(LookupError) as caught:
        executor.submit(called.fails, "builtin").result()
    assert caught.value.args == ("nothing", 3)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert 'raise LookupError("nothing", 3)' in str(caught.value.__cause__)
    assert "worker.py" not in str(caught.value.__cause__)
    with pytest.raises(Spoiled, match="sour"):
        executor.submit(called.fails, "own").result()


@pytest.mark.parametrize(
    ("kind", "says"),
    [("exit", "exit with status 3"), ("interrupt", "KeyboardInterrupt"), ("odd", "ValueError: <unlocked")],
)
def test_what_must_not_be_raised_here_is_named(executor: SandboxExecutor, kind: str, says: str) -> None:
    with pytest.raises(RemoteError, match=says):
        executor.submit(called.fails, kind).result()


def test_results_that_cannot_cross_are_told(executor: SandboxExecutor) -> None:
    with pytest.raises(RemoteError, match="expected any CBOR value, found a lock"):
        executor.submit(called.unsendable).result()
    with pytest.raises(TypeError, match="expected any CBOR value"):
        executor.submit(called.square, object())  # type: ignore[arg-type]


def test_functions_that_cannot_be_found_are_told(executor: SandboxExecutor) -> None:
    def inner() -> None: ...

    for function in (inner, lambda: None, [].append):
        with pytest.raises(TypeError, match="finds functions by their names"):
            executor.submit(function)


def test_a_call_that_takes_too_long_is_stopped() -> None:
    with SandboxExecutor(max_workers=1, timeout="20 ms", host=MemoryHost()) as executor:
        with pytest.raises(TimeoutError, match=r"the call took longer than 0\.02 s, and was stopped"):
            executor.submit(called.sleeps, 3600).result()
    # Another executor, whose calls have time on a machine that has much to do.
    with SandboxExecutor(max_workers=1, host=MemoryHost()) as executor:
        assert executor.submit(called.square, 3).result() == 9


def test_cancelling_stops_a_call_that_runs() -> None:
    with SandboxExecutor(max_workers=1, host=MemoryHost()) as executor:
        runs, waits = executor.submit(called.sleeps, 3600), executor.submit(called.square, 2)
        assert waits.cancel()
        assert runs.cancel()
        assert runs.cancelled()
        with pytest.raises(concurrent.futures.CancelledError):
            runs.result()
        assert executor.submit(called.square, 3).result() == 9
        done = executor.submit(called.square, 4)
        assert done.result() == 16
        assert not done.cancel()


def test_a_map_that_is_left_stops_its_calls() -> None:
    with SandboxExecutor(max_workers=1, host=MemoryHost()) as executor:
        with pytest.raises(TimeoutError):
            list(executor.map(called.sleeps, [3600.0, 3600.0], timeout=0.01))
        assert executor.submit(called.square, 3).result() == 9


def test_tasks_per_child() -> None:
    called.STATE.clear()
    with SandboxExecutor(max_workers=1, max_tasks_per_child=None, host=MemoryHost()) as executor:
        names = [executor.submit(called.appends, n).result() for n in range(3)]
        with pytest.raises(LookupError):
            executor.submit(called.fails, "builtin").result()
        assert executor.submit(called.appends, 3).result() == [0, 1, 2, 3]
    assert names == [[0], [0, 1], [0, 1, 2]]


def test_shutdown() -> None:
    executor = SandboxExecutor(max_workers=1, host=MemoryHost())
    runs = executor.submit(called.sleeps, 0.05)
    waits = executor.submit(called.square, 2)
    executor.shutdown(cancel_futures=True)
    assert runs.result() == "slept"
    assert waits.cancelled()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(called.square, 2)


def test_as_other_executors_are_used(executor: SandboxExecutor) -> None:
    futures = [executor.submit(called.square, n) for n in range(5)]
    done = concurrent.futures.as_completed(futures)
    assert sorted(future.result() for future in done) == [0, 1, 4, 9, 16]

    async def main() -> int:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, called.square, 5)

    assert asyncio.run(main()) == 25


def test_source_with_captured_output(executor: SandboxExecutor) -> None:
    completed = executor.run_source(
        "import sys\n"
        "def main(n, *, by):\n"
        "    print('hello', end='')\n"
        "    print(' world')\n"
        "    print('oops', file=sys.stderr)\n"
        "    return [n] * by\n",
        args=(7,),
        kwargs={"by": 2},
    )
    assert completed.value == [7, 7]
    assert (completed.stdout, completed.stderr, completed.left_out) == ("hello world\n", "oops\n", 0)


def test_source_that_fails_tells_what_it_wrote(executor: SandboxExecutor) -> None:
    completed = executor.run_source("print('before')\ndef main():\n    return 1 / 0\n")
    assert completed.stdout == "before\n"
    with pytest.raises(ZeroDivisionError):
        _ = completed.value
    assert "return 1 / 0" in str(completed.error and completed.error.__cause__)
    assert isinstance(executor.run_source("def main(:").error, SyntaxError)
    assert isinstance(executor.run_source("x = 1").error, LookupError)
    assert executor.run_source("x = 1", entry=None).value is None


def test_source_cannot_make_objects_of_the_programs_classes(executor: SandboxExecutor) -> None:
    source = "import called\ndef main():\n    return called.Order(1, called.Colour.RED, called.Point(0, 0))\n"
    with pytest.raises(RemoteError, match="an object of `called:Colour`, a class that is not known here"):
        _ = executor.run_source(source).value
    given = SandboxExecutor(max_workers=1, host=MemoryHost(), results=(Order, Colour, Point))
    with given:
        assert given.run_source(source).value == Order(1, Colour.RED, Point(0, 0))


def test_output_is_kept_up_to_a_limit() -> None:
    with SandboxExecutor(max_workers=1, output=100, host=MemoryHost()) as executor:
        completed = executor.run_source("def main():\n    for n in range(1000): print('x' * 99)\n")
        assert (len(completed.stdout), completed.left_out) == (100, 99_900)


def test_a_source_that_is_stopped_tells_what_it_wrote() -> None:
    with SandboxExecutor(max_workers=1, host=MemoryHost()) as executor:
        source = "import transputer\ndef main():\n    print('before')\n    transputer.sleep(3600)\n"
        completed = executor.run_source(source, timeout=0.2)
        assert isinstance(completed.error, TimeoutError)
        assert completed.stdout == "before\n"


def test_wrong_settings_are_told() -> None:
    for wrong in ({"max_workers": 0}, {"max_tasks_per_child": 0}, {"timeout": "5 apples"}):
        with pytest.raises(ValueError):
            SandboxExecutor(host=MemoryHost(), **wrong)  # type: ignore[arg-type]


def test_what_a_worker_needs() -> None:
    assert worker_for("math").origin.source.count("import math") == 0
    assert worker_for("called").origin.source.startswith("import called\n")
    assert call_of(called.square, (1,), {}).where == "called"
