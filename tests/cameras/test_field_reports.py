"""What people reported of their cameras: the answer as they pasted it, and what has to be made of it.

To add a row, paste the answer as `curl -i` printed it, passwords and serial numbers taken out.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from cameras.errors import DeviceError, Garbled, Refused, Unsupported
from cameras.facts import ClockSource
from tests.cameras.reported import reported
from tests.cameras.saying_dahua import dahua
from tests.cameras.saying_vapix import axis

Ask = Callable[[Any], Awaitable[object]]
Speaking = Callable[..., AbstractAsyncContextManager[tuple[Any, Any]]]

REPORTS: dict[str, tuple[Speaking, Ask, str, object]] = {
    "Axis: a charset that is none": (
        axis,
        lambda d: d.clock_source(),
        """
        $ curl -i --digest -u root http://192.0.2.4/axis-cgi/ntp.cgi -d @question.json
        HTTP/1.1 200 OK
        Date: Tue, 01 Dec 2026 08:00:00 GMT
        Server: Apache
        Content-Type: application/json; charset=utf8
        Transfer-Encoding: chunked

        {"apiVersion":"1.2","method":"getNTPInfo","data":{"client":{"enabled":true,"serversSource":"static",
        "staticServers":["192.0.2.1"],"synced":true}}}
        """,
        ClockSource(from_dhcp=False, servers=("192.0.2.1",)),
    ),
    "Axis: a refusal in words, under 200": (
        axis,
        lambda d: d.remove_account("joe"),
        """
        HTTP/1.1 200 OK
        Content-Type: text/html

        Error: consult the system log file.
        """,
        Refused,
    ),
    "Axis: the login page of a proxy in place of an answer": (
        axis,
        lambda d: d.clock_source(),
        """
        < HTTP/1.1 200 OK
        < Content-Type: text/html; charset=utf-8
        <
        <!DOCTYPE html><title>Sign in</title>
        """,
        Garbled,
    ),
    "Dahua: no such table, in words under 200": (
        dahua,
        lambda d: d.lockout(),
        """
        HTTP/1.1 200 OK
        CONNECTION: close
        Content-Type: text/plain;charset=utf-8

        Error
        Bad Request!
        """,
        Unsupported,
    ),
}


@pytest.mark.parametrize(("speaking", "ask", "report", "expected"), REPORTS.values(), ids=REPORTS)
async def test_what_was_reported(speaking: Speaking, ask: Ask, report: str, expected: object) -> None:
    async with speaking(reported(report)) as (driver, _):
        if isinstance(expected, type) and issubclass(expected, DeviceError):
            with pytest.raises(expected):
                await ask(driver)
        else:
            assert await ask(driver) == expected


PASTES = {
    "as curl prints it": "HTTP/1.1 200 OK\nA: b\n\none\ntwo",
    "with carriage returns": "HTTP/1.1 200 OK\r\nA: b\r\n\r\none\r\ntwo\r\n",
    "from curl -v": "> GET / HTTP/1.1\n> Host: x\n* connected\n< HTTP/1.1 200 OK\n< A: b\n<\none\ntwo",
    "with a length that is none any more": "HTTP/1.1 200 OK\nContent-Length: 99\nA: b\n\none\ntwo",
}


@pytest.mark.parametrize("paste", PASTES.values(), ids=PASTES)
def test_a_paste_is_one_whole_answer(paste: str) -> None:
    assert reported(paste) == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 8\r\n\r\none\r\ntwo"


def test_a_paste_without_a_status_line_is_no_answer() -> None:
    with pytest.raises(ValueError, match="no line of this report"):
        reported("it does not work")
