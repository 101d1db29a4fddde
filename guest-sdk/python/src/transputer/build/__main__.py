"""`python -m transputer.build`: components of Python files, with snapshots of their own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import BuildError, build, build_interpreter, load

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; its exit status is 2 if what it was told to do is wrong."""
    parser = argparse.ArgumentParser(
        prog="transputer build",
        description="Makes a component of each function that is marked `@process`, as NAME.wasm. It holds a snapshot "
        "of its program after all imports, so that a process starts quicker than one whose file is run as it is.",
    )
    parser.add_argument("files", nargs="*", help="a Python file, or FILE:PROCESS for one of its processes")
    parser.add_argument(
        "-o", "--output", type=Path, help="where to write; a folder, or a file for one process"
    )
    parser.add_argument(
        "-p", "--path", type=Path, action="append", default=[], help="a folder to import from"
    )
    parser.add_argument("--native", type=Path, help="the folder of the extension `transputer_native`")
    parser.add_argument(
        "--interpreter", action="store_true", help="make python.wasm, which runs any Python file"
    )
    given = parser.parse_args(arguments)
    if bool(given.files) == given.interpreter:
        parser.error("give Python files, or --interpreter")
    try:
        if given.interpreter:
            _write(given.output or Path("python.wasm"), build_interpreter(given.native))
        for file in given.files:
            _build(file, given)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _build(file: str, given: argparse.Namespace) -> None:
    name, _, process = file.partition(":")
    program = load(Path(name), given.path)
    chosen = [process] if process else list(program.processes)
    output: Path = given.output or Path()
    is_file = output.suffix == ".wasm"
    if is_file and len(chosen) + len(given.files) > 2:
        raise BuildError(
            f"{name} has {len(chosen)} processes, and each is a component of its own; give a folder, "
            f"or choose one, such as `{name}:{chosen[0]}`"
        )
    for process in chosen:
        target = output if is_file else output / f"{process}.wasm"
        _write(target, build(program, process, given.native))


def _write(target: Path, component: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(component)
    print(f"{target}: {len(component) / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
