"""The executor."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from ..children import Outcome
from ..errors import ChannelError, Failed, TimedOut, Undecodable
from ..host import Host, Network, RemoteTraceback, Running
from ..host.units import seconds, size
from .calls import Worker, call_of, result_of, source_call, worker_for
from .errors import LimitExceeded, RemoteError
from .worker import Answer, Call

__all__ = ["Completed", "SandboxExecutor", "SandboxFuture"]

P = ParamSpec("P")
T = TypeVar("T")


class SandboxFuture(concurrent.futures.Future[T]):
    """A call that waits, runs or has ended. Unlike other futures, `cancel` stops one that runs."""

    def __init__(self) -> None:
        super().__init__()
        self._child: _Child | None = None
        self._has_ended = False
        self._was_stopped = False

    def cancel(self) -> bool:
        """Cancels the call; ends its process if it runs. `False` if it had ended before."""
        if super().cancel():
            return True
        with self._condition:
            if self._has_ended:
                return self._was_stopped
            self._was_stopped = True
            if self._child is not None:
                self._child.stop("the call was cancelled")
        return True

    def cancelled(self) -> bool:
        """Whether it was cancelled before it had ended."""
        return super().cancelled() or self._was_stopped

    def _runs_in(self, child: _Child) -> None:
        with self._condition:
            self._child = child
            if self._was_stopped:
                child.stop("the call was cancelled")

    def _end(self, result: Any, error: BaseException | None) -> None:
        """Sets what the call has come to; from now on, it cannot be cancelled any more."""
        with self._condition:
            self._child = None
            self._has_ended = True
            if self._was_stopped:
                error = concurrent.futures.CancelledError()
        if error is not None:
            self.set_exception(error)
        else:
            self.set_result(result)


@dataclasses.dataclass
class Completed(Generic[T]):
    """What came of a source: how it ended, and what it has written until then."""

    stdout: str
    stderr: str
    left_out: int
    """How many characters it has written that were left out, past the executor's `output`."""
    error: Exception | None
    """What was raised, or how the process was ended, if it did not return."""
    _value: T | None = None

    @property
    def value(self) -> T:
        """What the function returned; raises `error` if there is one."""
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]


@dataclasses.dataclass
class _Work:
    future: SandboxFuture[Any]
    call: Call
    module: str | None
    timeout: float | None


