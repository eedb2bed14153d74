"""The master key in the care of a transit engine: a real OpenBao, and servers that are none."""

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from cameras.secret import Secret
from fleet.audit.trail import Action, Entry, record_first
from fleet.errors import FleetError, Invalid, SettingsError, VaultUnavailable
from fleet.readiness import Readiness
from fleet.settings import Settings, load_settings
from fleet.store import Store, open_store
from fleet.vault import key_file as vault_key
from fleet.vault import key_moves, transit
from fleet.vault.key_file import WrappedKey
from fleet.vault.key_moves import KeyPlace, Where, key_place, rewrap, to_file, to_transit
from fleet.vault.key_rotation import rotate
from fleet.vault.master_key import master_key
from fleet.vault.passwords import open_vault
from fleet.vault.sealing import key_id
from tests.cameras.saying import http, saying
from tests.fleet.dying import DiesAt, Killed, all_can_be_read, fill
from tests.fleet.guarded import Guard
from tests.fleet.samples import Clock
from tests.frame.openbao import ROOT, Bao

# --- settings ---------------------------------------------------------------------------------------------------------

GOOD = {"transit_url": "https://bao.example:8200", "transit_key": "camwarden", "transit_token_file": "token"}
BY_ROLE = {"transit_token_file": None, "transit_role_id_file": "role", "transit_secret_id_file": "secret"}
FIT: dict[str, dict[str, Any]] = {
    "a token": {},
    "AppRole": BY_ROLE,
    "this machine without TLS": {"transit_url": "http://127.0.0.1:8200"},
    "a namespace and a mount within others": {"transit_namespace": "a/b", "transit_mount": "crypto/transit"},
}
UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "plain http to another machine": ({"transit_url": "http://bao.example"}, "transit_url"),
    "a path in the address": ({"transit_url": "https://bao.example/v1"}, "transit_url"),
    "a login in the address": ({"transit_url": "https://anna:pass@bao.example"}, "transit_url"),
    "no host": ({"transit_url": "https://"}, "transit_url"),
    "no key": ({"transit_key": None}, "transit_key"),
    "no login": ({"transit_token_file": None}, "transit_token_file"),
    "both logins": ({"transit_role_id_file": "r", "transit_secret_id_file": "s"}, "either"),
    "half a login": ({"transit_token_file": None, "transit_role_id_file": "r"}, "transit_secret_id_file"),
    "no engine": ({"transit_url": None}, "transit_url is missing"),
    "a key that climbs": ({"transit_key": "../sys/seal"}, "transit_key"),
    "a mount that climbs": ({"transit_mount": "transit/../sys"}, "transit_mount"),
    "a namespace of two lines": ({"transit_namespace": "a\nX-Vault-Token: b"}, "transit_namespace"),
}


@pytest.mark.parametrize("more", FIT.values(), ids=FIT)
def test_settings_that_can_work(more: dict[str, Any], tmp_path: Path) -> None:
    assert load_settings(None, home=tmp_path, **(GOOD | more)).transit_key == "camwarden"


@pytest.mark.parametrize(("wrong", "text"), UNFIT.values(), ids=UNFIT)
def test_settings_that_cannot_work_are_refused_at_the_start(wrong: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=text):
        load_settings(None, home=tmp_path, **(GOOD | wrong))


# --- a real engine ----------------------------------------------------------------------------------------------------


@pytest.fixture
def guard(openbao: Bao, tmp_path: Path) -> Guard:
    return Guard(openbao, tmp_path / "login")


@pytest.fixture
def guarded(guard: Guard, tmp_path: Path) -> Settings:
    return guard.settings(tmp_path / "home", **guard.token())


def lying(home: Path) -> WrappedKey | bytes:
    return vault_key.read(home / "key")


def somewhere(home: Path, secret: bytes) -> list[str]:
    """Files that hold it, as it is or in another of the forms that it travels in."""
    forms = (secret, base64.b64encode(secret), secret.hex().encode())
    return [
        path.name for path in home.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms)
    ]


