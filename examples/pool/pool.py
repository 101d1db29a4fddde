"""A pool of sandboxes beside a pool of processes: the same calls, and then one that no pool of processes survives well.

    python pool.py
"""

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from transputer import SandboxExecutor
from transputer.executor import LimitExceeded


@dataclasses.dataclass
class Factors:
    number: int
    primes: list[int]


def factorise(number: int) -> Factors:
    """By trial division, which takes its time."""
    left, primes, divisor = number, [], 2
    while divisor * divisor <= left:
        while left % divisor == 0:
            primes.append(divisor)
            left //= divisor
        divisor += 1
    return Factors(number, primes + [left] * (left > 1))


NUMBERS = [2**31 - 1, 600_851_475_143, 1_000_000_007 * 3, 2**40 - 1]

UNTRUSTED = """
def main(question):
    print("thinking about", question)
    kept = []
    while True:
        kept.append(question * 1000)
"""


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"# {what}: {time.perf_counter() - start:.2f} s")


def factors_of(executor: Executor) -> list[Factors]:
    return list(executor.map(factorise, NUMBERS))


def main() -> None:
    with timed("SandboxExecutor"), SandboxExecutor(2, memory="64 MiB", cpu="60 s") as sandboxes:
        in_sandboxes = factors_of(sandboxes)
    with timed("ProcessPoolExecutor"), ProcessPoolExecutor(2) as processes:
        in_processes = factors_of(processes)
    print("both found the same:", in_sandboxes == in_processes)
    print(*in_sandboxes[1].primes)

    with SandboxExecutor(1, memory="64 MiB", cpu="30 s") as sandboxes:
        completed = sandboxes.run_source(UNTRUSTED, args=("life",))
    print("it wrote:", completed.stdout, end="")
    if isinstance(completed.error, LimitExceeded):
        print("and was stopped by its limit:", completed.error.limit)


if __name__ == "__main__":
    main()
