"""How this API is asked and how it answers: everything in the query, `key=value` lines, and two ways to say no."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl

from simulator.api import Answer, Call

BAD_REQUEST = "Error\r\nBad Request!\r\n"
NO_AUTHORITY = '{"error":{"code":403,"message":"Authority:check failure."},"result":false}\r\n'
JSON = b"application/json"
OK = Answer("OK\r\n")


def asked(call: Call) -> list[tuple[str, str]]:
    """The query in its order, names as they were written: this API tells capitals from small letters."""
    return parse_qsl(call.request.target.partition("?")[2], keep_blank_values=True)


def lines(rows: Iterable[tuple[str, object]]) -> Answer:
    return Answer("".join(f"{name}={value}\r\n" for name, value in rows))


def word(value: bool) -> str:  # noqa: FBT001 - the API's word for it
    return "true" if value else "false"


def flag(text: str) -> bool:
    """Raises KeyError for anything but the two words."""
    return {"true": True, "false": False}[text]


def bad(call: Call, why: str | None = None) -> Answer:
    """What cannot be done: mostly with HTTP 400, but some say it under 200."""
    body = BAD_REQUEST if why is None else f"Error\r\n{why}\r\n"
    return Answer(body, status=200 if "fault-200" in call.device.plan.quirks else HTTPStatus.BAD_REQUEST)


def unknown_name(call: Call) -> Answer:
    """Newer firmware answers an unknown name as if the account lacked a right to it."""
    return bad(call) if is_older(call) else no_authority()


def no_authority() -> Answer:
    return Answer(NO_AUTHORITY, JSON, HTTPStatus.FORBIDDEN)


def is_older(call: Call) -> bool:
    return call.device.plan.firmware.startswith("2.800.")
