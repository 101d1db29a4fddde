from transputer import Network, Sender, process


class TooMany(Exception):
    def __init__(self, number: int, *, most: int):
        super().__init__(number)
        self.most = most


@process
def counts(numbers: Sender[int]):
    for n in range(9):
        if n == 3:
            raise TooMany(n, most=2)
        numbers.send(n)


try:
    with Network() as net:
        print(sum(net.start(counts).numbers))
except TooMany as error:
    print("caught", error)
