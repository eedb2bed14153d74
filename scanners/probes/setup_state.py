"""Was this camera ever set up? Signs that it gives to anybody, so that no password has to be guessed."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from cameras.errors import DeviceError, Garbled
from cameras.facts import Scopes, SetupSignal
from cameras.http import DeviceHttp
from cameras.untrusted import parse_xml

# ONVIF Profile Q: a device in factory default state carries the first scope, one that is in service the second.
FACTORY_DEFAULT_SCOPE = "onvif://www.onvif.org/Profile/Q/FactoryDefault"
OPERATIONAL_SCOPE = "onvif://www.onvif.org/Profile/Q/Operational"


@dataclass(frozen=True, slots=True)
class _Question:
    """One vendor's own sign, and what that vendor calls itself (`maker`).

    `decode` gives whether the camera is as it left the factory, or raises Garbled.
    """

    source: str
    maker: str
    method: str
    path: str
    content: bytes | None
    decode: Callable[[bytes], bool]


def decode_axis(body: bytes) -> bool:
    """VAPIX systemready.cgi (AXIS OS 9.50 and later): `needsetup` is "yes" until the first account exists."""
    try:
        says = json.loads(body)["data"]["needsetup"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Garbled("systemready.cgi: another answer") from error
    if says not in ("yes", "no"):
        raise Garbled("systemready.cgi: needsetup is neither yes nor no")
    return bool(says == "yes")


def decode_hikvision(body: bytes) -> bool:
    """/SDK/activateStatus: `<Activated>` is false until the first password is set."""
    said = next((node.text for node in parse_xml(body).iter("{*}Activated")), None)
    if said not in ("true", "false"):
        raise Garbled("activateStatus: another answer")
    return said == "false"


_SYSTEMREADY = json.dumps({"apiVersion": "1.1", "method": "systemready", "params": {"timeout": 1}}).encode()
_QUESTIONS = (
    _Question("axis-systemready", "AXIS", "POST", "/axis-cgi/systemready.cgi", _SYSTEMREADY, decode_axis),
    _Question("hikvision-activatestatus", "HIKVISION", "GET", "/SDK/activateStatus", None, decode_hikvision),
)


def maker_of(signals: Iterable[SetupSignal]) -> str | None:
    """Who made it, where it gave a sign that only one vendor's cameras give."""
    makers = {question.source: question.maker for question in _QUESTIONS}
    return next((makers[signal.source] for signal in signals if signal.source in makers), None)


async def vendor_signals(http: DeviceHttp) -> tuple[SetupSignal, ...]:
    """Every vendor's question, put to this camera without a login: harmless, and answered only by its own kind."""
    found = []
    for question in _QUESTIONS:
        url = http.base.copy_with(raw_path=question.path.encode())
        try:
            reply = await http.request(question.method, url, content=question.content)
            if reply.status == httpx.codes.OK:
                found.append(SetupSignal(question.source, factory_default=question.decode(reply.body)))
        except DeviceError:
            continue  # no sign of this kind; the check says unknown where none is left
    return tuple(found)


def scope_signals(scopes: Scopes) -> list[SetupSignal]:
    """What Profile Q scopes say."""
    found = {FACTORY_DEFAULT_SCOPE: True, OPERATIONAL_SCOPE: False}
    said = [scope.rstrip("/") for scope in scopes.scopes]
    return [SetupSignal("profile-q-scope", factory_default=is_factory) for s, is_factory in found.items() if s in said]
