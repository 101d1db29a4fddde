"""The executor in sandboxes: what is called, and what hostile code comes to. Nothing of it hurts this program, or the
next call.
"""

import concurrent.futures
import os
import time
from collections.abc import Iterator
from pathlib import Path

import called
import pytest
from called import Colour, Order, Spoiled
from conftest import TIMEOUT
from transputer import Failed, Host, SandboxExecutor
from transputer.executor import Completed, LimitExceeded, RemoteError
from transputer.host import RemoteTraceback

# The machine may be slow; a call that should be stopped by another limit is stopped by this one at last.
LONG = TIMEOUT / 2


@pytest.fixture(scope="module")
def host() -> Host:
    return Host(max_processes=50)


@pytest.fixture(scope="module")
def executor(host: Host) -> Iterator[SandboxExecutor]:
    with SandboxExecutor(
        max_workers=2, memory="64 MiB", cpu="20 s", timeout=LONG, output="64 KiB", host=host
    ) as executor:
        yield executor


def run(executor: SandboxExecutor, body: str, timeout: float | None = None) -> Completed[object]:
    """Runs a `main` with this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return executor.run_source(f"def main():\n{lines}", timeout=timeout)


def test_calls_run_in_a_sandbox(executor: SandboxExecutor) -> None:
    assert executor.submit(called.where).result() == "wasi"
    assert list(executor.map(called.square, range(10))) == [n * n for n in range(10)]
    assert executor.submit(called.bigger, Order(1, Colour.RED, ("a",)), by=2).result() == Order(
        3, Colour.RED, ("a",)
    )
    assert executor.submit(called.words, '["a", "b", "a"]').result() == {"a": 2, "b": 1}


def test_exceptions_have_their_remote_traceback(executor: SandboxExecutor) -> None:
    with pytest.raises(Spoiled, match="sour") as caught:
        executor.submit(called.fails, "own").result()
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert 'raise Spoiled("sour")' in str(caught.value.__cause__)
    with pytest.raises(LookupError):
        executor.submit(called.fails, "lookup").result()
    with pytest.raises(RemoteError, match="exit with status 3"):
        executor.submit(called.fails, "exit").result()


def test_every_call_has_a_process_of_its_own_unless_told_otherwise(host: Host, executor: SandboxExecutor) -> None:
    assert [executor.submit(called.appends, n).result() for n in range(3)] == [[0], [1], [2]]
    with SandboxExecutor(max_workers=1, max_tasks_per_child=2, host=host) as keeps:
        assert [keeps.submit(called.appends, n).result() for n in range(3)] == [[0], [0, 1], [2]]


def test_a_call_that_runs_is_cancelled(host: Host) -> None:
    with SandboxExecutor(max_workers=1, host=host) as executor:
        future = executor.submit(called.spins)
        while not future.running():
            time.sleep(0.001)
        assert future.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            future.result(timeout=TIMEOUT)
        assert executor.submit(called.square, 3).result(timeout=TIMEOUT) == 9


def test_a_time_out_stops(executor: SandboxExecutor) -> None:
    completed = run(executor, "print('before')\nwhile True: pass", timeout=2)
    assert isinstance(completed.error, TimeoutError)
    assert completed.stdout == "before\n"


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "sum(range(10**15))",
        "return 3 ** (3 ** 25)",
        "import re; re.match('(a|aa)+$', 'a' * 100 + 'b')",
        "try:\n    while True: pass\nfinally:\n    while True: pass",
        "def again():\n    try:\n        while True: pass\n    except BaseException:\n        again()\nagain()",
    ],
)
def test_endless_loops(host: Host, body: str) -> None:
    with SandboxExecutor(max_workers=1, cpu="1 s", timeout=LONG, host=host) as executor:
        error = run(executor, body).error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "cpu"


@pytest.mark.parametrize(
    "body",
    [
        "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
        "return bytes(1 << 30)",
        "x = 'x'\nwhile True: x += x",
        "return [[]] * (1 << 28)",
        "import itertools; return list(itertools.count())",
    ],
)
def test_memory_bombs(executor: SandboxExecutor, body: str) -> None:
    error = run(executor, body).error
    # What is more than there can be at all, Python itself refuses.
    assert isinstance(error, MemoryError) or (isinstance(error, LimitExceeded) and error.limit == "memory")


@pytest.mark.parametrize(
    "body",
    [
        "import os; os.fork()",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import threading; threading.Thread(target=print).start()",
        "import multiprocessing; multiprocessing.Process(target=print).start()",
        "import concurrent.futures as f; f.ThreadPoolExecutor().submit(print).result()",
        "import transputer; transputer.Component('call')().start()",
        "import _thread; _thread.start_new_thread(print, ())",
    ],
)
def test_fork_bombs(executor: SandboxExecutor, body: str) -> None:
    assert run(executor, body).error is not None


def test_huge_results(executor: SandboxExecutor) -> None:
    error = run(executor, "return bytes(40 << 20)").error
    assert isinstance(error, (LimitExceeded, RemoteError, MemoryError)), error
    deep = "x = []\nfor _ in range(100_000): x = [x]\nreturn x"
    assert isinstance(run(executor, deep).error, RemoteError)
    assert run(executor, "return list(range(100_000))").value == list(range(100_000))


def test_output_floods(executor: SandboxExecutor) -> None:
    completed = run(executor, "for _ in range(20_000): print('x' * 100)\nreturn 1")
    assert completed.value == 1
    assert len(completed.stdout) == 64 << 10
    assert completed.left_out == 20_000 * 101 - (64 << 10)
    endless = run(executor, "while True: print('x' * 10_000)", timeout=2)
    assert isinstance(endless.error, (TimeoutError, LimitExceeded))
    assert len(endless.stdout) == 64 << 10
    assert run(executor, "print('\\ud800', end='')").stdout == "?"


def test_hash_floods(host: Host) -> None:
    """Colliding keys cost their own process its time, and nobody else."""
    flood = (
        "class Same(str):\n    def __hash__(self): return 7\n"
        "d = {}\nfor n in range(10**7): d[Same(n)] = n\n"
    )
    with SandboxExecutor(max_workers=2, cpu="1 s", timeout=LONG, host=host) as executor:
        body = "".join(f"{line}\n" for line in flood.splitlines())
        flooded = executor.submit_source("def main():\n" + "".join(f"    {line}\n" for line in body.splitlines()))
        assert executor.submit(called.square, 5).result() == 25
        assert isinstance(flooded.result().error, LimitExceeded)


@pytest.mark.parametrize(
    "body",
    [
        "open('/etc/passwd')",
        "open('x', 'w')",
        "import os; os.listdir('/')",
        "import os; os.listdir('.')",
        "import pathlib; pathlib.Path('/tmp').mkdir()",
        "import sqlite3; sqlite3.connect('x.db').execute('create table t (x)')",
        "import importlib; importlib.import_module('called')",
        "import socket; socket.create_connection(('127.0.0.1', 22))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1')",
        "import ctypes",
    ],
)
def test_files_and_network_are_not_there(executor: SandboxExecutor, body: str) -> None:
    error = run(executor, body).error
    assert isinstance(error, (OSError, ImportError, RemoteError)), error


def test_the_environment_is_empty(executor: SandboxExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SECRET", "hunter2")
    got = run(executor, "import os, sys; return dict(os.environ), sys.argv, os.getpid()").value
    assert isinstance(got, tuple)
    assert got[0] == {}
    assert got[2] != os.getpid()


def test_grants_give_what_they_name(host: Host, tmp_path: Path) -> None:
    (tmp_path / "given.txt").write_text("for you")
    grants = {
        "env": {"SECRET": "told"},
        "directories": [{"host": tmp_path, "guest": "/data"}],
    }
    with SandboxExecutor(max_workers=1, grants=grants, host=host) as executor:
        body = "import os; return os.environ['SECRET'], open('/data/given.txt').read()"
        assert run(executor, body).value == ("told", "for you")
        assert isinstance(run(executor, "open('/data/x', 'w')").error, OSError)


@pytest.mark.parametrize("body", ["import os; os._exit(0)", "import os; os._exit(3)", "import os; os.abort()"])
def test_ends_of_the_process(executor: SandboxExecutor, body: str) -> None:
    assert isinstance(run(executor, body).error, (RemoteError, Failed))
    assert executor.submit(called.square, 2).result() == 4


def test_an_exhausted_stack(executor: SandboxExecutor) -> None:
    error = run(executor, "main()").error
    assert isinstance(error, (RecursionError, Failed)), error


def test_answers_that_are_made_up(executor: SandboxExecutor) -> None:
    """Code that finds its worker's channel can send what it likes: it is read as any answer is."""
    find = "import gc\nfrom transputer import Sender\nfrom transputer.executor.worker import Answer\n"
    find += "out = next(o for o in gc.get_objects() if isinstance(o, Sender))\n"
    made_up = [
        "out._raw.send(b'\\xff' * 100, None)",
        "out.send(Answer('value', b'\\xff', ''))",
        "out.send(Answer('value', b'\\xd8\\x1b\\x82\\x6bbuiltins:eval\\x61x', ''))",
        "out.send(Answer('error', b'\\xd8\\x1b\\x81\\x73builtins:SystemExit', 'x'))",
    ]
    for forged in made_up:
        error = run(executor, f"{find}{forged}\nreturn 1").error
        assert isinstance(error, (RemoteError, Failed)), error
    assert executor.submit(called.square, 2).result() == 4
