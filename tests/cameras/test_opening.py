"""A camera is opened by asking what it is, a password is proved by one try, and the budget knows of every wrong one."""

from datetime import UTC, datetime

import pytest

from cameras.budget import AttemptBudget
from cameras.driver import AccountStore
from cameras.errors import ClockSkewed, DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.opening import open_camera, password_works
from cameras.place import Place
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import CHALLENGE, DENIED, DEVICE, JOE, clock_body, fault, soap_reply, users

CLOCK = soap_reply(clock_body(datetime.now(UTC)))
MISSING = http("", "404 Not Found")
LOCKED = fault("Sender", "ter:NotAuthorized", "The device is locked because of entering wrong passwords many times.")
LOCKED_PAGE = http("account is locked", "403 Forbidden")
BASIC = http("", "401 Unauthorized", 'WWW-Authenticate: Basic realm="r"')
# What an ONVIF camera answers to the questions that find out how to log in to it.
BY_DIGEST = (CLOCK, CHALLENGE, CHALLENGE)
BY_WSSE = (CLOCK, DENIED, DENIED)


def at(camera: Saying) -> Place:
    return Place("127.0.0.1", camera.port, "http")


def tries(camera: Saying) -> int:
    return sum(b"uthorization: Digest" in request or b"UsernameToken" in request for request in camera.heard)


OPENED = {
    "by Digest": (BY_DIGEST, (soap_reply(DEVICE),)),
    "by WS-Security": (BY_WSSE, (soap_reply(DEVICE),)),
    "though it wants a login before it tells the time": ((CHALLENGE,), (CLOCK,)),
    "without a login where nothing asks for one": ((CLOCK, soap_reply(DEVICE), soap_reply(users("a"))), ()),
}


@pytest.mark.parametrize(("asked", "login"), OPENED.values(), ids=OPENED)
async def test_opens_an_onvif_camera(asked: tuple[bytes, ...], login: tuple[bytes, ...]) -> None:
    budget = AttemptBudget()
    async with saying(*asked, *login, soap_reply(DEVICE)) as camera:
        async with open_camera(at(camera), JOE, budget, timeout_s=0.5) as driver:
            assert driver.family == "onvif"
            assert (await driver.firmware_state()).version == "12.11.77"
        assert tries(camera) <= 2
        assert budget.remaining("127.0.0.1", "joe") == 2


REFUSED: dict[str, tuple[tuple[bytes | None, ...], type[DeviceError], int]] = {
    "a wrong password, by Digest": ((*BY_DIGEST, CHALLENGE), Unauthorized, 1),
    "a wrong password, by WS-Security": ((*BY_WSSE, DENIED), Unauthorized, 1),
    "a hint at a lock-out": ((*BY_DIGEST, LOCKED), LockedOut, 1),
    "a hang-up at the login": ((*BY_DIGEST, b""), Unreachable, 1),
    "silence at the login": ((*BY_WSSE, None), Unreachable, 1),
    "a page for everything": ((http("<html><br>welcome"),), Garbled, 0),
    "a hang-up": ((b"",), Unreachable, 0),
    "silence": ((None,), Unreachable, 0),
}


