"""Sends many messages to a process and back, each process within 64 MiB:

    python many_messages.py 10000000

What each message leaves behind, such as a list that nobody frees, would end one of them: ten million messages of
32 bytes are five times its memory.
"""

import sys

from transputer import Network, Receiver, Sender, process


@process
def returns(there: Receiver[bytes], back: Sender[bytes]):
    for message in there:
        back.send(message)


@process
def drives(back: Receiver[bytes], there: Sender[bytes], done: Sender[int], count: int, size: int):
    sent = received = 0
    while received < count:
        for _ in range(min(256, count - sent)):
            there.send(sent.to_bytes(size))
            sent += 1
        while received < sent:
            assert back.receive() == received.to_bytes(size)
            received += 1
    there.close()
    done.send(received)


def main(count: int, size: int = 32) -> None:
    with Network() as net:
        limits = {"memory": "64 MiB"}
        driver = net.process(drives, limits=limits, count=count, size=size)
        echo = net.process(returns, limits=limits)
        net.connect(driver.there, echo.there, capacity=256)
        net.connect(echo.back, driver.back, capacity=256)
        net.start()
        print(driver.done.receive())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
