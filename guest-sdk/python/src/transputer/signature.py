"""The signature: what a process says of itself, in annotations, and to the host."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from .channel import Receiver, Sender
from .payload import Payload, payload_of
from .payload.containers import Option

__all__ = ["Argument", "Signature"]

# An interpreter recurses as deep as its programs do: so many bytes hold what `sys.getrecursionlimit()` allows.
_STACK = 2 << 20

NO_DEFAULT = inspect.Parameter.empty


class Argument(NamedTuple):
    """A value that a process is given when it starts."""

    payload: Payload
    default: Any
    """What it is if it is not given; `NO_DEFAULT` if it must be."""

    @property
    def wit(self) -> str:
        """Its type for the host. What has a default may be left out, as an option may."""
        if self.default is NO_DEFAULT or self.payload.is_option:
            return self.payload.wit
        return Option(self.payload).wit


class Signature(NamedTuple):
    """A process's name, what it does, and its parameters by name."""

    name: str
    doc: str
    arguments: Mapping[str, Argument]
    inputs: Mapping[str, Payload]
    outputs: Mapping[str, Payload]
    parameters: tuple[str, ...]
    """All names, in the order of the function."""

    def to_json(self) -> str:
        """The contents of the section in which a component carries its signature.

        >>> def double(numbers: Receiver[int], doubled: Sender[int], by: int = 2): "Doubles numbers."
        >>> Signature.of(double).to_json()[:56]
        '{"version":1,"process":"double","doc":"Doubles numbers."'
        """
        arguments = [{"name": name, "type": argument.wit} for name, argument in self.arguments.items()]
        ports = [
            {
                "name": name,
                "direction": "input" if name in self.inputs else "output",
                "type": (self.inputs.get(name) or self.outputs[name]).wit,
            }
            for name in self.parameters
            if name not in self.arguments
        ]
        signature = {
            "version": 1,
            "process": self.name,
            "doc": self.doc,
            "arguments": arguments,
            "ports": ports,
            "stack": _STACK,
        }
        return json.dumps(signature, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """The signature of a function.

        Raises `TypeError` for a parameter without an annotation, or with one that cannot cross a channel.
        """
        name = function.__name__
        hints = typing.get_type_hints(function, include_extras=True)
        arguments: dict[str, Argument] = {}
        inputs: dict[str, Payload] = {}
        outputs: dict[str, Payload] = {}
        parameters = inspect.signature(function).parameters
        for parameter in parameters.values():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(
                    f"process `{name}`: parameter `{parameter}` cannot be given by name; "
                    "a process has no `*` or positional-only parameters"
                )
            if parameter.name not in hints:
                raise TypeError(
                    f"process `{name}`: parameter `{parameter.name}` has no annotation, such as "
                    "`Receiver[int]` for a port or `int` for an argument"
                )
            hint = hints[parameter.name]
            try:
                origin = get_origin(hint) or hint
                if origin in (Receiver, Sender):
                    (carried,) = get_args(hint) or (Any,)
                    ports = inputs if origin is Receiver else outputs
                    ports[parameter.name] = payload_of(carried)
                else:
                    payload = payload_of(hint)
                    if payload.carries_ends:
                        raise TypeError("an argument cannot hold ends of channels; make it a port")
                    arguments[parameter.name] = Argument(payload, parameter.default)
            except TypeError as error:
                raise TypeError(f"process `{name}`: parameter `{parameter.name}`: {error}") from None
        paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
        doc = " ".join(paragraph.split())
        return cls(name, doc, arguments, inputs, outputs, tuple(parameters))
