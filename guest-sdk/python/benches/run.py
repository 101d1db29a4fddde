"""Python's rows of the table: this package beside what one would take otherwise, in one run.

    python run.py                 some minutes
    python run.py --quick         some seconds, to see that it runs

It needs an installation with the host, and for rows with Rust `transputer build host/benches/guests`. Where a peer is missing (`concurrent.interpreters` before Python 3.14, MPI), its
row says so. Times are what the receiving side saw, from its first message to its last; compare the rows of one run, on a
machine that does nothing else.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ours
import peers
from transputer import Host, Network, SandboxExecutor


class Table:
    """Prints rows as they come."""

    def __init__(self, scale: float, only: str) -> None:
        self.scale = scale
        self.only = only

    def count(self, number: int) -> int:
        return max(2, int(number * self.scale))

    def heading(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def row(self, name: str, per: Callable[[int], float | None], count: int, unit: str = "ns") -> float | None:
        """A row of `count` things, which take so many seconds together."""
        if self.only not in name:
            return None
        number = self.count(count)
        took = per(number)
        if took is None:
            print(f"  {name:52} NOT CHECKED: not on this machine", flush=True)
            return None
        scale = {"ns": 1e9, "µs": 1e6, "ms": 1e3}[unit]
        print(f"  {name:52} {took / number * scale:12,.0f} {unit}", flush=True)
        return took / number


def stream(host: Host, capacity: int, source: Any) -> Callable[[int], float]:
    def run(count: int) -> float:
        with Network(host=host) as net:
            sends, takes = net.process(source, count=count), net.process(ours.sink, count=count)
            net.connect(sends.numbers, takes.numbers, capacity)
            net.start()
            took: float = takes.took.receive()
        return took

    return run


def received(host: Host, capacity: int, sink: Any) -> Callable[[int], float]:
    """The same with another end of the stream."""

    def run(count: int) -> float:
        with Network(host=host) as net:
            sends, takes = net.process(ours.source_one_by_one, count=count), net.process(sink, count=count)
            net.connect(sends.numbers, takes.numbers, capacity)
            net.start()
            took: float = takes.took.receive()
        return took

    return run


def chosen(host: Host, capacity: int) -> Callable[[int], float]:
    """A choice between two channels for each message."""

    def run(count: int) -> float:
        with Network(host=host) as net:
            takes = net.process(ours.sink_of_two, count=count)
            for end in (takes.first, takes.second):
                sends = net.process(ours.source_one_by_one, count=count // 2)
                net.connect(sends.numbers, end, capacity)
            net.start()
            took: float = takes.took.receive()
        return took

    return run


RUST = Path(__file__).resolve().parents[3] / "target/guests/wasm32-wasip2/guest/examples"


def from_rust(host: Host, capacity: int) -> Callable[[int], float | None]:
    def run(count: int) -> float | None:
        if not (RUST / "counts.wasm").is_file():
            return None
        with Network(host=host) as net:
            sends = net.process(RUST / "counts.wasm", count=count)
            takes = net.process(ours.sink_unsigned, count=count)
            net.connect(sends.numbers, takes.numbers, capacity)
            net.start()
            took: float = takes.took.receive()
        return took

    return run


def to_rust(host: Host, capacity: int) -> Callable[[int], float | None]:
    def run(count: int) -> float | None:
        if not (RUST / "sums.wasm").is_file():
            return None
        with Network(host=host) as net:
            sends = net.process(ours.source_unsigned, count=count)
            takes = net.process(RUST / "sums.wasm")
            net.connect(sends.numbers, takes.numbers, capacity)
            net.start()
            nanoseconds, _ = takes.measured.receive()
        return float(nanoseconds) / 1e9

    return run


def blocks(host: Host, capacity: int, size: int) -> Callable[[int], float]:
    def run(count: int) -> float:
        with Network(host=host) as net:
            sends = net.process(ours.source_blocks, count=count, size=size)
            takes = net.process(ours.sink_blocks)
            net.connect(sends.numbers, takes.numbers, capacity)
            net.start()
            took: float = takes.took.receive()
        return took

    return run


def ping_pong(host: Host) -> Callable[[int], float]:
    def run(rounds: int) -> float:
        with Network(host=host) as net:
            first, second = net.process(ours.ping, rounds=rounds), net.process(ours.pong)
            net.connect(first.out, second.given)
            net.connect(second.back, first.back)
            net.start()
            took: float = first.took.receive()
        return took

    return run


def program_ping_pong(host: Host) -> Callable[[int], float]:
    """This program and a process."""

    def run(rounds: int) -> float:
        with Network(host=host) as net:
            p = net.start(ours.echo)

            def go(rounds: int) -> None:
                for number in range(rounds):
                    p.given.send(number)
                    p.back.receive()

            go(1)
            return peers.timed(lambda: go(rounds))

    return run


def executor(host: Host, tasks_per_child: int | None) -> Callable[[int], float]:
    def run(calls: int) -> float:
        return peers.pool(
            SandboxExecutor(1, max_tasks_per_child=tasks_per_child, memory="64 MiB", host=host), calls
        )

    return run


def group(host: Host, size: int) -> Callable[[int], float]:
    def run(rounds: int) -> float:
        with Network(host=host) as net:
            limits = {"memory": "256 MiB"}
            p = net.start(ours.ranks, rounds=rounds, size=size, may_spawn={"rank": ours.rank}, limits=limits)
            half: float = p.took.receive()
        return half * rounds

    return run


def private_memory() -> float:
    """MiB that are this program's own, all processes in their sandboxes included."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_")) / 1024


