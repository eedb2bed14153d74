"""What is stored of jump hosts, what a person may type, and the ways that follow from it."""

import asyncio
import errno
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from sqlalchemy import update

from cameras import ways
from cameras.errors import Unreachable
from cameras.http import DeviceHttp
from cameras.secret import Secret
from fleet import sites
from fleet.audit.trail import Action
from fleet.audit.views import history
from fleet.errors import Invalid, NotFound, VaultUnavailable
from fleet.jump_hosts import rows, words
from fleet.jump_hosts.host_keys import (
    Door,
    HostKey,
    fingerprint,
    new_key,
    read_door,
    read_host_key,
    read_private_key,
    sealed_text,
    written,
)
from fleet.jump_hosts.runner import JumpHosts
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store import Store, open_store
from fleet.store.sites_tables import JumpHost
from fleet.vault.key_rotation import rotate
from tests.cameras.saying import http, saying
from tests.fleet.jump_server import jump_server

HOST_KEY = new_key()
PINNED = HostKey(written(HOST_KEY))
DOOR = Door("camwarden", "gate.example.com", 22)


@pytest.fixture
async def hof(store: Store) -> Store:
    await sites.put(store, Site("Hof", ("127.0.0.0/8",)), "anna")
    return store


# --- what a person types ---

DOORS = {
    "the usual port": ("camwarden@gate.example.com", Door("camwarden", "gate.example.com")),
    "another port": ("cw@10.0.0.1:2222", Door("cw", "10.0.0.1", 2222)),
    "IPv6": ("cw@[2001:db8::1]:2222", Door("cw", "2001:db8::1", 2222)),
    "IPv6, the usual port": ("cw@[2001:db8::1]", Door("cw", "2001:db8::1")),
    "spaces around": (" a@b ", Door("a", "b")),
    "no user": ("gate.example.com", None),
    "an option in place of a user": ("-oProxyCommand=x@gate", None),
    "an option in place of a host": ("a@-oProxyCommand", None),
    "a port beyond": ("a@b:70000", None),
    "port nought": ("a@b:0", None),
    "no port": ("a@b:", None),
    "digits of another script": ("a@b:٢٢", None),
    "a line break": ("a@b\nc", None),
    "nothing": ("", None),
    "a user with a quote": ("a'b@c", None),
    "a name that is too long": ("a@" + "b." * 200 + "c", None),
}


@pytest.mark.parametrize(("text", "door"), DOORS.values(), ids=DOORS)
def test_where_it_is_is_read_strictly(text: str, door: Door | None) -> None:
    if door is None:
        with pytest.raises(Invalid):
            read_door(text)
    else:
        assert read_door(text) == door
        assert read_door(str(door)) == door


def test_host_keys_are_read_as_people_have_them() -> None:
    line = written(HOST_KEY)
    for text in (line, f"{line} root@gate", f"gate.example.com {line}", f"[gate]:2222 {line}\n"):
        assert read_host_key(text) == PINNED
    assert read_host_key(f" {fingerprint(HOST_KEY)} ").fits(HOST_KEY)
    assert PINNED.algorithms() == ("ssh-ed25519",)
    assert not PINNED.fits(new_key())
    old = HostKey(written(asyncssh.generate_private_key("ssh-rsa", key_size=2048)))
    assert set(old.algorithms()) == {"rsa-sha2-256", "rsa-sha2-512"}, "never with SHA-1"
    for nothing in ("", "MD5:aa:bb", "SHA256:short", "ssh-ed25519 AAAA", "x" * 100_000, "ssh-dss AAAAB3NzaC1kc3M="):
        with pytest.raises(Invalid):
            read_host_key(nothing)


