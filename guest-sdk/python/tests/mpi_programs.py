"""Programs for a group of ranks, which run on this package and, unchanged, on mpi4py: `comm` is either's
communicator, `MPI` the module with the operations. What each rank returns is compared.

    mpirun -n 4 python mpi_programs.py      prints the results under mpi4py
"""

import random
from collections.abc import Callable
from typing import Any

Program = Callable[[Any, Any], object]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


@program
def knows_its_place(comm: Any, MPI: Any) -> object:
    return comm.rank, comm.size, comm.Get_rank(), comm.Get_size()


@program
def passes_a_token_around(comm: Any, MPI: Any) -> object:
    right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    if comm.rank == 0:
        comm.send([0], dest=right)
        return comm.recv(source=left)
    token = comm.recv(source=left)
    comm.send([*token, comm.rank], dest=right)
    return token


@program
def sends_to_itself(comm: Any, MPI: Any) -> object:
    comm.send({"rank": comm.rank}, dest=comm.rank, tag=3)
    return comm.recv(source=comm.rank, tag=3)


@program
def exchanges_before_it_receives(comm: Any, MPI: Any) -> object:
    for step in range(200):
        comm.send(step, dest=(comm.rank + 1) % comm.size)
    return sum(comm.recv(source=(comm.rank - 1) % comm.size) for _ in range(200))


@program
def sends_and_receives(comm: Any, MPI: Any) -> object:
    right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    return comm.sendrecv((comm.rank, "x" * 100_000), dest=right, source=left, sendtag=1, recvtag=1)


@program
def chooses_by_tag(comm: Any, MPI: Any) -> object:
    if comm.rank:
        for tag in (1, 2, 3):
            comm.send((comm.rank, tag), dest=0, tag=tag)
        return None
    return [
        comm.recv(source=rank, tag=tag) for tag in (3, 1, 2) for rank in range(comm.size - 1, 0, -1)
    ]


@program
def receives_from_any(comm: Any, MPI: Any) -> object:
    if comm.rank:
        comm.send(comm.rank * 10, dest=0, tag=comm.rank)
        return None
    status, got = MPI.Status(), []
    for _ in range(comm.size - 1):
        message = comm.recv(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=status)
        got.append((status.Get_source(), status.Get_tag(), message))
    return sorted(got)


@program
def keeps_the_order(comm: Any, MPI: Any) -> object:
    if comm.rank:
        for n in range(50):
            comm.send(n, dest=0)
        return None
    return {rank: [comm.recv(source=rank) for _ in range(50)] for rank in range(1, comm.size)}


@program
def carries_values(comm: Any, MPI: Any) -> object:
    value = [None, True, 2**80, -(2**70), 2.5, "ä", b"\0\xff", (1, (2,)), {"a": (1,), 3: [4]}, {5, 6}, 1 + 2j]
    root = comm.size - 1
    return comm.bcast(value if comm.rank == root else None, root=root)


@program
def broadcasts(comm: Any, MPI: Any) -> object:
    return [comm.bcast(f"from {comm.rank}", root=root) for root in range(comm.size)]


@program
def scatters(comm: Any, MPI: Any) -> object:
    return [
        comm.scatter([(root, n) for n in range(comm.size)] if comm.rank == root else None, root=root)
        for root in range(comm.size)
    ]


@program
def gathers(comm: Any, MPI: Any) -> object:
    return [comm.gather(comm.rank**2, root=root) for root in range(comm.size)], comm.allgather(
        "abcdefgh"[comm.rank]
    )


@program
def reduces(comm: Any, MPI: Any) -> object:
    rank = comm.rank
    return [
        comm.reduce(rank + 1, op=MPI.SUM, root=0),
        comm.reduce(rank + 1, op=MPI.PROD, root=comm.size - 1),
        comm.allreduce((rank * 7) % 5, op=MPI.MAX),
        comm.allreduce((rank * 7) % 5, op=MPI.MIN),
        comm.allreduce(rank % 2, op=MPI.LAND),
        comm.allreduce(rank % 2, op=MPI.LOR),
        comm.allreduce(rank % 2, op=MPI.LXOR),
        comm.allreduce(rank | 8, op=MPI.BAND),
        comm.allreduce(1 << rank, op=MPI.BOR),
        comm.allreduce(rank, op=MPI.BXOR),
        comm.allreduce(((rank * 3) % 4, rank), op=MPI.MAXLOC),
        comm.allreduce((rank // 2, rank), op=MPI.MINLOC),
    ]


@program
def reduces_in_order(comm: Any, MPI: Any) -> object:
    return [comm.reduce(f"<{comm.rank}>", op=MPI.SUM, root=root) for root in range(comm.size)]


@program
def reduces_floats(comm: Any, MPI: Any) -> object:
    chance = random.Random(comm.rank)
    return [comm.allreduce(chance.random() * 10.0 ** chance.randrange(-9, 9)) for _ in range(50)]


@program
def computes_pi(comm: Any, MPI: Any) -> object:
    steps = comm.bcast(1000 if comm.rank == 0 else None, root=0)
    part = sum(4 / (1 + ((i + 0.5) / steps) ** 2) for i in range(comm.rank, steps, comm.size))
    return comm.reduce(part / steps, op=MPI.SUM, root=0)


@program
def meets_at_barriers(comm: Any, MPI: Any) -> object:
    total = 0
    for turn in range(20):
        comm.barrier()
        total += comm.allreduce(turn)
    return total


@program
def mixes_all(comm: Any, MPI: Any) -> object:
    """Messages of its own stay apart from those of collective operations."""
    right = (comm.rank + 1) % comm.size
    comm.send("mine", dest=right, tag=0)
    together = comm.allgather(comm.rank)
    comm.barrier()
    return together, comm.recv(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG)


if __name__ == "__main__":
    from mpi4py import MPI

    comm, results = MPI.COMM_WORLD, {}
    for name, run in PROGRAMS.items():
        results[name] = comm.gather(run(comm, MPI))
        # Nobody begins the next one, and sends, while another still receives from anybody.
        comm.barrier()
    if comm.rank == 0:
        print(repr(results))
