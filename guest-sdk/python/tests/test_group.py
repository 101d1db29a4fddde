"""Groups: MPI's words, with mpi4py's results."""

import ast
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mpi_programs import PROGRAMS
from transputer import Channel, Failures, HoldsMessages, Receiver, Sender, group, process
from transputer.group import ANY_SOURCE, Group, RankGone, open_group, run_group, start_group
from transputer.payload import Object

SIZES = (1, 2, 3, 4, 7)


@process
def runs(group: Receiver[Group], program: str, results: Sender[tuple[int, Object]]) -> None:
    """Runs one of the programs as one rank."""
    from transputer import group as words

    comm = group.receive()
    results.send((comm.rank, PROGRAMS[program](comm, words)))


def results_of(program: str, size: int) -> list[Any]:
    last, results = Channel[tuple[int, Any]](tuple[int, Object], capacity=size)
    run_group(size, runs, program=program, results=last)
    return [result for _, result in sorted(results, key=lambda pair: pair[0])]


def mpirun(size: int) -> dict[str, list[Any]]:
    """The results of all programs under mpi4py."""
    command = ["mpirun", "--oversubscribe", "-n", str(size), sys.executable, "mpi_programs.py"]
    # It refuses root unless told twice; a container has no other user.
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        command,
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, list[Any]] = ast.literal_eval(done.stdout)
    return results


@cache
def what_mpi_lacks() -> str | None:
    """Why nothing can be run under mpi4py here; it may be installed without a library of MPI."""
    if shutil.which("mpirun") is None:
        return "no `mpirun`, which Debian's `openmpi-bin` has"
    imports = [sys.executable, "-c", "from mpi4py import MPI"]
    done = subprocess.run(imports, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0:
        return None
    return f"mpi4py cannot be imported (`pip install mpi4py`): {done.stderr.strip().rpartition(chr(10))[2]}"


def needs_mpi() -> None:
    """Skips a test, and says loudly why, where it cannot be run; `tools/python` then ends with a status of its own."""
    lacks = what_mpi_lacks()
    if lacks is not None:
        pytest.skip(f"NOT CHECKED: {lacks}")


@pytest.mark.parametrize("size", SIZES)
def test_results_are_those_of_mpi4py(size: int) -> None:
    needs_mpi()
    assert {name: results_of(name, size) for name in PROGRAMS} == mpirun(size)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_run_without_mpi(name: str) -> None:
    assert len(results_of(name, 4)) == 4


def test_known_results() -> None:
    assert results_of("passes_a_token_around", 3) == [[0, 1, 2], [0], [0, 1]]
    assert results_of("gathers", 2) == [
        ([[0, 1], None], ["a", "b"]),
        ([None, [0, 1]], ["a", "b"]),
    ]
    assert results_of("reduces_in_order", 3)[0] == ["<0><1><2>", None, None]


def test_a_rank_that_fails_fails_the_group() -> None:
    @process
    def fails(group: Receiver[Group]) -> None:
        comm = group.receive()
        if comm.rank == 1:
            raise ValueError("spoiled")
        comm.barrier()

    with pytest.raises(Failures, match="`fails-1` failed: ValueError: spoiled"):
        run_group(3, fails)


def test_long_messages_are_exchanged_before_they_are_received() -> None:
    """More of them than the channels hold, in both directions: who waits to send takes in what arrives."""

    @process
    def exchanges(group: Receiver[Group], sums: Sender[int]) -> None:
        comm = group.receive()
        for n in range(40):
            comm.send(bytes([n]) * 50_000, dest=1 - comm.rank)
        sums.send(sum(comm.recv(source=1 - comm.rank)[0] for _ in range(40)))

    last, sums = Channel(int, capacity=2)
    run_group(2, exchanges, sums=last)
    assert list(sums) == [sum(range(40))] * 2


def test_a_message_that_nobody_sends_is_told() -> None:
    @process
    def waits(group: Receiver[Group]) -> None:
        comm = group.receive()
        if comm.rank == 1:
            comm.recv(source=0)

    with pytest.raises(Failures, match="rank 1 waits for a message of rank 0, but all others have ended"):
        run_group(2, waits)
    zero, one = open_group(2)
    del one
    with pytest.raises(RankGone, match="rank 0 sends to rank 1, which has ended"):
        zero.send(1, dest=1)
    with pytest.raises(RankGone, match="a message of any rank"):
        zero.recv(source=ANY_SOURCE)


def test_ranks_that_wait_for_each_other_are_a_deadlock() -> None:
    @process
    def waits(group: Receiver[Group]) -> None:
        comm = group.receive()
        comm.recv(source=1 - comm.rank)

    first, second = start_group(2, waits)
    outcome = first.wait()
    assert outcome.text.startswith("deadlock: ")
    assert "process `waits-0` waits to receive" in outcome.text
    assert not second.wait().is_finished


def test_wrong_ranks_and_tags_are_told() -> None:
    zero, _one = open_group(2)
    with pytest.raises(ValueError, match="dest is 2, but the ranks of this group are 0 to 1"):
        zero.send(1, dest=2)
    with pytest.raises(ValueError, match="source is -7"):
        zero.recv(source=-7)
    with pytest.raises(ValueError, match="tag is -1"):
        zero.send(1, dest=1, tag=-1)
    with pytest.raises(ValueError, match="expected 2 items to scatter, one for each rank, found 1"):
        zero.scatter([1])
    with pytest.raises(ValueError, match="cannot have 0 ranks"):
        open_group(0)
    with pytest.raises(TypeError, match=r"no port of type `Receiver\[Group\]`"):
        run_group(2, process(lambda_with_no_port))


def lambda_with_no_port(count: int) -> None: ...


def test_a_place_with_messages_stays_where_it_is() -> None:
    (zero,) = open_group(1)
    zero.send("kept", dest=0)
    carrier, _ = Channel[Group](Group, capacity=1)
    with pytest.raises(HoldsMessages):
        carrier.send(zero)
    assert zero.recv() == "kept"


def test_names_are_those_of_mpi4py() -> None:
    needs_mpi()
    names = {"send", "recv", "sendrecv", "bcast", "scatter", "gather", "allgather", "reduce", "allreduce", "barrier"}
    assert names <= set(dir(Group))
    listed = [sys.executable, "-c", "from mpi4py import MPI; print(*dir(MPI.Comm))"]
    assert names <= set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split())
    assert {name for name in dir(group) if name.isupper()} >= {"SUM", "PROD", "MAX", "MIN", "LAND", "MAXLOC"}