@pytest.mark.parametrize("namespace", ["", "site"], ids=["outermost", "a namespace"])
@pytest.mark.parametrize("login", [Guard.token, Guard.role], ids=["token", "AppRole"])
async def test_a_new_key_lies_on_no_disk_as_it_is(
    openbao: Bao, clock: Clock, tmp_path: Path, login: Callable[[Guard], dict[str, Any]], namespace: str
) -> None:
    guard = await asyncio.to_thread(Guard, openbao, tmp_path / "login", namespace)
    settings = guard.settings(tmp_path / "home", **await asyncio.to_thread(login, guard))
    async with await open_store(settings, clock) as store:
        digest = await fill(store, settings)
    kept = await asyncio.to_thread(lying, settings.home)
    assert isinstance(kept, WrappedKey)
    assert await asyncio.to_thread(somewhere, settings.home, await transit.unwrap(settings, kept)) == []
    await all_can_be_read(settings, clock, digest)
    assert await key_place(settings) == KeyPlace(Where.TRANSIT, settings.home / "key", kept.id, 1)


async def test_what_the_document_says_to_do_at_the_server_is_enough(openbao: Bao, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "passwords.md").read_text()
    block = page.partition("   ```sh\n")[2].partition("   ```")[0]
    (tmp_path / "said.sh").write_text(f"set -e\n{dedent(block)}")
    await asyncio.to_thread(openbao.ask, "POST", "sys/namespaces/documented", {})
    named = {"BAO_ADDR": openbao.url, "BAO_TOKEN": ROOT, "BAO_CACERT": str(openbao.ca_file)}
    path = f"{openbao.program.parent}:{os.environ['PATH']}"
    environment = {**os.environ, **named, "BAO_NAMESPACE": "documented", "PATH": path}
    shell = await asyncio.create_subprocess_exec(
        "bash", tmp_path / "said.sh", env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await shell.communicate()
    assert shell.returncode == 0, said
    token = await asyncio.to_thread(openbao.token, "camwarden", namespace="documented")
    guard = Guard(openbao, tmp_path / "login", "documented", "camwarden")
    settings = guard.settings(tmp_path, transit_token_file=guard.file("token", token))
    wrapped = await transit.rewrap(settings, await transit.wrap(settings, b"k" * 32))
    assert await transit.unwrap(settings, wrapped) == b"k" * 32


Move = Callable[..., Awaitable[KeyPlace]]
MOVES: dict[str, tuple[Move, Where, Where]] = {
    "to the engine": (to_transit, Where.FILE, Where.TRANSIT),
    "to the file": (to_file, Where.TRANSIT, Where.FILE),
    "under a newer version": (rewrap, Where.TRANSIT, Where.TRANSIT),
}


@pytest.mark.parametrize(("move", "begin", "end"), MOVES.values(), ids=MOVES)
async def test_a_move_that_is_cut_off_anywhere_loses_nothing_and_the_next_one_ends_it(
    guard: Guard, guarded: Settings, clock: Clock, move: Move, begin: Where, end: Where
) -> None:
    plain = Settings(home=guarded.home)
    async with await open_store(guarded, clock) as store:
        digest = await fill(store, plain if begin is Where.FILE else guarded)
        there = await asyncio.to_thread(lying, guarded.home)
        await asyncio.to_thread(guard.bao.ask, "POST", f"transit/keys/{guard.key}/rotate", {})
        number, names = 0, list[str]()
        while "done" not in names:
            number, dies = number + 1, DiesAt(number + 1)
            with pytest.raises(Killed):
                await move(store, guarded, step=dies)
            names = dies.names
            await all_can_be_read(guarded, clock, digest)
            place = await move(store, guarded)
            assert (place.where, place.key_id, place.why) == (end, vault_key.id_of(there), ""), names
            assert {path.name for path in await asyncio.to_thread(lambda: list(guarded.home.glob("*key*")))} == {"key"}
            await all_can_be_read(plain if end is Where.FILE else guarded, clock, digest)
            await asyncio.to_thread(put_back, guarded.home, there)
    assert names[1:] == ["make", "replace", "erase", "done"]
    assert place.version == (0 if end is Where.FILE else 2)


def put_back(home: Path, kept: WrappedKey | bytes) -> None:
    (home / "key").unlink()
    vault_key.make(home / "key", kept)


async def test_a_move_that_has_nothing_to_do_does_nothing_and_one_that_cannot_be_says_why(
    guarded: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with await open_store(guarded, clock) as store:
        await fill(store, guarded)
        before = await asyncio.to_thread(lying, guarded.home)
        assert (await to_transit(store, guarded)).where is Where.TRANSIT
        assert await asyncio.to_thread(lying, guarded.home) == before
        await asyncio.to_thread((guarded.home / "key.old").hardlink_to, guarded.home / "key")
        for move in (to_transit, to_file, rewrap):
            with pytest.raises(Invalid, match="rotate-key"):
                await move(store, guarded)
        await asyncio.to_thread((guarded.home / "key.old").unlink)
        assert (await to_file(store, guarded)).where is Where.FILE
        with pytest.raises(Invalid, match="to-transit"):
            await rewrap(store, guarded)
        with pytest.raises(Invalid, match="transit_url"):
            await to_transit(store, Settings(home=guarded.home))
        await asyncio.to_thread((guarded.home / "key").rename, tmp_path / vault_key.CREDENTIAL)
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        with pytest.raises(Invalid, match="systemd"):
            await to_transit(store, guarded)
        assert (await key_place(guarded)).where is Where.SYSTEMD


async def test_a_key_that_was_changed_meanwhile_is_not_written_over(guarded: Settings, clock: Clock) -> None:
    async with await open_store(guarded, clock) as store:
        await fill(store, guarded)
        there = await transit.wrap(guarded, b"x" * 32)

        def meanwhile(name: str) -> None:
            if name == "unwrap":
                put_back(guarded.home, there)

        with pytest.raises(FleetError, match="somebody else"):
            await to_file(store, guarded, step=meanwhile)
        assert await asyncio.to_thread(lying, guarded.home) == there


async def test_a_new_master_key_is_wrapped_too_wherever_the_change_is_cut_off(guarded: Settings, clock: Clock) -> None:
    async with await open_store(guarded, clock) as store:
        digest = await fill(store, guarded)
        first = await asyncio.to_thread(lying, guarded.home)
        for number in range(1, 6):  # around the three files; what comes after is the same for every kind of key
            with pytest.raises(Killed):
                await rotate(store, guarded, "anna", step=DiesAt(number))
            await all_can_be_read(guarded, clock, digest)
        done = await rotate(store, guarded, "anna")
    kept = await asyncio.to_thread(lying, guarded.home)
    assert isinstance(kept, WrappedKey)
    assert kept.id == done.key_id != vault_key.id_of(first)
    assert await asyncio.to_thread(somewhere, guarded.home, await transit.unwrap(guarded, kept)) == []
    assert {path.name for path in await asyncio.to_thread(lambda: list(guarded.home.glob("*key*")))} == {"key"}
    await all_can_be_read(guarded, clock, digest)


async def ready(store: Store, settings: Settings) -> str:
    return next(part.why for part in await Readiness(store, settings, {}).parts() if part.name == "key")


async def test_who_is_up_goes_on_while_the_engine_is_sealed_and_nobody_starts(
    guard: Guard, guarded: Settings, clock: Clock
) -> None:
    async with await open_store(guarded, clock) as store, await open_store(guarded, clock) as late:
        digest = await fill(store, guarded)
        vault = await open_vault(store, guarded)
        await rewrap(store, guarded)  # other bytes on the disk, the same key in memory
        await asyncio.to_thread(guard.bao.seal)
        try:
            await vault.put("cam-9", "root", Secret("while it was sealed"), "anna")
            assert await vault.current("cam-0", "root") == Secret("password-0")
            await record_first(store, Entry("anna", Action.SITE_CHANGE))
            assert await ready(store, guarded) == ""
            with pytest.raises(VaultUnavailable, match=r"503 \(Vault is sealed\): unseal it"):
                await open_vault(late, guarded)
            with pytest.raises(VaultUnavailable, match="sealed"):
                await record_first(late, Entry("anna", Action.SITE_CHANGE))
            assert "camwarden doctor" in await ready(late, guarded)
            place = await key_place(guarded)
            assert (place.where, "unseal" in place.why) == (Where.TRANSIT, True)
        finally:
            await asyncio.to_thread(guard.bao.unseal)
        assert await ready(late, guarded) == ""
        assert await (await open_vault(late, guarded)).current("cam-9", "root") == Secret("while it was sealed")
    await all_can_be_read(guarded, clock, digest)


def _too_old(guard: Guard) -> dict[str, Any]:
    guard.bao.ask("POST", f"transit/keys/{guard.key}/rotate", {})
    guard.bao.ask("POST", f"transit/keys/{guard.key}/config", {"min_decryption_version": 2})
    return {}


def _gone(guard: Guard) -> dict[str, Any]:
    guard.bao.ask("POST", f"transit/keys/{guard.key}/config", {"deletion_allowed": True})
    guard.bao.ask("DELETE", f"transit/keys/{guard.key}")
    return {}


def _another_key(guard: Guard) -> dict[str, Any]:
    guard.key = guard.bao.new_key()
    return {"transit_key": guard.key, **guard.token()}


def _without_tls_of_ours(guard: Guard) -> dict[str, Any]:
    return {"transit_url": guard.bao.url.replace("https", "http")}


REFUSALS: dict[str, tuple[Callable[[Guard], dict[str, Any]], str]] = {
    "a token that is none": (lambda guard: {"transit_token_file": guard.file("none", "s.none")}, "403.*policy"),
    "a policy without decrypt": (lambda guard: guard.token("encrypt", "rewrap"), "decrypt.*403.*permission denied"),
    "a wrong secret of a role": (
        lambda guard: (
            guard.role() | {"transit_secret_id_file": guard.file("wrong", "x-wrong-x"), "transit_token_file": None}
        ),
        r"auth/approle/login with 400 \(invalid role or secret ID\)",
    ),
    "a version that may not be decrypted any more": (_too_old, "400.*too old"),
    "a transit key that is gone": (_gone, r"400 \(encryption key not found\): look at the transit key"),
    "another transit key": (_another_key, "400.*authentication failed"),
    "no such mount": (lambda _: {"transit_mount": "elsewhere"}, "40[34].*"),
    "no such namespace": (lambda _: {"transit_namespace": "nowhere"}, "404.*namespace"),
    "a certificate of an authority that nobody named": (
        lambda _: {"transit_ca_file": None},
        r"does not answer \(ConnectError\).*transit_ca_file",
    ),
    "an authority's file that is none": (
        lambda guard: {"transit_ca_file": guard.file("ca", "no certificate")},
        "transit_ca_file cannot be read",
    ),
    "TLS where we speak none": (_without_tls_of_ours, "answers|does not answer"),
    "no engine in the settings": (lambda _: {"transit_url": None}, "transit_url"),
}


@pytest.mark.parametrize(("spoil", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_an_engine_that_refuses_is_said_why_and_what_to_do(
    guard: Guard, guarded: Settings, spoil: Callable[[Guard], dict[str, Any]], words: str
) -> None:
    wrapped = await transit.wrap(guarded, b"k" * 32)
    wrong = guarded.model_copy(update=await asyncio.to_thread(spoil, guard))
    with pytest.raises(VaultUnavailable, match=words) as caught:
        await transit.unwrap(wrong, wrapped)
    assert not [secret for secret in guard.secrets if len(secret) > 7 and secret in repr(caught.value)]


async def test_what_cannot_be_opened_again_takes_nobodys_place(
    guard: Guard, guarded: Settings, clock: Clock, tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    async with await open_store(guarded, clock) as store:
        digest = await fill(store, Settings(home=guarded.home))
        there = await asyncio.to_thread(lying, guarded.home)
        login = await asyncio.to_thread(guard.token, "encrypt")
        with pytest.raises(VaultUnavailable, match="decrypt"):
            await to_transit(store, guarded.model_copy(update=login))
        assert await asyncio.to_thread(lying, guarded.home) == there
        await all_can_be_read(Settings(home=guarded.home), clock, digest)
        await asyncio.to_thread(witness.hardlink_to, guarded.home / "key")
        await asyncio.to_thread(guard.token)
        await to_transit(store, guarded)
    assert await asyncio.to_thread(witness.read_bytes) == b"\0" * 32, "the plain key was written over"


# --- servers that are no engine ---------------------------------------------------------------------------------------

KEY, TOKEN = b"k" * 32, "s.kanarienvogel-als-token"
WRAPPED = WrappedKey(key_id(KEY), "vault:v1:AAAA")


def engine_says(data: object, status: str = "200 OK", *headers: str) -> bytes:
    return http(json.dumps(data), status, *headers)


def opened_as(key: object) -> bytes:
    return engine_says({"data": {"plaintext": key}})


ANSWERS: dict[str, tuple[bytes | None, str]] = {
    "a web page": (http("<html>hello</html>"), "not as a transit engine|another key"),
    "a list": (http("[]"), "not as a transit engine|another key"),
    "no plaintext": (engine_says({"data": {}}), "another key"),
    "plaintext of another kind": (opened_as(7), "not as a transit engine"),
    "plaintext that is no base64": (opened_as("%%%"), "not as a transit engine"),
    "a short key": (opened_as(base64.b64encode(b"k" * 31).decode()), "another key"),
    "another key": (opened_as(base64.b64encode(b"x" * 32).decode()), "another key"),
    "far too much": (http(b"{" + b" " * 400_000), "more than"),
    "without end": (http(b"[" * 100_000), "not as a transit engine|another key"),
    "our token in its error": (engine_says({"errors": [f"what is {TOKEN}?"]}, "500 Oh"), r"500 \(what is …\?\)"),
    "our token as its error": (engine_says({"errors": TOKEN}, "500 Oh"), "500: look at its log"),
    "a hang-up": (b"", "does not answer"),
    "half an answer": (http(b"x" * 100)[:-20], "does not answer"),
    "silence": (None, r"does not answer \(TimeoutError\)"),
}


def asking(tmp_path: Path, port: int) -> Settings:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    named = {"transit_url": f"http://127.0.0.1:{port}", "transit_key": "k", "transit_token_file": tmp_path / "token"}
    return load_settings(None, home=tmp_path, **named)


@pytest.mark.parametrize(("answer", "words"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_none_is_not_believed(
    tmp_path: Path, answer: bytes | None, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    monkeypatch.setattr(transit, "WITHIN_S", 0.2 if answer is None else 15)
    async with saying(answer) as server:
        with pytest.raises(VaultUnavailable, match=words) as caught:
            await transit.unwrap(await asyncio.to_thread(asking, tmp_path, server.port), WRAPPED)
    (heard,) = server.heard
    assert heard.startswith(b"POST /v1/transit/decrypt/k HTTP/1.1\r\n")
    assert TOKEN.encode() in heard
    assert TOKEN not in caplog.text + repr(caught.value) + repr(caught.value.__cause__)


async def test_a_good_answer_in_small_pieces_is_understood(tmp_path: Path) -> None:
    async with saying(opened_as(base64.b64encode(KEY).decode()), dribble=True) as server:
        assert await transit.unwrap(await asyncio.to_thread(asking, tmp_path, server.port), WRAPPED) == KEY


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_the_token_goes_nowhere_else(tmp_path: Path, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with saying(opened_as(base64.b64encode(KEY).decode())) as other:
        there = f"Location: http://127.0.0.1:{other.port}/v1/transit/decrypt/k"
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{other.port}")
        async with saying(http(b"", status, there)) as server:
            with pytest.raises(VaultUnavailable, match="sends us elsewhere"):
                await transit.unwrap(await asyncio.to_thread(asking, tmp_path, server.port), WRAPPED)
    assert other.heard == []


async def test_nobody_there_is_said_so(tmp_path: Path) -> None:
    async with saying(b"") as server:
        settings = await asyncio.to_thread(asking, tmp_path, server.port)
    with pytest.raises(VaultUnavailable, match=r"does not answer \(ConnectError\)"):
        await transit.unwrap(settings, WRAPPED)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "it is gone": (lambda path: path.unlink(), "transit_token_file cannot be read"),
    "it is a folder": (_folder, "is no file"),
    "others may read it": (lambda path: path.chmod(0o640), "mode 0640"),
    "it is empty": (lambda path: path.write_text("\n"), "holds no word"),
    "it has two words": (lambda path: path.write_text(f"{TOKEN} x"), "holds no word"),
    "it has two lines": (lambda path: path.write_text(f"{TOKEN}\r\nX-More: 1"), "holds no word"),
    "it is no text": (lambda path: path.write_bytes(b"\xff\xfe" + TOKEN.encode()), "holds no word"),
}


@pytest.mark.parametrize(("spoil", "words"), FILES.values(), ids=FILES)
async def test_a_login_that_cannot_be_used_is_named_and_not_shown(
    tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    settings = await asyncio.to_thread(asking, tmp_path, 1)
    await asyncio.to_thread(spoil, tmp_path / "token")
    with pytest.raises(VaultUnavailable, match=words) as caught:
        await transit.unwrap(settings, WRAPPED)
    assert TOKEN not in repr(caught.value)


# --- the file ---------------------------------------------------------------------------------------------------------

GOOD_FILE = {"format": vault_key.FORMAT, "key_id": "0" * 16, "ciphertext": "vault:v3:AAAA"}
SPOILT: dict[str, object] = {
    "another format": GOOD_FILE | {"format": "camwarden/wrapped-key/2"},
    "no id": GOOD_FILE | {"key_id": "../../etc"},
    "no ciphertext": GOOD_FILE | {"ciphertext": "plain"},
    "a ciphertext without end": GOOD_FILE | {"ciphertext": "vault:v1:" + "A" * 9000},
    "a list": [1],
    "another kind": GOOD_FILE | {"ciphertext": 7},
}


@pytest.mark.parametrize("said", SPOILT.values(), ids=SPOILT)
def test_a_file_that_is_not_what_we_wrote_is_refused(tmp_path: Path, said: object) -> None:
    path = tmp_path / "key"
    path.write_text(json.dumps(said))
    path.chmod(0o600)
    with pytest.raises(VaultUnavailable, match="a wrapped key"):
        vault_key.read(path)
    path.write_text(json.dumps(GOOD_FILE))
    assert vault_key.read(path) == WrappedKey("0" * 16, "vault:v3:AAAA")


async def test_a_wrapped_key_of_another_database_is_refused(guarded: Settings, clock: Clock) -> None:
    async with await open_store(guarded, clock) as store:
        await fill(store, guarded)
        await asyncio.to_thread(put_back, guarded.home, await transit.wrap(guarded, b"x" * 32))
        with pytest.raises(VaultUnavailable, match="is not the key that the stored passwords"):
            await master_key(store, guarded)
        with pytest.raises(VaultUnavailable, match="is not the key"):
            await key_moves.to_file(store, guarded)
