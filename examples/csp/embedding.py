"""10. Embedding: processes in sandboxes, in a program of yours, with limits that hold.

prints:
    42
    spins was killed: over its cpu limit
"""

from transputer import Failed, Network, Receiver, Sender, process


@process
def double(numbers: Receiver[int], doubled: Sender[int]) -> None:
    for number in numbers:
        doubled.send(2 * number)


@process
def spins(numbers: Receiver[int]) -> None:
    while True:
        pass


if __name__ == "__main__":
    with Network() as net:
        p = net.start(double, limits={"memory": "64 MiB"})
        p.numbers.send(21)
        print(p.doubled.receive())
    try:
        with Network() as net:
            net.start(spins, limits={"cpu": "100 ms"})
    except Failed as failed:
        kind, why = str(failed.outcome).split(": ")[:2]
        print(f"{failed.process} was {kind}: {why}")
