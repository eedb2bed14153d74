"""The handover package: whole as it was signed, and found out when it is not."""

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.commissioning import package
from fleet.errors import Invalid
from tests.cli.running import camwarden

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 10
SUM = "5" * 64
ROW = {
    "id": "view",
    "title": "<script>alert(1)</script>",
    "state": "passed",
    "reason": "",
    "value": "",
    "evidence": [SUM],
    "actor": "ana",
    "at": "2026-03-01T12:00:00+00:00",
    "clauses": [],
}
RECORD: dict[str, Any] = {
    "id": "0192",
    "site": "Harbour",
    "template": {"id": "small-site", "version": 1, "title": "Small site"},
    "started_by": "ana",
    "started_at": "2026-03-01T10:00:00+00:00",
    "signed_by": "Ana Sousa (ana)",
    "signed_at": "2026-03-01T12:00:00+00:00",
    "cameras": [
        {
            "id": "c",
            "name": "Gate",
            "address": "192.0.2.7",
            "model": "P3265-V",
            "serial": "S",
            "mac": None,
            "firmware": "12.1",
            "still": None,
            "still_at": None,
            "rows": [ROW],
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package.build(tmp_path / "handover", RECORD, {SUM: JPEG}, package.signing_key(tmp_path / "handover.key"))
    return tmp_path / "handover"


def test_what_was_signed_is_whole(folder: Path) -> None:
    found = package.verify(folder)
    assert (found.files, found.record) == (3, RECORD)
    assert package.verify(folder, found.fingerprint.upper()).fingerprint == found.fingerprint


def test_its_page_shows_the_rows_and_runs_nothing(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert "Harbour" in page
    assert f"pictures/{SUM}.jpg" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http-equiv", "")


def _edit(folder: Path) -> None:
    record = folder / "commissioning.json"
    record.write_text(record.read_text().replace("Gate", "Back gate"))


def _take_away(folder: Path) -> None:
    next((folder / "pictures").iterdir()).unlink()


def _put_in(folder: Path) -> None:
    (folder / "pictures" / "more.jpg").write_bytes(JPEG)


def _edit_with_its_sum(folder: Path) -> None:
    _edit(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = package.sums_of(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _sign_anew(folder: Path) -> None:
    """As somebody would who has another key."""
    _edit_with_its_sum(folder)
    other = package.signing_key(folder.parent / "other.key")
    signature = base64.b64encode(other.sign((folder / "manifest.json").read_bytes()))
    (folder / "manifest.sig").write_bytes(signature)


def _link(folder: Path) -> None:
    page = folder / "index.html"
    page.unlink()
    page.symlink_to("/etc/hostname")


def _no_signature(folder: Path) -> None:
    (folder / "manifest.sig").unlink()


def _no_key(folder: Path) -> None:
    (folder / "public-key.pem").write_text("nothing")


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a word was edited": (_edit, "commissioning.json was edited"),
    "a picture was taken away": (_take_away, "is missing"),
    "a picture was put in": (_put_in, "more.jpg was put in"),
    "a word and its sum were edited": (_edit_with_its_sum, "signature does not fit"),
    "it was signed anew under the old key": (_sign_anew, "signature does not fit"),
    "a file is a link": (_link, "index.html is a link"),
    "the signature is gone": (_no_signature, "manifest.sig is missing"),
    "the key is none": (_no_key, "no public key"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILED.values(), ids=SPOILED)
def test_a_package_that_was_changed_is_found_out(folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(folder)
    with pytest.raises(Invalid, match=said):
        package.verify(folder)


def test_a_package_of_somebody_else_is_found_out_by_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    package.build(tmp_path / "theirs", RECORD, {}, package.signing_key(tmp_path / "other.key"))
    mine = package.verify(folder).fingerprint
    package.verify(tmp_path / "theirs")
    with pytest.raises(Invalid, match="another key"):
        package.verify(tmp_path / "theirs", mine)


def test_nothing_is_written_over_and_nothing_half_is_left(folder: Path) -> None:
    key = package.signing_key(folder.parent / "handover.key")
    with pytest.raises(Invalid, match="there already"):
        package.build(folder, RECORD, {}, key)
    with pytest.raises(Invalid, match="JPEG or a PNG"):
        package.build(folder.parent / "second", RECORD, {SUM: b"<html>"}, key)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["handover", "handover.key"]


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    first, second = (package.signing_key(tmp_path / "handover.key") for _ in range(2))
    assert package.fingerprint(first.public_key()) == package.fingerprint(second.public_key())
    assert stat.S_IMODE((tmp_path / "handover.key").stat().st_mode) == 0o600


@pytest.mark.usefixtures("forks")
async def test_the_command_proves_a_package_without_a_store(folder: Path, tmp_path: Path) -> None:
    good = await camwarden(tmp_path, "commission", "verify", folder, "--json")
    assert (good.code, json.loads(good.out)["whole"]) == (0, True)
    _edit(folder)
    bad = await camwarden(tmp_path, "commission", "verify", folder)
    assert (bad.code, "commissioning.json was edited" in bad.err) == (2, True)
    assert not (tmp_path / "camwarden.db").exists()