@pytest.mark.parametrize(("replies", "error", "spent"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_opening_spends_one_try_at_most(
    replies: tuple[bytes | None, ...], error: type[DeviceError], spent: int
) -> None:
    budget = AttemptBudget(per_account=9, per_camera=9)
    async with saying(*replies) as camera:
        with pytest.raises(error):
            async with open_camera(at(camera), JOE, budget, timeout_s=0.3):
                pytest.fail("it was opened")
        assert tries(camera) == spent
        assert budget.remaining("127.0.0.1", "joe") == (0 if error is LockedOut else 9 - spent)


async def test_nothing_is_sent_when_the_budget_is_used_up() -> None:
    budget = AttemptBudget(per_account=0)
    async with saying(CLOCK) as camera:
        with pytest.raises(LockedOut):
            async with open_camera(at(camera), JOE, budget):
                pytest.fail("it was opened")
        for store in ("onvif", "web"):
            with pytest.raises(LockedOut):
                await password_works(at(camera), store, JOE, budget)
        assert camera.heard == []


PROOFS: dict[str, tuple[AccountStore, tuple[bytes | None, ...], bool]] = {
    "ONVIF lets it in by Digest": ("onvif", (*BY_DIGEST, CHALLENGE, soap_reply(DEVICE)), True),
    "ONVIF lets it in by WS-Security": ("onvif", (*BY_WSSE, soap_reply(DEVICE)), True),
    "ONVIF refuses it by Digest": ("onvif", (*BY_DIGEST, CHALLENGE, CHALLENGE), False),
    "ONVIF refuses it by WS-Security": ("onvif", (*BY_WSSE, DENIED), False),
    "the web server lets it in at its front page": ("web", (CHALLENGE, http("<html>")), True),
    "the web server lets it in and sends it on": ("web", (CHALLENGE, http("", "302 Found", "Location: /x")), True),
    "the web server lets it in at another page": ("web", (http("<html>"), CHALLENGE, http("root\nadmin")), True),
    "the web server refuses it": ("web", (CHALLENGE, CHALLENGE), False),
}


@pytest.mark.parametrize(("store", "replies", "works"), PROOFS.values(), ids=PROOFS)
async def test_proves_a_password(store: AccountStore, replies: tuple[bytes | None, ...], works: bool) -> None:
    budget = AttemptBudget()
    async with saying(*replies) as camera:
        assert await password_works(at(camera), store, JOE, budget, timeout_s=0.5) is works
        assert tries(camera) == 1
        assert budget.remaining("127.0.0.1", "joe") == (2 if works else 1)


UNPROVED: dict[str, tuple[AccountStore, tuple[bytes | None, ...], type[DeviceError], int]] = {
    "ONVIF asks for no login": ("onvif", (CLOCK, soap_reply(DEVICE), soap_reply(users("a"))), Unsupported, 0),
    "ONVIF is locked": ("onvif", (*BY_DIGEST, CHALLENGE, LOCKED), LockedOut, 1),
    "ONVIF refuses, its clock unread": ("onvif", (DENIED, DENIED, DENIED, DENIED), ClockSkewed, 1),
    "ONVIF hangs up at the login": ("onvif", (*BY_WSSE, b""), Unreachable, 1),
    "ONVIF offers only what we may not answer": ("onvif", (CLOCK, BASIC), Unauthorized, 0),
    "no ONVIF": ("onvif", (MISSING,), Unsupported, 0),
    "no page asks for a login": ("web", (http("<html>"),), Unsupported, 0),
    "the web server is locked": ("web", (CHALLENGE, LOCKED_PAGE), LockedOut, 1),
    "the web server says neither yes nor no": ("web", (CHALLENGE, http("", "500 Oops")), Refused, 1),
    "the web server hangs up": ("web", (CHALLENGE, b""), Unreachable, 1),
    "the web server offers only what we may not answer": ("web", (BASIC,), Unauthorized, 0),
    "silence": ("web", (None,), Unreachable, 0),
}


@pytest.mark.parametrize(("store", "replies", "error", "spent"), UNPROVED.values(), ids=UNPROVED)
async def test_what_is_neither_yes_nor_no_is_an_error(
    store: AccountStore, replies: tuple[bytes | None, ...], error: type[DeviceError], spent: int
) -> None:
    budget = AttemptBudget(per_account=9, per_camera=9)
    async with saying(*replies) as camera:
        with pytest.raises(error) as raised:
            await password_works(at(camera), store, JOE, budget, timeout_s=0.3)
        assert "s3cret" not in str(raised.value)
        assert tries(camera) == spent
        assert budget.remaining("127.0.0.1", "joe") == (0 if error is LockedOut else 9 - spent)
