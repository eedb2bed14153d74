"""A camera is opened by asking what it is, a password is proved by one try, and the budget knows of every wrong one."""

from datetime import UTC, datetime

import pytest

from cameras.budget import AttemptBudget
from cameras.driver import AccountStore
from cameras.errors import ClockSkewed, DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.families import FAMILIES
from cameras.opening import open_camera, password_works
from cameras.place import Place
from cameras.secret import Credential, Secret
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import CHALLENGE, DENIED, DEVICE, JOE, clock_body, fault, soap_reply, users
from tests.cameras.saying_vapix import REALM, told

CLOCK = soap_reply(clock_body(datetime.now(UTC)))
MISSING = http("", "404 Not Found")
# What a camera of no family that we know answers where those ask for a login.
NO_FAMILY = (MISSING,) * len(FAMILIES)
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
    async with saying(*NO_FAMILY, *asked, *login, soap_reply(DEVICE)) as camera:
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
    async with saying(*NO_FAMILY, *replies) as camera:
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
    "a hang-up on every page": ("web", (b"",), Unreachable, 0),
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


# --- Axis ------------------------------------------------------------------------------------------------------------

DOOR = http("", "401 Unauthorized", REALM)
OTHER_DOOR = http("", "401 Unauthorized", 'WWW-Authenticate: Digest realm="Web", nonce="n"')
READY = told({"systemready": "yes", "bootid": "b"})
AWAY = http("", "302 Found", "Location: https://192.0.2.1:1/")
IN = http("joe\r\nroot admin operator viewer ptz")
BY_REALM = (DOOR, IN)

OTHERS = NO_FAMILY[1:]
AXIS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "by its realm": (BY_REALM, "axis"),
    "by a call for strangers, behind a realm of its owner": ((OTHER_DOOR, READY, IN), "axis"),
    "not by a guard on its path": ((OTHER_DOOR, OTHER_DOOR, *OTHERS, *BY_DIGEST, soap_reply(DEVICE)), "onvif"),
    "not by a welcome on every path": (
        (*(http("<html>"),) * len(FAMILIES), *BY_DIGEST, soap_reply(DEVICE)),
        "onvif",
    ),
    "not by a guard beside another JSON": ((OTHER_DOOR, told({}), *OTHERS, *BY_DIGEST, soap_reply(DEVICE)), "onvif"),
    "not by a way by https that leads nowhere": ((AWAY, *OTHERS, *BY_DIGEST, soap_reply(DEVICE)), "onvif"),
    "not by a way to another page": (
        (http("", "302 Found", "Location: /login"), *OTHERS, *BY_DIGEST, soap_reply(DEVICE)),
        "onvif",
    ),
    "not by a way to nonsense": (
        (http("", "302 Found", "Location: http://[::1"), *OTHERS, *BY_DIGEST, soap_reply(DEVICE)),
        "onvif",
    ),
    "not by a hang-up": ((b"", *OTHERS, *BY_DIGEST, soap_reply(DEVICE)), "onvif"),
    "not by two, after which no other family is asked for": ((b"", b"", *BY_DIGEST, soap_reply(DEVICE)), "onvif"),
}


@pytest.mark.parametrize(("replies", "family"), AXIS.values(), ids=AXIS)
async def test_knows_an_axis_camera(replies: tuple[bytes, ...], family: str) -> None:
    async with saying(*replies) as camera:
        async with open_camera(at(camera), JOE, AttemptBudget(), timeout_s=0.5) as driver:
            assert driver.family == family
        assert len(camera.heard) == len(replies)
        assert tries(camera) == 1


AXIS_REFUSED: dict[str, tuple[tuple[bytes | None, ...], type[DeviceError], int]] = {
    "a wrong password": ((DOOR, DOOR), Unauthorized, 1),
    "a lock-out": ((DOOR, LOCKED_PAGE), LockedOut, 1),
    "neither yes nor no": ((DOOR, http("", "500 Oops")), Refused, 1),
    "a hang-up at the login": ((DOOR, b""), Unreachable, 1),
    "no scheme that we may answer": ((http("", "401 U", 'WWW-Authenticate: Basic realm="AXIS_1"'),), Unauthorized, 0),
}


@pytest.mark.parametrize(("replies", "error", "spent"), AXIS_REFUSED.values(), ids=AXIS_REFUSED)
async def test_a_refused_opening_of_an_axis_camera_spends_one_try_at_most(
    replies: tuple[bytes | None, ...], error: type[DeviceError], spent: int
) -> None:
    budget = AttemptBudget(per_account=9, per_camera=9)
    async with saying(*replies) as camera:
        with pytest.raises(error):
            async with open_camera(at(camera), JOE, budget, timeout_s=0.3):
                pytest.fail("it was opened")
        assert tries(camera) == spent
        assert budget.remaining("127.0.0.1", "joe") == (0 if error is LockedOut else 9 - spent)


KNOWN = (*BY_DIGEST, soap_reply(DEVICE))  # ONVIF lets the account in
UNKNOWN = (*BY_DIGEST, CHALLENGE)  # ONVIF asks for a login and refuses the account
NEW = Secret("n3w")
CHANGED = http("Modified account joe.")
USERS = soap_reply(users("joe"))
SET = soap_reply("<tds:SetUserResponse/>")

