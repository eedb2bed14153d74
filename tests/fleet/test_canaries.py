"""A round of real work with secrets that are searched for afterwards: none is anywhere but sealed or hashed."""

import asyncio
import base64
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import aclosing, closing
from pathlib import Path
from urllib.parse import quote

import pytest

from cameras.secret import Secret
from fleet.audit import export as audit_export
from fleet.audit.trail import Action, Entry, record_first
from fleet.errors import SignInRefused, VaultUnavailable
from fleet.people import accounts as people
from fleet.people import tokens
from fleet.people.accounts import Person
from fleet.people.permissions import Role
from fleet.people.tokens import Scope
from fleet.plans.rows import PlanId
from fleet.plans.runner import Plans
from fleet.rollouts import backups
from fleet.service import Service, open_service
from fleet.settings import Settings
from fleet.signing_in import steps as signing_in
from fleet.signing_in.second_factors import enrolled
from fleet.store import open_store
from fleet.vault import key_file as vault_key
from fleet.vault import transit
from fleet.vault.key_file import WrappedKey
from fleet.vault.key_moves import key_place, rewrap, to_file, to_transit
from fleet.vault.key_rotation import rotate
from fleet.vault.passwords import open_vault
from hardening.baseline import load_baseline
from hardening.passwords import State
from tests.fleet.guarded import Guard
from tests.fleet.rotating import Scene, passwords, rotated, scene
from tests.frame.openbao import Bao

PERSON = "Kanarienvogel-der-Person/7+?"
TYPED = "Kanarienvogel-falsch-getippt&1"
BACKUP = "Kanarienvogel-in-der-Sicherung=2"
# These hold secrets because they are for that: the operator's own file, and keys.
FOR_SECRETS = frozenset({"credentials.yaml", "key", "handover.key"})
SHORTEST = 8


