from transputer import Network, Receiver, Sender, process


@process
def double(numbers: Receiver[int], doubled: Sender[int]):
    for n in numbers:
        doubled.send(2 * n)


with Network() as net:
    p = net.start(double)  # its own sandboxed CPython
    p.numbers.send(21)
    print(p.doubled.receive())
