"""Modules that are found in memory, for a sandbox has no files."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Mapping
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import NamedTuple

__all__ = ["Finder", "Module"]


class Module(NamedTuple):
    """A module that has not been imported yet."""

    file: str
    """What tracebacks call its file."""
    is_package: bool
    code: bytes
    """Its code, marshalled; compressed if `is_compressed`. Nothing for a folder that is no package."""
    source: bytes = b""
    """Its compressed text, if tracebacks are to show its lines."""
    is_compressed: bool = False

    def compiled(self) -> CodeType | None:
        """What runs when it is imported."""
        if not self.code:
            return None
        code: CodeType = marshal.loads(zlib.decompress(self.code) if self.is_compressed else self.code)
        return code


class Finder(MetaPathFinder, InspectLoader):
    """Finds and loads modules by their names."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        module = self.modules.get(fullname)
        if module is None:
            return None
        # A folder without code is a namespace, which has no loader.
        spec = ModuleSpec(
            fullname, self if module.code else None, origin=module.file, is_package=module.is_package
        )
        spec.has_location = bool(module.code)
        return spec

    def exec_module(self, module: ModuleType) -> None:
        code = self.modules[module.__name__].compiled()
        if code is not None:
            exec(code, vars(module))

    def is_package(self, fullname: str) -> bool:
        return self.modules[fullname].is_package

    def get_code(self, fullname: str) -> CodeType | None:
        return self.modules[fullname].compiled()

    def get_source(self, fullname: str) -> str | None:
        source = self.modules[fullname].source
        return zlib.decompress(source).decode(errors="replace") if source else None
