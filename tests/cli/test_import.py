"""`camwarden import` and `camwarden expected`: what a person types, and what is said to it."""

import json
from pathlib import Path

import pytest

from tests.cli.running import Command, camwarden
from tests.fleet.netbox import TOKEN, Box, device, serving

LIST = "IP,Name,Serial,Note\n10.0.0.5,Gate,B8,x\n10.0.0.6,Dock,,\n"
BROKEN = f"{LIST}10.0.0.0/24,Yard,,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.csv"
    path.write_text(LIST)
    return path


def places(command: Command) -> list[str]:
    return [row["place"] for row in json.loads(command("expected", "list", "--json").out)]


def test_a_list_is_tried_imported_listed_and_forgotten(command: Command, file: Path) -> None:
    tried = command("import", file, "--dry-run")
    assert (tried.code, "2 new" in tried.out, "Nothing was imported" in tried.err) == (0, True, True)
    assert "these columns mean nothing to us: Note" in tried.err
    done = json.loads(command("import", file, "--json").out)
    assert (done["kept"], [line["known"] for line in done["lines"]]) == (True, ["missing", "missing"])
    assert "Gate" in command("expected", "list").out
    assert places(command) == ["10.0.0.5", "10.0.0.6"]
    assert "1 are expected no more" in command("expected", "forget", "10.0.0.5").err
    assert places(command) == ["10.0.0.6"]
    assert command("expected", "forget", "--all").code == 0
    assert places(command) == []


def test_lines_that_cannot_be_read_are_named_and_nothing_is_imported_unless_the_rest_is_wanted(
    command: Command, file: Path
) -> None:
    file.write_text(BROKEN)
    end = command("import", file)
    assert (end.code, "line 4: '10.0.0.0/24' is more than one address" in end.err) == (2, True), end.err
    assert "give --partial" in end.err
    end = command("import", file, "--partial")
    assert (end.code, places(command)) == (3, ["10.0.0.5", "10.0.0.6"])


def holding(folder: Path, secret: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("by", ["file", "variable"])
async def test_devices_of_a_netbox_are_imported_and_its_token_stands_nowhere(tmp_path: Path, by: str) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    given = ("--token-file", file) if by == "file" else ()
    more = {} if by == "file" else {"NETBOX_TOKEN": TOKEN}
    box = Box([device(1, "10.0.0.1/24"), device(2, "10.0.0.1/24"), device(3)])
    async with serving(box) as port:
        words = ("import", "--netbox", f"http://127.0.0.1:{port}", *given, "--role", "camera", "--tag", "cctv")
        end = await camwarden(tmp_path, *words, more=more)
        assert (end.code, "device 2: the address 10.0.0.1 stands in device 1 already" in end.err) == (2, True), end.err
        end = await camwarden(tmp_path, *words, "--partial", more=more)
    assert (end.code, "2 new" in end.out, TOKEN in end.out + end.err) == (3, True, False), end.err
    assert all("&tag=cctv&role=camera" in target for target, _ in box.heard)
    listed = json.loads((await camwarden(tmp_path, "expected", "list", "--json")).out)
    assert [(row["place"], row["source"]) for row in listed] == [
        ("10.0.0.1", "NetBox 127.0.0.1"),
        ("10.0.0.3", "NetBox 127.0.0.1"),
    ]
    assert holding(tmp_path, TOKEN) == [file]


async def test_a_token_that_others_can_read_is_used_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0" * 40)
    file.chmod(0o644)
    async with serving(Box([])) as port:
        end = await camwarden(tmp_path, "import", "--netbox", f"http://127.0.0.1:{port}", "--token-file", file)
    assert (end.code, "chmod 600" in end.err, "403 (Invalid token)" in end.err) == (2, True, True), end.err


REFUSED = {
    "a file that is not there": (("import", "/nowhere/cameras.csv"), "cannot be read"),
    "a file that is no list": (("import", __file__), "no column is the address"),
    "no source": (("import",), "name a file, or give --netbox URL"),
    "two sources": (("import", __file__, "--netbox", "https://netbox.example"), "name a file, or give --netbox"),
    "a tag of a file": (("import", __file__, "--tag", "cctv"), "are for --netbox"),
    "no token": (("import", "--netbox", "https://netbox.example"), "give the token of NetBox"),
    "a token that is not there": (
        ("import", "--netbox", "https://netbox.example", "--token-file", "/nowhere"),
        "cannot be read",
    ),
    "a token that is no word": (
        ("import", "--netbox", "https://netbox.example", "--token-file", __file__),
        "no word that can be sent",
    ),
    "an address without TLS": (("import", "--netbox", "http://netbox.example"), "by https alone"),
    "to forget nobody": (("expected", "forget"), "name the places"),
    "to forget all and some": (("expected", "forget", "--all", "10.0.0.5"), "name the places"),
    "nothing stored yet": (("expected", "list"), "nothing is stored yet"),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_mistakes_end_with_2(command: Command, words: tuple[str, ...], why: str) -> None:
    end = command(*words)
    assert (end.code, why in end.err) == (2, True), end.err
