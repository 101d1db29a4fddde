"""CSP's operators, and the words of python-csp: `a // b` runs in parallel, `a > b` in sequence, `c | d` is a choice.

    from transputer.operators import process

    (reads(wire) // writes(numbers)).start()        # waits until both have ended
    (first() > second() > third()).start()
    received = (guard(left) | guard(right)).select()

In python-csp an operator runs its operands at once; here it says what would run, so that they nest: `a // (b > c)`.
What is never started warns.

Programs for python-csp, whose functions have no annotations, run as well, in memory: there a `Channel` is both ends in
one, and its poison ends processes quietly.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias

from .alternation import SKIP, Chosen, Guard, after, receiving, select, sending
from .channel import Channel as _Channel
from .channel import Receiver, Sender
from .children import Child, Failures, Spawn
from .errors import Closed, Poisoned, SpawnRefused
from .payload import Object
from .payload.objects import OBJECT
from .processes import Process
from .signature import Argument, Signature

__all__ = ["Alt", "Channel", "Choice", "Par", "Seq", "Skip", "Timer", "guard", "process"]

P = ParamSpec("P")


class _Runs:
    """What the operators combine."""

    # What stands before this in `a > b > c`, which Python takes for `a > b and b > c`.
    _before: Seq | None = None

    def __floordiv__(self, other: _Part | list[_Part] | tuple[_Part, ...]) -> Par:
        others = other if isinstance(other, (list, tuple)) else (other,)
        return Par(self, *others)

    def __gt__(self, other: _Part) -> Seq:
        before, self._before = self._before, None
        return Seq(*(before._parts if before else (self,)), other)


class _Together(_Runs):
    _is_started: bool

    def __init__(self, *parts: _Part) -> None:
        self._parts: list[_Part] = []
        self._is_started = False
        for part in parts:
            if isinstance(part, _Together):
                # With this one.
                part._is_started = True
            if isinstance(part, _Together) and type(part) is type(self):
                self._parts += part._parts
            else:
                self._parts.append(part)

    def start(self) -> list[str]:
        """Runs the processes, and waits until all have ended. Returns their names.

        Raises `Failures`: those that failed, and those that were not started for they should have come after one
        that failed.
        """
        self._is_started = True
        return _Running().run(self)

    def __del__(self) -> None:
        if not getattr(self, "_is_started", True):
            warnings.warn(f"{self!r} was never started", RuntimeWarning, stacklevel=2)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts))})"


class Par(_Together):
    """Processes in parallel.

    >>> @process
    ... def counts(limit: int, numbers: Sender[int]):
    ...     numbers.send_all(range(limit))
    >>> @process
    ... def adds(numbers: Receiver[int], total: Sender[int]):
    ...     total.send(sum(numbers))
    >>> (numbers, wire), (last, total) = _Channel(int), _Channel(int, capacity=1)
    >>> sorted((counts(10, numbers) // adds(wire, last)).start())
    ['adds', 'counts']
    >>> total.receive()
    45
    """


class Seq(_Together):
    """Processes one after the other.

    >>> @process
    ... def says(word: str, words: Sender[str]):
    ...     words.send(word)
    >>> words, said = _Channel(str, capacity=3)
    >>> (says("one", words.clone()) > says("two", words.clone()) > says("three", words)).start()
    ['says', 'says', 'says']
    >>> list(said)
    ['one', 'two', 'three']
    """

    def __bool__(self) -> bool:
        # Between two comparisons of a chain; the next one takes up what this one has.
        last = self._parts[-1]
        if isinstance(last, _Runs):
            last._before = self
        self._is_started = True
        return True


class Spawnable(Spawn, _Runs):
    """A process that could be started, by itself or with others."""

    __slots__ = ()


_Part: TypeAlias = "Spawn | _Runs"


class _Running:
    """Runs a tree of processes: waits for whichever ends first, and starts what comes after it."""

    def __init__(self) -> None:
        self.result = Failures()
        self.children: list[tuple[Child, Receiver[str], Callable[[bool], None]]] = []

    def run(self, tree: _Part) -> list[str]:
        self.begin(tree, lambda _: None)
        while self.children:
            at = select(*(monitor for _, monitor, _ in self.children)).index
            child, _, then = self.children.pop(at)
            outcome = child.wait()
            self.result._add(child.name, outcome)
            then(outcome.is_finished)
        return self.result._names()

    def begin(self, tree: _Part, then: Callable[[bool], None]) -> None:
        """Starts what can start now; `then` is told whether all of it finished."""
        if isinstance(tree, Seq):
            self.go_on(tree._parts, then)
        elif isinstance(tree, Par):
            left, well = len(tree._parts), True

            def ended(finished: bool) -> None:
                nonlocal left, well
                left, well = left - 1, well and finished
                if not left:
                    then(well)

            for part in tree._parts:
                self.begin(part, ended)
        else:
            assert isinstance(tree, Spawn)
            try:
                child = tree.start()
            except SpawnRefused as refused:
                self.result.failed.append((tree.label, refused))
                then(False)
            else:
                self.children.append((child, child.monitor(), then))

    def go_on(self, parts: list[_Part], then: Callable[[bool], None]) -> None:
        first, rest = parts[0], parts[1:]

        def ended(finished: bool) -> None:
            if not rest:
                then(finished)
            elif finished:
                self.go_on(rest, then)
            else:
                self.result.not_started += [label for part in rest for label in _labels(part)]
                then(False)

        self.begin(first, ended)


def _labels(tree: _Part) -> list[str]:
    if isinstance(tree, _Together):
        return [label for part in tree._parts for label in _labels(part)]
    assert isinstance(tree, Spawn)
    return [tree.label]


class _Process(Process[P]):
    """A process whose calls can be combined."""

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> Spawnable:
        bound = inspect.signature(self.function).bind(*arguments, **named)
        return Spawnable(self, self.name, bound.arguments)


def process(function: Callable[P, object]) -> _Process[P]:
    """Marks a function as a process, as `transputer.process` does, whose calls `//` and `>` combine.

    One that has parameters without annotations is a process of python-csp's: it runs in memory only, any of its
    arguments may be a `Channel` of this module, and when one of these is poisoned, it ends quietly and poisons the
    others.
    """
    parameters = inspect.signature(function).parameters.values()
    if all(parameter.annotation is not parameter.empty for parameter in parameters):
        return _Process(function)
    return _Untyped(function)


# Choice.


class Choice(Guard):
    """One of several communications, of which `select` lets one happen."""

    __slots__ = ("guards",)

    def __init__(self, *guards: Guard | Receiver[Any] | None) -> None:
        self.guards: list[Guard | None] = []
        for each in guards:
            if isinstance(each, Choice):
                self.guards += each.guards
            else:
                self.guards.append(receiving(each) if isinstance(each, Receiver) else each)

    def __or__(self, other: Guard | Receiver[Any]) -> Choice:
        return Choice(self, other)

    def chosen(self, priority: bool = False) -> Chosen[Any]:
        """Waits until one can go; tells which it was."""
        return select(*self.guards, priority=priority)

    def select(self) -> Any:
        """Waits until one can go, chooses fairly among those that can, and returns what it received."""
        return self.chosen().message

    fair_select = select

    def pri_select(self) -> Any:
        """The same, but of several that can go, the first does."""
        return self.chosen(priority=True).message


Alt = Choice
"""As python-csp calls it: `Alt(a, b).select()`."""


def guard(what: Guard | Receiver[Any]) -> Choice:
    """Something to choose, for `|`: a receiver, or a guard such as `sending(sender, message)` or `after(1)`.

    >>> (a, left), (b, right) = _Channel(int, capacity=1), _Channel(str, capacity=1)
    >>> b.send("right")
    >>> (guard(left) | guard(right)).select()
    'right'
    >>> (guard(left) | right | after(0.001)).chosen().index
    2
    """
    return Choice(what)


class Skip(Choice):
    """Can always go."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(SKIP)


class Timer(Choice):
    """Can go once a time has passed."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(after(0))

    def set_alarm(self, timeout: float) -> None:
        """Sets the time, in seconds from now."""
        self.guards = [after(timeout)]


# What programs for python-csp use.

_POISON = "poisoned, as python-csp ends networks"


class Channel(Choice):
    """Both ends of a rendezvous in one, for any value of Python's. In a choice, it is read from."""

    __slots__ = ("_ends", "receiver", "sender")

    def __init__(self, ends: tuple[Sender[Any], Receiver[Any]] | None = None) -> None:
        self.sender, self.receiver = ends or _Channel[Any](Object)
        super().__init__(self.receiver)

    def read(self) -> Any:
        """Receives."""
        return self.receiver.receive()

    def write(self, message: Any) -> None:
        """Sends."""
        self.sender.send(message)

    def writing(self, message: Any) -> Choice:
        """Offers to send, in a choice."""
        return Choice(sending(self.sender, message))

    def poison(self) -> None:
        """Ends every process that has this channel, and theirs."""
        self.receiver.poison(_POISON)


class _Untyped(_Process[P]):
    """A function without annotations. What its parameters are is known when it is called."""

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> Spawnable:
        bound = inspect.signature(self.function).bind(*arguments, **named)
        bound.apply_defaults()
        channels = [name for name, value in bound.arguments.items() if isinstance(value, Channel)]
        values: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if name in channels:
                values[f"{name}.read"] = value.receiver.clone()
                values[f"{name}.write"] = value.sender.clone()
            else:
                values[name] = value
        return Spawnable(_Called(self, channels, values), self.name, values)


class _Called(Process[...]):
    """One call of an untyped process: here its signature is known."""

    def __init__(self, called: _Untyped[...], channels: list[str], values: dict[str, Any]) -> None:
        super().__init__(called.function)
        self.channels = channels
        inner = self.function

        def function(**values: Any) -> None:
            own = [value for value in values.values() if isinstance(value, Channel)]
            try:
                inner(**values)
            except (Closed, Poisoned) as error:
                if isinstance(error, Poisoned) and error.reason != _POISON:
                    raise
                for channel in own:
                    channel.poison()

        self.function = function
        arguments = {name: Argument(OBJECT, inspect.Parameter.empty) for name in values if "." not in name}
        self.__dict__["signature"] = Signature(
            self.name,
            "",
            arguments,
            {f"{name}.read": OBJECT for name in channels},
            {f"{name}.write": OBJECT for name in channels},
            tuple(values),
        )

    def take_in(
        self, arguments: bytes, inputs: list[tuple[str, Any]], outputs: list[tuple[str, Any]]
    ) -> dict[str, Any]:
        values = super().take_in(arguments, inputs, outputs)
        for name in self.channels:
            values[name] = Channel((values.pop(f"{name}.write"), values.pop(f"{name}.read")))
        return values
