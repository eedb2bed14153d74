"""Imported lists: what can be read of them, what is said of the rest, and how they stand beside what visits found."""

from dataclasses import replace

import pytest

from cameras.facts import Gap, Hostname, Identity
from fleet import estate, sites
from fleet.audit.trail import Action
from fleet.audit.views import Wanted as WrittenDown
from fleet.audit.views import entries
from fleet.errors import Invalid
from fleet.expected import rows, sheet
from fleet.expected.lines import MOST_LINES, Listed, Wanted
from fleet.expected.rows import Import, Known
from fleet.findings import triage as findings
from fleet.people.scope import Scope
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store
from fleet.views import DeviceFilter
from tests.fleet.samples import FAIL, assessed, camera, dossier
from tests.fleet.test_scans import Estate, ended

NOBODY = Wanted("10.0.0.5", None, None, None, None, None, None, None)
GAP = Gap("unauthorized", "it wants a login")


def said(text: str) -> Listed:
    return sheet.read(text.encode())


READ = {
    "an address alone": ("address\n10.0.0.5", NOBODY),
    "every column": (
        "address,name,site,serial,mac,vendor,model\n10.0.0.5:8080,Gate,Harbour,B8,b8:a4:4f:00:00:01,AXIS,P3265-V",
        Wanted("10.0.0.5", 8080, "Gate", "Harbour", "B8", "b8:a4:4f:00:00:01", "AXIS", "P3265-V"),
    ),
    "as other people call the columns": (
        "IP Address;Camera name;Location;SN;MAC-Address;Make;Model\r\n10.0.0.5;Gate;Harbour;B8;B8A4.4F00.0001;;P3\r\n",
        Wanted("10.0.0.5", None, "Gate", "Harbour", "B8", "b8:a4:4f:00:00:01", None, "P3"),
    ),
    "with a byte order mark, in tabs": ("\ufeffIP\tName\n10.0.0.5\tHöfe", replace(NOBODY, name="Höfe")),
    "a port of its own": ("ip,port\n10.0.0.5,81", replace(NOBODY, port=81)),
    "the same port twice": ("ip,port\n10.0.0.5:81,81", replace(NOBODY, port=81)),
    "an address of IPv6": ("ip\n[2001:db8::5]:80", replace(NOBODY, address="2001:db8::5", port=80)),
    "a link": ("ip\nhttp://10.0.0.5/", replace(NOBODY, port=80)),
    "a cell that a spreadsheet would run": ("ip,name\n10.0.0.5,=1+1", replace(NOBODY, name="=1+1")),
    "a cell that an export of ours guarded": ("ip,name\n10.0.0.5,'=1+1", replace(NOBODY, name="=1+1")),
    "a separator inside quotes": ('ip,name\n10.0.0.5,"Gate, west"', replace(NOBODY, name="Gate, west")),
    "fewer cells than columns": ("ip,name,serial\n10.0.0.5", NOBODY),
    "empty lines and columns without a name": ("\n\nip,,\n\n10.0.0.5,,\n,,\n", NOBODY),
    "no address with an empty serial number": ("ip,serial\n10.0.0.5, ", NOBODY),
}


@pytest.mark.parametrize(("text", "wanted"), READ.values(), ids=READ)
def test_a_list_is_read(text: str, wanted: Wanted) -> None:
    found = said(text)
    assert ([line.wanted for line in found.lines], found.mistakes) == ([wanted], ())


def test_what_excel_calls_unicode_text_is_read() -> None:
    assert sheet.read("IP\tName\n10.0.0.5\tGate".encode("utf-16")).lines[0].wanted.name == "Gate"


def test_columns_that_mean_nothing_are_named() -> None:
    assert said("ip,notes,vlan\n10.0.0.5,x,7").ignored == ("notes", "vlan")


