"""One VAPIX request, and what a page is: who may ask, and the answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from simulator.device import Device
from simulator.http import Request
from simulator.plan import Account, Role

Group = Literal["viewer", "operator", "admin"]
JSON, TEXT, HTML, XML = b"application/json; charset=utf8", b"text/plain", b"text/html", b"text/xml"
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

    @property
    def method(self) -> str:
        """The method of a JSON call; empty where there is none."""
        try:
            said = json.loads(self.request.body)
        except ValueError:
            return ""
        return str(said.get("method", "")) if isinstance(said, dict) else ""


@dataclass(frozen=True, slots=True)
class Answer:
    body: str | bytes
    content_type: bytes = TEXT
    status: int = 200


@dataclass(frozen=True, slots=True)
class Page:
    """`group` says which group a call needs; None lets everybody in."""

    group: Callable[[Call], Group | None]
    answer: Callable[[Call], Answer]


def needs(group: Group | None) -> Callable[[Call], Group | None]:
    return lambda _call: group
