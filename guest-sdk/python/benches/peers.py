"""What Python's users would take otherwise: pipes, queues and pools."""

from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ours import nothing

Seconds = float


def timed(action: Callable[[], object]) -> Seconds:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


# Between processes. What comes first only says that the other side is there.


def _fill_pipe(end: Any, count: int) -> None:
    for number in range(-1, count):
        end.send(number)


def pipe(count: int) -> Seconds:
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_fill_pipe, args=(theirs, count))
    child.start()
    ours.recv()
    took = timed(lambda: [ours.recv() for _ in range(count)])
    child.join()
    return took


def _echo_pipe(end: Any, count: int) -> None:
    for _ in range(count):
        end.send(end.recv())


def pipe_ping_pong(rounds: int) -> Seconds:
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_echo_pipe, args=(theirs, rounds + 1))
    child.start()

    def run(rounds: int) -> None:
        for _ in range(rounds):
            ours.send(1)
            ours.recv()

    run(1)
    took = timed(lambda: run(rounds))
    child.join()
    return took


def _fill_queue(target: Any, count: int) -> None:
    for number in range(-1, count):
        target.put(number)


def process_queue(count: int) -> Seconds:
    context = multiprocessing.get_context("spawn")
    numbers: Any = context.Queue(1024)
    child = context.Process(target=_fill_queue, args=(numbers, count))
    child.start()
    numbers.get()
    took = timed(lambda: [numbers.get() for _ in range(count)])
    child.join()
    return took


def interpreters_queue(count: int) -> Seconds | None:
    """PEP 734's queues, of which one side is another interpreter, in a thread of its own."""
    try:
        interpreters: Any = import_module("concurrent.interpreters")
    except ImportError:
        return None
    numbers = interpreters.create_queue(1024)
    other = interpreters.create()
    other.prepare_main(numbers=numbers, count=count)
    thread = other.call_in_thread(_fill_queue, numbers, count)
    numbers.get()
    took = timed(lambda: [numbers.get() for _ in range(count)])
    thread.join()
    other.close()
    return took


# Between threads and tasks, which share everything and one lock.


def thread_queue(count: int) -> Seconds:
    numbers: queue.Queue[int] = queue.Queue(1024)
    thread = threading.Thread(target=_fill_queue, args=(numbers, count))
    thread.start()
    numbers.get()
    took = timed(lambda: [numbers.get() for _ in range(count)])
    thread.join()
    return took


def asyncio_queue(count: int) -> Seconds:
    async def main() -> Seconds:
        numbers: asyncio.Queue[int] = asyncio.Queue(1024)

        async def fill() -> None:
            for number in range(count):
                await numbers.put(number)

        start = time.perf_counter()
        task = asyncio.create_task(fill())
        for _ in range(count):
            await numbers.get()
        await task
        return time.perf_counter() - start

    return asyncio.run(main())


# Pools.


def pool(executor: concurrent.futures.Executor, calls: int) -> Seconds:
    """Seconds for calls one after the other, once the pool is warm."""
    with executor:
        executor.submit(nothing, 0).result()
        return timed(lambda: [executor.submit(nothing, n).result() for n in range(calls)])


def process_pool(calls: int) -> Seconds:
    context = multiprocessing.get_context("spawn")
    return pool(concurrent.futures.ProcessPoolExecutor(1, mp_context=context), calls)


def process_pool_fresh(calls: int) -> Seconds:
    """With a process for each call, which is the isolation that `SandboxExecutor` has."""
    context = multiprocessing.get_context("spawn")
    return pool(
        concurrent.futures.ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1), calls
    )


def interpreter_pool(calls: int) -> Seconds | None:
    kind: Any = getattr(concurrent.futures, "InterpreterPoolExecutor", None)
    return None if kind is None else pool(kind(1), calls)


# MPI.

_MPI = """
import sys, time
from mpi4py import MPI
comm, rounds, block = MPI.COMM_WORLD, int(sys.argv[1]), bytes(int(sys.argv[2]))
comm.barrier()
start = time.perf_counter()
for _ in range(rounds):
    if comm.rank == 0:
        comm.send(block, dest=1); comm.recv(source=1)
    else:
        comm.recv(source=0); comm.send(block, dest=0)
if comm.rank == 0: print((time.perf_counter() - start) / rounds / 2)
"""


def mpi_half_round_trip(rounds: int, size: int) -> Seconds | None:
    if shutil.which("mpirun") is None or find_spec("mpi4py") is None:
        return None
    command = ["mpirun", "--oversubscribe", "-n", "2", sys.executable, "-c", _MPI, str(rounds), str(size)]
    # It refuses root unless told twice; a container has no other user.
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)
