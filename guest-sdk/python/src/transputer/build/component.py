"""From a program to a component."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import transputer

from ..processes import Process
from .errors import BuildError
from .program import Program

__all__ = ["build", "build_interpreter"]

_PACKAGE = Path(transputer.__file__).resolve().parent

_ENTRY = """\
from transputer.build import entry
entry.import_lazily({lazily!r})
import {module}
entry.remember_sources({packages!r})
WitWorld = entry.world({module}.{process})
entry.freeze()
"""

_INTERPRETER = """\
from transputer.interpreter import entry
WitWorld = entry.world()
"""

# A custom section's name, by which the host finds the signature.
_SECTION = b"transputer:signature"

_COMPONENT = b"\0asm\x0d\0\1\0"


def build(program: Program, process: str, native: Path | None = None) -> bytes:
    """Makes the component of one of a program's processes. Takes some ten seconds.

    `native` is the folder of the extension `transputer_native`, if it is not the one that came with this package.

    Raises `BuildError` with what componentize-py says, and for a process whose annotations cannot be used.
    """
    if process not in program.processes:
        known = ", ".join(f"`{name}`" for name in program.processes)
        raise BuildError(f"`{program.module}` has no process `{process}`; it has {known}")
    marked = program.processes[process]
    try:
        signature = marked.signature.to_json()
    except (TypeError, NameError) as error:
        raise BuildError(str(error)) from error
    entry = _ENTRY.format(
        lazily=program.lazily, module=program.module, packages=program.packages, process=process
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        component = _componentize(folder, entry, program.paths, native, marked.name)
    return sign(component, signature)


def build_interpreter(native: Path | None = None) -> bytes:
    """Makes the component that runs any program. Takes a minute.

    Its own process is the one that makes programs.
    """
    from ..interpreter.prepare import prepare

    with tempfile.TemporaryDirectory() as folder:
        component = _componentize(Path(folder), _INTERPRETER, (), native, "the interpreter")
    return sign(component, prepare.signature.to_json())


def _componentize(
    folder: Path, entry: str, folders: Sequence[Path], native: Path | None, name: str
) -> bytes:
    """Has componentize-py make a component of an entry module, in a folder of its own."""
    (folder / "transputer_entry.py").write_text(entry, encoding="utf-8")
    made = folder / "made.wasm"
    # The package alone, not everything that is installed beside it.
    unused = shutil.ignore_patterns("__pycache__", "*.so", "*.wasm", "wit", "memory")
    shutil.copytree(_PACKAGE, folder / "transputer", ignore=unused)
    paths = [folder, *folders, _native_folder(native)]
    command = [
        *_componentize_py(),
        *("-q", "-d", str(_PACKAGE / "wit"), "-w", "guest"),
        *("componentize", "transputer_entry", "-o", str(made)),
        *(argument for path in paths for argument in ("-p", str(path))),
    ]
    # It would add the packages of a virtual environment to the path by itself.
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    kept["RUST_BACKTRACE"] = "0"
    done = subprocess.run(command, env=kept, cwd=folder, capture_output=True, check=False)
    if done.returncode != 0 or not made.is_file():
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        # Its own traceback comes first, then the program's.
        said = said.rpartition("AssertionError: ")[2]
        raise BuildError(f"componentize-py could not make a component of `{name}`: {said}")
    return made.read_bytes()


def _native_folder(given: Path | None) -> Path:
    """The folder of the extension `transputer_native`: the one given, or that which came with this package."""
    folder = given or _PACKAGE / "native"
    if not any(folder.glob("transputer_native.*.so")):
        raise BuildError(
            f"{folder}: the extension `transputer_native` is not in this folder; `pip install ./host/python` makes it"
        )
    return folder.resolve()


_NOT_INHERITED = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")


def _componentize_py() -> Sequence[str]:
    """The command that runs componentize-py in this Python."""
    try:
        import componentize_py
    except ImportError:
        raise BuildError(
            "componentize-py is not installed, which makes components of Python; "
            "get it with `pip install componentize-py==0.25.1`"
        ) from None
    # Nothing else of what this Python's surroundings say, but where it was found.
    folder = str(Path(componentize_py.__file__).parents[1])
    script = f"import sys; sys.path.insert(0, {folder!r}); import componentize_py; sys.exit(componentize_py.script())"
    return sys.executable, "-I", "-c", script


def sign(component: bytes, signature: str) -> bytes:
    """Appends a signature, which a component may have in a section at its end.

    >>> signed = sign(b"\\0asm\\x0d\\0\\1\\0", '{"version":1}')
    >>> signed.endswith(b'transputer:signature{"version":1}')
    True
    """
    if not component.startswith(_COMPONENT):
        raise BuildError("componentize-py made something that is not a component")
    body = _leb128(len(_SECTION)) + _SECTION + signature.encode()
    return component + b"\0" + _leb128(len(body)) + body


def _leb128(number: int) -> bytes:
    """A number in the form that WebAssembly has for lengths."""
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)
