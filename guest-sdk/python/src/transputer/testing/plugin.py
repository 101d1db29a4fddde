"""What pytest takes from this package by itself: the fixtures `network` and `process_log`, and the option
`--transputer`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..backend.memory import WORLD
from ..host import Host, Network
from .memory import MemoryHost

__all__ = ["network", "process_log", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that says where processes run."""
    parser.addoption(
        "--transputer",
        choices=("memory", "sandbox"),
        default="memory",
        help="where the processes of the fixture `network` run: as threads of this program, or each in a sandbox",
    )


@pytest.fixture
def process_log() -> list[tuple[str, str, str]]:
    """What the processes of `network` log: each line with the process and the level."""
    return []


@pytest.fixture
def network(
    request: pytest.FixtureRequest, process_log: list[tuple[str, str, str]]
) -> Iterator[Network]:
    """A network, whose processes must have finished at the end of the test, or fail it."""
    in_memory = request.config.getoption("--transputer") == "memory"
    host = MemoryHost() if in_memory else Host.default()
    provided = dict(WORLD.components)

    def log(*line: str) -> None:
        process, level, text = line
        process_log.append((process, level, text))

    net = Network(request.node.name, host=host, log=log)
    try:
        yield net
        net.close()
        net.join()
    finally:
        net.stop("the test is over")
        net.close()
        WORLD.components = provided
