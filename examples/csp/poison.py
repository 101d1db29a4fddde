"""3. How streams end: a closed channel is the end of a loop, a poisoned one is an error with a reason.

prints:
    the sum is 6
    adds failed: a process at the channel failed: process `counts` failed: ValueError: 4 is too much
"""

from transputer import Channel, Failures, Receiver, Sender, par, process


@process
def counts(limit: int, numbers: Sender[int]) -> None:
    for number in range(limit):
        if number == 4:
            raise ValueError("4 is too much")
        numbers.send(number)


@process
def adds(numbers: Receiver[int], total: Sender[int]) -> None:
    total.send(sum(numbers))  # The loop in `sum` ends when `counts` has ended.


def run(limit: int) -> int:
    (numbers, wire), (last, total) = Channel(int), Channel(int, capacity=1)
    par(counts(limit, numbers), adds(wire, last))
    return total.receive()


if __name__ == "__main__":
    print(f"the sum is {run(4)}")
    try:
        run(10)
    except Failures as failures:
        for name, outcome in failures.failed:
            if name == "adds":
                print(name, str(outcome).splitlines()[0])
