"""4. Deadlock: when nobody can go on, everybody is told who waits for what.

prints:
    deadlock: process `ping` waits to receive from `pong.outbox -> ping.inbox`
    deadlock: process `pong` waits to receive from `ping.outbox -> pong.inbox`
"""

from transputer import Channel, Receiver, Sender, process


@process
def answers(inbox: Receiver[int], outbox: Sender[int]) -> None:
    for number in inbox:  # Each waits for the other to begin.
        outbox.send(number + 1)


if __name__ == "__main__":
    (a, b), (c, d) = Channel(int), Channel(int)
    child = answers(d, a).named("ping").start()
    answers(b, c).named("pong").start()
    for line in sorted(child.wait().text.removeprefix("deadlock: ").split("; ")):
        if line.startswith("process"):
            print("deadlock:", line)
