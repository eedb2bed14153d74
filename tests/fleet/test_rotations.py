"""New passwords for simulated cameras: honest ones, and every way in which one can lie about it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

from cameras.budget import Attempt
from cameras.secret import Secret
from fleet import leases
from fleet.errors import Busy, Invalid, NotFound
from fleet.reach import open_stored, place_and_credential
from fleet.rotations import rows as rotation_rows
from fleet.rotations.journal import set_by_hand
from fleet.rotations.rows import CameraRotationView, OpenRow
from fleet.rotations.runner import RotationId, Rotations
from fleet.store import attempts
from fleet.store import vault_tables as v
from fleet.vault.passwords import PasswordState
from hardening import passwords as protocol
from hardening.passwords import State
from simulator import device
from simulator.camera import Camera
from simulator.plan import Account
from tests.fleet.rotating import QUICK, Scene, follow, killed_at, passwords, resumed, rotated, scene

FAMILIES = ("axis", "hikvision", "dahua", "hanwha", "onvif")
WAYS_IN = ("wsse", "digest-md5", "digest-sha256", "digest+wsse")
STATES = PasswordState
PLANNED = {State.PLANNED: 1}
FULL = 2


def login(here: Scene) -> tuple[str, str]:
    assert here.camera.plan.login
    return here.camera.plan.login.name, here.camera.plan.login.password


async def held(here: Scene) -> list[PasswordState]:
    return [record.state for record in await here.vault.history(here.camera_id)]


async def let_in(here: Scene) -> bool:
    """By the way that all other parts come, for no wrong try."""
    before = dict(here.camera.guard.wrong_tries)
    async with open_stored(here.store, here.vault, here.settings, here.budget(), here.camera_id) as driver:
        await driver.accounts()
    return here.camera.guard.wrong_tries == before


@pytest.mark.parametrize("family", FAMILIES)
async def test_an_honest_camera_gets_a_new_password_for_one_wrong_try(tmp_path: Path, family: str) -> None:
    async with scene(tmp_path / "home", family=family) as here:
        name, old = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, end.account, end.wrong_tries) == (State.CURRENT, name, 1), end.detail
        _, credential = await place_and_credential(here.store, here.vault, here.settings, here.camera_id)
        assert passwords(here.camera, name) == {credential.password.reveal()} != {old}
        assert (here.wrong_tries(name), here.camera.guard.times_locked) == (1, 0)
        assert await held(here) == [STATES.CURRENT, STATES.PREVIOUS]
        assert await let_in(here)


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_scan_that_tried_default_passwords_a_moment_ago_is_no_obstacle(tmp_path: Path, family: str) -> None:
    async with scene(tmp_path / "home", family=family) as here:
        name, _ = login(here)
        budget = here.budget()
        async with open_stored(here.store, here.vault, here.settings, budget, here.camera_id) as driver:
            await driver.accounts()
        where = (await place_and_credential(here.store, here.vault, here.settings, here.camera_id))[0].key
        for other in ("cw-made-up", "root", "service"):
            async with budget.trial(where, other):
                """Refused."""
        async with Rotations(here.store, here.vault, here.settings, budget=budget, patience=QUICK) as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, end.wrong_tries) == (State.CURRENT, 1), end.detail
        assert (here.wrong_tries(name), here.camera.guard.times_locked) == (1, 0)


@pytest.mark.parametrize("auth", WAYS_IN)
async def test_whichever_way_it_wants_to_be_logged_in_to(tmp_path: Path, auth: str) -> None:
    async with scene(tmp_path / "home", auth=auth) as here:
        async with here.rotations() as rotations:
            assert (await rotated(rotations, here.camera_id)).state is State.CURRENT
        assert here.wrong_tries(login(here)[0]) == 1
        assert await let_in(here)


# The fault, where it ends, how many wrong tries it costs, and what the vault holds then, the newest first.
LIARS = {
    "one that says yes and keeps the old password": (
        *("password-ignored", State.UNDONE, 0, [STATES.ABANDONED, STATES.CURRENT]),
        "said yes to the new password and kept the old one",
    ),
    "one that is late": (
        *("password-late", State.CURRENT, 1, [STATES.CURRENT, STATES.PREVIOUS]),
        "the new password works everywhere and the old one is refused",
    ),
    "one that cuts passwords, but not as short as ours": (
        *("password-truncated", State.CURRENT, 1, [STATES.CURRENT, STATES.PREVIOUS]),
        "the new password works everywhere",
    ),
}


@pytest.mark.parametrize("family", ["hikvision", "axis", "dahua"])
@pytest.mark.parametrize(("fault", "ends", "wrong", "vault", "words"), LIARS.values(), ids=LIARS)
async def test_a_camera_that_lies(
    tmp_path: Path, family: str, fault: str, ends: State, wrong: int, vault: list[PasswordState], words: str
) -> None:
    async with scene(tmp_path / "home", fault, family=family) as here:
        name, _ = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, end.wrong_tries) == (ends, wrong), end.detail
        assert words in end.detail
        assert (here.wrong_tries(name), await held(here)) == (wrong, vault)
        assert passwords(here.camera, name) <= await here.known_passwords(name)
        assert await let_in(here)


@pytest.mark.parametrize("keeps", [True, False], ids=["and keeps the new password", "and forgets the new password"])
async def test_a_camera_that_restarts_in_the_middle(
    tmp_path: Path, keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Camera, "keeps_half_done_changes", keeps)
    async with scene(tmp_path / "home", "password-reboot") as here:
        name, _ = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert end.state is (State.CURRENT if keeps else State.UNDONE), end.detail
        assert here.wrong_tries(name) == (1 if keeps else 0)
        assert await let_in(here)


def with_web_accounts(here: Scene) -> None:
    plan = here.camera.plan
    here.camera.become(replace(plan, web_accounts=plan.accounts, redirects_to_https=False))


async def test_two_account_stores_that_disagree_get_the_old_password_back(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", family="onvif") as here:
        with_web_accounts(here)
        name, old = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert end.state is State.UNDONE
        assert "web server keeps accounts of its own" in end.detail
        assert passwords(here.camera, name) == {old}
        assert here.wrong_tries(name) == 1
        assert await let_in(here)


@pytest.mark.parametrize("family", ["axis", "hikvision", "dahua"])
async def test_two_account_stores_that_the_driver_knows_both_get_the_new_password(tmp_path: Path, family: str) -> None:
    async with scene(tmp_path / "home", "password-two-stores", family=family) as here:
        name, old = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, end.wrong_tries, here.wrong_tries(name)) == (State.CURRENT, 1, 1), end.detail
        assert old not in passwords(here.camera, name)
        assert len(passwords(here.camera, name)) == 1
        assert await let_in(here)


async def test_a_camera_whose_api_wants_https_for_it_and_has_none_gets_its_password_by_onvif(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", "no-https", family="dahua") as here:
        name, old = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, end.wrong_tries, here.wrong_tries(name)) == (State.CURRENT, 1, 1), end.detail
        assert old not in passwords(here.camera, name)
        assert await let_in(here)


async def test_an_account_that_only_onvif_knows_is_found_once_and_changed_then(tmp_path: Path) -> None:
    """Asking the web server costs a wrong try: that rotation ends there, and the next one knows."""
    async with scene(tmp_path / "home", family="onvif") as here:
        plan = here.camera.plan
        others = (Account("admin", "another", "Administrator"),)
        here.camera.become(replace(plan, web_accounts=others, redirects_to_https=False))
        name, _ = login(here)
        async with here.rotations() as rotations:
            first = await rotated(rotations, here.camera_id)
            assert (first.state, first.wrong_tries) == (State.UNDONE, 1)
            assert "start again in half an hour" in first.detail
            assert here.camera.password_requests == 0
        await forget_attempts(here)
        async with here.rotations() as rotations:
            second = await rotated(rotations, here.camera_id)
        assert (second.state, second.wrong_tries) == (State.CURRENT, 1), second.detail
        assert here.wrong_tries(name) == 2
        assert await let_in(here)


async def test_a_camera_that_cuts_passwords_shorter_than_ours_is_left_alone_with_both_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one case of a second wrong try: nothing but the whole new password tells that it was cut."""
    monkeypatch.setattr(device, "TRUNCATED_AT", 8)
    async with scene(tmp_path / "home", "password-truncated") as here:
        name, _ = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
            assert end.state is State.UNCLEAR
            assert "may have cut the new one short" in end.detail
            assert here.wrong_tries(name) == 2
            with pytest.raises(Busy, match="unclear"):
                await place_and_credential(here.store, here.vault, here.settings, here.camera_id)
            with pytest.raises(Busy, match="reconcile"):
                await rotations.start([here.camera_id], None, "anna")
        assert await held(here) == [STATES.SEALED, STATES.CURRENT]
        await forget_attempts(here)
        async with here.rotations() as rotations:
            (rotation,) = await rotations.reconcile([here.camera_id], "anna")
            assert (await follow(rotations, rotation)).state is State.UNCLEAR
        assert here.wrong_tries(name) == 3, "what refused both is asked once more, not twice"


