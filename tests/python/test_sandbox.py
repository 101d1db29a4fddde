"""Python processes, seen from outside."""

from collections.abc import Callable

import pytest
from conftest import Run

Runs = Callable[..., Run]

# A Python process between Rust, which counts, and lines.
PERFORM = """
[process.count]
component = "$RUST/count.wasm"
arguments = { limit = LIMIT }
[process.perform]
component = "$PYTHON/tasks.py"
arguments = { task = "TASK", count = COUNT }
SETTINGS

[[channel]]
from = "count.numbers"
to = "perform.inbox"

[stdout]
from = "perform.outbox"
"""


def perform(
    task: str, count: int = 0, settings: str = "", components: str = "", limit: int = 0
) -> str:
    network = PERFORM.replace("TASK", task).replace("COUNT", str(count))
    return components + network.replace("SETTINGS", settings).replace("LIMIT", str(limit))


def test_a_filter(run: Runs) -> None:
    done = run(perform("triples", limit=4))
    assert (done.out, done.status) == ("0\n3\n6\n9\n", 0), done.err


def test_a_stream_passes_through_rust_and_python(run: Runs) -> None:
    """Rust counts, Python triples and then adds one, Rust doubles, Python sums."""
    done = run("""
[process.count]
component = "$RUST/count.wasm"
arguments = { limit = 2000 }
[process.triples]
component = "$PYTHON/tasks.py"
arguments = { task = "triples" }
[process.adds]
component = "$PYTHON/tasks.py"
arguments = { task = "one_by_one" }
[process.double]
component = "$RUST/double.wasm"
[process.sum]
component = "$PYTHON/tasks.py"
arguments = { task = "sums" }
[[channel]]
from = "count.numbers"
to = "triples.inbox"
capacity = 128
[[channel]]
from = "triples.outbox"
to = "adds.inbox"
[[channel]]
from = "adds.outbox"
to = "double.numbers"
[[channel]]
from = "double.doubled"
to = "sum.inbox"
capacity = 16
[stdout]
from = "sum.outbox"
""")
    expected = sum(2 * (3 * n + 1) for n in range(2000))
    assert (done.out, done.status) == (f"{expected}\n", 0), done.err


def test_batches_arrive_in_order(run: Runs) -> None:
    done = run(perform("in_batches", 1000))
    assert done.out.split() == [str(n) for n in range(1000)], done.err


@pytest.mark.parametrize(
    ("task", "sent"), [("chooses", 1), ("moves_ends", 2), ("types", 3), ("serves_once", 6)]
)
def test_what_a_process_can_do(run: Runs, task: str, sent: int) -> None:
    done = run(perform(task))
    assert (done.out, done.status) == (f"{sent}\n", 0), done.err


COMPONENTS = """
[components]
double = "$RUST/double.wasm"
squares = "$RUST/squares_server.wasm"
perform = "$PYTHON/tasks.py"
"""


def test_children_in_rust_and_python(run: Runs) -> None:
    done = run(perform("spawns", 0, 'grants.spawn = ["double", "perform"]', COMPONENTS))
    assert done.out == "4\n", done.err


def test_a_server_in_rust(run: Runs) -> None:
    done = run(perform("serves", 0, 'grants.spawn = ["squares"]', COMPONENTS))
    assert (done.out, done.status) == ("5\n", 0), done.err


@pytest.mark.parametrize(
    ("task", "count", "says"),
    [
        ("fails", 0, "failed: LookupError: nothing for 1"),
        ("fails_in_group", 0, "failed: ExceptionGroup: both (2 sub-exceptions)"),
        ("exits", 3, "failed: exit with status 3"),
        ("interrupts", 0, "failed: KeyboardInterrupt"),
    ],
)
def test_failures_have_their_text(run: Runs, task: str, count: int, says: str) -> None:
    done = run(perform(task, count))
    assert done.status == 1
    assert says in done.err


def test_a_traceback_has_source_lines(run: Runs) -> None:
    done = run(perform("fails"))
    assert 'File "tasks.py"' in done.err
    assert 'raise LookupError(f"nothing for {len([kept])}")' in done.err


def test_endless_recursion_is_an_exception(run: Runs) -> None:
    """It can be caught, which the process does first; then it fails of it."""
    done = run(perform("recurses"))
    assert (done.out, done.status) == ("7\n", 1)
    assert "failed: RecursionError: maximum recursion depth exceeded" in done.err, done.err


def test_endless_recursion_in_c_ends_the_process_alone(run: Runs) -> None:
    """CPython does not count how deep its own functions recurse, and the stack ends before their memory does."""
    done = run(perform("recurses_in_c"))
    assert done.status == 1
    assert "RecursionError" in done.err or "call stack exhausted" in done.err, done.err


def test_a_snapshot_of_a_program(run: Runs) -> None:
    """What `transputer build` makes of a file."""
    done = run(perform("triples", limit=3).replace("$PYTHON/tasks.py", "$SNAPSHOTS/perform.wasm"))
    assert (done.out, done.status) == ("0\n3\n6\n", 0), done.err


def test_an_exit_with_status_0_is_an_end(run: Runs) -> None:
    assert run(perform("exits", 0)).status == 0


def test_peers_hear_of_a_failure(run: Runs) -> None:
    done = run("""
[process.perform]
component = "$PYTHON/tasks.py"
arguments = { task = "fails" }
[process.count]
component = "$RUST/count.wasm"
arguments = { limit = 0 }
[process.double]
component = "$RUST/double.wasm"
[[channel]]
from = "count.numbers"
to = "perform.inbox"
[[channel]]
from = "perform.outbox"
to = "double.numbers"
[stdout]
from = "double.doubled"
""")
    assert done.status == 1
    assert "ended double: failed: `numbers`: a process at the channel failed" in done.err
    assert "process `perform` failed: LookupError: nothing for 1" in done.err


@pytest.mark.parametrize(
    ("task", "limit", "says"),
    [
        ("hoards", 'limits.memory = "40 MiB"', "over its memory limit"),
        ("spins", 'limits.cpu = "300 ms"', "over its cpu limit"),
    ],
)
def test_limits_hold(run: Runs, task: str, limit: str, says: str) -> None:
    done = run(perform(task, 0, limit))
    assert done.status == 1
    assert says in done.err


def test_what_is_printed_and_logged_is_in_the_log(run: Runs) -> None:
    done = run(perform("talks"))
    for line in ("printed in pieces", "told to stderr", "logged: 7", "not finished"):
        assert line in done.err


def test_chance_differs_from_run_to_run(run: Runs) -> None:
    assert run(perform("chances")).out != run(perform("chances")).out


def test_long_messages_cost_no_memory(run: Runs) -> None:
    """A thousand messages of 64 KiB, in a process that may have 48 MiB in all."""
    done = run(perform("sends_much", 1000, 'limits.memory = "48 MiB"'))
    assert (done.out, done.status) == ("1000\n", 0), done.err


def test_tasks_of_asyncio_lose_nothing(run: Runs) -> None:
    done = run(perform("awaits", limit=400))
    assert (done.out, done.status) == (f"{sum(range(400))}\n", 0), done.err
