"""The build backend of the wheel: maturin, after what it packs has been made.

A wheel holds three things that are made here: the host as a module for Python (maturin), the extension of the sandbox
(one file of Rust, for WebAssembly), and the component that runs Python programs (componentize-py, with that extension).

    python backend/transputer_backend.py

makes the last two alone, where the package's source is.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

_SDK = Path(__file__).resolve().parents[3] / "guest-sdk/python"
_PACKAGE = _SDK / "src/transputer"
_TARGET = "wasm32-wasip2"

# What pip calls, by names that it prescribes.


def build_wheel(directory: str, settings: Any = None, metadata: str | None = None) -> str:
    import maturin

    check_platform()
    make_extension()
    make_interpreter()
    wheel: str = maturin.build_wheel(directory, settings, metadata)
    add_package(Path(directory) / wheel)
    return wheel


def add_package(wheel: Path) -> None:
    """Adds the package to the wheel. Where it lies outside of the project's folder, maturin leaves out what git or
    its own rules ignore, which is most of it.
    """
    whole = wheel.with_suffix(".unfinished")
    with zipfile.ZipFile(wheel) as found, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made:
        record = next(name for name in found.namelist() if name.endswith(".dist-info/RECORD"))
        lines = found.read(record).decode().splitlines()
        for entry in found.infolist():
            if entry.filename != record:
                made.writestr(entry, found.read(entry), zipfile.ZIP_DEFLATED)
        for file in _package_files():
            name = file.relative_to(_PACKAGE.parent).as_posix()
            if name in made.namelist():
                continue
            contents = file.read_bytes()
            made.writestr(zipfile.ZipInfo(name), contents, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(contents)}")
        made.writestr(zipfile.ZipInfo(record), "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
    whole.replace(wheel)


def _package_files() -> list[Path]:
    """Everything that the package consists of, apart from the host, which maturin builds."""
    patterns = ("**/*.py", "py.typed", "wit/*.wit", "native/*.so", "python.wasm")
    return sorted({file for pattern in patterns for file in _PACKAGE.glob(pattern)})


def prepare_metadata_for_build_wheel(directory: str, settings: Any = None) -> str:
    import maturin

    check_platform()
    metadata: str = maturin.prepare_metadata_for_build_wheel(directory, settings)
    return metadata


def build_sdist(directory: str, settings: Any = None) -> str:
    sys.exit("a wheel is built where the whole repository is; there is no source distribution")


def check_platform() -> None:
    """Ends, and says why, where the host cannot run."""
    if sys.implementation.name != "cpython":
        sys.exit(f"transputer needs CPython, and this is {sys.implementation.name}")
    if sys.version_info < (3, 11):
        sys.exit(f"transputer needs Python 3.11 or newer, and this is {sys.version.split()[0]}")
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        sys.exit("transputer has no build for free-threaded Python, which has no stable ABI; use the ordinary one")
    machine = os.uname().machine if hasattr(os, "uname") else "Windows"
    if sys.platform != "linux" or machine not in ("x86_64", "aarch64"):
        sys.exit(f"transputer runs on Linux with x86-64 or AArch64, and this is {sys.platform} on {machine}")


def make_extension() -> None:
    """Makes the extension of the sandbox, if its source is newer than it."""
    source = _SDK / "native/transputer_native.rs"
    made = _PACKAGE / "native/transputer_native.cpython-314-wasm32-wasi.so"
    if _is_newer(made, [*source.parent.glob("*.rs")]):
        return
    rustc, lld = _guest_rustc(), _linker()
    made.parent.mkdir(exist_ok=True)
    compiled = made.with_suffix(".o")
    subprocess.run(
        [rustc, "--edition=2024", f"--target={_TARGET}", "--crate-type=lib", "--crate-name=transputer_native"]
        + ["-Cpanic=abort", "-Crelocation-model=pic", "-Copt-level=3", "-Ccodegen-units=1", "-Dwarnings"]
        + [f"--emit=obj={compiled}", str(source)],
        check=True,
    )
    subprocess.run(
        [lld, "-flavor", "wasm", "-shared", "--experimental-pic", "--unresolved-symbols=import-dynamic"]
        + ["--strip-debug", "--export=PyInit_transputer_native", "--export=cabi_realloc"]
        + [str(compiled), "-o", str(made)],
        check=True,
    )
    compiled.unlink()


def make_interpreter() -> None:
    """Makes the component that runs Python programs, if something of it is newer."""
    made = _PACKAGE / "python.wasm"
    sources = [*_PACKAGE.rglob("*.py"), *_PACKAGE.rglob("*.so"), *(_PACKAGE / "wit").resolve().glob("*.wit")]
    if _is_newer(made, [file for file in sources if not file.name.startswith("_host.")]):
        return
    sys.path.insert(0, str(_SDK / "src"))
    from transputer.build import build_interpreter

    unfinished = made.with_suffix(".unfinished")
    unfinished.write_bytes(build_interpreter())
    unfinished.replace(made)


def _is_newer(made: Path, sources: list[Path]) -> bool:
    if not made.is_file():
        return False
    return all(source.stat().st_mtime <= made.stat().st_mtime for source in sources)


def _guest_rustc() -> str:
    """A compiler that has the standard library for guests."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    toolchain = Path(os.environ.get("TRANSPUTER_TOOLCHAIN") or data / "transputer/guest-toolchain")
    for rustc in (os.environ.get("RUSTC", "rustc"), str(toolchain / "bin/rustc")):
        if shutil.which(rustc) is None:
            continue
        told = subprocess.run(
            [rustc, "--print=target-libdir", f"--target={_TARGET}"], capture_output=True, text=True, check=False
        )
        if told.returncode == 0 and any(Path(told.stdout.strip()).glob("libcore-*")):
            return rustc
    sys.exit(
        f"there is no Rust compiler for {_TARGET}: get it with `rustup target add {_TARGET}`, or by building any guest "
        "with `transputer build`, which makes one"
    )


def _linker() -> str:
    """The linker that comes with Rust."""
    ask = {"capture_output": True, "text": True, "check": True}
    rustc = os.environ.get("RUSTC", "rustc")
    sysroot = subprocess.run([rustc, "--print=sysroot"], **ask).stdout.strip()
    version = subprocess.run([rustc, "-vV"], **ask).stdout
    host = next(line.removeprefix("host: ") for line in version.splitlines() if line.startswith("host: "))
    lld = Path(sysroot) / "lib/rustlib" / host / "bin/rust-lld"
    found = str(lld) if lld.is_file() else shutil.which("rust-lld")
    return found or sys.exit("there is no rust-lld, the linker that comes with Rust")


if __name__ == "__main__":
    make_extension()
    make_interpreter()
