"""Running networks from a Python program, each process in a sandbox of its own.

    with Network() as net:
        p = net.start(double)
        p.numbers.send(21)
        print(p.doubled.receive())

It needs the extension `transputer._host`, which `pip install ./host/python` builds.
"""

from .errors import HostError, RemoteTraceback
from .network import Host, Network, Port, Running, load

__all__ = ["Host", "HostError", "Network", "Port", "RemoteTraceback", "Running", "load"]
