"""Calls of functions, each in a sandbox: `SandboxExecutor`, a `concurrent.futures.Executor`.

| Module | What is in it |
|---|---|
| `pool` | the executor, its threads, and what a call may come to |
| `calls` | which module a call needs, and which classes its result may be made of |
| `worker` | the process that performs calls |
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from .errors import LimitExceeded, RemoteError
    from .pool import Completed, SandboxExecutor, SandboxFuture

__all__ = ["Completed", "LimitExceeded", "RemoteError", "SandboxExecutor", "SandboxFuture"]


def __getattr__(name: str) -> object:
    # The worker is imported in sandboxes, where there is no host, and nothing to wait for one with.
    if name in __all__:
        from . import errors, pool

        return getattr(errors if hasattr(errors, name) else pool, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