def test_our_key_may_be_brought_but_not_under_a_passphrase() -> None:
    key = new_key()
    assert written(read_private_key(sealed_text(key)).convert_to_public()) == written(key.convert_to_public())
    locked = key.export_private_key("pkcs8-pem", passphrase="x").decode()
    with pytest.raises(Invalid, match="passphrase"):
        read_private_key(Secret(locked))
    for wrong in ("no key", written(key), ""):
        with pytest.raises(Invalid):
            read_private_key(Secret(wrong))


SAID = {
    "OpenSSH, refused": ("Connection refused", errno.ECONNREFUSED),
    "OpenSSH, no route": ("No route to host", errno.EHOSTUNREACH),
    "OpenSSH, timed out": ("Connection timed out", errno.ETIMEDOUT),
    "OpenSSH, no network": ("Network is unreachable", errno.ENETUNREACH),
    "Dropbear, refused": ("Error connecting: Connection refused", errno.ECONNREFUSED),
    "Python, refused": ("[Errno 111] Connect call failed ('10.0.0.1', 80)", errno.ECONNREFUSED),
    "Python, no route": ("[Errno 113] Connect call failed ('10.0.0.1', 80)", errno.EHOSTUNREACH),
    "nothing": ("", errno.EHOSTUNREACH),
    "something else": ("open failed", errno.EHOSTUNREACH),
}


@pytest.mark.parametrize(("reason", "code"), SAID.values(), ids=SAID)
def test_what_servers_say_of_a_port_is_what_a_straight_connection_would_meet(reason: str, code: int) -> None:
    said = words.of_camera(asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, reason))
    assert said is not None
    assert said.errno == code
    assert words.of_camera(asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, reason)) is None


def test_the_line_for_authorized_keys_permits_what_sshd_can_tell_apart() -> None:
    few = rows.authorized_line("ssh-ed25519 AAAA", ("10.1.0.4/31", "2001:db8::1/128"))
    assert few == (
        'restrict,port-forwarding,permitopen="10.1.0.4:*",permitopen="10.1.0.5:*",permitopen="[2001:db8::1]:*" '
        "ssh-ed25519 AAAA camwarden"
    )
    many = rows.authorized_line("ssh-ed25519 AAAA", ("10.0.0.0/8",))
    assert many == "restrict,port-forwarding ssh-ed25519 AAAA camwarden"


# --- what is stored ---


async def test_it_is_stored_with_its_key_sealed_and_written_down(hof: Store) -> None:
    made = await rows.put(hof, "Hof", DOOR, PINNED, "anna")
    key = await rows.private_key(hof, "Hof")
    assert written(read_private_key(key).convert_to_public()) == made.public_key
    again = await rows.put(hof, "Hof", replace(DOOR, port=2222), PINNED, "anna")
    assert (again.public_key, again.door.port) == (made.public_key, 2222), "our key stays"
    other = await rows.put(hof, "Hof", DOOR, PINNED, "anna", renew=True)
    assert other.public_key != made.public_key
    brought = new_key()
    last = await rows.put(hof, "Hof", DOOR, PINNED, "anna", private_key=brought)
    assert last.public_key == written(brought.convert_to_public())
    await rows.remove(hof, "Hof", "anna")
    for gone in (rows.find(hof, "Hof"), rows.remove(hof, "Hof", "anna"), rows.private_key(hof, "Hof")):
        with pytest.raises(NotFound):
            await gone
    told = [
        entry
        for entry in await history(hof, "site:Hof")
        if entry.action in {Action.SITE_JUMP_SET, Action.SITE_JUMP_REMOVE}
    ]
    assert len(told) == 5
    assert not [entry for entry in told if "PRIVATE" in str(entry) or key.reveal() in str(entry)]


async def test_only_a_site_with_networks_can_have_one(hof: Store) -> None:
    await sites.put(hof, Site("Leer", ()), "anna")
    with pytest.raises(Invalid, match="no networks"):
        await rows.put(hof, "Leer", DOOR, PINNED, "anna")
    with pytest.raises(NotFound):
        await rows.put(hof, "Nirgends", DOOR, PINNED, "anna")


