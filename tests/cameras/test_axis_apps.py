"""Whether an Axis camera takes applications that nobody has signed: raw replies, good and bad, and a simulated one."""

from collections.abc import Awaitable, Callable

import pytest

from cameras.drivers.axis import AxisDriver
from cameras.errors import DeviceError, Garbled, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import UnsignedApps
from simulator.firmware import package
from tests.cameras.meeting import FAMILIES, meet
from tests.cameras.saying import http
from tests.cameras.saying_vapix import MISSING, WRONG, axis, words
from tests.cameras.stories import a_file

Tell = Callable[[AxisDriver], Awaitable[object]]
# As the vendor's documentation prints it.
DOCUMENTED = '<reply result="ok">\n    <param name="AllowUnsigned" value="{}" />\n</reply>\n'
ASKED: Tell = lambda d: d.unsigned_apps()  # noqa: E731
TOLD: Tell = lambda d: d.set_unsigned_apps(allowed=False)  # noqa: E731
MORE = (
    '<?xml version="1.0" encoding="utf-8"?><!-- x --><reply result="ok"><!-- y -->'
    '<param name="AllowRoot" value="true"/><param name="AllowUnsigned" value="false"/></reply>'
)

ANSWERS: dict[str, tuple[str, bool | None]] = {
    "it does": (DOCUMENTED.format("true"), True),
    "it does not": (DOCUMENTED.format("false"), False),
    "it does not, in capitals": (DOCUMENTED.format("False"), False),
    "a word that is neither": (DOCUMENTED.format("perhaps"), None),
    "no word": ('<reply result="ok"><param name="AllowUnsigned"/></reply>', None),
    "with a declaration, a comment, and more than was asked for": (
        MORE,
        False,
    ),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("body", "allowed"), ANSWERS.values(), ids=ANSWERS)
async def test_reads(body: str, allowed: bool | None, dribble: bool) -> None:
    async with axis(http(body, "200 OK", "Content-Type: text/xml"), dribble=dribble) as (driver, camera):
        assert await driver.unsigned_apps() == UnsignedApps(allowed)
        [request] = camera.heard
        assert request.startswith(b"POST /axis-cgi/applications/config.cgi?action=get&name=AllowUnsigned ")


@pytest.mark.parametrize("allowed", [True, False])
async def test_tells(allowed: bool) -> None:
    word = "true" if allowed else "false"
    async with axis(http(DOCUMENTED.format(word))) as (driver, camera):
        await driver.set_unsigned_apps(allowed=allowed)
        [request] = camera.heard
    path = f"/axis-cgi/applications/config.cgi?action=set&name=AllowUnsigned&value={word}"
    assert request.startswith(f"POST {path} ".encode())


FAILURES: dict[str, tuple[bytes, type[DeviceError]]] = {
    "before 11.2": (MISSING, Unsupported),
    "a refusal": (
        http('<reply result="error">\n    <error type="1" message="Error: gdbus call failed" />\n</reply>'),
        Refused,
    ),
    "a refusal without a word": (http('<reply result="error"/>'), Refused),
    "a reply without a result": (http("<reply/>"), Refused),
    "a refusal of 12.2": (http("", "400 Bad Request"), Refused),
    "a refusal in the older words": (words("Error: 10"), Refused),
    "another parameter": (http('<reply result="ok"><param name="AllowRoot" value="true"/></reply>'), Garbled),
    "nothing in it": (http('<reply result="ok"/>'), Garbled),
    "another document": (http("<html><body>Welcome</body></html>"), Garbled),
    "no XML": (http("true"), Garbled),
    "an entity": (http('<!DOCTYPE r [<!ENTITY a "b">]><reply result="ok">&a;</reply>'), Garbled),
    "cut off half-way": (http(DOCUMENTED)[:-20], Unreachable),
}


@pytest.mark.parametrize("say", [ASKED, TOLD], ids=["asked", "told"])
@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure(say: Tell, reply: bytes, error: type[DeviceError]) -> None:
    async with axis(reply) as (driver, camera):
        with pytest.raises(error):
            await say(driver)
        assert len(camera.heard) == 1


async def test_a_refusal_is_told_in_the_cameras_words() -> None:
    async with axis(FAILURES["a refusal"][0]) as (driver, _):
        with pytest.raises(Refused, match="gdbus call failed"):
            await driver.unsigned_apps()


async def test_a_wrong_password() -> None:
    async with axis(WRONG, WRONG) as (driver, _):
        with pytest.raises(Unauthorized):
            await driver.unsigned_apps()


AS_DELIVERED = {"11.2.68": True, "11.11.181": True, "12.0.91": False, "12.11.77": False}


@pytest.mark.parametrize(("firmware", "allowed"), AS_DELIVERED.items())
async def test_a_simulated_camera_as_it_is_delivered(firmware: str, allowed: bool) -> None:
    async with meet("axis", firmware=firmware, parameters=()) as met, met.opened() as driver:
        assert await driver.unsigned_apps() == UnsignedApps(allowed)


async def test_a_simulated_camera_before_the_rule_takes_everything_and_cannot_be_told() -> None:
    async with meet("axis", firmware="11.1.72") as met, met.opened() as driver:
        for say in (ASKED, TOLD):
            with pytest.raises(Unsupported):
                await say(driver)  # type: ignore[arg-type] # it is Axis's
        with a_file("counter.eap", package("counter", "1.0", signed=False)) as file:
            await driver.upload_app(file, "counter")


async def test_an_application_that_is_there_stays_and_cannot_be_updated() -> None:
    async with meet("axis", firmware="12.11.77") as met, met.opened() as driver:
        await driver.set_unsigned_apps(allowed=True)
        with a_file("counter.eap", package("counter", "1.0", signed=False)) as file:
            await driver.upload_app(file, "counter")
        await driver.start_app("counter")
        await driver.set_unsigned_apps(allowed=False)
        with a_file("counter.eap", package("counter", "2.0", signed=False)) as file, pytest.raises(Refused):
            await driver.upload_app(file, "counter")
        [app] = (await driver.apps()).apps
        assert (app.version, app.running) == ("1.0", True)
        with a_file("counter.eap", package("counter", "2.0")) as file:
            await driver.upload_app(file, "counter")


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "axis"])
async def test_no_other_family_has_a_word_for_it(family: str) -> None:
    async with meet(family) as met, met.opened() as driver:
        with pytest.raises(Unsupported, match="signatures of applications"):
            await driver.unsigned_apps()
        with pytest.raises(Unsupported, match="signatures of applications"):
            await driver.set_unsigned_apps(allowed=False)
