"""What the console reads: numbers, filters, and pages that neither repeat nor skip."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from cameras.facts import Hostname
from fleet import estate
from fleet.errors import Invalid
from fleet.estate import DeviceFilter, FindingFilter, SeverityCounts
from fleet.findings import triage as findings
from fleet.findings.triage import FindingState, TriageAction
from fleet.scans.rows import ScanId, keep_silent
from fleet.store import Store
from fleet.store import tables as t
from scanners.assessment import CameraAssessment, NotEvaluated
from scanners.model import Severity
from tests.fleet.samples import FAIL, NOON, NOT_APPLICABLE, PASS, UNKNOWN, Clock, assessed, camera, dossier, verdict

CRITICAL, HIGH, MEDIUM, LOW = Severity


async def keep(store: Store, number: int, *checks: tuple[str, Severity], score: int = 50, **made: str) -> str:
    """A camera that fails these checks."""
    verdicts = tuple(verdict(check, FAIL, severity=severity) for check, severity in checks)
    of = dossier(f"10.0.0.{number}", identity=camera(number, **made), hostname=Hostname(f"cam-{number}", None))
    return (await findings.record(store, CameraAssessment(of, verdicts, score))).camera


async def three(store: Store) -> dict[str, str]:
    """By id."""
    one = await keep(store, 1, ("telnet-open", CRITICAL), ("clock-skew", MEDIUM), score=10)
    two = await keep(store, 2, ("clock-skew", MEDIUM), score=60, manufacturer="HIKVISION", model="DS-2CD2143G2-I")
    nobody = await keep(store, 3, score=100, manufacturer="Dahua")
    return {one: "one", two: "two", nobody: "three"}


# --- overview ---------------------------------------------------------------------------------------------------------


async def test_an_empty_estate_has_an_overview(store: Store) -> None:
    view = await estate.overview(store)
    assert (view.cameras, view.findings, view.checks, view.last_scan, view.unknown) == (
        0,
        SeverityCounts(),
        (),
        None,
        0,
    )
    assert [number for _, number in view.by_worst] == [0, 0, 0, 0, 0]
    assert [(bucket.low, bucket.high) for bucket in view.scores][-2:] == [(80, 89), (90, 100)]


async def test_the_overview_counts_what_is_live(store: Store, clock: Clock) -> None:
    await three(store)
    clock.forward(hours=25)
    await keep(store, 2, ("clock-skew", MEDIUM), score=60, manufacturer="HIKVISION")
    await keep(store, 3, ("telnet-open", CRITICAL), score=0, manufacturer="Dahua")
    mended = assessed({("clock-skew", ""): PASS, ("ntp", ""): UNKNOWN}, dossier(identity=camera(1)), 30)
    await findings.record(store, mended)
    view = await estate.overview(store)
    assert view.by_worst == ((CRITICAL, 2), (HIGH, 0), (MEDIUM, 1), (LOW, 0), (None, 0))
    assert view.findings == SeverityCounts(critical=2, medium=1)
    assert view.unknown == 1
    assert [bucket.cameras for bucket in view.scores] == [1, 0, 0, 1, 0, 0, 1, 0, 0, 0]


async def test_the_worst_weakness_is_to_be_fixed_first_and_among_equals_the_most_frequent(store: Store) -> None:
    for number in range(1, 5):
        await keep(store, number, ("clock-skew", MEDIUM), ("discovery-left-on", LOW))
    await keep(store, 8, ("anonymous-rtsp", HIGH))
    await keep(store, 9, ("telnet-open", CRITICAL), ("ftp-open", HIGH), ("anonymous-rtsp", HIGH))
    checks = (await estate.overview(store)).checks
    assert [(row.check, row.cameras) for row in checks] == [
        ("telnet-open", 1),
        ("anonymous-rtsp", 2),
        ("ftp-open", 1),
        ("clock-skew", 4),
        ("discovery-left-on", 4),
    ]
    assert checks[0].title == "No telnet-open"


async def test_only_ten_are_to_be_fixed_first(store: Store) -> None:
    await keep(store, 1, *((f"check-{number}", LOW) for number in range(12)))
    assert len((await estate.overview(store)).checks) == 10


async def test_a_camera_that_could_not_be_judged_is_not_counted_as_clear(store: Store) -> None:
    await keep(store, 1, score=100)
    await findings.record(store, assessed({("ntp", ""): UNKNOWN}, dossier("10.0.0.2", identity=camera(2)), 90))
    await findings.record(
        store, assessed({("ntp", ""): UNKNOWN, ("a", ""): FAIL}, dossier("10.0.0.3", identity=camera(3)), 50)
    )
    view = await estate.overview(store)
    assert (dict(view.by_worst)[None], view.unclear) == (2, 1)


# --- filters ----------------------------------------------------------------------------------------------------------

DEVICE_FILTERS = {
    "no filter, lowest score first": (DeviceFilter(), ["one", "two", "three"]),
    "a word of the model": (DeviceFilter(text="2cd2143"), ["two"]),
    "two words, both must be there": (DeviceFilter(text="cam hikvision"), ["two"]),
    "two words of two cameras": (DeviceFilter(text="dahua hikvision"), []),
    "an address": (DeviceFilter(text="10.0.0.3"), ["three"]),
    "a serial number": (DeviceFilter(text="b8a44f000001"), ["one"]),
    "a wildcard is only a sign": (DeviceFilter(text="%"), []),
    "another wildcard, too": (DeviceFilter(text="cam_1"), []),
    "a quote": (DeviceFilter(text="' OR '1'='1"), []),
    "a book": (DeviceFilter(text="x" * 100_000), []),
    "a maker in another case": (DeviceFilter(vendor="hikvision"), ["two"]),
    "a severity": (DeviceFilter(severity=MEDIUM), ["one", "two"]),
    "a check": (DeviceFilter(check="clock-skew"), ["one", "two"]),
    "a check of another severity": (DeviceFilter(check="clock-skew", severity=CRITICAL), []),
    "all at once": (DeviceFilter("cam-1", "AXIS", CRITICAL, "telnet-open"), ["one"]),
}


@pytest.mark.parametrize(("wanted", "expected"), DEVICE_FILTERS.values(), ids=DEVICE_FILTERS)
async def test_device_filters(store: Store, wanted: DeviceFilter, expected: list[str]) -> None:
    names = await three(store)
    page = await estate.devices(store, wanted)
    assert ([names[row.id] for row in page.items], page.total, page.after) == (expected, len(expected), None)


FINDING_FILTERS = {
    "open ones, worst first, then the newest": (FindingFilter(), ["telnet-open 1", "clock-skew 2"]),
    "every state": (FindingFilter(state=None), ["telnet-open 1", "clock-skew 2", "clock-skew 1"]),
    "acknowledged ones": (FindingFilter(state=FindingState.ACKNOWLEDGED), ["clock-skew 1"]),
    "fixed ones": (FindingFilter(state=FindingState.FIXED), []),
    "a severity": (FindingFilter(severity=MEDIUM), ["clock-skew 2"]),
    "a check": (FindingFilter(state=None, check="clock-skew"), ["clock-skew 2", "clock-skew 1"]),
    "a word about the camera": (FindingFilter(text="HIKVISION"), ["clock-skew 2"]),
    "a word of the summary": (FindingFilter(text="Telnet-Open on"), ["telnet-open 1"]),
    "a word of the one and one of the other": (FindingFilter(text="cam-1 telnet"), ["telnet-open 1"]),
    "no such camera": (FindingFilter(camera="nothing"), []),
    "a wildcard is only a sign": (FindingFilter(text="%"), []),
}


@pytest.mark.parametrize(("wanted", "expected"), FINDING_FILTERS.values(), ids=FINDING_FILTERS)
async def test_finding_filters(store: Store, wanted: FindingFilter, expected: list[str]) -> None:
    await three(store)
    rows = (await estate.findings(store, FindingFilter(check="clock-skew"))).items
    ids = [row.id for row in rows if row.camera_name == "cam-1"]
    await findings.triage(store, ids, TriageAction.ACKNOWLEDGE, reason="", until=None, actor="anna")
    page = await estate.findings(store, wanted)
    told = [f"{row.check} {(row.camera_name or '')[-1]}" for row in page.items]
    assert (told, page.total, page.after) == (expected, len(expected), None)


async def test_the_makers_to_choose_from(store: Store) -> None:
    await three(store)
    await keep(store, 4, manufacturer="Axis")
    assert await estate.vendors(store) == (("Axis", 2), ("Dahua", 1), ("HIKVISION", 1))


# --- pages ------------------------------------------------------------------------------------------------------------


async def _all_devices(store: Store, meanwhile: Callable[[], Awaitable[object]]) -> list[str]:
    found, after = [], None
    while True:
        page = await estate.devices(store, after=after, limit=3)
        found += [row.id for row in page.items]
        if (after := page.after) is None:
            return found
        await meanwhile()


async def _all_findings(store: Store, meanwhile: Callable[[], Awaitable[object]]) -> list[str]:
    found, after = [], None
    while True:
        page = await estate.findings(store, after=after, limit=3)
        found += [row.id for row in page.items]
        if (after := page.after) is None:
            return found
        await meanwhile()


@pytest.mark.parametrize("read", [_all_devices, _all_findings])
async def test_pages_neither_repeat_nor_skip_while_rows_are_added(
    store: Store, read: Callable[[Store, Callable[[], Awaitable[object]]], Awaitable[list[str]]]
) -> None:
    severities = (CRITICAL, HIGH, MEDIUM, LOW)
    cameras = [await keep(store, n, (f"check-{n}", severities[n % 4]), score=(n * 7) % 20) for n in range(1, 20)]
    before = {row.id for row in (await estate.findings(store, limit=500)).items} | set(cameras)
    added = iter(range(100, 200))

    async def add_two() -> None:
        for _ in range(2):
            n = next(added)
            await keep(store, n, (f"check-{n}", severities[n % 4]), score=n % 20)

    found = await read(store, add_two)
    assert len(found) == len(set(found))
    assert len(before & set(found)) == 19


async def test_the_last_page_says_so(store: Store) -> None:
    for number in range(1, 7):
        await keep(store, number, ("clock-skew", MEDIUM))
    page = await estate.devices(store, limit=3)
    assert (len(page.items), page.total, page.after is None) == (3, 6, False)
    page = await estate.devices(store, after=page.after, limit=3)
    assert (len(page.items), page.total, page.after) == (3, 6, None)


LIMITS = {"none": (0, 1), "less than none": (-5, 1), "a few": (3, 3), "far too many": (10**30, 6)}


@pytest.mark.parametrize(("limit", "rows"), LIMITS.values(), ids=LIMITS)
async def test_a_page_has_a_sane_size(store: Store, limit: int, rows: int) -> None:
    for number in range(1, 7):
        await keep(store, number, ("clock-skew", MEDIUM))
    assert len((await estate.devices(store, limit=limit)).items) == rows
    assert len((await estate.findings(store, limit=limit)).items) == rows


CURSORS = [
    "",
    "x",
    "~",
    "5~",
    "~x",
    "5",
    "-1~x",
    "1e3~x",
    "99999999999999999999~x",
    "٣~x",
    "x" * 100_000,
    "\ud800~\ud800",
]


@pytest.mark.parametrize("cursor", CURSORS, ids=range(len(CURSORS)))
async def test_a_made_up_cursor_is_refused(store: Store, cursor: str) -> None:
    await keep(store, 1, ("clock-skew", MEDIUM))
    with pytest.raises(Invalid):
        await estate.devices(store, after=cursor)
    with pytest.raises(Invalid):
        await estate.findings(store, after=cursor)


async def test_pages_of_addresses_that_nobody_could_tell_about(store: Store) -> None:
    silent = [NotEvaluated(f"10.0.1.{number}", "unreachable", "nothing answers") for number in range(10, 20)]
    await keep_silent(store, ScanId("scan"), silent, [])
    first = await estate.not_evaluated(store, limit=6)
    second = await estate.not_evaluated(store, after=first.after, limit=6)
    assert [row.address for row in (*first.items, *second.items)] == [one.address for one in silent]
    assert (first.total, second.after) == (10, None)
    with pytest.raises(Invalid):
        await estate.not_evaluated(store, after="x")


# --- one camera, one finding ------------------------------------------------------------------------------------------


async def test_a_camera_shows_everything_about_it(store: Store, clock: Clock) -> None:
    outcomes = {("b-passes", ""): PASS, ("c-fails", "tcp/80"): FAIL, ("d-unknown", ""): UNKNOWN}
    outcomes[("e-not", "")] = NOT_APPLICABLE
    told = assessed(outcomes, score=70)
    await findings.record(store, told)
    clock.forward(hours=1)
    done = await findings.record(store, told)
    view = await estate.device(store, done.camera)
    assert (view.row.address, view.row.score, view.row.worst, view.row.unknown) == ("10.0.0.1", 70, HIGH, 1)
    assert (view.row.first_seen, view.row.last_seen) == (NOON, clock())
    assert (view.hardware, view.driver, view.dossier) == ("7D2", "axis", told.dossier)
    assert view.mac_maker == "Axis Communications"
    assert [one.check for one in view.verdicts] == ["c-fails", "d-unknown", "b-passes", "e-not"]
    assert view.verdicts[0] == replace(told.verdicts[1], evidence={"seen": ["c-fails", "tcp/80"]})
    assert [(point.at, point.score, point.failed, point.unknown) for point in view.history] == [
        (NOON, 70, 1, 1),
        (clock(), 70, 1, 1),
    ]
    assert [row.check for row in view.findings] == ["c-fails"]


async def test_a_finding_shows_how_to_repeat_and_to_mend_it(store: Store) -> None:
    await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    (row,) = (await estate.findings(store)).items
    view = await estate.finding(store, row.id)
    assert (view.row, view.row.title, view.remediation) == (row, "No telnet-open", "Close telnet-open.")
    assert (view.evidence, view.references) == ({"seen": ["telnet-open", ""]}, ("https://example.org/why",))
    assert view.standards == {"CWE": ("CWE-319",)}


async def test_a_dossier_of_another_version_hides_only_itself(store: Store) -> None:
    done = await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    async with store.write() as connection:
        await connection.execute(update(t.StoredDossier).values(body=b'{"other": 1}'))
    view = await estate.device(store, done.camera)
    assert (view.dossier, len(view.verdicts)) == (None, 1)


async def test_half_a_character_is_refused_and_not_our_fault(store: Store) -> None:
    with pytest.raises(Invalid):
        await estate.device(store, "\ud800")
    with pytest.raises(Invalid):
        await estate.devices(store, DeviceFilter(text="\ud800"))
