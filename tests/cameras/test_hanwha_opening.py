"""How a Hanwha camera is met: known by asking, never set up, busy, or locked."""

import pytest

from cameras import families
from cameras.budget import AttemptBudget
from cameras.errors import LockedOut, Refused
from cameras.http import DeviceHttp
from cameras.opening import open_camera
from cameras.place import Place
from cameras.sunapi import approach
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import JOE
from tests.cameras.saying_sunapi import BUSY, INFO, LABEL, MISSING, REALM

DOOR = http("", "401 Unauthorized", REALM)
FORBIDDEN = http("", "403 Forbidden")
NEW = http('{"Initialized": false, "PublicKey": "x"}')


def to(camera: Saying) -> DeviceHttp:
    return DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5)


async def no_time(_seconds: float) -> None:
    pass


async def approached(*replies: bytes) -> tuple[object, int]:
    async with saying(*replies) as camera, to(camera) as device:
        return await approach(device, "/stw-cgi/system.cgi", sleep=no_time), len(camera.heard)


NEVER_SET_UP: dict[str, tuple[bytes, ...]] = {
    "by its own word": (FORBIDDEN, NEW),
    "by 403 alone, on firmware that has no word for it": (FORBIDDEN, MISSING, MISSING),
}


@pytest.mark.parametrize("replies", NEVER_SET_UP.values(), ids=NEVER_SET_UP)
async def test_a_camera_that_was_never_set_up_is_known(replies: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused, match="never set up"):
        await approached(*replies)


OTHERS: dict[str, tuple[bytes, ...]] = {
    "a server that forbids everything": (FORBIDDEN, FORBIDDEN, FORBIDDEN),
    "one that is set up and forbids this path": (FORBIDDEN, http('{"Initialized": true}')),
    "one that has no such path": (MISSING,),
    "one that welcomes everybody": (http("<html>"),),
}


@pytest.mark.parametrize("replies", OTHERS.values(), ids=OTHERS)
async def test_others_are_not_taken_for_one(replies: tuple[bytes, ...]) -> None:
    assert await approached(*replies) == (None, len(replies))


async def test_a_busy_camera_is_approached_again() -> None:
    door, heard = await approached(BUSY, BUSY, DOOR)
    assert (door is not None, heard) == (True, 3)


async def test_a_camera_that_turns_everybody_away_is_locked() -> None:
    with pytest.raises(LockedOut):
        await approached(BUSY)


KNOWN: dict[str, tuple[bytes, ...]] = {
    "by its realm": (MISSING, DOOR, INFO),
    "by its word for setup, behind a realm of its owner": (
        MISSING,
        http("", "401 Unauthorized", 'WWW-Authenticate: Digest realm="Web", nonce="n"'),
        LABEL,
        INFO,
    ),
}


@pytest.mark.parametrize("replies", KNOWN.values(), ids=KNOWN)
async def test_knows_a_hanwha_camera(replies: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    only_these(monkeypatch)
    async with saying(*replies) as camera:
        place = Place("127.0.0.1", camera.port, "http")
        async with open_camera(place, JOE, AttemptBudget(), timeout_s=0.5) as driver:
            assert driver.family == "hanwha"
        assert len(camera.heard) == len(replies)


async def test_a_block_at_the_login_is_a_lock_and_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    only_these(monkeypatch)
    budget = AttemptBudget(per_account=9, per_camera=9)
    async with saying(MISSING, DOOR, BUSY) as camera:
        with pytest.raises(LockedOut):
            async with open_camera(Place("127.0.0.1", camera.port, "http"), JOE, budget, timeout_s=0.5):
                pytest.fail("it was opened")
        assert len(camera.heard) == 3
        assert budget.remaining("127.0.0.1", "joe") == 0


def only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two families: how many others are asked first is not ours to know."""
    monkeypatch.setattr(families, "FAMILIES", (families.AXIS, families.HANWHA))