async def test_it_goes_with_its_site_and_is_renamed_with_it(hof: Store) -> None:
    await rows.put(hof, "Hof", DOOR, PINNED, "anna")
    await sites.put(hof, Site("Tor", ("127.0.0.0/8",)), "anna", instead_of="Hof")
    assert (await rows.find(hof, "Tor")).door == DOOR
    await rows.private_key(hof, "Tor")
    await sites.remove(hof, "Tor")
    with pytest.raises(NotFound):
        await rows.find(hof, "Tor")


async def test_its_key_lies_under_the_new_master_key_too(hof: Store, settings: Settings) -> None:
    await rows.put(hof, "Hof", DOOR, PINNED, "anna")
    before = await rows.private_key(hof, "Hof")
    await rotate(hof, settings, "anna")
    assert await rows.private_key(hof, "Hof") == before


async def test_a_row_of_another_one_does_not_open(hof: Store) -> None:
    await rows.put(hof, "Hof", DOOR, PINNED, "anna")
    async with hof.write() as connection:
        await connection.execute(update(JumpHost).values(record="another"))
    with pytest.raises(VaultUnavailable):
        await rows.private_key(hof, "Hof")


# --- the ways that follow ---


async def test_ways_follow_what_anybody_stores(hof: Store, settings: Settings) -> None:
    async with jump_server() as server, saying(http("hello")) as camera, JumpHosts(hof, look_s=0.05) as jump_hosts:

        async def ask() -> bytes:
            async with DeviceHttp("127.0.0.1", camera.port, "http") as connection:
                return (await connection.request("GET", connection.base)).body

        assert await ask() == b"hello"
        assert server.asked == 0
        async with await open_store(settings, hof.now) as elsewhere:
            pinned = HostKey(written(server.host_key))
            await rows.put(elsewhere, "Hof", server.door, pinned, "anna", private_key=server.taken)
        await until_laid()
        assert await ask() == b"hello"
        assert (server.connections, len(server.forwarded)) == (1, 1)
        assert (jump_hosts.state("Hof").is_up, jump_hosts.state("Hof").trouble) == (True, "")
        await jump_hosts.prove("Hof")
        await rows.put(hof, "Hof", server.door, pinned, "anna", renew=True)
        with pytest.raises(Unreachable, match="does not take our key"):
            await jump_hosts.prove("Hof")
        assert "does not take our key" in jump_hosts.state("Hof").trouble
        await rows.remove(hof, "Hof", "anna")
        await jump_hosts.look()
        assert await ask() == b"hello"
        assert len(server.forwarded) == 1
        with pytest.raises(NotFound):
            await jump_hosts.prove("Hof")


async def test_a_site_within_that_has_none_is_reached_straight(hof: Store) -> None:
    await rows.put(hof, "Hof", DOOR, PINNED, "anna")
    await sites.put(hof, Site("Keller", ("127.9.0.0/16",)), "anna")
    async with JumpHosts(hof):
        assert ways.way_to("127.1.0.1") is not None
        assert ways.way_to("127.9.0.1") is None
        assert ways.way_to("10.0.0.1") is None
        assert ways.way_to("gate.example.com") is None
    assert ways.way_to("127.1.0.1") is None


async def test_without_the_master_key_it_is_said(hof: Store, settings: Settings) -> None:
    await rows.put(hof, "Hof", DOOR, PINNED, "anna")
    async with JumpHosts(hof) as jump_hosts:
        await asyncio.to_thread(Path(settings.home / "key").unlink)
        with pytest.raises(Unreachable, match="our key for the jump host of site Hof cannot be used"):
            await jump_hosts.prove("Hof")


async def until_laid() -> None:
    async with asyncio.timeout(5):
        while ways.way_to("127.0.0.1") is None:  # noqa: ASYNC110 - the store says when
            await asyncio.sleep(0.01)