MISTAKES = {
    "no address": ("ip,name\n,Gate", "there is no address"),
    "a host name": ("ip\ncam1.example", "does not resolve"),
    "no address at all": ("ip\n10.0.0.500", "is no address"),
    "a network": ("ip\n10.0.0.0/24", "more than one address"),
    "an address with its prefix": ("ip\n10.0.0.5/24", "10.0.0.5 for the one"),
    "an address that no camera has": ("ip\n255.255.255.255", "no camera has"),
    "a password in it": ("ip\nhttp://root:hunter2@10.0.0.5/", "credentials file"),
    "two ports": ("ip,port\n10.0.0.5:80,81", "says port 80, the column port 81"),
    "a port that is none": ("ip,port\n10.0.0.5,http", "from 1 to 65535"),
    "a port of many digits": ("ip,port\n10.0.0.5," + "9" * 199, "from 1 to 65535"),
    "a MAC that is none": ("ip,mac\n10.0.0.5,zz", "is no MAC address"),
    "a serial number that a spreadsheet rounded": ("ip,serial\n10.0.0.5,1.23E+11", "rounded it"),
    "a serial number without end": ("ip,serial\n10.0.0.5," + "s" * 150, "longer than 128"),
    "a name without end": ("ip,name\n10.0.0.5," + "n" * 201, "longer than 200"),
    "a name that steers a terminal": ("ip,name\n10.0.0.5,\x1b[31m", "cannot be printed"),
    "the same address twice": ("ip\n10.0.0.5\n10.0.0.5", "stands in line 2 already"),
    "the same serial number twice": ("ip,sn\n10.0.0.5,A1\n10.0.0.6,a1", "serial number a1 stands in line 2"),
    "the same MAC twice": ("ip,mac\n10.0.0.5,b8a44f000001\n10.0.0.6,B8-A4-4F-00-00-01", "stands in line 2"),
    "an open quotation mark": ('ip,name\n10.0.0.5,"Gate', "quotation mark"),
    "more cells than columns": ("ip,name\n10.0.0.5,Gate, west", "more than 2 cells"),
}


