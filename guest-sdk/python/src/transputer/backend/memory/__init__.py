"""Channels and processes in the memory of this program, for tests and for trying things out.

Processes are threads; nothing isolates or limits them. Channels, alternations, poison and the ends of
processes mean what they mean on Transputer's host: where this package has the host, they are its core's (`core`);
otherwise, or with `TRANSPUTER_MEMORY=python`, `channel`, `select` and `barrier` do the same in Python.
"""

from .world import WORLD, World

__all__ = ["WORLD", "World"]
