"""`python -m transputer`, and the command `transputer` that the wheel installs."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import Any

__all__ = ["main"]

_PYTHON_FILE = re.compile(r".*\.py(:\w+)?")


def main() -> int:
    """Runs the command, and returns its exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["build"] and any(map(_PYTHON_FILE.fullmatch, arguments)):
        from .build.__main__ import main as build

        return build(arguments[1:])
    try:
        native: Any = import_module("transputer._host")
    except ImportError as error:
        print(
            "error: this installation of transputer has no host, and can only `build` Python files; "
            f"`pip install ./host/python` makes one that has ({error})",
            file=sys.stderr,
        )
        return 4
    from .host.components import INTERPRETER, module_path

    interpreter = str(INTERPRETER) if INTERPRETER.is_file() else None
    status: int = native.run_command(
        ["transputer", *arguments], interpreter, module_path(), sys.executable
    )
    return status


if __name__ == "__main__":
    sys.exit(main())
