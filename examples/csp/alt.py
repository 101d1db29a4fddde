"""2. Alternation: waiting for one of several things, of which exactly one happens.

prints:
    left sent 1
    right sent 'two'
    nobody sent anything in time
    sent 3 to the left
"""

from transputer import Channel, Receiver, Sender, after, process, select, sending


@process
def choose(left: Receiver[int], right: Receiver[str], back: Sender[int], said: Sender[str]) -> None:
    for _ in range(4):
        match select(left, right, after(0.01), sending(back, 3) if right.statistics.received else None):
            case chosen if chosen.index == 0:
                said.send(f"left sent {chosen.message}")
            case chosen if chosen.index == 1:
                said.send(f"right sent {chosen.message!r}")
            case chosen if chosen.index == 2:
                said.send("nobody sent anything in time")
            case _:
                said.send("sent 3 to the left")


if __name__ == "__main__":
    (a, left), (b, right), (c, back), (last, said) = Channel(int), Channel(str), Channel(int), Channel(str)
    choose(left, right, c, last).start()
    a.send(1)
    print(said.receive())
    b.send("two")
    print(said.receive())
    print(said.receive())
    assert back.receive() == 3
    print(said.receive())
