"""7. Philosophers: five processes, five forks, and a butler who lets four sit down at once.

prints:
    everybody has eaten 3 times
"""

from transputer import Channel, Receiver, Sender, par, process, select


@process
def fork(left: Receiver[None], right: Receiver[None]) -> None:
    sides: list[Receiver[None] | None] = [left, right]
    while any(sides):
        chosen = select(*sides)  # Taken, by whoever comes first,
        holder = sides[chosen.index]
        if chosen.error is not None or holder is None:
            sides[chosen.index] = None
        else:
            holder.receive()  # and put down by the same.


@process
def butler(sits_down: Receiver[None], gets_up: Receiver[None], seats: int) -> None:
    while True:
        chosen = select(sits_down if seats else None, gets_up)
        if chosen.error is not None:
            return
        seats += -1 if chosen.index == 0 else 1


@process
def philosopher(
    sits: Sender[None], rises: Sender[None], left: Sender[None], right: Sender[None], eaten: Sender[int]
) -> None:
    for _ in range(3):
        sits.send(None)
        for either in (left, right):
            either.send(None)
        for either in (left, right):
            either.send(None)
        rises.send(None)
    eaten.send(3)


if __name__ == "__main__":
    forks = [(Channel[None](None), Channel[None](None)) for _ in range(5)]
    (sit, sitting), (rise, rising) = Channel[None](None), Channel[None](None)
    last, eaten = Channel(int, capacity=5)
    diners = [
        philosopher(
            sit.clone(), rise.clone(), forks[seat][0].sender, forks[(seat + 1) % 5][1].sender, last.clone()
        ).named(f"philosopher-{seat}")
        for seat in range(5)
    ]
    for end in (sit, rise, last):
        end.close()
    par(*diners, butler(sitting, rising, 4), *(fork(a.receiver, b.receiver) for a, b in forks))
    assert list(eaten) == [3] * 5
    print("everybody has eaten 3 times")
