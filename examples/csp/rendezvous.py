"""1. Rendezvous: two processes meet at a channel, and then both go on.

prints:
    the greeter waits until somebody listens
    hello, Tony
"""

from transputer import Channel, Sender, process


@process
def greeter(name: str, words: Sender[str]) -> None:
    words.send(f"hello, {name}")  # Nobody holds this message until there is a receiver.


if __name__ == "__main__":
    last, words = Channel(str)
    child = greeter("Tony", last).start()
    print("the greeter waits until somebody listens")
    print(words.receive())
    child.join()
