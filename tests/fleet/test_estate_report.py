"""The stored estate as an assessment: the last visit of every camera, and every address that told nothing."""

import json
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from lxml import etree

from fleet.estate_report import FORMATS, stored_assessment
from fleet.findings import triage as findings
from fleet.reports.assessment import from_json
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.store import Store
from scanners.assessment import CameraAssessment, NotEvaluated
from scanners.model import Outcome
from tests.fleet.samples import FAIL, NOT_ASKED, PASS, UNKNOWN, Clock, assessed, camera, dossier
from tests.fleet.test_scans import Estate

GATE, DOCK, YARD = "10.0.0.1", "10.0.0.2", "10.0.0.9"
TELNET, CLOCK = ("telnet-open", ""), ("clock-skew", "")


async def seen(store: Store, address: str, number: int, *outcomes: Outcome, score: int = 40) -> None:
    verdicts = dict(zip((TELNET, CLOCK), outcomes, strict=True))
    await findings.record(store, assessed(verdicts, dossier(address, 80, camera(number)), score))


async def scanned(store: Store, settings: Settings, *results: CameraAssessment | NotEvaluated) -> None:
    async with Scans(store, settings, assess=Estate(*results)) as scans:
        scan = await scans.start("10.0.0.0/28", "anna", default_credentials=False)
        async with aclosing(scans.events(scan)) as events:
            async for _ in events:
                pass


def told(verdicts: Sequence[object]) -> list[tuple[str, str]]:
    return sorted((verdict.check, str(verdict.verdict)) for verdict in verdicts)  # type: ignore[attr-defined] # a Verdict


async def test_it_is_the_last_visit_of_every_camera_with_all_its_verdicts(store: Store, clock: Clock) -> None:
    await seen(store, DOCK, 2, FAIL, UNKNOWN, score=55)
    clock.forward(hours=1)
    await seen(store, GATE, 1, FAIL, FAIL, score=10)
    clock.forward(hours=1)
    await seen(store, GATE, 1, PASS, UNKNOWN, score=90)
    clock.forward(hours=1)
    whole = await stored_assessment(store)
    assert [(one.address, one.score) for one in whole.cameras] == [(GATE, 90), (DOCK, 55)]
    gate, dock = whole.cameras
    assert told(gate.verdicts) == [("clock-skew", "unknown"), ("telnet-open", "pass")]
    assert told(dock.verdicts) == [("clock-skew", "unknown"), ("telnet-open", "fail")]
    assert (gate.identity.model, gate.identity.serial) == ("P3265-V", "B8A44F000001")
    (failed,) = [verdict for verdict in dock.verdicts if verdict.verdict is FAIL]
    assert failed.evidence == {"seen": ["telnet-open", ""]}
    assert (whole.started, whole.finished) == ("2026-03-01T12:00:00Z", "2026-03-01T15:00:00Z")


async def test_an_address_that_told_nothing_stands_in_it_until_it_answers(
    store: Store, settings: Settings, clock: Clock
) -> None:
    silent = NotEvaluated(YARD, "unreachable", "nothing answers")
    await scanned(store, settings, silent, assessed({TELNET: FAIL}, dossier(GATE, 80, camera(1))))
    whole = await stored_assessment(store)
    assert whole.not_evaluated == (silent,)
    assert [one.address for one in whole.cameras] == [GATE]
    clock.forward(days=1)
    again = NotEvaluated(YARD, "unauthorized", "it wants a login")
    await scanned(store, settings, again, assessed({TELNET: FAIL}, dossier(GATE, 80, camera(1))))
    assert (await stored_assessment(store)).not_evaluated == (again,)
    clock.forward(days=1)
    await scanned(store, settings, assessed({TELNET: PASS}, dossier(YARD, 80, camera(9))))
    whole = await stored_assessment(store)
    assert whole.not_evaluated == ()
    assert [one.address for one in whole.cameras] == [GATE, YARD]


async def test_a_camera_that_says_nothing_of_itself_is_not_left_out(store: Store) -> None:
    await findings.record(store, assessed({TELNET: UNKNOWN}, dossier(GATE, 80, NOT_ASKED)))
    (nameless,) = (await stored_assessment(store)).cameras
    assert nameless.identity.model is nameless.identity.serial is None
    assert told(nameless.verdicts) == [("telnet-open", "unknown")]


async def test_an_empty_estate_is_a_report_too(store: Store) -> None:
    whole = await stored_assessment(store)
    assert (whole.cameras, whole.not_evaluated) == ((), ())
    assert whole.started == whole.finished == "2026-03-01T12:00:00Z"
    assert all(write(whole) for _, write in FORMATS.values())


@pytest.mark.parametrize("ending", FORMATS)
async def test_every_format_tells_of_every_camera_and_silent_address(
    ending: str, store: Store, settings: Settings
) -> None:
    await seen(store, DOCK, 2, FAIL, PASS)
    await scanned(store, settings, NotEvaluated(YARD, "unreachable", "nothing answers"))
    media_type, write = FORMATS[ending]
    text = write(await stored_assessment(store))
    assert DOCK in text
    assert YARD in text
    if "json" in media_type:
        assert json.loads(text)
    if media_type == "application/xml":
        assert etree.fromstring(text.encode()) is not None


async def test_what_it_writes_as_json_the_command_line_reads_back(store: Store, settings: Settings) -> None:
    await seen(store, DOCK, 2, FAIL, UNKNOWN)
    await scanned(store, settings, NotEvaluated(YARD, "unreachable", "nothing answers"))
    whole = await stored_assessment(store)
    _, write = FORMATS["json"]
    assert from_json(write(whole)) == whole
