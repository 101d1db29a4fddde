"""What the tests of the sandbox share: the command, components, and runs of networks."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
RUST_GUESTS = TARGET / "guests/wasm32-wasip2/guest/examples"
PYTHON_GUESTS = Path(__file__).parent / "guests"
SNAPSHOTS = TARGET / "python/guests"
INTERPRETER = ROOT / "guest-sdk/python/src/transputer/python.wasm"

# A run that hangs is a fault; one on a busy machine, which compiles 20 MB first, is not.
TIMEOUT = 300


COMMAND = os.environ.get("TRANSPUTER", str(TARGET / "debug/transputer"))


def environment() -> dict[str, str]:
    """What programs of a user's see. What is compiled stays for the next run of the tests."""
    return os.environ | {
        "PYTHONPATH": str(ROOT / "guest-sdk/python/src"),
        "TRANSPUTER_PYTHON": str(INTERPRETER),
        "XDG_CACHE_HOME": str(TARGET / "python/cache"),
    }


@dataclass
class Run:
    """What a run of a network has printed, and its status."""

    out: str
    err: str
    status: int


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Runs a network, given the text of its file, with the command. Options may follow."""

    def run(network: str, *options: str) -> Run:
        places = {
            "RUST": RUST_GUESTS.as_posix(),
            "PYTHON": PYTHON_GUESTS.as_posix(),
            "SNAPSHOTS": SNAPSHOTS.as_posix(),
        }
        for name, path in places.items():
            network = network.replace(f"${name}", path)
        file = tmp_path / "network.toml"
        file.write_text(network)
        done = subprocess.run(
            # Address space is reserved for each process that may live; few will.
            [COMMAND, "run", str(file), "--max-processes", "50", *options],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Run(done.stdout, done.stderr, done.returncode)

    return run
