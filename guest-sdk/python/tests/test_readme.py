"""What the README shows works."""

import re
from pathlib import Path
from typing import Any

import pytest
from transputer import Host, Network
from transputer.testing import MemoryHost

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_first_programs_run(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    shared: dict[str, Any] = {"__name__": "readme"}
    # A process, and a test of it in memory; the next runs in sandboxes.
    for block in blocks[:3]:
        exec(compile(block, str(README), "exec"), shared)
    assert shared["child"].wait().is_finished
    shared["test_double"](network)
    assert "Network" in blocks[3]
    # In memory, the executor's calls run as all else does.
    monkeypatch.setattr(Host, "_default", MemoryHost())
    (executor,) = (block for block in blocks if "SandboxExecutor" in block)
    exec(compile(executor, str(README), "exec"), shared)
    assert shared["completed"].error is None
