"""The JSON dialect: `{"apiVersion", "context", "method", "params"}`, answered with `data` or `error`, status 200."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.api import Answer, Call, Group, Page, needs
from simulator.device import Device

JSON = b"application/json; charset=utf8"
Params = Mapping[str, Any]


class Failure(Exception):
    """An error of the API, by its number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Codes:
    """How an API numbers the errors that all of them have."""

    get: int = 2002
    version: int = 2003
    method: int = 2004
    json: int = 4000


@dataclass(frozen=True, slots=True)
class JsonApi:
    """`echoes_method` False: seen, some leave the method out of the answer."""

    version: str
    methods: Mapping[str, Callable[[Device, Params], Params]]
    codes: Codes = field(default_factory=Codes)
    echoes_method: bool = True

    def answer(self, call: Call) -> Answer:
        try:
            said = json.loads(call.request.body)
        except ValueError:
            said = None
        return self.reply_to(call, said)

    def reply_to(self, call: Call, said: object) -> Answer:
        """The answer to a parsed request; upgrades come with theirs inside a form."""
        head: dict[str, object] = {"apiVersion": self.version}
        if isinstance(said, dict):
            head |= {key: said[key] for key in ("context", "method") if key in said}
        if not self.echoes_method:
            head.pop("method", None)
        try:
            body: dict[str, object] = {"data": dict(self._data(call, said))}
        except Failure as failure:
            body = {"error": {"code": failure.code, "message": failure.message}}
        return Answer(json.dumps({**head, **body}), JSON)

    def _data(self, call: Call, said: object) -> Params:
        if call.request.method != "POST":
            raise Failure(self.codes.get, "Only POST is supported")
        if not isinstance(said, dict):
            raise Failure(self.codes.json, "Invalid JSON")
        if said.get("method") == "getSupportedVersions":
            return {"apiVersions": [self.version]}
        if str(said.get("apiVersion", "")).partition(".")[0] != self.version.partition(".")[0]:
            raise Failure(self.codes.version, "The requested API version is not supported")
        do = self.methods.get(str(said.get("method")))
        if do is None:
            raise Failure(self.codes.method, "Method not supported")
        params = said.get("params", {})
        return do(call.device, params if isinstance(params, dict) else {})

    def page(self, group: Group | Callable[[Call], Group | None] | None) -> Page:
        return Page(group if callable(group) else needs(group), self.answer)


def method_of(call: Call) -> str:
    """The method of a JSON call; empty where there is none."""
    try:
        said = json.loads(call.request.body)
    except ValueError:
        return ""
    return str(said.get("method", "")) if isinstance(said, dict) else ""
