"""Four of the Savina actor benchmarks, with their results checked."""

from transputer import Channel, Receiver, Sender, par, process, select


@process
def ping(rounds: int, out: Sender[int], back: Receiver[int], total: Sender[int]) -> None:
    got = 0
    for n in range(rounds):
        out.send(n)
        got += back.receive()
    total.send(got)


@process
def pong(given: Receiver[int], back: Sender[int]) -> None:
    for n in given:
        back.send(n + 1)


def test_ping_pong() -> None:
    (out, given), (answers, back), (last, total) = Channel(int), Channel(int), Channel(int, capacity=1)
    par(ping(1000, out, back, last), pong(given, answers))
    assert total.receive() == sum(range(1, 1001))


@process
def produces(count: int, counted: Sender[int]) -> None:
    for _ in range(count):
        counted.send(1)


@process
def counts(increments: Receiver[int], total: Sender[int]) -> None:
    total.send(sum(increments))


def test_counting() -> None:
    (counted, increments), (last, total) = Channel(int, capacity=64), Channel(int, capacity=1)
    par(produces(20_000, counted), counts(increments, last))
    assert total.receive() == 20_000


@process
def fib(n: int, result: Sender[int]) -> None:
    """Starts a process for each smaller number that it needs."""
    if n < 2:
        result.send(n)
        return
    (a, left), (b, right) = Channel(int), Channel(int)
    fib(n - 1, a).start()
    fib(n - 2, b).start()
    result.send(left.receive() + right.receive())


def test_fib() -> None:
    last, result = Channel(int)
    fib(9, last).start()
    assert result.receive() == 34


@process
def philosopher(left: Sender[str], right: Sender[str], meals: int, eaten: Sender[int]) -> None:
    for _ in range(meals):
        for fork in (left, right):
            fork.send("take")
        for fork in (left, right):
            fork.send("put down")
    eaten.send(meals)


@process
def fork(a: Receiver[str], b: Receiver[str]) -> None:
    sides: list[Receiver[str] | None] = [a, b]
    while any(sides):
        chosen = select(*sides)
        if chosen.error is not None:
            sides[chosen.index] = None
            continue
        held = sides[chosen.index]
        assert held is not None
        held.receive()


def test_philosophers() -> None:
    """All eat, for the last one takes its forks in the other order."""
    count, meals = 5, 50
    places = [(Channel(str), Channel(str)) for _ in range(count)]
    last, eaten = Channel(int, capacity=count)
    seats = []
    for seat in range(count):
        own, next_one = places[seat][0].sender, places[(seat + 1) % count][1].sender
        first, second = (own, next_one) if seat < count - 1 else (next_one, own)
        seats.append(philosopher(first, second, meals, last.clone()))
    last.close()
    par(*seats, *(fork(a.receiver, b.receiver) for a, b in places))
    assert sum(eaten) == count * meals
