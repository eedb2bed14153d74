"""A vendor's own API: one request to it, what a page of it is, and how it turns away who may not ask.

Each vendor has a package with an `API` in it; `Camera` does the login, with the accounts of the web server.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from simulator.auth import Entry
from simulator.device import Device
from simulator.http import Request
from simulator.plan import Account, CameraPlan, Role

Group = Literal["viewer", "operator", "admin"]
TEXT, HTML, XML, BINARY = b"text/plain", b"text/html", b"text/xml", b"application/octet-stream"
GROUPS: Mapping[Role, tuple[Group, ...]] = {
    "Administrator": ("admin", "operator", "viewer"),
    "Operator": ("operator", "viewer"),
    "User": ("viewer",),
}


@dataclass(frozen=True, slots=True)
class Call:
    """`caller` is None until somebody logged in."""

    device: Device
    request: Request
    caller: Account | None = None

    @property
    def form(self) -> Mapping[str, str]:
        """Query and body alike, whatever the body's Content-Type says: seen to be taken as a form."""
        query = self.request.target.partition("?")[2]
        body = self.request.body.decode("utf-8", "replace") if self.request.method == "POST" else ""
        return dict(parse_qsl(query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are complete header lines."""

    body: str | bytes
    content_type: bytes = TEXT
    status: int = 200
    headers: bytes = b""


@dataclass(frozen=True, slots=True)
class Page:
    """`group` says which group a call needs; None lets everybody in."""

    group: Callable[[Call], Group | None]
    answer: Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Offer:
    """The HTTP authentication schemes that are offered and taken."""

    digest: bool = True
    basic: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """What is at which path.

    `page_at` finds the page of a path; None leaves the path to the rest of the web server. `refused` is what somebody
    hears whose login was not granted (the guard's word; the challenges are added to a 401) or, where it is None, whose
    account lacks the group. `not_set_up` is what everybody hears before the first account was made; None lets the page
    answer. `pictures` are the targets of snapshots besides ONVIF's own. `lets_in` says whether a new connection from an
    address to a port is taken.
    """

    page_at: Callable[[str], Page | None]
    refused: Callable[[Call, Entry | None], Answer]
    not_set_up: Callable[[Call], Answer | None]
    offer: Callable[[Call], Offer] = lambda _call: Offer()
    pictures: Callable[[CameraPlan], Sequence[str]] = lambda _plan: ()
    lets_in: Callable[[CameraPlan, str, int], bool] = lambda _plan, _address, _port: True


def needs(group: Group | None) -> Callable[[Call], Group | None]:
    return lambda _call: group
