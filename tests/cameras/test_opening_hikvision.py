"""How a camera shows that it speaks ISAPI, whatever label it wears, and what a refused login there means."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cameras.budget import AttemptBudget
from cameras.errors import ClockSkewed, DeviceError, LockedOut, Unauthorized
from cameras.families import FAMILIES, HIKVISION
from cameras.opening import open_camera
from cameras.place import Place
from tests.cameras.saying import http, saying
from tests.cameras.saying_isapi import LOCKED, MISSING, REALM, doc
from tests.cameras.saying_soap import DEVICE, JOE, soap_reply
from tests.cameras.test_opening import BY_DIGEST

BEFORE = (MISSING,) * FAMILIES.index(HIKVISION)
AFTER = (MISSING,) * (len(FAMILIES) - 1 - FAMILIES.index(HIKVISION))
IN = doc("userCheck", "<statusValue>200</statusValue>")
OTHER = 'WWW-Authenticate: Digest realm="Northern Eye", nonce="n", qop="auth"'
ONVIF = (*AFTER, *BY_DIGEST, soap_reply(DEVICE))


def door(challenge: str = REALM, *, off: timedelta | None = None) -> bytes:
    dated = () if off is None else (f"Date: {format_datetime(datetime.now(UTC) + off, usegmt=True)}",)
    return http("", "401 Unauthorized", challenge, *dated)


def activated(said: str) -> bytes:
    return doc("ActivateStatus", f"<Activated>{said}</Activated>")


KNOWN: dict[str, tuple[tuple[bytes, ...], str]] = {
    "by its realm": ((door(), IN), "hikvision"),
    "under another label, by what it tells everybody": ((door(OTHER), activated("true"), IN), "hikvision"),
    "not by a guard on every path": ((door(OTHER), door(OTHER), *ONVIF), "onvif"),
    "not by a page": ((door(OTHER), http("<html>welcome"), *ONVIF), "onvif"),
    "not by another document": ((door(OTHER), doc("Activated", "true"), *ONVIF), "onvif"),
    "not by a word that says nothing": ((door(OTHER), activated("perhaps"), *ONVIF), "onvif"),
    "not where nobody is asked for a login": ((IN, *ONVIF), "onvif"),
}


@pytest.mark.parametrize(("replies", "family"), KNOWN.values(), ids=KNOWN)
async def test_knows_a_camera_of_the_family(replies: tuple[bytes, ...], family: str) -> None:
    async with saying(*BEFORE, *replies) as camera:
        place = Place("127.0.0.1", camera.port, "http")
        async with open_camera(place, JOE, AttemptBudget(), timeout_s=0.5) as driver:
            assert driver.family == family
        assert len(camera.heard) == len(BEFORE) + len(replies)


HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# Made when they are said: their dates are of that moment.
REFUSED: dict[str, tuple[Callable[[], tuple[bytes, ...]], type[DeviceError]]] = {
    "a wrong password": (lambda: (door(off=MINUTE), door(off=MINUTE)), Unauthorized),
    "a wrong password, no date": (lambda: (door(), door()), Unauthorized),
    "a wrong password, a date that is none": (
        lambda: (http("", "401 Unauthorized", REALM, "Date: soon"), door()),
        Unauthorized,
    ),
    "a clock that is ahead": (lambda: (door(off=HOUR), door(off=HOUR)), ClockSkewed),
    "a clock that is behind": (lambda: (door(off=-HOUR), door(off=-HOUR)), ClockSkewed),
    "a lock": (lambda: (door(off=HOUR), LOCKED), LockedOut),
}


@pytest.mark.parametrize(("replies", "error"), REFUSED.values(), ids=REFUSED)
async def test_a_drifted_clock_is_no_wrong_password(
    replies: Callable[[], tuple[bytes, ...]], error: type[DeviceError]
) -> None:
    budget = AttemptBudget(per_account=9, per_camera=9)
    async with saying(*BEFORE, *replies()) as camera:
        with pytest.raises(error):
            async with open_camera(Place("127.0.0.1", camera.port, "http"), JOE, budget, timeout_s=0.5):
                pytest.fail("it was opened")
        assert len(camera.heard) == len(BEFORE) + 2
        assert budget.remaining("127.0.0.1", "joe") == (0 if error is LockedOut else 8)
