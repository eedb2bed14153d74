"""A Dahua camera is known by what its web server calls itself, and a refusal counted aloud is no lock-out by itself."""

import pytest

from cameras.budget import AttemptBudget
from cameras.errors import LockedOut
from cameras.families import FAMILIES
from cameras.opening import open_camera
from tests.cameras.saying import http, saying
from tests.cameras.saying_soap import DEVICE, JOE, fault, soap_reply
from tests.cameras.test_opening import (
    BY_DIGEST,
    BY_REALM,
    BY_WSSE,
    CHANGED,
    KNOWN,
    LOCKED,
    NEW,
    NO_FAMILY,
    OTHER_DOOR,
    at,
    tries,
)

LOGIN_TO = http(
    "", "401 Unauthorized", 'WWW-Authenticate: Digest realm="Login to 6L0F2BAPAG00001", nonce="n", qop="auth"'
)
AMCREST = http("", "401 Unauthorized", 'WWW-Authenticate: Digest realm="Login to Amcrest", nonce="n", qop="auth"')
TYPE = http("type=IPC-HFW5442E-ZE\r\n")
ALOUD = fault("Sender", "ter:NotAuthorized", "Invalid username or password! You still have 4 attempt(s).")
LAST = fault("Sender", "ter:NotAuthorized", "Invalid username or password! You still have 1 attempt(s).")

PLACE = [family.name for family in FAMILIES].index("dahua")
EARLIER, LATER = NO_FAMILY[:PLACE], NO_FAMILY[PLACE + 1 :]
DAHUA: dict[str, tuple[tuple[bytes, ...], str]] = {
    "by its realm": ((*EARLIER, LOGIN_TO, TYPE), "dahua"),
    "by its realm, under another company's name": ((*EARLIER, AMCREST, TYPE), "dahua"),
    "not by a guard with another realm": (
        (*EARLIER, OTHER_DOOR, *LATER, *BY_DIGEST, soap_reply(DEVICE)),
        "onvif",
    ),
}


@pytest.mark.parametrize(("replies", "family"), DAHUA.values(), ids=DAHUA)
async def test_knows_a_dahua_camera(replies: tuple[bytes, ...], family: str) -> None:
    async with saying(*replies) as camera:
        async with open_camera(at(camera), JOE, AttemptBudget(), timeout_s=0.5) as driver:
            assert driver.family == family
        assert len(camera.heard) == len(replies)
        assert tries(camera) == 1


@pytest.mark.parametrize(
    ("refusal", "left"), [(ALOUD, 1), (LAST, 0), (LOCKED, 0)], ids=["four left", "one left", "none"]
)
async def test_a_refusal_that_was_meant_is_no_lock_out_while_the_camera_allows_more(refusal: bytes, left: int) -> None:
    """The old password is tried once at ONVIF after the web server has got a new one."""
    budget = AttemptBudget()
    async with saying(*BY_REALM, *KNOWN, CHANGED, *BY_WSSE, refusal) as camera:
        async with open_camera(at(camera), JOE, budget, timeout_s=0.5) as driver:
            if left:
                await driver.set_password("joe", NEW)
            else:
                with pytest.raises(LockedOut):
                    await driver.set_password("joe", NEW)
        assert budget.remaining("127.0.0.1", "joe") == left
        assert len(camera.heard) == 2 + len(KNOWN) + 1 + len(BY_WSSE) + 1
