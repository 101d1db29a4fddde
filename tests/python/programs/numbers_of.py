from transputer import Sender, process


@process
def counting(numbers: Sender[int], limit: int):
    for n in range(limit):
        numbers.send(n)