def forms(secret: str | bytes) -> Iterator[bytes]:
    """As it could lie somewhere: as it is, or in one of the clothes that a secret goes out in."""
    raw = secret.encode() if isinstance(secret, str) else secret
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield quote(secret, safe="").encode()
    yield repr(secret).encode()
    for before in range(3):  # wherever it begins inside a longer text
        shifted = base64.b64encode(b"\0" * before + raw)
        yield shifted[4 if before else 0 : (len(raw) + before) // 3 * 4]


def kept(home: Path, for_secrets: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
    """All that lies in the home, and what is packed inside the database."""
    for path in home.rglob("*"):
        if path.is_file() and path.name not in for_secrets:
            yield path.name, path.read_bytes()
    with closing(sqlite3.connect(home / "camwarden.db")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own names
                for value in row:
                    if isinstance(value, bytes) and value.startswith(b"\x78"):
                        yield f"{table}, unpacked", zlib.decompressobj().decompress(value)


def seen_by_others() -> Iterator[tuple[str, bytes]]:
    """What other users see of this process and of those that it started."""
    mine = {os.getpid()}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) in mine or int(folder.name) in mine:
                for name in ("cmdline", "environ"):
                    yield f"/proc/…/{name}", (folder / name).read_bytes()
        except (OSError, ValueError):
            continue  # it ended meanwhile


def found(
    secrets: AbstractSet[str | bytes], home: Path, said: str, for_secrets: AbstractSet[str] = FOR_SECRETS
) -> list[str]:
    """Where, and never what."""
    wanted = [form for secret in secrets if len(secret) >= SHORTEST for form in forms(secret)]
    places = [*kept(home, for_secrets), *seen_by_others(), ("what was logged and raised", said.encode())]
    return [where for where, content in places if any(form in content for form in wanted)]


async def follow_plan(plans: Plans, plan: PlanId) -> None:
    async with aclosing(plans.events(plan)) as events:
        async for _ in events:
            pass


async def sign_in(service: Service, person: Person) -> tuple[set[str], str]:
    """What must not be seen, and what was said when it went wrong."""
    said = ""
    try:
        await signing_in.sign_in(service.store, person.name, TYPED, "127.0.0.1")
    except SignInRefused as error:
        said = repr(error)
    session = await signing_in.sign_in(service.store, person.name, PERSON, "127.0.0.1")
    _, token = await tokens.create(service.store, "ci", [Scope.READ], person.name, days=1)
    await tokens.check(service.store, token.reveal())
    await enrolled.propose_app(service.store, person)
    app = await enrolled.proposed_app(service.store, person)
    assert app is not None
    return {PERSON, TYPED, session.token.reveal(), token.reveal(), app.reveal()}, said


async def work(here: Scene, service: Service) -> tuple[set[str], str]:
    """Scan, change a password, show it, plan and apply, keep a backup, sign in, export."""
    camera, account = here.camera_id, str(here.camera.plan.login and here.camera.plan.login.name)
    old = passwords(here.camera, account)
    target = f"http://{here.camera.plan.address}:{here.camera.plan.port}"
    scan = await service.scans.start(target, "anna", default_credentials=False)
    async with aclosing(service.scans.events(scan)) as events:
        async for _ in events:
            pass
    async with here.rotations() as rotations:
        ended = await rotated(rotations, camera)
        assert ended.state is State.CURRENT, ended.detail
    new = passwords(here.camera, account)
    version = await service.vault.current_version(camera, account)
    assert version is not None
    shown = await service.vault.reveal(camera, account, version, "anna", "a look", channels=["mail"])
    assert {shown.reveal()} == new
    person = await people.add_user(service.store, "berta", PERSON, Role.OPERATOR)
    theirs, said = await sign_in(service, person)
    baseline = await asyncio.to_thread(load_baseline, "essential")
    plan = await service.plans.create(baseline, [camera], "anna")
    await follow_plan(service.plans, plan)
    await service.plans.approve(plan, "anna")
    await service.plans.start(plan, "anna")
    await follow_plan(service.plans, plan)
    digest = await backups.keep(service.store, here.settings, camera, BACKUP.encode())
    assert await backups.opened(service.store, here.settings, camera, digest) == BACKUP.encode()
    await audit_export.export(service.store, here.settings, here.settings.home / "export.jsonl")
    await asyncio.to_thread(back_up, here.settings)
    return old | new | theirs | {BACKUP}, said + repr(service) + repr(shown) + repr(Secret(PERSON))


def back_up(settings: Settings) -> None:
    with (
        closing(sqlite3.connect(settings.database)) as source,
        closing(sqlite3.connect(settings.home / "copy.db")) as to,
    ):
        source.backup(to)


PLANTED: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "base64": lambda secret: base64.b64encode(f"login={secret}".encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
    "quoted": lambda secret: quote(secret, safe=""),
}


async def test_no_secret_is_anywhere_after_a_round_of_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    home = tmp_path / "home"
    async with scene(home) as here:
        quiet = here.settings.model_copy(update={"picture_minutes": 0})
        async with open_service(quiet) as service:
            secrets, said = await work(here, service)
            assert await asyncio.to_thread(found, secrets, home, said + caplog.text) == []
            # And the search finds what is there.
            for clothes in PLANTED.values():
                assert await asyncio.to_thread(found, secrets, home, f"x{clothes(BACKUP)}y") == [
                    "what was logged and raised"
                ]
            await record_first(service.store, Entry("anna", Action.SITE_CHANGE, detail={"slip": PERSON}))
            assert await asyncio.to_thread(found, secrets, home, "") != []


async def guarded_work(settings: Settings, guard: Guard) -> tuple[set[str | bytes], str]:
    """The key goes to the engine, is wrapped anew and changed, and is refused in every way; what was raised."""
    secrets: set[str | bytes] = set()
    said = ""
    async with await open_store(settings) as store:
        await (await open_vault(store, settings.model_copy(update={"transit_url": None}))).put(
            "cam", "root", Secret(BACKUP), "anna"
        )
        for move in (to_file, to_transit, rewrap):
            said += repr(await move(store, settings))
        secrets.add(await transit.unwrap(settings, await asyncio.to_thread(wrapped_in, settings.home)))
        said += repr(await rotate(store, settings, "anna"))
        secrets.add(await transit.unwrap(settings, await asyncio.to_thread(wrapped_in, settings.home)))
    wrong = guard.file("wrong", "s.kanarienvogel-falsch")
    refused: list[dict[str, object]] = [
        {"transit_token_file": wrong},
        {"transit_token_file": None, "transit_role_id_file": wrong, "transit_secret_id_file": wrong},
        {"transit_ca_file": None},
        {"transit_url": guard.bao.url.replace("https", "http")},
        {"transit_mount": "elsewhere"},
    ]
    for more in refused:
        place = await key_place(settings.model_copy(update=more))
        assert place.why
        with pytest.raises(VaultUnavailable) as caught:
            await transit.wrap(settings.model_copy(update=more), b"Kanarienvogel-als-Schluessel-32b")
        said += repr(place) + repr(caught.value)
    return secrets | {b"Kanarienvogel-als-Schluessel-32b"} | guard.secrets, said


def wrapped_in(home: Path) -> WrappedKey:
    kept = vault_key.read(home / "key")
    assert isinstance(kept, WrappedKey)
    return kept


@pytest.mark.parametrize("login", [Guard.token, Guard.role], ids=["token", "AppRole"])
async def test_neither_the_key_nor_the_login_is_anywhere_after_a_round_with_the_engine(
    openbao: Bao, tmp_path: Path, caplog: pytest.LogCaptureFixture, login: Callable[[Guard], dict[str, object]]
) -> None:
    guard = await asyncio.to_thread(Guard, openbao, tmp_path / "login")
    more = await asyncio.to_thread(login, guard)
    caplog.set_level(0)
    settings = guard.settings(tmp_path / "home", **more)
    secrets, said = await guarded_work(settings, guard)
    assert await asyncio.to_thread(found, secrets, settings.home, said + caplog.text, frozenset()) == []
    (settings.home / "slip").write_bytes(b"x" + next(one for one in secrets if isinstance(one, bytes)))
    assert await asyncio.to_thread(found, secrets, settings.home, "", frozenset()) == ["slip"]
