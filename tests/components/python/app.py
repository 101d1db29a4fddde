"""Passes messages on: a process by componentize-py alone, without the project's SDK."""

import wit_world
from componentize_py_types import Err
from wit_world.imports import channel


class WitWorld(wit_world.WitWorld):
    def run(self, args, inputs, outputs):
        (_, messages), (_, out) = inputs[0], outputs[0]
        while True:
            try:
                message = messages.receive()
            except Err as error:
                if error.value == channel.Error.CLOSED:
                    return
                raise Err(str(error.value)) from error
            out.send(message)
