"""Making components of Python processes: `python -m transputer build`."""

from .component import build, build_interpreter
from .errors import BuildError
from .program import Origin, Program, load, origin_of

__all__ = ["BuildError", "Origin", "Program", "build", "build_interpreter", "load", "origin_of"]
