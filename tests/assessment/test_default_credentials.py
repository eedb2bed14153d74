"""The default-password test on its own: what it sends, when it stops, and what it keeps to itself."""

from dataclasses import dataclass

import pytest

from cameras.budget import AttemptBudget
from cameras.facts import CredentialTrials
from cameras.http import DeviceHttp
from cameras.onvif_session import OnvifSession
from scanners.default_credentials import try_pairs
from scanners.knowledge import load_knowledge
from tests.cameras.saying import http, saying

WANTED = http("", "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"')
COUNTS = http("You still have 3 attempt(s)", "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"')
IN = http("welcome")
DAHUA = load_knowledge().default_credentials.for_manufacturer("Dahua")

# Each try asks twice: once to be challenged, once signed. The first reply is to the look whether a login is wanted.
REFUSED = (WANTED, WANTED)
ACCEPTED = (WANTED, IN)


@dataclass(frozen=True)
class Row:
    replies: tuple[bytes, ...]
    control: str
    outcomes: list[str]
    requests: int


ROWS = {
    "both pairs are refused": Row((WANTED, *REFUSED * 3), "refused", ["refused", "refused"], 7),
    "the second pair works, twice": Row((WANTED, *REFUSED * 2, *ACCEPTED * 2), "refused", ["refused", "accepted"], 9),
    "a success that is not confirmed is none": Row(
        (WANTED, *REFUSED, *ACCEPTED, *REFUSED), "refused", ["not-tried", "not-tried"], 7
    ),
    "any password is accepted": Row((WANTED, *ACCEPTED * 2), "accepted", [], 5),
    "it speaks of a lock-out at the control": Row((WANTED, WANTED, COUNTS), "not-run", [], 3),
    "it speaks of a lock-out at the first pair": Row(
        (WANTED, *REFUSED, WANTED, COUNTS), "refused", ["not-tried", "not-tried"], 5
    ),
    "it hangs up in the middle": Row((WANTED, *REFUSED, WANTED, b""), "refused", ["not-tried", "not-tried"], 5),
    "nothing asks for a login": Row((IN,), "not-run", [], 1),
}


async def trials_of(port: int, budget: AttemptBudget) -> CredentialTrials:
    async with DeviceHttp("127.0.0.1", port, "http", timeout_s=2) as stranger:
        return await try_pairs(OnvifSession(stranger, "cam", budget), stranger, "cam", DAHUA, budget=budget)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_tries_and_stops(row: Row) -> None:
    async with saying(*row.replies) as camera:
        found = await trials_of(camera.port, AttemptBudget())
        assert (found.control, [trial.outcome for trial in found.trials]) == (row.control, row.outcomes)
        assert len(camera.heard) == row.requests


async def test_a_spent_budget_sends_no_login() -> None:
    async with saying(WANTED) as camera:
        found = await trials_of(camera.port, AttemptBudget(per_camera=0))
        assert (found.control, found.trials) == ("not-run", ())
        assert not [request for request in camera.heard if b"authorization" in request.lower()]


async def test_at_most_three_wrong_tries_are_spent() -> None:
    budget = AttemptBudget()
    async with saying(WANTED) as camera:
        for _ in range(5):
            await trials_of(camera.port, budget)
        signed = [request for request in camera.heard if b"authorization" in request.lower()]
        assert len(signed) == 3


async def test_no_password_is_kept_or_sent_in_the_clear() -> None:
    hikvision = load_knowledge().default_credentials.for_manufacturer("HIKVISION")
    assert hikvision is not None
    (password,) = (pair.password.reveal() for pair in hikvision.pairs)
    budget = AttemptBudget()
    async with saying(WANTED, *REFUSED, *ACCEPTED * 2) as camera, DeviceHttp("127.0.0.1", camera.port, "http") as http_:
        found = await try_pairs(OnvifSession(http_, "cam", budget), http_, "cam", hikvision, budget=budget)
    assert [trial.outcome for trial in found.trials] == ["accepted"]
    assert password not in repr(found)
    # What a Digest holds is random hexadecimal: only the words around it may be searched for the password.
    assert not [request for request in camera.heard if f'"{password}"'.encode() in request]


async def test_a_vendor_without_documented_pairs_is_left_alone() -> None:
    async with saying(WANTED) as camera, DeviceHttp("127.0.0.1", camera.port, "http") as stranger:
        budget = AttemptBudget()
        found = await try_pairs(OnvifSession(stranger, "cam", budget), stranger, "cam", None, budget=budget)
        assert (found.vendor, found.control, camera.heard) == (None, "not-run", [])
