"""5. A farm: workers take from one channel, whoever is free, and a collector has the results.

prints:
    10 results of 3 workers: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]
"""

from transputer import Channel, Receiver, Sender, process


@process
def worker(tasks: Receiver[int], results: Sender[tuple[int, int]]) -> None:
    for task in tasks:
        results.send((task, task * task))


if __name__ == "__main__":
    tasks, wire = Channel(int, capacity=10)
    last, results = Channel[tuple[int, int]](tuple[int, int])
    for number in range(3):
        worker(wire.clone(), last.clone()).named(f"worker-{number}").start()
    wire.close()
    last.close()  # The results end when the last worker has.
    tasks.send_all(list(range(10)))
    tasks.close()
    squares = sorted(results)
    print(f"{len(squares)} results of 3 workers: {[square for _, square in squares]}")
