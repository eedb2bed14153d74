"""The vault: what it keeps, what it refuses, and that a secret is nowhere to be found but in it."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select, update

from cameras.secret import Credential, Secret
from fleet.audit.views import Wanted, entries
from fleet.errors import Invalid, NotFound, VaultUnavailable
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import vault_tables as v
from fleet.vault import key_file as vault_key
from fleet.vault.passwords import KEPT, TRANSITIONS, PasswordState, Vault, log_in_with, open_vault
from fleet.vault.sealing import Damaged, Envelope, MasterKey, Owner
from tests.fleet.on_disk import on_disk

CANARY = "Kanarienvogel-7-im-Schacht"
EDGES = {
    ("sealed", "current"),
    ("sealed", "abandoned"),
    ("current", "previous"),
    ("previous", "current"),
    ("abandoned", "current"),
}


@pytest.fixture
async def vault(store: Store, settings: Settings) -> Vault:
    return await open_vault(store, settings)


async def states(vault: Vault) -> list[tuple[int, str]]:
    return [(one.version, one.state.value) for one in await vault.history("cam", "root")]


async def sealed(store: Store, vault: Vault, text: str) -> int:
    async with store.write() as connection:
        return await vault.seal_within(connection, "cam", "root", Secret(text), "anna")


async def move(store: Store, vault: Vault, version: int, to: PasswordState) -> None:
    async with store.write() as connection:
        await vault.move_within(connection, "cam", "root", version, to)


@pytest.mark.parametrize(("before", "after"), list(product(PasswordState, PasswordState)))
def test_only_these_states_follow_each_other(before: PasswordState, after: PasswordState) -> None:
    assert (after in TRANSITIONS[before]) is ((before.value, after.value) in EDGES)


async def test_a_password_that_was_put_is_current(vault: Vault) -> None:
    assert await vault.current("cam", "root") is None
    assert await vault.login("cam") is None
    assert await vault.put("cam", "root", Secret("first"), "anna", login=True) == 1
    assert await vault.put("cam", "root", Secret("second"), "anna") == 2
    assert await vault.put("cam", "root", Secret("second"), "anna") == 2, "the same again changes nothing"
    assert await vault.current("cam", "root") == Secret("second")
    assert await vault.login("cam") == Credential("root", Secret("second"))
    assert await vault.current("cam", "guard") is None
    assert await states(vault) == [(2, "current"), (1, "previous")]
    (newest, _) = await vault.history("cam")
    assert (newest.camera, newest.account, newest.made_by) == ("cam", "root", "anna")


async def test_a_sealed_password_is_kept_and_not_yet_used(store: Store, vault: Vault) -> None:
    await vault.put("cam", "root", Secret("old"), "anna")
    version = await sealed(store, vault, "new")
    assert await vault.current("cam", "root") == Secret("old")
    assert await vault.version("cam", "root", version) == Secret("new")
    await move(store, vault, version, PasswordState.CURRENT)
    assert await vault.current("cam", "root") == Secret("new")
    await move(store, vault, version, PasswordState.CURRENT)
    assert await states(vault) == [(2, "current"), (1, "previous")]
    await move(store, vault, 1, PasswordState.CURRENT)
    assert await states(vault) == [(2, "previous"), (1, "current")]


async def test_what_may_not_follow_is_refused(store: Store, vault: Vault) -> None:
    await vault.put("cam", "root", Secret("old"), "anna")
    with pytest.raises(Invalid, match="cannot become"):
        await move(store, vault, 1, PasswordState.ABANDONED)
    with pytest.raises(NotFound):
        await move(store, vault, 9, PasswordState.CURRENT)


async def test_the_last_five_are_kept_and_older_ones_erased(store: Store, vault: Vault) -> None:
    for number in range(1, 10):
        await vault.put("cam", "root", Secret(f"password-{number}"), "anna")
    assert await states(vault) == [(9, "current"), *((number, "previous") for number in range(8, 8 - KEPT, -1))]
    with pytest.raises(NotFound):
        await vault.version("cam", "root", 3)
    for _ in range(7):
        await move(store, vault, await sealed(store, vault, "came to nothing"), PasswordState.ABANDONED)
    kept = [state for _, state in await states(vault)]
    assert (kept.count("abandoned"), kept.count("previous"), kept.count("current")) == (KEPT, KEPT, 1)


async def test_two_passwords_are_never_current_nor_on_their_way(store: Store, vault: Vault) -> None:
    await sealed(store, vault, "first")
    with pytest.raises(Exception, match="cannot be written"):
        await sealed(store, vault, "second")


BAD = {"no name": ("", "x"), "a long name": ("n" * 65, "x"), "an empty password": ("root", "")}
BAD |= {"a line end": ("root", "a\nb"), "a very long password": ("root", "x" * 1025), "an odd name": ("ro\x00ot", "x")}


@pytest.mark.parametrize(("account", "password"), BAD.values(), ids=BAD)
async def test_what_no_camera_takes_is_refused(vault: Vault, account: str, password: str) -> None:
    with pytest.raises(Invalid):
        await vault.put("cam", account, Secret(password), "anna")


# --- being shown a password ---


async def reveals(store: Store) -> list[tuple[str, str, str]]:
    rows = (await entries(store, Wanted(action="vault.reveal"))).items
    return [(row.about, row.actor, row.detail) for row in rows]


async def test_who_is_shown_a_password_is_written_down(store: Store, vault: Vault) -> None:
    await vault.put("cam", "root", Secret("x1"), "anna")
    assert await vault.reveal("cam", "root", 1, "berta", "installer on site") == Secret("x1")
    assert await reveals(store) == [
        ("camera:cam", "berta", '{"account":"root","reason":"installer on site","version":1}')
    ]


async def test_without_a_row_there_is_no_password(store: Store, vault: Vault) -> None:
    await vault.put("cam", "root", Secret("x1"), "anna")
    async with store.write() as connection:
        await connection.exec_driver_sql("DROP TABLE audit")
    with pytest.raises(Exception, match="cannot be written"):
        await vault.reveal("cam", "root", 1, "berta", "why not")


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), ("berta", ""), ("berta", "  ")])
async def test_without_a_reason_there_is_no_password(store: Store, vault: Vault, actor: str, reason: str) -> None:
    await vault.put("cam", "root", Secret("x1"), "anna")
    with pytest.raises(Invalid):
        await vault.reveal("cam", "root", 1, actor, reason)
    assert await reveals(store) == []


# --- the envelope ---


def test_every_record_has_a_key_of_its_own() -> None:
    master, owner = MasterKey(b"k" * 32), Owner("1", "cam", "root")
    one, two = master.seal(Secret(CANARY), owner), master.seal(Secret(CANARY), owner)
    assert one.sealed != two.sealed
    assert one.wrapped_key != two.wrapped_key
    assert master.unseal(one, owner) == master.unseal(two, owner) == Secret(CANARY)
    with pytest.raises(Damaged):
        master.unseal(Envelope(one.wrapped_key, two.sealed), owner)


OWNERS = {"another record": Owner("2", "cam", "root"), "another camera": Owner("1", "other", "root")}
OWNERS |= {"another account": Owner("1", "cam", "admin"), "the same letters elsewhere": Owner("1", "camr", "oot")}


@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
def test_an_envelope_opens_for_its_owner_only(owner: Owner) -> None:
    envelope = MasterKey(b"k" * 32).seal(Secret(CANARY), Owner("1", "cam", "root"))
    with pytest.raises(Damaged):
        MasterKey(b"k" * 32).unseal(envelope, owner)


@pytest.mark.parametrize("part", ["wrapped_key", "sealed"])
@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[:0], lambda b: bytes([b[0] ^ 1]) + b[1:]])
def test_a_changed_envelope_does_not_open(part: str, spoil: Callable[[bytes], bytes]) -> None:
    master, owner = MasterKey(b"k" * 32), Owner("1", "cam", "root")
    parts = {"wrapped_key": b"", "sealed": b""}
    envelope = master.seal(Secret(CANARY), owner)
    parts = {"wrapped_key": envelope.wrapped_key, "sealed": envelope.sealed}
    with pytest.raises(Damaged):
        master.unseal(Envelope(**{**parts, part: spoil(parts[part])}), owner)


async def test_rows_cannot_be_swapped(store: Store, vault: Vault) -> None:
    await vault.put("cam", "root", Secret("one"), "anna")
    await vault.put("other", "root", Secret("two"), "anna")
    async with store.write() as connection:
        row = (await connection.execute(select(v.SealedPassword).where(v.SealedPassword.camera == "other"))).one()
        await connection.execute(
            update(v.SealedPassword)
            .where(v.SealedPassword.camera == "cam")
            .values(wrapped_key=row.wrapped_key, sealed=row.sealed)
        )
    with pytest.raises(VaultUnavailable, match="changed in the database"):
        await vault.current("cam", "root")


# --- the key ---


@pytest.mark.usefixtures("vault")
async def test_the_key_is_made_for_us_alone(settings: Settings) -> None:
    key = settings.home / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_size == 32
    assert [path.name for path in settings.home.iterdir() if "key" in path.name] == ["key"], "nothing is left beside it"


def _with_mode(key: Path) -> None:
    key.chmod(0o640)


def _cut(key: Path) -> None:
    key.write_bytes(key.read_bytes()[:31])


def _gone(key: Path) -> None:
    key.unlink()


def _another(key: Path) -> None:
    key.write_bytes(os.urandom(32))


def _a_link(key: Path) -> None:
    key.rename(key.with_name("elsewhere"))
    key.symlink_to("elsewhere")


def _a_folder(key: Path) -> None:
    key.unlink()
    key.mkdir()


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "others can read it": (_with_mode, "0640 where 0600 belongs.*chmod 600"),
    "it was cut": (_cut, "31 bytes where 32 belong.*backup"),
    "it is missing": (_gone, "is missing.*put it back from your backup"),
    "it is another": (_another, "is not the key.*put back the one"),
    "it is a link": (_a_link, "cannot be read"),
    "it is a folder": (_a_folder, "is no file"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
async def test_a_key_that_is_not_ours_is_not_used(
    store: Store, settings: Settings, vault: Vault, spoil: Callable[[Path], None], words: str
) -> None:
    await vault.put("cam", "root", Secret("x1"), "anna")
    spoil(settings.home / "key")
    with pytest.raises(VaultUnavailable, match=words):
        await open_vault(store, settings)


@pytest.mark.usefixtures("vault")
async def test_a_key_of_somebody_else_is_not_used(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is ours in a test; so we become somebody else."""
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(VaultUnavailable, match="belongs to another user: chown"):
        await open_vault(store, settings)


