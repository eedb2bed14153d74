"""Photos that close rows of a checklist: what a phone uploads, and what is no photo of ours."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from fleet.commissioning import records, views
from fleet.commissioning.checklist import State
from fleet.commissioning.views import RowView
from fleet.evidence import MOST_PHOTO_BYTES
from tests.web.conftest import House, Visit, Visitor
from tests.web.jobs_samples import cameras
from tests.web.two_sites import close

File = tuple[str, bytes, str]


@dataclass(frozen=True, slots=True)
class Checklist:
    """One camera's, in an installer's browser."""

    house: House
    visitor: Visitor
    id: str
    camera: str

    @property
    def path(self) -> str:
        return f"/commissioning/{self.id}/{self.camera}"

    async def send(
        self, files: Mapping[str, File] | list[tuple[str, File]], row: str = "mounting", **more: str
    ) -> httpx.Response:
        fields = {"csrf": await self.visitor.csrf(), "state": "passed", **more}
        return await self.visitor.client.post(f"{self.path}/rows/{row}", data=fields, files=files)

    async def row(self, row: str = "mounting") -> RowView:
        view = await views.get(self.house.store, self.id)
        return next(one for one in view.camera(self.camera).rows if one.row.id == row)

    def kept(self) -> list[Path]:
        """Every file that lies in the folder of evidence."""
        folder = self.house.service.settings.evidence
        return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@pytest.fixture
async def checklist(house: House, visit: Visit) -> Checklist:
    (camera,) = await cameras(house, 1)
    begun = await records.start(house.store, "Harbour", [camera], "ana")
    return Checklist(house, visit("operator"), begun, camera)


def picture(width: int, height: int, ending: str = ".jpg") -> bytes:
    _, coded = cv2.imencode(ending, np.full((height, width, 3), 90, np.uint8))
    return coded.tobytes()


def photo(content: bytes, name: str = "bracket.jpg", kind: str = "image/jpeg") -> dict[str, File]:
    return {"photo": (name, content, kind)}


PHOTOS: dict[str, tuple[bytes, str]] = {
    "a photo": (picture(640, 480), "image/jpeg"),
    "a PNG": (picture(640, 480, ".png"), "image/png"),
    "one of 8K": (picture(7680, 4320), "image/jpeg"),
    "one of a single pixel": (picture(1, 1), "image/jpeg"),
    "one of a single pixel as PNG": (picture(1, 1, ".png"), "image/png"),
    "one as large as may be": (picture(8, 8).ljust(MOST_PHOTO_BYTES, b"\0"), "image/jpeg"),
}


@pytest.mark.parametrize(("content", "kind"), PHOTOS.values(), ids=PHOTOS)
async def test_a_row_is_closed_by(content: bytes, kind: str, checklist: Checklist) -> None:
    answer = await checklist.send(photo(content))
    assert answer.headers.get("location") == f"{checklist.path}#row-mounting", answer.text
    row = await checklist.row()
    assert (row.state, row.actor, len(row.evidence)) == (State.PASSED, "operator", 1)
    shown = await checklist.visitor.get(f"/evidence/{row.evidence[0]}")
    assert (shown.headers["content-type"], shown.content == content) == (kind, True)
    assert f"/evidence/{row.evidence[0]}" in (await checklist.visitor.get(checklist.path)).text


async def test_what_the_file_is_called_and_says_of_itself_does_not_matter(checklist: Checklist) -> None:
    content = picture(64, 48, ".png")
    await checklist.send(photo(content, '../../../etc/"passwd<script>', "text/html; charset=utf-7"))
    row = await checklist.row()
    assert row.state is State.PASSED
    assert (await checklist.visitor.get(f"/evidence/{row.evidence[0]}")).headers["content-type"] == "image/png"
    assert [path.name for path in checklist.kept()] == list(row.evidence)


NO_PHOTO = "closed with a photo; take one first"
NOT_A_PICTURE = "a photo is a JPEG or a PNG"
REFUSED: dict[str, tuple[dict[str, File], int, str]] = {
    "no file at all": ({}, 422, NO_PHOTO),
    "a file that is empty": (photo(b""), 422, NO_PHOTO),
    "a file in another field": ({"picture": ("bracket.jpg", picture(8, 8), "image/jpeg")}, 422, NO_PHOTO),
    "a page that calls itself a picture": (photo(b"<html><script>alert(1)</script>"), 422, NOT_A_PICTURE),
    "an SVG, which can hold script": (photo(b"<svg onload=alert(1)>", "a.svg", "image/svg+xml"), 422, NOT_A_PICTURE),
    "a GIF": (photo(b"GIF89a" + bytes(200)), 422, NOT_A_PICTURE),
    "half the mark of a picture": (photo(b"\xff\xd8"), 422, NOT_A_PICTURE),
    "one byte too many": (photo(picture(8, 8).ljust(MOST_PHOTO_BYTES + 1, b"\0")), 422, "at most 12 MiB"),
    "more than a request may hold": (photo(picture(8, 8).ljust(14 * 1024 * 1024, b"\0")), 413, "13 mebibytes at most"),
}


@pytest.mark.parametrize(("files", "status", "words"), REFUSED.values(), ids=REFUSED)
async def test_a_row_stays_open_and_nothing_is_kept_after(
    files: dict[str, File], status: int, words: str, checklist: Checklist
) -> None:
    answer = await checklist.send(files)
    assert answer.status_code == status
    assert words.casefold() in html.unescape(answer.text).casefold()
    assert (await checklist.row()).state is State.NOT_STARTED
    assert checklist.kept() == []


async def test_two_files_at_once_are_no_form_of_ours(checklist: Checklist) -> None:
    twice = [("photo", ("a.jpg", picture(8, 8), "image/jpeg"))] * 2
    assert (await checklist.send(twice)).status_code == 400
    assert (await checklist.row()).state is State.NOT_STARTED
    assert checklist.kept() == []


async def test_a_photo_as_a_field_of_text_is_no_photo(checklist: Checklist) -> None:
    answer = await checklist.send({}, photo="\xff\xd8\xff\xe0")
    assert answer.status_code == 422
    assert (await checklist.row()).state is State.NOT_STARTED


BROKEN = {
    "is empty": b"",
    "ends within its first line": b"--x\r\nContent-Disposition: form-da",
    "ends within a field": b'--x\r\nContent-Disposition: form-data; name="state"\r\n\r\npass',
    "has another boundary": b"--y--",
    "is no form at all": picture(8, 8),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_a_form_is_refused_that(body: bytes, checklist: Checklist) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await checklist.visitor.client.post(f"{checklist.path}/rows/mounting", content=body, headers=headers)
    assert answer.status_code in {400, 403}
    assert (await checklist.row()).state is State.NOT_STARTED
    assert checklist.kept() == []


async def test_a_photo_without_the_proof_that_it_was_meant_changes_nothing(checklist: Checklist) -> None:
    answer = await checklist.send(photo(picture(8, 8)), csrf="made up")
    assert answer.status_code == 403
    assert (await checklist.row()).state is State.NOT_STARTED
    assert checklist.kept() == []


NOWHERE = {
    "a row that is judged by the machine": ("passwords", 422),
    "a row that does not exist": ("roof", 422),
}


@pytest.mark.parametrize(("row", "status"), NOWHERE.values(), ids=NOWHERE)
async def test_a_photo_closes_no(row: str, status: int, checklist: Checklist) -> None:
    assert (await checklist.send(photo(picture(8, 8)), row)).status_code == status
    assert checklist.kept() == []


async def test_a_signed_checklist_takes_no_photo(checklist: Checklist) -> None:
    await close(checklist.house.store, checklist.id)
    answer = await checklist.send(photo(picture(8, 8)))
    assert answer.status_code == 422
    assert "is signed" in answer.text
    assert checklist.kept() == []


async def test_no_still_is_taken_for_a_signed_checklist(checklist: Checklist) -> None:
    await close(checklist.house.store, checklist.id)
    answer = await checklist.visitor.post(f"{checklist.path}/still", {})
    assert answer.status_code == 422
    assert "is signed" in answer.text
    assert checklist.kept() == []
