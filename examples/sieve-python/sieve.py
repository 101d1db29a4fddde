"""Prime numbers, with a process of its own for each: `examples/sieve`, in Python."""

from itertools import count as count_from

from transputer import Channel, Component, Receiver, Sender, process, u32, u64


@process
def generator(numbers: Sender[u64]) -> None:
    """Sends 2, 3, 4 and so on, until nobody wants more."""
    for number in count_from(2):
        numbers.send(number)


@process
def sieve(count: u64, capacity: u32, candidates: Receiver[u64], primes: Sender[u64]) -> None:
    """Finds so many primes. Each one's filter is joined to those before it by a channel of this capacity."""
    for _ in range(count):
        prime = candidates.receive()
        primes.send(prime)
        survivors, rest = Channel[u64](u64, capacity)
        filter = Component("filter")(prime=prime, candidates=candidates, survivors=survivors)
        filter.named(f"filter-{prime}").start()
        candidates = rest


@process
def filter(prime: u64, candidates: Receiver[u64], survivors: Sender[u64]) -> None:
    """Passes on what the prime does not divide."""
    for candidate in candidates:
        if candidate % prime:
            survivors.send(candidate)


@process
def printer(primes: Receiver[u64], lines: Sender[str]) -> None:
    """Writes each prime on a line."""
    for prime in primes:
        lines.send(str(prime))