def test_the_first_of_two_keys_counts(tmp_path: Path) -> None:
    vault_key.make(tmp_path / "key", b"1" * 32)
    vault_key.make(tmp_path / "key", b"2" * 32)
    assert vault_key.read(tmp_path / "key") == b"1" * 32
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


async def test_a_vault_opens_again(store: Store, settings: Settings, vault: Vault) -> None:
    await vault.put("cam", "root", Secret("x1"), "anna")
    assert await (await open_vault(store, settings)).current("cam", "root") == Secret("x1")


# --- the canary ---


async def _put(vault: Vault, _store: Store) -> object:
    return await vault.put("cam", "root", Secret(CANARY), "anna", login=True)


async def _refuse(vault: Vault, _store: Store) -> object:
    return await vault.put("cam", "", Secret(CANARY), "anna")


async def _reveal_without_reason(vault: Vault, store: Store) -> object:
    await _put(vault, store)
    return await vault.reveal("cam", "root", 1, "anna", "")


async def _read_spoilt(vault: Vault, store: Store) -> object:
    await _put(vault, store)
    async with store.write() as connection:
        await connection.execute(update(v.SealedPassword).values(sealed=b"spoilt"))
    return await vault.current("cam", "root")


async def _look_at_everything(vault: Vault, store: Store) -> object:
    await _put(vault, store)
    async with store.write() as connection:
        await log_in_with(connection, "cam", "root")
    return vault, await vault.login("cam"), await vault.current("cam", "root"), await vault.history("cam")


@pytest.mark.parametrize("act", [_put, _refuse, _reveal_without_reason, _read_spoilt, _look_at_everything])
async def test_the_canary_is_never_seen(
    store: Store,
    settings: Settings,
    vault: Vault,
    caplog: pytest.LogCaptureFixture,
    act: Callable[[Vault, Store], Awaitable[object]],
) -> None:
    """Not in the database's files, nor in a log, an error, a repr, or what other people see of this process."""
    caplog.set_level(0)
    try:
        said = repr(await act(vault, store))
    except (Invalid, VaultUnavailable) as error:
        said = "".join((repr(error), str(error), repr(error.__cause__), repr(error.__context__)))
    seen_by_others = (Path("/proc/self/cmdline"), Path("/proc/self/environ"))
    files = [path for path in settings.home.iterdir() if path.is_file()]
    kept = [await asyncio.to_thread(path.read_bytes) for path in (*files, *seen_by_others)]
    assert "key" in {path.name for path in files}
    for text in (*kept, await asyncio.to_thread(on_disk, settings), said.encode(), caplog.text.encode()):
        assert CANARY.encode() not in text
