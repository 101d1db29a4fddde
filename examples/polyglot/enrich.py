"""A plugin in Python, with a package from PyPI: https://pypi.org/project/httpagentparser"""

import dataclasses

import httpagentparser
from transputer import Receiver, Sender, process, u16, u64


@dataclasses.dataclass
class Visit:
    """One request, as the plugins in Rust know it."""

    path: str
    status: u16
    bytes: u64
    agent: str


@process
def enrich(visits: Receiver[Visit], enriched: Sender[Visit]) -> None:
    """Puts the browser and its system in the place of the path, so that visits are counted by these."""
    for visit in visits:
        system, browser = httpagentparser.simple_detect(visit.agent)
        # Without the version, of which there are too many.
        name = browser.rpartition(" ")[0] or browser
        enriched.send(dataclasses.replace(visit, path=f"{name}, {system}"))