async def forget_attempts(here: Scene) -> None:
    """As if half an hour had passed."""
    async with here.store.write() as connection:
        await connection.exec_driver_sql("DELETE FROM attempt_budget")


async def test_nothing_is_sent_when_the_password_that_we_hold_is_wrong(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        name, _ = login(here)
        await here.vault.put(here.camera_id, name, Secret("not-it-at-all"), "anna", login=True)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, end.wrong_tries, here.wrong_tries(name)) == (State.UNDONE, 1, 1)
        assert end.detail.startswith("nothing was sent")
        assert here.camera.password_requests == 0
        assert await held(here) == [STATES.CURRENT]


async def test_nothing_is_sent_when_only_one_wrong_try_is_left(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        name, _ = login(here)
        await attempts.record(here.store, Attempt(here.camera.plan.address, name, here.store.now(), "wrong"))
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert (end.state, here.wrong_tries(name), here.camera.password_requests) == (State.UNDONE, 0, 0)
        assert "wait 30 minutes" in end.detail


async def test_a_silent_camera_is_waited_for_and_nothing_is_sent(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", reboot_s=3600) as here:
        here.camera.restart()
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
        assert end.state is State.UNDONE
        assert await held(here) == []


async def test_another_account_than_our_own(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        plan = here.camera.plan
        here.camera.become(replace(plan, accounts=(*plan.accounts, Account("guard", "Guard-pass-1", "User"))))
        async with here.rotations() as rotations:
            with pytest.raises(Invalid, match="passwords set"):
                await rotations.start([here.camera_id], "guard", "anna")
            await here.vault.put(here.camera_id, "guard", Secret("Guard-pass-1"), "anna")
            end = await rotated(rotations, here.camera_id, account="guard")
        assert (end.state, end.account) == (State.CURRENT, "guard"), end.detail
        current = await here.vault.current(here.camera_id, "guard")
        assert current
        assert passwords(here.camera, "guard") == {current.reveal()}
        assert await let_in(here), "our own account is as it was"


async def test_many_cameras_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", cameras=6, family="dahua") as here:
        async with here.rotations() as rotations:
            await rotated(rotations, *here.ids.values())
            (view,) = await rotations.recent()
        assert view.states == {State.CURRENT: 6}
        assert {max(camera.guard.wrong_tries.values()) for camera in here.estate.cameras} == {1}


async def test_every_step_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
            assert end.state is State.CURRENT
        async with here.store.read() as connection:
            rows = (await connection.execute(select(v.RotationEvent.state).order_by(v.RotationEvent.id))).scalars()
            assert list(rows) == ["planned", "sealed", "sending", "sent", "proving", "current"]


async def test_what_a_power_cut_must_not_undo_is_on_the_disk_before_it_is_sent(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here:
        to_disk: dict[str, bool] = {}

        def look(connection: Connection, _cursor: object, statement: str, parameters: tuple[object, ...]) -> None:
            if statement.startswith("UPDATE rotation_cameras SET state"):
                to_disk[str(parameters[0])] = connection.exec_driver_sql("PRAGMA synchronous").scalar() == FULL

        database = here.store._database  # noqa: SLF001 - below all of it
        for engine in (database.writing, database.durable):
            event.listen(engine.sync_engine, "before_cursor_execute", lambda *told: look(*told[:4]))
        async with here.rotations() as rotations:
            assert (await rotated(rotations, here.camera_id)).state is State.CURRENT
    durable = {"sealed", "sending"}
    assert to_disk == {
        state: state in durable for state in ("planned", "sealed", "sending", "sent", "proving", "current")
    }


async def test_a_camera_that_other_work_holds_is_waited_for(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here, here.rotations() as rotations:
        async with leases.hold(here.store, here.camera_id, "plan:1"):
            rotation = await rotations.start([here.camera_id], None, "anna")
            await asyncio.sleep(1.5)  # it is looked for at once, and then every second
            assert ((await rotations.get(rotation)).states, await rotations.works_on(rotation)) == (PLANNED, True)
            assert here.camera.password_requests == 0
        assert (await follow(rotations, rotation)).state is State.CURRENT


async def test_what_does_not_exist_is_said_so(tmp_path: Path) -> None:
    async with scene(tmp_path / "home") as here, here.rotations() as rotations:
        with pytest.raises(NotFound):
            await rotations.start(["nobody"], None, "anna")
        with pytest.raises(NotFound):
            await rotations.get(RotationId("nothing"))
        with pytest.raises(Invalid):
            await rotations.start([], None, "anna")
        assert await rotations.reconcile([here.camera_id], "anna") == []


async def test_while_a_password_is_being_changed_nobody_guesses_it(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", "password-late") as here:
        assert (await killed_at(here, "proving: kept")).name
        with pytest.raises(Busy, match="is being changed"):
            await place_and_credential(here.store, here.vault, here.settings, here.camera_id)
        with pytest.raises(Busy, match="being changed already"):
            await here.rotations().start([here.camera_id], None, "anna")
        assert (await resumed(here)).state is State.CURRENT
        assert await let_in(here)


@pytest.mark.parametrize("fault", ["password-ignored", "password-reboot", None])
async def test_no_password_is_seen_while_it_is_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str | None
) -> None:
    """Neither the old nor the new one, in the database's files, in any log, in what is told."""
    async with scene(tmp_path / "home", *filter(None, [fault])) as here:
        caplog.set_level(0)
        name, old = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
            told = repr((end, await rotations.recent(), await here.vault.history(here.camera_id)))
        known = {old, *await here.known_passwords(name)}
        assert len(known) == 2
        files = [path for path in here.settings.home.iterdir() if "camwarden.db" in path.name]
        kept = [await asyncio.to_thread(path.read_bytes) for path in files]
        for text in (*kept, told.encode(), caplog.text.encode()):
            assert not any(password.encode() in text for password in known)


async def test_what_is_set_by_hand_ends_what_is_unclear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "TRUNCATED_AT", 8)
    async with scene(tmp_path / "home", "password-truncated") as here:
        name, _ = login(here)
        async with here.rotations() as rotations:
            end = await rotated(rotations, here.camera_id)
            assert end.state is State.UNCLEAR
            (cut,) = passwords(here.camera, name)
            await set_by_hand(here.store, here.vault, here.camera_id, name, Secret(cut), actor="anna", login=True)
            (view,) = await rotations.recent()
        assert (view.cameras[0].state, view.cameras[0].detail) == (
            State.UNDONE,
            "the password was set by hand, by anna",
        )
        assert await held(here) == [STATES.CURRENT, STATES.ABANDONED, STATES.PREVIOUS]
        assert await let_in(here)


async def test_a_password_that_is_being_changed_is_not_set_by_hand(tmp_path: Path) -> None:
    async with scene(tmp_path / "home", reboot_s=3600) as here:
        name, _ = login(here)

        def step(_row: OpenRow, name: str) -> None:
            if name == "sealed: kept":
                here.camera.restart()

        async with here.rotations(step) as rotations:
            rotation = await rotations.start([here.camera_id], None, "anna")
            with pytest.raises(Busy):
                await set_by_hand(here.store, here.vault, here.camera_id, name, Secret("x"), actor="b", login=True)
            assert (await follow(rotations, rotation)).state is State.UNDONE


async def test_a_service_that_stops_leaves_it_to_the_next_one(tmp_path: Path) -> None:
    """At a boundary: nothing that was begun is left unknown."""
    reached = asyncio.Event()
    async with scene(tmp_path / "home", "password-ignored") as here:

        def step(_row: OpenRow, name: str) -> None:
            if name == "proving: next is Wait":
                reached.set()

        async with here.rotations(step) as rotations:
            rotation = await rotations.start([here.camera_id], None, "anna")
            await reached.wait()
        async with here.store.read() as connection:
            (row,) = await rotation_rows.unfinished(connection)
        assert (row.state, row.evidence.begun) == (State.PROVING, None)
        async with here.rotations() as rotations:
            assert (await follow(rotations, rotation)).state is State.UNDONE
        assert here.wrong_tries(login(here)[0]) == 0


async def test_two_processes_do_not_work_on_the_same_camera(tmp_path: Path) -> None:
    """The second service stands for another process: to a lock on a file it is one."""
    reached = asyncio.Event()
    async with scene(tmp_path / "home", "password-late") as here:

        def step(_row: OpenRow, name: str) -> None:
            if name == "proving: kept":
                reached.set()

        async with here.rotations(step) as first:
            rotation = await first.start([here.camera_id], None, "anna")
            await reached.wait()
            begun: list[str] = []
            async with here.rotations(lambda _row, name: begun.append(name)) as second:
                assert (await follow(second, rotation)).state is State.CURRENT
            assert begun == []
            assert (await follow(first, rotation)).state is State.CURRENT
        assert here.wrong_tries(login(here)[0]) == 1
        assert list(here.locks.iterdir()) == []


async def reconciled(here: Scene) -> CameraRotationView:
    """As the operator does it half an hour later."""
    await forget_attempts(here)
    async with here.rotations() as rotations:
        (rotation,) = await rotations.reconcile([here.camera_id], "anna")
        return await follow(rotations, rotation)


BENDS: dict[str, tuple[tuple[str, ...], Callable[[Scene], None]]] = {
    "an honest camera": ((), lambda _: None),
    "one that ignores": (("password-ignored",), lambda _: None),
    "one that is late": (("password-late",), lambda _: None),
    "one that restarts and keeps the new password": (("password-reboot",), lambda _: None),
    "one that restarts and forgets the new password": (("password-reboot",), lambda _: None),
    "two account stores": ((), with_web_accounts),
}
MOST_BOUNDARIES = 80


@pytest.mark.parametrize("bend", BENDS)
async def test_killed_between_any_two_steps_nobody_is_locked_out(
    tmp_path: Path, bend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, change = BENDS[bend]
    monkeypatch.setattr(Camera, "keeps_half_done_changes", "keeps" in bend)
    monkeypatch.setattr(protocol, "LATE_WAITS", 1)  # each further wait is the same boundaries once more
    async with scene(tmp_path / "home", *faults, family="onvif") as here:
        change(here)
        name, in_the_file = login(here)
        for at in range(1, MOST_BOUNDARIES):
            kill = await killed_at(here, at)
            if not kill.name:
                break
            where = f"{bend}, killed at {at}: {kill.name}"
            end = await resumed(here)
            assert here.wrong_tries(name) <= 1, f"{where}: {end.detail}"
            if end.state is State.UNCLEAR:
                here.camera.guard.wrong_tries.clear()
                end = await reconciled(here)
                assert here.wrong_tries(name) <= 1, f"{where}: {end.detail}"
            assert end.state.final, f"{where}: {end.detail}"
            assert passwords(here.camera, name) <= {in_the_file, *await here.known_passwords(name)}, where
            assert len(passwords(here.camera, name)) == 1, where
            assert await let_in(here), where
            await forget_attempts(here)
            here.camera.guard.wrong_tries.clear()
        else:
            pytest.fail("it never came to its end")
        assert here.camera.guard.times_locked == 0
        assert at > 15
