from transputer import Receiver, Sender, process


@process
def squared(sides: Receiver[int], areas: Sender[int]):
    from .areas import area

    for side in sides:
        areas.send(area(side))