STORES: dict[str, tuple[tuple[bytes, ...], tuple[AccountStore, ...], int]] = {
    "the web server and ONVIF": (KNOWN, ("onvif", "web"), 2),
    "the web server alone, ONVIF refuses us": (UNKNOWN, ("web",), 1),
    "the web server alone, ONVIF is not there": ((MISSING,), ("web",), 2),
    "the web server alone, ONVIF asks nobody": ((CLOCK, soap_reply(DEVICE), USERS), ("web",), 2),
}


@pytest.mark.parametrize(("replies", "stores", "left"), STORES.values(), ids=STORES)
async def test_says_where_an_axis_camera_keeps_our_account(
    replies: tuple[bytes, ...], stores: tuple[AccountStore, ...], left: int
) -> None:
    budget = AttemptBudget()
    async with saying(*BY_REALM, *replies) as camera:
        async with open_camera(at(camera), JOE, budget, timeout_s=0.5) as driver:
            assert await driver.account_stores() == stores
            asked = len(camera.heard)
            if stores == ("onvif", "web") or left == 1:  # what is known is not asked again
                assert await driver.account_stores() == stores
                assert len(camera.heard) == asked
        assert budget.remaining("127.0.0.1", "joe") == left


PASSWORDS: dict[str, tuple[tuple[bytes, ...], int]] = {
    "at the web server alone": ((*UNKNOWN, CHANGED), 1),
    "at one store behind two doors": ((*KNOWN, CHANGED, *BY_DIGEST, CHALLENGE, CHALLENGE), 1),
    "at two stores": ((*KNOWN, CHANGED, *BY_DIGEST, CHALLENGE, soap_reply(DEVICE), USERS, USERS, SET), 2),
}


@pytest.mark.parametrize(("replies", "left"), PASSWORDS.values(), ids=PASSWORDS)
async def test_changes_our_own_password_on_an_axis_camera(replies: tuple[bytes, ...], left: int) -> None:
    budget = AttemptBudget()
    async with saying(*BY_REALM, *replies) as camera:
        async with open_camera(at(camera), JOE, budget, timeout_s=0.5) as driver:
            await driver.set_password("joe", NEW)
        assert len(camera.heard) == 2 + len(replies)
        assert budget.remaining("127.0.0.1", "joe") == left


ADDED = http("Created account eve.")
ACCOUNTS: dict[str, tuple[bytes, ...]] = {
    "at the web server alone": (*UNKNOWN, ADDED),
    "at one store behind two doors": (*KNOWN, ADDED, soap_reply(users("joe", "eve"))),
    "at one store, to whose second door the list of accounts was the key": (
        *(CLOCK, soap_reply(DEVICE), CHALLENGE, USERS),
        ADDED,
        soap_reply(users("joe", "eve")),
    ),
    "at two stores": (*KNOWN, ADDED, USERS, soap_reply("<tds:CreateUsersResponse/>")),
}


@pytest.mark.parametrize("replies", ACCOUNTS.values(), ids=ACCOUNTS)
async def test_creates_an_account_on_an_axis_camera(replies: tuple[bytes, ...]) -> None:
    async with saying(*BY_REALM, *replies) as camera:
        async with open_camera(at(camera), JOE, AttemptBudget(), timeout_s=0.5) as driver:
            await driver.create_account(Credential("eve", NEW), "Operator")
        assert len(camera.heard) == 2 + len(replies)


async def test_the_last_try_is_not_spent_on_what_is_only_nice_to_have() -> None:
    budget = AttemptBudget(per_account=1)
    async with saying(*BY_REALM, *KNOWN) as camera, open_camera(at(camera), JOE, budget, timeout_s=0.5) as driver:
        with pytest.raises(LockedOut):
            await driver.account_stores()
        assert len(camera.heard) == 2


ONVIF_STORES: dict[str, tuple[tuple[bytes, ...], tuple[AccountStore, ...], int]] = {
    "its web server lets us in": ((CHALLENGE, http("<html>")), ("onvif", "web"), 2),
    "its web server refuses us": ((CHALLENGE, CHALLENGE), ("onvif",), 1),
    "its web server asks nobody": ((http("<html>"),), ("onvif",), 2),
    "its web server hangs up on one page": ((b"", CHALLENGE, http("<html>")), ("onvif", "web"), 2),
    "it has no web server": ((b"", b"", CLOCK), ("onvif",), 2),
}


@pytest.mark.parametrize(("replies", "stores", "left"), ONVIF_STORES.values(), ids=ONVIF_STORES)
async def test_says_where_an_onvif_camera_keeps_our_account(
    replies: tuple[bytes, ...], stores: tuple[AccountStore, ...], left: int
) -> None:
    budget = AttemptBudget()
    async with saying(*NO_FAMILY, *KNOWN, *replies) as camera:
        async with open_camera(at(camera), JOE, budget, timeout_s=0.5) as driver:
            assert await driver.account_stores() == stores
        assert budget.remaining("127.0.0.1", "joe") == left


async def test_a_camera_that_went_away_does_not_pass_for_one_without_a_web_server() -> None:
    async with (
        saying(*NO_FAMILY, *KNOWN, b"") as camera,
        open_camera(at(camera), JOE, AttemptBudget(), timeout_s=0.5) as driver,
    ):
        with pytest.raises(Unreachable):
            await driver.account_stores()
