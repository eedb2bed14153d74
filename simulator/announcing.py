"""What the ways of announcing a camera have in common: who hears a question, and what comes of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulator.plan import CameraPlan

Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Announcement:
    """One protocol. `is_on` says whether a camera answers now; `answers` gives datagrams, and where each is sent.

    With `shared` the port may be somebody else's on this machine too.
    """

    group: str
    port: int
    is_on: Callable[[CameraPlan], bool]
    answers: Callable[[CameraPlan, bytes, Endpoint, int], Iterable[tuple[bytes, Endpoint]]]
    shared: bool = True
