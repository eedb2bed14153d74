"""What a Hikvision camera answers in place of an answer, and what that is called."""

from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.hikvision import HikvisionDriver
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from tests.cameras.saying import http
from tests.cameras.saying_isapi import (
    BAD_XML,
    LOCKED,
    LOW_PRIVILEGE,
    MISSING,
    NOT_SUPPORTED,
    OK,
    WRONG,
    doc,
    hikvision,
    said,
    users,
)

Ask = Callable[[HikvisionDriver], Awaitable[object]]
DOCUMENT: Ask = lambda d: d.lockout()  # noqa: E731 - rows name what they ask
CHANGE: Ask = lambda d: d.reboot()  # noqa: E731
JSON: Ask = lambda d: d.certificates()  # noqa: E731
BINARY: Ask = lambda d: d.backup()  # noqa: E731
EVERY_KIND = {"document": DOCUMENT, "change": CHANGE, "JSON": JSON, "binary": BINARY}
FAILURES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "a wrong password": (WRONG, Unauthorized),
    "a lock, even with the right password": (LOCKED, LockedOut),
    "too few rights": (LOW_PRIVILEGE, Refused),
    "no such function, as 403": (NOT_SUPPORTED, Unsupported),
    "no such method": (said(4, "Invalid Operation", "methodNotAllowed", "405 Method Not Allowed"), Unsupported),
    "old firmware": (MISSING, Unsupported),
    "a refusal inside HTTP 200": (said(4, "Invalid Operation", "invalidOperation"), Refused),
    "no such function inside HTTP 200": (said(4, "Invalid Operation", "notSupport"), Unsupported),
    "a busy camera": (said(2, "Device Busy", "deviceBusy", "503 Service Unavailable"), Refused),
    "a camera that was never set up": (said(4, "Invalid Operation", "notActivated", "403 Forbidden"), Refused),
    "a server in trouble": (http("oops", "500 Internal Server Error"), Refused),
    "a login page": (http("<html><body>Please log in</body></html>"), Garbled),
    "nothing": (http(""), Garbled),
    "an entity": (http('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), Garbled),
    "an answer that neither says yes nor no": (doc("ResponseStatus", ""), Garbled),
    "cut off half-way": (http("x" * 99)[:-20], Unreachable),
    "a hang-up": (b"", Unreachable),
    "silence": (None, Unreachable),
}


FAILING = {
    f"{kind}, {why}": (ask, reply, error)
    for kind, ask in EVERY_KIND.items()
    for why, (reply, error) in FAILURES.items()
    if (kind, reply) != ("binary", None)  # a file is waited for longer than a test may take
}


@pytest.mark.parametrize(("ask", "reply", "error"), FAILING.values(), ids=FAILING)
async def test_names_the_failure(ask: Ask, reply: bytes | None, error: type[DeviceError]) -> None:
    async with hikvision(reply) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


SHAPES: dict[str, tuple[Ask, tuple[bytes, ...], type[DeviceError]]] = {
    "another document": (DOCUMENT, (doc("UPnP", "<enabled>true</enabled>"),), Garbled),
    "yes where an answer was asked for": (DOCUMENT, (OK,), Garbled),
    "a document where yes was asked for": (CHANGE, (doc("SSH", "<enabled>true</enabled>"),), Garbled),
    "no protocols": (lambda d: d.network_services(), (doc("AdminAccessProtocolList"),), Unsupported),
    "no firmware": (lambda d: d.firmware_state(), (doc("DeviceInfo"),), Garbled),
    "a clock that does not say what it follows": (lambda d: d.clock_source(), (doc("Time"),) * 2, Garbled),
    "nothing of a log server": (lambda d: d.syslog_target(), (doc("LogServer"),), Garbled),
    "a time that is none": (lambda d: d.log(), (doc("Time", "<localTime>noon</localTime>"),), Garbled),
    "a time before all time": (
        lambda d: d.log(),
        (doc("Time", "<localTime>0001-01-01T00:00:00</localTime>"),),
        Garbled,
    ),
    "a list for an object": (JSON, (http("[]"),), Garbled),
    "JSON without an end": (JSON, (http("[" * 100_000),), Garbled),
    "certificates that are none": (JSON, (http('{"CertificateInfo": ["a"]}'),), Garbled),
    "a configuration that is refused": (BINARY, (BAD_XML,), Refused),
    "a configuration that is a page": (BINARY, (doc("configurationData"),), Garbled),
    "a picture that is none, and no ONVIF": (
        lambda d: d.snapshot("http://10.0.0.9/onvif-http/snapshot?Profile_1"),
        (http("<html>"),),
        Unsupported,
    ),
    "strangers": (lambda d: d.anonymous_viewer(), (), Unsupported),
}


@pytest.mark.parametrize(("ask", "replies", "error"), SHAPES.values(), ids=SHAPES)
async def test_refuses_other_shapes(ask: Ask, replies: tuple[bytes, ...], error: type[DeviceError]) -> None:
    async with hikvision(*(replies or (b"",))) as (driver, _):
        with pytest.raises(error):
            await ask(driver)


async def test_a_list_without_an_end_is_cut() -> None:
    many = users(*(("a", "Viewer"),) * 500)
    async with hikvision(many) as (driver, _):
        assert len((await driver.accounts()).users) == 64
