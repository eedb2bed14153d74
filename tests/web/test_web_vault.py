"""The vault in the console: what it holds, and one password for somebody who says why."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cameras.secret import Secret
from fleet import estate
from fleet.audit.views import Wanted, entries
from fleet.store import tables as t
from fleet.store.pictures_tables import Notice
from tests.web.conftest import House, Visit

CANARY = "Kanarienvogel-in-der-Konsole"


async def kept(house: House) -> str:
    """A camera whose password the vault holds."""
    camera = (await estate.devices(house.store, limit=1)).items[0].id
    await house.service.vault.put(camera, "root", Secret("older"), "anna", login=True)
    await house.service.vault.put(camera, "root", Secret(CANARY), "anna")
    return camera


async def test_lists_show_ages_and_no_password(house: House, visit: Visit) -> None:
    visitor = visit("administrator")
    assert "The vault is empty" in (await visitor.get("/settings/vault")).text
    camera = await kept(house)
    for path in ("/settings/vault", f"/settings/vault/{camera}"):
        page = (await visitor.get(path)).text
        assert "root" in page
        assert "0 days" in page
        assert CANARY not in page
    assert "Previous" in (await visitor.get(f"/settings/vault/{camera}")).text
    assert "Nothing is kept" in (await visitor.get(f"/settings/vault/{await other(house, camera)}")).text


async def other(house: House, camera: str) -> str:
    return next(row.id for row in (await estate.devices(house.store)).items if row.id != camera)


MAIL = {"mail_to": ("watch@example.org",), "mail_port": 9}


@pytest.mark.parametrize("house", [MAIL], indirect=True)
async def test_a_password_is_shown_once_told_and_written_down(house: House, visit: Visit) -> None:
    camera = await kept(house)
    fields = {"account": "root", "version": "2", "reason": "installer on site"}
    answer = await visit("administrator").post(f"/settings/vault/{camera}/reveal", fields)
    assert (answer.status_code, CANARY in answer.text) == (200, True)
    assert answer.headers["cache-control"] == "no-store"
    done, asked = (await entries(house.store, Wanted(action="vault.reveal"))).items
    assert (done.actor, done.about, asked.about) == ("administrator", f"camera:{camera}", f"camera:{camera}")
    assert json.loads(done.detail) == {"account": "root", "reason": "installer on site", "version": 2}
    async with house.store.read() as connection:
        notices = (await connection.execute(select(Notice.content))).scalars().all()
    assert ["installer on site" in notice["text"] for notice in notices] == [True]
    assert CANARY not in str(notices)


REFUSED = {
    "without a reason": {"account": "root", "version": "2", "reason": " "},
    "a version that is not kept": {"account": "root", "version": "9", "reason": "x"},
    "no version": {"account": "root", "version": "two", "reason": "x"},
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
async def test_it_is_refused(house: House, visit: Visit, fields: dict[str, str]) -> None:
    camera = await kept(house)
    answer = await visit("administrator").post(f"/settings/vault/{camera}/reveal", fields)
    assert answer.status_code in {404, 422}
    assert CANARY not in answer.text


async def test_whoever_has_not_shown_lately_who_they_are_is_asked_first(house: House, visit: Visit) -> None:
    camera = await kept(house)
    visitor = visit("administrator")
    csrf = await visitor.csrf()
    async with house.store.write() as connection:
        long_ago = house.store.now() - timedelta(minutes=20)
        await connection.execute(update(t.Session).values(proved_at=long_ago, created_at=long_ago))
    fields = {"csrf": csrf, "account": "root", "version": "2", "reason": "x"}
    answer = await visitor.client.post(f"/settings/vault/{camera}/reveal", data=fields)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/prove")
    assert (await entries(house.store, Wanted(action="vault.reveal"))).items == ()


async def test_only_those_who_may(house: House, visit: Visit) -> None:
    camera = await kept(house)
    for path in ("/settings/vault", f"/settings/vault/{camera}"):
        assert (await visit("operator").get(path)).status_code == 403
    assert "/settings/vault" not in (await visit("operator").get("/settings")).text
