"""6. A pipeline: each stage is a process, and what they share are the channels between them.

prints:
    3 lines of 14 letters
"""

from transputer import Network, Receiver, Sender, process


@process
def strip(lines: Receiver[str], words: Sender[str]) -> None:
    for line in lines:
        words.send(line.strip())


@process
def measure(words: Receiver[str], lengths: Sender[int]) -> None:
    for word in words:
        lengths.send(len(word))


@process
def total(lengths: Receiver[int], report: Sender[str]) -> None:
    every = list(lengths)
    report.send(f"{len(every)} lines of {sum(every)} letters")


if __name__ == "__main__":
    from transputer.testing import MemoryHost

    with Network(host=MemoryHost()) as net:  # With `Network()`, each runs in a sandbox of its own.
        stages = net.process(strip), net.process(measure), net.process(total)
        net.connect(stages[0].words, stages[1].words, capacity=8)
        net.connect(stages[1].lengths, stages[2].lengths, capacity=8)
        net.start()
        for line in (" hello\n", "there\n", "  Tony \n"):
            stages[0].lines.send(line)
        stages[0].lines.close()
        print(stages[2].report.receive())
