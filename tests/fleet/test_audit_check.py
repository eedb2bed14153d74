"""Whatever is done to the audit trail behind our back is found, at the first entry where it was done."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from fleet.audit import checkpoints as audit_checkpoints
from fleet.audit import export as audit_export
from fleet.audit import watch as audit_watch
from fleet.audit.chain import FIRST_PREVIOUS
from fleet.audit.check import Checked, check
from fleet.audit.trail import Action, Entry, record_all, record_first
from fleet.audit.watch import AuditWatch, check_with, make
from fleet.errors import Invalid
from fleet.settings import Settings
from fleet.store import Store
from fleet.store.audit_tables import AuditRow

COUNT = 6


@pytest.fixture
async def whole(store: Store) -> Store:
    for number in range(COUNT):
        await record_first(store, Entry("anna", Action.SITE_CHANGE, f"site:{number}", {"number": number}))
    return store


def tamper(database: Path, *statements: str) -> None:
    """As whoever has the file would: the triggers are no hindrance to them."""
    connection = sqlite3.connect(database)
    for name in ("audit_in_order", "audit_no_update", "audit_no_delete"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


_COPY = "INSERT INTO audit SELECT {seq}, id, at, actor, action, about, detail, source, request, key_id, previous, mac "
_COPY += "FROM audit WHERE seq = {of}"
_SWAP = ("UPDATE audit SET seq = 99 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 4")
_EDITS = {
    f"the {column} edited": ((f"UPDATE audit SET {column} = '{value}' WHERE seq = 3",), 3, "edited")  # noqa: S608 - ours
    for column, value in {
        "id": "x",
        "at": "2020-01-01 00:00:00.000000",
        "actor": "berta",
        "action": "site.remove",
        "about": "site:9",
        "detail": "{}",
        "source": "x",
        "request": "x",
        "previous": FIRST_PREVIOUS,
        "mac": "0" * 64,
    }.items()
}
TAMPERED: dict[str, tuple[tuple[str, ...], int, str]] = {
    **_EDITS,
    "a time that is none": (("UPDATE audit SET at = 'noon' WHERE seq = 3",), 3, "cannot even be read"),
    "another key's name": (("UPDATE audit SET key_id = 'x' WHERE seq = 3",), 3, "key that is not known"),
    "one taken out": (("DELETE FROM audit WHERE seq = 3",), 3, "entry 3 is missing"),
    "several taken out": (("DELETE FROM audit WHERE seq IN (2, 3)",), 2, "entries 2 to 3 are missing"),
    "the first taken out": (("DELETE FROM audit WHERE seq = 1",), 1, "missing"),
    "one taken out and the others moved up": (
        ("DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3"),
        3,
        "edited, moved",
    ),
    "two in another order": ((*_SWAP, "UPDATE audit SET seq = 4 WHERE seq = 99"), 3, "moved"),
    "one put in before all": ((_COPY.format(seq=0, of=1),), 0, "put in"),
    "one put in behind all": ((_COPY.format(seq=COUNT + 1, of=COUNT),), COUNT + 1, "put in"),
    "the end cut off": (("DELETE FROM audit WHERE seq > 4",), 5, "the end was cut off"),
    "all of it gone": (("DELETE FROM audit",), 1, "the end was cut off"),
}


@pytest.mark.parametrize(("statements", "seq", "words"), TAMPERED.values(), ids=TAMPERED)
async def test_it_is_found(whole: Store, settings: Settings, statements: tuple[str, ...], seq: int, words: str) -> None:
    await make(whole, settings)
    await asyncio.to_thread(tamper, settings.database, *statements)
    found = await check_with(whole, settings)
    assert found.fault is not None
    assert (found.fault.seq, words in found.fault.what) == (seq, True), found.fault


async def test_a_trail_that_nobody_touched_is_whole(whole: Store, settings: Settings) -> None:
    assert await check_with(whole, settings) == Checked(COUNT, 0, COUNT, None)
    await make(whole, settings)
    await record_first(whole, Entry("anna", Action.SITE_CHANGE))
    assert await check_with(whole, settings) == Checked(COUNT + 1, 1, 1, None)
    assert await make(whole, settings) is not None
    assert await make(whole, settings) is None, "nothing is new"


async def test_whoever_has_the_key_is_found_by_a_checkpoint_that_lies_elsewhere(
    whole: Store, settings: Settings, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.jsonl"
    await make(whole, settings, elsewhere)
    await asyncio.to_thread(tamper, settings.database, "DELETE FROM audit")
    for path in await asyncio.to_thread(audit_checkpoints.files, settings):
        await asyncio.to_thread(path.unlink, missing_ok=True)
    for number in range(COUNT):
        await record_first(whole, Entry("berta", Action.SITE_CHANGE, f"site:{number}", {"number": number}))
    assert (await check_with(whole, settings)).whole, "the new chain is well made"
    found = (await check_with(whole, settings, [elsewhere])).fault
    assert found is not None
    assert (found.seq, "rewritten" in found.what) == (COUNT, True)


SPOILT: dict[str, Callable[[str], str]] = {
    "edited": lambda line: line.replace('"seq": 6', '"seq": 5'),
    "of another key": lambda line: json.dumps(json.loads(line) | {"public": "A" * 43 + "="}) + "\n",
    "no checkpoint": lambda _line: "hello\n",
    "of another shape": lambda line: json.dumps(json.loads(line) | {"more": 1}) + "\n",
    "cut off": lambda line: line[:-30],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
async def test_a_checkpoint_that_cannot_be_trusted_is_refused(
    whole: Store, settings: Settings, tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    path = tmp_path / "checkpoints.jsonl"
    await make(whole, settings, path)
    await asyncio.to_thread(path.write_text, spoil(await asyncio.to_thread(path.read_text)))
    with pytest.raises(Invalid):
        await check_with(whole, settings, [path])


async def test_the_key_of_a_lost_installation_counts_where_its_fingerprint_is_given(
    whole: Store, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoints.jsonl"
    made = await make(whole, settings, path)
    assert made
    for file in (settings.home / audit_checkpoints.KEY_FILE, audit_checkpoints.files(settings)[0]):
        await asyncio.to_thread(file.unlink)
    with pytest.raises(Invalid, match="another key"):
        await check_with(whole, settings, [path])
    assert (await check_with(whole, settings, [path], [made.fingerprint])).whole


# --- exported ---


def _lines(change: Callable[[list[str]], None]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        lines = path.read_text().splitlines(keepends=True)
        change(lines)
        path.write_text("".join(lines))

    return spoil


def _edit(lines: list[str]) -> None:
    lines[3] = lines[3].replace("anna", "hans")


def _swap(lines: list[str]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def _take_out(lines: list[str]) -> None:
    del lines[3]


def _cut_off(lines: list[str]) -> None:
    del lines[-2]


def _anew(lines: list[str]) -> None:
    """All digests as they would be, but the signature is of another trail."""
    running = ""
    for number, line in enumerate(lines[1:-1], start=1):
        said = json.loads(line.replace("anna", "hans"))
        del said["running"]
        running = audit_export.running_digest(running, said)
        lines[number] = audit_export.as_line({**said, "running": running})


EXPORTS = {
    "a line edited": (_lines(_edit), 3, "edited"),
    "two lines in another order": (_lines(_swap), 3, "missing"),
    "a line taken out": (_lines(_take_out), 3, "missing"),
    "a line put in": (_lines(lambda lines: lines.insert(3, lines[3])), 4, "missing"),
    "the end cut off": (_lines(_cut_off), COUNT, "cut off"),
    "written anew": (_lines(_anew), COUNT, "not what was signed"),
}


@pytest.mark.parametrize(("spoil", "seq", "words"), EXPORTS.values(), ids=EXPORTS)
async def test_an_export_that_was_changed_is_found_by_itself(
    whole: Store, settings: Settings, tmp_path: Path, spoil: Callable[[Path], None], seq: int, words: str
) -> None:
    out = tmp_path / "export.jsonl"
    assert await audit_export.export(whole, settings, out) == COUNT
    checked, signed = await asyncio.to_thread(audit_export.verify, out)
    assert (checked.whole, checked.entries, signed.seq) == (True, COUNT, COUNT)
    await asyncio.to_thread(spoil, out)
    checked, _ = await asyncio.to_thread(audit_export.verify, out)
    assert checked.fault is not None
    assert (checked.fault.seq, words in checked.fault.what) == (seq, True), checked.fault


NO_EXPORTS: dict[str, Callable[[str], str]] = {
    "without its signature": lambda text: "".join(text.splitlines(keepends=True)[:-1]),
    "another file": lambda _text: "{}\n",
    "no text": lambda text: text[:200] + "\x00\n",
    "with something behind": lambda text: text + '{"seq":7}\n',
    "with an edited signature": lambda text: text.replace('"seq":6,"signature"', '"seq":7,"signature"'),
}


@pytest.mark.parametrize("spoil", NO_EXPORTS.values(), ids=NO_EXPORTS)
async def test_what_is_no_export_is_refused(
    whole: Store, settings: Settings, tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    out = tmp_path / "export.jsonl"
    await audit_export.export(whole, settings, out)
    await asyncio.to_thread(out.write_text, spoil(await asyncio.to_thread(out.read_text)))
    with pytest.raises(Invalid):
        await asyncio.to_thread(audit_export.verify, out)


async def test_an_export_is_nobodys_who_cannot_tell_the_fingerprint(
    whole: Store, settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "export.jsonl"
    await audit_export.export(whole, settings, out)
    with pytest.raises(Invalid, match="another key"):
        await asyncio.to_thread(audit_export.verify, out, "0" * 64)
    with pytest.raises(Invalid, match="File exists"):
        await audit_export.export(whole, settings, out)


# --- while the service runs ---


async def test_a_long_trail_is_read_in_parts_and_its_progress_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.audit.views._AT_ONCE", 10)
    async with store.write() as connection:
        await record_all(connection, [Entry("anna", Action.SITE_CHANGE, f"site:{n}") for n in range(35)])
    told: list[tuple[int, int]] = []
    assert (await check(store, progress=lambda *now: told.append(now))).entries == 35
    assert told == [(10, 35), (20, 35), (30, 35), (35, 35)]


async def test_checkpoints_are_made_by_themselves_here_and_elsewhere(
    whole: Store, settings: Settings, tmp_path: Path
) -> None:
    both = settings.model_copy(update={"audit_checkpoint_dir": tmp_path / "elsewhere"})
    async with AuditWatch(whole, both) as audit:
        audit.begin_check()
        view = await audit.finished()
        assert view is not None
        assert view.checked is not None
        assert view.checked.whole
        await record_first(whole, Entry("anna", Action.SITE_CHANGE))
    kept = [await asyncio.to_thread(audit_checkpoints.load, [path]) for path in audit_checkpoints.files(both)]
    assert [checkpoint.seq for checkpoint in kept[0]][-1] == COUNT + 1, "one more when the service ends"
    assert kept[0] == kept[1]


async def test_a_folder_that_is_away_hinders_nothing_else(
    whole: Store, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away = tmp_path / "file"
    await asyncio.to_thread(away.write_text, "")
    async with AuditWatch(whole, settings.model_copy(update={"audit_checkpoint_dir": away / "mount"})):
        pass
    assert await asyncio.to_thread(audit_checkpoints.last_kept, settings) == COUNT
    assert "could not be kept" in caplog.text


async def test_the_database_of_the_test_can_be_changed_at_all(whole: Store) -> None:
    with pytest.raises(Exception, match="append-only"):
        async with whole.write() as connection:
            await connection.execute(update(AuditRow).values(actor="nobody"))
    assert audit_watch.EVERY_S == 3600
