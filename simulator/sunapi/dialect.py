"""How SUNAPI is spoken: `<cgi>?msubmenu=…&action=…`, answered in lines of `Key=Value` or, where asked for, in JSON.

A change is answered `OK`, a refusal `NG` with a number and words, both with status 200. What a change needs stands in
the query; a body is a file, or a password that was encrypted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from simulator.api import TEXT, Answer, Call, Group, Page

JSON = b"application/json"
OLD = "sunapi-old"
"""The quirk of firmware that knows no JSON, no encrypted passwords, no `remove` and no right of an administrator."""
BUSY = "sunapi-busy"
"""The quirk of a camera that has too few sessions: two requests of five are answered 490."""


class NotGood(Exception):
    """`NG` and its number: 600 and 601 are unknown submenus and actions, 602 parameters, 604 and 607 files."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Shown:
    """The same in both shapes."""

    lines: Sequence[str]
    data: object


@dataclass(frozen=True, slots=True)
class Command:
    """One action of one submenu. `do` answers with what it shows, a whole answer, or None for `OK`."""

    group: Group
    do: Callable[[Call], Shown | Answer | None]


Commands = Mapping[tuple[str, str], Command]


def asked(call: Call) -> Mapping[str, str]:
    return dict(parse_qsl(call.request.target.partition("?")[2], keep_blank_values=True))


def is_old(call: Call) -> bool:
    return OLD in call.device.plan.quirks


def need(said: Mapping[str, str], name: str) -> str:
    value = said.get(name)
    if value is None:
        raise NotGood(602, "Invalid Parameter(s)")
    return value


def flag(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise NotGood(602, "Invalid Parameter(s)")
    return value.lower() == "true"


def word(value: bool) -> str:  # noqa: FBT001 - its word for it
    return "True" if value else "False"


def show(**values: object) -> Shown:
    """Plain values: a line each, an object together."""
    lines = [f"{name}={word(value) if isinstance(value, bool) else _csv(value)}" for name, value in values.items()]
    return Shown(lines, values)


def _csv(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def page(commands: Commands) -> Page:
    """One cgi. A stranger is asked for a login before he hears that there is no such submenu."""

    def command(call: Call) -> Command | None:
        said = asked(call)
        return commands.get((said.get("msubmenu", ""), said.get("action", "")))

    def group(call: Call) -> Group | None:
        call.device.sunapi_calls += 1
        if _is_busy(call):
            return None
        found = command(call)
        return found.group if found else "viewer"

    def answer(call: Call) -> Answer:
        if _is_busy(call):
            return Answer("", TEXT, 490)
        try:
            found = command(call)
            if found is None:
                known = any(submenu == asked(call).get("msubmenu") for submenu, _ in commands)
                raise NotGood(601, "Action Not Found") if known else NotGood(600, "Submenu Not Found")
            return _answer(call, found.do(call))
        except NotGood as refusal:
            return _refusal(call, refusal)

    return Page(group, answer)


def _is_busy(call: Call) -> bool:
    return BUSY in call.device.plan.quirks and call.device.sunapi_calls % 5 in (3, 4)


def _wants_json(call: Call) -> bool:
    return "application/json" in (call.request.header(b"Accept") or "") and not is_old(call)


def _answer(call: Call, said: Shown | Answer | None) -> Answer:
    if isinstance(said, Answer):
        return said
    if _wants_json(call):
        return Answer(json.dumps({"Response": "Success"} if said is None else said.data), JSON)
    return Answer("OK\r\n" if said is None else "".join(f"{line}\r\n" for line in said.lines))


def _refusal(call: Call, refusal: NotGood) -> Answer:
    if _wants_json(call):
        error = {"Code": refusal.code, "Details": refusal.words}
        return Answer(json.dumps({"Response": "Fail", "Error": error}), JSON)
    return Answer(f"NG\r\nError Code: {refusal.code}\r\n{refusal.words}\r\n")
