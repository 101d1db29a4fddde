"""The examples in Python that need the host, run as their users run them."""

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from conftest import ROOT, TIMEOUT, environment

EXAMPLES = ROOT / "examples"


def python(*arguments: str, given: str = "/dev/null") -> str:
    """What a program or the command has printed."""
    with open(given, encoding="utf-8") as stdin:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment(),
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected(name: str) -> str:
    return (EXAMPLES / name / "expected.txt").read_text()


@pytest.mark.parametrize("capacity", [0, 128])
def test_the_sieve(capacity: int) -> None:
    arguments = ["run", "examples/sieve-python", "--arg", f"capacity={capacity}", "--max-processes", "50"]
    assert python("-m", "transputer", *arguments) == expected("sieve-python")


def test_polyglot() -> None:
    if find_spec("httpagentparser") is None:
        pytest.skip("NOT CHECKED: needs the package httpagentparser (`pip install httpagentparser`)")
    log = str(EXAMPLES / "pipeline/access.log")
    printed = python("-m", "transputer", "run", "examples/polyglot", "--max-processes", "50", given=log)
    assert printed == expected("polyglot")


def test_a_pool() -> None:
    lines = python("examples/pool/pool.py").splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("#")) == expected("pool")


def test_the_last_of_the_walk() -> None:
    file = EXAMPLES / "csp/embedding.py"
    says = re.search(r"^prints:\n((?:    .*\n)+)", file.read_text(), re.MULTILINE)
    assert says is not None
    assert python(str(file)) == re.sub(r"^    ", "", says[1], flags=re.MULTILINE)


def test_the_benchmark_runs() -> None:
    printed = python("guest-sdk/python/benches/run.py", "--quick")
    for row in ("Python to Python, rendezvous", "SandboxExecutor, a process for each call", "two at once"):
        assert row in printed
