import sys

from numbers_of import counting
from shapes.squares import squared
from transputer import Network, Receiver, Sender, process


@process
def triples(numbers: Receiver[int], tripled: Sender[int]):
    for n in numbers:
        tripled.send(3 * n)


@process
def to_unsigned(signed: Receiver[int], unsigned: Sender["u64"]):
    unsigned.send_all(list(signed))


from transputer import u64  # noqa: E402

with Network() as net:
    count = net.process(counting, limit=4, limits={"memory": "64 MiB", "cpu": "60 s"})
    three = net.process(triples)
    square = net.process(squared, name="square")
    retype = net.process(to_unsigned)
    twice = net.process(sys.argv[1])
    net.connect(count.numbers, three.numbers)
    net.connect(three.tripled, square.sides, capacity=4)
    net.connect(square.areas, retype.signed)
    net.connect(retype.unsigned, twice.numbers)
    net.start()
    print(list(twice.doubled))
