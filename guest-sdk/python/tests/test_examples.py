"""The examples in Python that need no host: each prints what it says that it prints."""

import os
import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
WALK = EXAMPLES / "csp"
ORDER = [
    "rendezvous",
    "alt",
    "poison",
    "deadlock",
    "farm",
    "pipeline",
    "philosophers",
    "commstime",
    "async_tasks",
    "embedding",
]


def printed(file: Path) -> str:
    """What a file says in its docstring that it prints."""
    found = re.search(r"^prints:\n((?:    .*\n)+)", file.read_text(), re.MULTILINE)
    assert found is not None, file
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


# What a sandbox has to stop cannot be stopped here; tests/python runs the last one.
@pytest.mark.parametrize("name", ORDER[:-1])
def test_a_walk_through_csp(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = WALK / f"{name}.py"
    runpy.run_path(str(file), run_name="__main__")
    assert capsys.readouterr().out == printed(file)


def test_the_page_of_the_walk_has_its_files() -> None:
    """`TRANSPUTER_UPDATE=1` renews the page."""
    assert {file.stem for file in WALK.glob("*.py")} == set(ORDER)
    page = WALK / "README.md"
    start, _, _ = page.read_text().partition("\n## ")
    text = start
    for name in ORDER:
        source = (WALK / f"{name}.py").read_text()
        title, _, rest = source.removeprefix('"""').partition("\n")
        _, _, code = rest.partition('"""\n')
        heading, _, says = title.partition(": ")
        text += f"\n## {heading}\n\n{says[:1].upper()}{says[1:]} ([`{name}.py`]({name}.py))\n\n"
        text += f"```python\n{code.strip()}\n```\n\n```text\n{printed(WALK / f'{name}.py')}```\n"
    if os.environ.get("TRANSPUTER_UPDATE"):
        page.write_text(text)
    assert page.read_text() == text, "renew it with TRANSPUTER_UPDATE=1"


def test_the_sieve_has_the_network_of_rust() -> None:
    """But for the names of the components, the network files are the same."""
    rust = (EXAMPLES / "sieve/network.toml").read_text()
    python = (EXAMPLES / "sieve-python/network.toml").read_text()
    assert python.replace("sieve.py:", "lib.rs:") == rust
    assert (EXAMPLES / "sieve-python/expected.txt").read_text() == (EXAMPLES / "sieve/expected.txt").read_text()