class SandboxExecutor(concurrent.futures.Executor):
    """Calls functions in sandboxes, each in a process of its own, with limits that hold.

        with SandboxExecutor(max_workers=4, memory="64 MiB", cpu="1 s", timeout="5 s") as executor:
            future = executor.submit(count_words, text)
            print(future.result())
            print(executor.run_source("def main(n): return n * n", args=(12,)).value)

    A function is found by its name, as with `ProcessPoolExecutor`: it is at the top level of a module, whose imports
    are pure Python. Arguments and results are what `transputer.payload.Object` carries. A result is only made of
    classes that this program knows to be results: those of the function's module, and `results`.

    An exception is raised as itself, with the remote traceback as its cause, or as `RemoteError`. A call that goes over
    a limit raises `LimitExceeded`, one over its time-out `TimeoutError`: its process is no more then.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        memory: int | str | None = None,
        cpu: float | str | None = None,
        timeout: float | str | None = None,
        grants: Mapping[str, Any] | None = None,
        limits: Mapping[str, Any] | None = None,
        output: int | str = "1 MiB",
        results: Sequence[type] = (),
        max_tasks_per_child: int | None = 1,
        host: Host | None = None,
        log: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """`memory`, `cpu`, `limits` and `grants` are those of a process, by the keys of a network file; `timeout` is how
        long a call may take from when it starts. `output` is how much of what a source writes is kept.

        A process performs `max_tasks_per_child` calls, and keeps its state between them; its limits are for all of
        them. With `None` it performs calls for as long as it lives.

        What functions log is passed to `log`, with the process and the level, or printed to `stderr`.
        """
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if max_tasks_per_child is not None and max_tasks_per_child <= 0:
            raise ValueError("max_tasks_per_child must be greater than 0")
        self._max_workers = max_workers or os.cpu_count() or 1
        given = {"memory": memory, "cpu": cpu}
        self._limits = {**dict(limits or {}), **{k: v for k, v in given.items() if v is not None}}
        self._grants = grants
        self._timeout = None if timeout is None else seconds(timeout)
        self._output = size(output)
        self._results = tuple(results)
        self._tasks_per_child = max_tasks_per_child
        self._host = host or Host.default()
        self._log = log
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._is_shut_down = False
        self._workers: dict[str | None, Worker] = {}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> SandboxFuture[T]:
        """Has the function called. Raises `TypeError` for a function or for arguments that cannot cross."""
        call = call_of(fn, args, kwargs)
        return self._enqueue(call, call.where, self._timeout)

    def submit_source(
        self,
        source: str,
        entry: str | None = "main",
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        timeout: float | str | None = None,
    ) -> SandboxFuture[Completed[Any]]:
        """Has a source run, and then its function `entry` called, if that is not `None`. What it prints is captured."""
        call = source_call(source, entry or "", args, dict(kwargs or {}))
        longest = self._timeout if timeout is None else seconds(timeout)
        return self._enqueue(call, None, longest)

    def run_source(
        self,
        source: str,
        entry: str | None = "main",
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        timeout: float | str | None = None,
    ) -> Completed[Any]:
        """The same, and waits until it has ended. Raises nothing of what went wrong in it: see `Completed.error`.

        >>> from transputer.testing import MemoryHost  # Calls are threads of this program; without it, in sandboxes.
        >>> with SandboxExecutor(1, host=MemoryHost()) as executor:
        ...     completed = executor.run_source("def main(n): print('hello'); return n * n", args=(12,))
        >>> completed.value, completed.stdout
        (144, 'hello\\n')
        """
        return self.submit_source(source, entry, args=args, kwargs=kwargs, timeout=timeout).result()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes no more calls. With `wait`, blocks until all have ended; with `cancel_futures`, those that have not
        started never do.
        """
        with self._lock:
            self._is_shut_down = True
            threads = list(self._threads)
            if cancel_futures:
                while True:
                    try:
                        work = self._work.get_nowait()
                    except queue.Empty:
                        break
                    if work is not None:
                        work.future.cancel()
            for _ in threads:
                self._work.put(None)
        if wait:
            for thread in threads:
                thread.join()

    # Its threads, each of which looks after one process.

    def _enqueue(self, call: Call, module: str | None, timeout: float | None) -> SandboxFuture[Any]:
        future: SandboxFuture[Any] = SandboxFuture()
        with self._lock:
            if self._is_shut_down:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if module not in self._workers:
                self._workers[module] = worker_for(module or "builtins")
            self._work.put(_Work(future, call, module, timeout))
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._max_workers:
                thread = threading.Thread(target=self._look_after, name="transputer-executor", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def _look_after(self) -> None:
        child: _Child | None = None
        while (work := self._next()) is not None:
            if not work.future.set_running_or_notify_cancel():
                continue
            try:
                if child is None or not child.can_perform(work.module):
                    if child is not None:
                        child.close()
                    child = self._start(work.module)
                work.future._runs_in(child)
                result = child.perform(work, self._output, result_of(work.module, self._results))
            except BaseException as error:
                child = self._ended(child)
                work.future._end(None, error)
            else:
                work.future._end(result, None)
                if child.performed == self._tasks_per_child:
                    child.close()
                    # While nobody waits for it.
                    child = self._start_quietly(work.module)
            del work
        if child is not None:
            child.close()

    def _next(self) -> _Work | None:
        try:
            return self._work.get_nowait()
        except queue.Empty:
            self._idle.release()
            return self._work.get()

    def _ended(self, child: _Child | None) -> _Child | None:
        """The child that has come through an exception: one of the function's alone leaves it as it was."""
        if child is None or child.is_broken:
            return None
        if child.performed == self._tasks_per_child:
            child.close()
            return None
        return child

    def _start(self, module: str | None) -> _Child:
        net = Network("executor", host=self._host, **({} if self._log is None else {"log": self._log}))
        limits = self._limits or None
        running = net.start(self._workers[module], name="call", limits=limits, grants=self._grants)
        return _Child(net, running, module)

    def _start_quietly(self, module: str | None) -> _Child | None:
        try:
            return self._start(module)
        except Exception:
            # The next call tries again, and has the error.
            return None


class _Child:
    """A process that performs calls."""

    def __init__(self, net: Network, running: Running, module: str | None) -> None:
        self.net = net
        self.running = running
        self.module = module
        self.performed = 0
        self.is_broken = False

    def can_perform(self, module: str | None) -> bool:
        return not self.is_broken and self.module == module

    def stop(self, reason: str) -> None:
        self.is_broken = True
        self.net.stop(reason)

    def close(self) -> None:
        self.net.close()

    def perform(self, work: _Work, output: int, results: Any) -> Any:
        """Has a call performed, and returns its result, or raises what it raised."""
        kept = _Output(output)
        self.performed += 1
        try:
            value = self._answered(work, kept, results)
        except Exception as error:
            if work.call.kind == "function":
                raise
            return Completed(kept.of("stdout"), kept.of("stderr"), kept.left_out, error)
        if work.call.kind == "function":
            return value
        return Completed(kept.of("stdout"), kept.of("stderr"), kept.left_out, None, value)

    def _answered(self, work: _Work, kept: _Output, results: Any) -> Any:
        deadline = None if work.timeout is None else time.monotonic() + work.timeout
        try:
            self.running.calls.send(work.call, timeout=work.timeout)
            while True:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                answer: Answer = self.running.answers.receive(timeout=left)
                if answer.kind == "value":
                    return results.decode(answer.value)
                if answer.kind == "error":
                    raise _raised(answer, results)
                kept.take(answer.kind, answer.text)
                # A flood must not let the time pass unseen.
                if deadline is not None and time.monotonic() > deadline:
                    raise TimedOut
        except TimedOut:
            self.stop("the call took too long")
            raise TimeoutError(f"the call took longer than {work.timeout:g} s, and was stopped") from None
        except Undecodable as error:
            self.stop("its answer could not be read")
            raise RemoteError(f"the result cannot be read here: {error}") from None
        except ChannelError:
            self.is_broken = True
            raise _ended(self.running.wait()) from None


class _Output:
    """What a call has written, up to a limit."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.left_out = 0
        self.pieces: dict[str, list[str]] = {"stdout": [], "stderr": []}

    def take(self, stream: str, text: str) -> None:
        kept = text[: self.left]
        self.left -= len(kept)
        self.left_out += len(text) - len(kept)
        if kept:
            self.pieces[stream].append(kept)

    def of(self, stream: str) -> str:
        return "".join(self.pieces[stream])


def _raised(answer: Answer, results: Any) -> BaseException:
    said, _, traceback = answer.text.partition("\n")
    error: BaseException = RemoteError(said)
    if answer.value:
        try:
            decoded = results.decode(answer.value)
        except Undecodable:
            decoded = None
        if isinstance(decoded, Exception):
            error = decoded
    error.__cause__ = RemoteTraceback(traceback or answer.text)
    return error


def _ended(outcome: Outcome) -> Exception:
    """What ended the process in the middle of a call."""
    if outcome.limit is not None:
        return LimitExceeded(f"the call was {outcome}", outcome.limit)
    if outcome.is_finished:
        return RemoteError("the call ended its process")
    return Failed("call", outcome)


