"""Channels and processes in the memory of this program, for tests and for trying things out.

Processes are threads; nothing isolates or limits them. Channels, alternations, poison and the ends of
processes mean what they mean on Transputer's host.
"""

from .world import WORLD, World

__all__ = ["WORLD", "World"]