def starts(table: Table, host: Host, count: int) -> None:
    """From the start of processes to the first message of the last one, and what each more costs."""
    table.heading(f"Start: processes that send one message and wait, 1 and then {count} more")
    with Network(host=host) as net:
        began = time.perf_counter()
        first = net.start(ours.parked)
        first.ready.receive()
        alone, before = time.perf_counter() - began, private_memory()
        began = time.perf_counter()
        more = [net.process(ours.parked) for _ in range(count)]
        net.start()
        for one in more:
            one.ready.receive()
        took, grown = time.perf_counter() - began, private_memory() - before
        print(f"  {'the first':52} {alone * 1e3:12,.1f} ms")
        print(f"  {'each further one':52} {took / count * 1e3:12,.1f} ms")
        print(f"  {'its private memory':52} {grown / count:12,.2f} MiB", flush=True)


def computing(table: Table, host: Host, rounds: int) -> None:
    table.heading(f"Computing: {rounds:,} rounds of a loop of integers")
    native = peers.timed(lambda: ours.compute(rounds))

    def sandboxed(processes: int) -> float:
        with Network(host=host) as net:
            members = [net.process(ours.computes, rounds=rounds) for _ in range(processes)]
            net.start()
            longest: float = max(member.took.receive() for member in members)
        return longest

    one, two = sandboxed(1), sandboxed(2)
    print(f"  {'this Python, native':52} {native * 1e3:12,.0f} ms")
    print(f"  {'one process':52} {one * 1e3:12,.0f} ms, {one / native:.1f} times as long")
    print(f"  {'two at once':52} {two * 1e3:12,.0f} ms, {2 * one / two:.2f} times as much in this time", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few messages, to see that it runs")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--processes", type=int, default=100, help="how many parked processes are started")
    given = parser.parse_args()
    table = Table(0.001 if given.quick else 1.0, given.only)
    processes = 5 if given.quick else given.processes
    host = Host(max_processes=processes + 20)
    print(f"Python {platform.python_version()}, {platform.machine()}")

    if not given.only:
        starts(table, host, processes)

    table.heading("A message of one integer, in one direction")
    table.row("Python to Python, capacity 1,024, in batches", stream(host, 1024, ours.source), 1_000_000)
    table.row("Python to Python, capacity 1,024, one by one", stream(host, 1024, ours.source_one_by_one), 1_000_000)
    table.row("Python to Python, rendezvous", stream(host, 0, ours.source_one_by_one), 300_000)
    table.row("Python to Rust, capacity 1,024", to_rust(host, 1024), 1_000_000)
    table.row("Python to Rust, rendezvous", to_rust(host, 0), 300_000)
    table.row("Rust to Python, capacity 1,024", from_rust(host, 1024), 1_000_000)
    table.row("Rust to Python, rendezvous", from_rust(host, 0), 300_000)
    table.row("awaited one by one, capacity 1,024", received(host, 1024, ours.sink_in_loop), 300_000)
    table.row("awaited one by one, rendezvous", received(host, 0, ours.sink_in_loop), 100_000)
    table.row("awaited with `async for`, capacity 1,024", received(host, 1024, ours.sink_async_for), 300_000)
    table.row("chosen with `alt` of two, capacity 1,024", chosen(host, 1024), 300_000)
    table.row("multiprocessing.Pipe", peers.pipe, 300_000)
    table.row("multiprocessing.Queue(1024)", peers.process_queue, 100_000)
    table.row("concurrent.interpreters queue (1024)", peers.interpreters_queue, 100_000)
    table.row("threading, queue.Queue(1024): nothing isolated", peers.thread_queue, 300_000)
    table.row("asyncio.Queue(1024): one thread", peers.asyncio_queue, 300_000)

    table.heading("A message of 1 KiB")
    table.row("Python to Python, capacity 1,024", blocks(host, 1024, 1024), 300_000)

    table.heading("Ping-pong, a round")
    table.row("Python and Python", ping_pong(host), 100_000)
    table.row("this program and a process", program_ping_pong(host), 50_000)
    table.row("multiprocessing.Pipe", peers.pipe_ping_pong, 30_000)

    table.heading("An executor's overhead, a call")
    table.row("SandboxExecutor, a process for each call", executor(host, 1), 200, "µs")
    table.row("SandboxExecutor, one process for all", executor(host, None), 5_000, "µs")
    table.row("ProcessPoolExecutor, a process for each call", peers.process_pool_fresh, 50, "µs")
    table.row("ProcessPoolExecutor, one process for all", peers.process_pool, 5_000, "µs")
    table.row("InterpreterPoolExecutor, one interpreter for all", peers.interpreter_pool, 5_000, "µs")

    table.heading("Half a round trip of 1 MiB between two ranks")
    table.row("Group, in sandboxes", group(host, 1 << 20), 200, "µs")

    def mpi(rounds: int) -> float | None:
        half = peers.mpi_half_round_trip(rounds, 1 << 20)
        return None if half is None else half * rounds

    table.row("mpi4py, lower-case send and recv", mpi, 1_000, "µs")

    if not given.only:
        computing(table, host, 20_000 if given.quick else 2_000_000)


if __name__ == "__main__":
    main()