@pytest.mark.parametrize(("text", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_a_line_that_cannot_be_read_is_named(text: str, reason: str) -> None:
    (mistake,) = said(text).mistakes
    assert (mistake.line, reason in mistake.reason) == (text.count("\n") + 1, True), mistake.reason
    assert "hunter2" not in mistake.reason


REFUSED = {
    "nothing": (b"", "empty"),
    "only a first line": (b"ip,name", "names no camera"),
    "no column for the address": (b"name,serial\nGate,B8", "no column is the address"),
    "two columns for one thing": (b"ip,address\n10.0.0.5,10.0.0.6", "two columns are the address"),
    "another coding": ("ip,name\n10.0.0.5,Höfe".encode("cp1252"), "UTF-8"),
    "no text": (b"ip\n10.0.0.5\0", "no text"),
    "a spreadsheet's own file": (b"PK\x03\x04\xff\xfe", "UTF-8"),
    "half of two bytes": (b"\xff\xfea", "UTF-8"),
    "a line without end": (b"ip\n" + b"1" * 20_000, "longer than"),
    "a file without end": (b"ip\n" + b"\n" * (sheet.MOST_BYTES + 1), "larger than 8 MiB"),
    "lines without end": (b"ip\n" + b"\n" * (2 * MOST_LINES + 1), "at most 20,000"),
    "too many cameras": (b"ip\n" + b"10.0.0.5\n" * (MOST_LINES + 1), "at most 20,000"),
    "columns without end": (b"," * 500 + b"\n", "more than 200 columns"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_list_is_refused_whole(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        sheet.read(content)


# --- beside what is known ---------------------------------------------------------------------------------------------


async def seen(store: Store, number: int, address: str = "", identity: Identity | Gap | None = None) -> str:
    kept = dossier(address or f"10.0.0.{number}", identity=identity or camera(number))
    return (await findings.record(store, assessed({("telnet-open", ""): FAIL}, kept))).camera


async def brought_in(store: Store, text: str, *, trial: bool = False, partial: bool = False) -> Import:
    return await rows.bring_in(store, said(text), "anna", source="list.csv", trial=trial, partial=partial)


async def stand(store: Store) -> dict[str, str]:
    page = await rows.expected(store, known=tuple(Known))
    return {row.place: row.known.value for row in page.items}


FIVE = """address,name,serial,mac
10.0.0.1,Gate,B8A44F000001,
10.0.0.2,Dock,,b8:a4:4f:00:00:77
10.0.0.3:8080,Yard,,
10.0.0.4,Roof,b8a44f000005,
10.0.0.6,Mast,,
"""


async def test_a_trial_says_what_would_be_and_keeps_nothing(store: Store) -> None:
    gate, dock, yard, roof = [await seen(store, number) for number in (1, 2, 3, 5)]
    done = await brought_in(store, FIVE, trial=True)
    assert [(line.known, line.camera) for line in done.lines] == [
        (Known.FOUND, gate),
        (Known.OTHER, dock),
        (Known.MISSING, None),
        (Known.ELSEWHERE, roof),
        (Known.MISSING, None),
    ]
    assert done.lines[1].detail == "there is P3265-V with serial B8A44F000002"
    assert done.lines[3].detail == "it was seen last at 10.0.0.5:80"
    assert (done.kept, done.named, yard in {line.camera for line in done.lines}) == (False, 1, False)
    assert await stand(store) == {}
    assert (await estate.device(store, gate)).row.name is None


async def test_the_next_visit_fulfils_what_was_expected(store: Store) -> None:
    assert (await brought_in(store, FIVE)).kept
    assert set((await stand(store)).values()) == {"missing"}
    gate = await seen(store, 1)
    await seen(store, 2)
    roof = await seen(store, 5)
    assert await stand(store) == {
        "10.0.0.1": "found",
        "10.0.0.2": "other",
        "10.0.0.3:8080": "missing",
        "10.0.0.4": "elsewhere",
        "10.0.0.6": "missing",
    }
    page = await rows.expected(store, limit=2)
    assert ([row.place for row in page.items], page.total) == (["10.0.0.2", "10.0.0.3:8080"], 4)
    rest = await rows.expected(store, limit=9, after=page.after)
    assert [row.place for row in rest.items] == ["10.0.0.4", "10.0.0.6"]
    assert (await estate.device(store, gate)).row.name == "Gate"
    assert (await estate.devices(store, DeviceFilter(text="gate"))).total == 1
    assert (await estate.device(store, roof)).row.name is None  # it is not where the list says


async def test_another_unit_in_its_place_is_not_what_was_expected(store: Store) -> None:
    await brought_in(store, "ip,serial,name\n10.0.0.1,B8A44F000001,Gate")
    await seen(store, 1)
    new = await seen(store, 2, "10.0.0.1")
    assert await stand(store) == {"10.0.0.1": "other"}
    assert (await estate.device(store, new)).row.name is None


async def test_a_camera_that_tells_its_own_name_keeps_it(store: Store) -> None:
    told = dossier("10.0.0.1", identity=camera(1), hostname=Hostname("lobby", None))
    this = (await findings.record(store, assessed({}, told))).camera
    assert (await brought_in(store, "ip,name\n10.0.0.1,Gate")).named == 0
    assert (await estate.device(store, this)).row.name == "lobby"


async def test_a_list_names_what_has_no_name_and_a_later_list_names_it_anew(store: Store) -> None:
    this = await seen(store, 1)
    for name in ("Gate", "Gate west"):
        assert (await brought_in(store, f"ip,name\n10.0.0.1,{name}")).named == 1
        assert (await estate.device(store, this)).row.name == name
        assert [row.id for row in (await estate.devices(store, DeviceFilter(text=name))).items] == [this]
    assert [row.name for row in (await rows.expected(store, known=tuple(Known))).items] == ["Gate west"]


async def test_with_a_mistake_nothing_is_kept_unless_the_rest_is_wanted(store: Store) -> None:
    text = "ip\n10.0.0.1\nnonsense/\n10.0.0.2"
    done = await brought_in(store, text)
    assert (done.kept, [mistake.line for mistake in done.mistakes]) == (False, [3])
    assert await stand(store) == {}
    assert (await brought_in(store, text, partial=True)).kept
    assert list(await stand(store)) == ["10.0.0.1", "10.0.0.2"]


async def test_what_is_of_other_sites_is_neither_taken_nor_shown(store: Store) -> None:
    await sites.put(store, Site("Harbour", ("10.0.0.0/30",)), "anna")
    harbour = Scope(frozenset({"Harbour"}))
    text = "ip,site\n10.0.0.1,Harbour\n10.0.0.9,Harbour"
    done = await rows.bring_in(store, said(text), "ben", source="x", partial=True, scope=harbour)
    assert [(mistake.line, mistake.reason) for mistake in done.mistakes] == [
        (3, "its address belongs to none of your sites")
    ]
    await brought_in(store, "ip,serial\n10.0.0.2,B8A44F000009\n10.0.0.9,")
    await seen(store, 9)
    page = await rows.expected(store, scope=harbour)
    assert [(row.place, row.site, row.known) for row in page.items] == [
        ("10.0.0.1", "Harbour", Known.MISSING),
        ("10.0.0.2", "Harbour", Known.MISSING),  # that it is known at another site is not for these eyes
    ]
    assert await rows.forget(store, ["10.0.0.1", "10.0.0.9"], "ben", harbour) == 1
    await sites.remove(store, "Harbour")
    assert {row.site for row in (await rows.expected(store, known=tuple(Known))).items} == {None}


async def test_who_imported_and_who_forgot_is_written_down(store: Store) -> None:
    await brought_in(store, "ip\n10.0.0.1")
    await rows.forget(store, ["10.0.0.1", "10.0.0.2"], "anna")
    assert await rows.forget(store, ["10.0.0.1"], "anna") == 0
    told = [(row.actor, row.action, row.said) for row in (await entries(store, WrittenDown())).items]
    assert told[:2] == [
        ("anna", Action.EXPECTED_FORGET, {"cameras": 1}),
        ("anna", Action.EXPECTED_IMPORT, {"source": "list.csv", "cameras": 1, "mistakes": 0}),
    ]


async def test_no_more_are_expected_than_are_looked_after(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_EXPECTED", 2)
    for text in ("ip\n10.0.0.1\n10.0.0.2", "ip\n10.0.0.2\n10.0.0.1"):
        assert (await brought_in(store, text)).kept
    with pytest.raises(Invalid, match="forget some first"):
        await brought_in(store, "ip\n10.0.0.3")
    assert list(await stand(store)) == ["10.0.0.1", "10.0.0.2"]


async def test_a_scan_can_be_asked_for_what_was_not_found(store: Store, settings: Settings) -> None:
    network = Estate()
    async with Scans(store, settings, assess=network) as scans:
        with pytest.raises(Invalid, match="every expected camera was found"):
            await scans.start("@expected", "anna")
        await brought_in(store, FIVE)
        await seen(store, 1)
        view = await ended(scans, await scans.start("@expected", "anna"))
    (targets, _) = network.asked[0]
    places = [f"{target.address}:{target.port or ''}" for target in targets]
    assert (view.targets, places) == ("@expected", ["10.0.0.2:", "10.0.0.3:8080", "10.0.0.4:", "10.0.0.6:"])


async def test_twenty_thousand_are_imported_at_once(store: Store) -> None:
    many = "\n".join(f"10.{n >> 8}.{n & 255}.7,Camera {n},S{n}x" for n in range(MOST_LINES))
    assert (await brought_in(store, f"ip,name,serial\n{many}")).kept
    assert (await rows.expected(store, limit=1)).total == MOST_LINES
