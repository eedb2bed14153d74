"""`camwarden site jump`: what a person types, what is shown to be compared, and what is said to it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.cli import app
from fleet.jump_hosts.host_keys import fingerprint, new_key, sealed_text, written
from tests.cli.running import Command
from tests.fleet.jump_server import JumpServer, listening, new_server


@pytest.fixture
def site(command: Command) -> Command:
    assert command("site", "add", "Hof", "10.1.0.0/30").code == 0
    return command


@contextmanager
def serving(server: JumpServer) -> Iterator[JumpServer]:
    """In a thread with a loop of its own: commands have theirs."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with listening(server):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield server
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_a_jump_host_is_set_shown_and_removed(site: Command) -> None:
    key = new_key()
    done = site("site", "jump", "set", "Hof", "--host", "cw@gate.example.com", "--host-key", written(key))
    assert (done.code, done.out.startswith('restrict,port-forwarding,permitopen="10.1.0.0:*"')) == (0, True), done.err
    assert fingerprint(key) in done.err
    shown = json.loads(site("site", "jump", "show", "Hof", "--json").out)
    assert shown == {
        "site": "Hof",
        "host": "cw@gate.example.com:22",
        "host_key": fingerprint(key),
        "authorized_keys": done.out.strip(),
    }
    assert "through cw@gate.example.com:22" in site("site", "jump", "show", "Hof").out
    again = site("site", "jump", "set", "Hof", "--host", "cw@other", "--host-key", fingerprint(key), "--new-key")
    assert again.code == 0
    assert again.out != done.out
    assert "PRIVATE" not in again.out + again.err + done.out + done.err
    assert site("site", "jump", "remove", "Hof").code == 0
    assert site("site", "jump", "show", "Hof").code == 2


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)], ids=["yes", "no", "nobody there"])
def test_the_key_that_it_shows_counts_once_a_person_has_said_so(site: Command, answer: str, code: int) -> None:
    with serving(new_server()) as server:
        words = ["site", "jump", "set", "Hof", "--host", f"camwarden@127.0.0.1:{server.port}", "--scan"]
        done = CliRunner().invoke(app, words, prog_name="camwarden", input=answer)
        assert fingerprint(server.host_key) in done.stderr
        assert server.connections == 0
    assert (done.exit_code == 0) == (code == 0)
    assert (site("site", "jump", "show", "Hof").code == 0) == (code == 0)


def test_it_is_tried_with_a_key_of_ones_own(site: Command, tmp_path: Path) -> None:
    server = new_server()
    ours = tmp_path / "id"
    ours.write_text(sealed_text(server.taken).reveal())
    with serving(server):
        host = ("--host", f"camwarden@127.0.0.1:{server.port}", "--host-key", written(server.host_key))
        assert site("site", "jump", "set", "Hof", *host, "--key-file", ours).code == 0
        done = site("site", "jump", "test", "Hof")
        assert (done.code, "takes ours" in done.err) == (0, True), done.err
        assert site("site", "jump", "set", "Hof", *host, "--new-key").code == 0
        done = site("site", "jump", "test", "Hof")
        assert (done.code, "the jump host of site Hof does not take our key" in done.err) == (3, True), done.err
    done = site("site", "jump", "test", "Hof")
    assert (done.code, "the jump host of site Hof cannot be reached" in done.err) == (3, True), done.err


KEY = ("--host-key", "SHA256:" + "A" * 43)
MISTAKES = {
    "no user": (("set", "Hof", "--host", "gate", *KEY), "user@host"),
    "no key of the host": (("set", "Hof", "--host", "a@gate"), "--scan"),
    "both": (("set", "Hof", "--host", "a@gate", *KEY, "--scan"), "--scan"),
    "a key that is none": (("set", "Hof", "--host", "a@gate", "--host-key", "x"), "fingerprint"),
    "no such site": (("set", "Tor", "--host", "a@gate", *KEY), "no site"),
    "no such file": (("set", "Hof", "--host", "a@gate", *KEY, "--key-file", "nowhere"), "cannot be read"),
    "two keys": (("set", "Hof", "--host", "a@gate", *KEY, "--key-file", "x", "--new-key"), "either"),
    "nobody there": (("set", "Hof", "--host", "a@127.0.0.1:1", "--scan"), "cannot be reached"),
    "none to show": (("show", "Hof"), "no jump host"),
    "none to try": (("test", "Hof"), "no jump host"),
    "none to remove": (("remove", "Hof"), "no jump host"),
}


@pytest.mark.parametrize(("words", "why"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named_and_end_with_2(site: Command, words: tuple[str, ...], why: str) -> None:
    end = site("site", "jump", *words)
    assert (end.code, why in end.err) == (2, True), end.err
