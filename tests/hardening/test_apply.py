"""Changing one camera: what is sent, what is proved, what is undone, and that no crash in between loses the way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cameras.facts import ClockSource, DiscoveryMode
from cameras.place import Place
from hardening.apply import Means, Progress, apply_camera, not_begun, undo_camera
from hardening.baseline import Baseline, load_baseline
from hardening.lifecycle import CameraEvent, CameraState, StepEvent, StepState
from hardening.observing import plan_for
from hardening.plan import CameraPlan
from tests.hardening.pretend import HTTP, HTTPS, QUICKLY, PretendCamera, World, a_password

EVERYTHING = Baseline(
    "everything",
    {
        "ntp": {"servers": ["10.0.0.123"]},
        "syslog": {"server": "10.0.0.2", "protocol": "tls"},
        "service-account": {"name": "audit", "role": "User"},
        "anonymous-viewer": False,
        "discovery-mode": False,
        "upnp-bonjour": False,
        "snmp-v1-v2c": False,
        "telnet-ftp": False,
        "unsigned-apps": False,
        "https": True,
        "http": False,
    },
)
WITH_A_LIST = Baseline("everything", {**EVERYTHING.settings, "ip-allow-list": {"addresses": ["10.0.9.1"]}})
IN_ORDER, DONE, REFUSED, UNDONE, FAILED, SKIPPED, STALE, UNKNOWN = (
    StepState.IN_ORDER,
    StepState.DONE,
    StepState.REFUSED,
    StepState.UNDONE,
    StepState.FAILED,
    StepState.SKIPPED,
    StepState.STALE,
    StepState.UNKNOWN,
)


class Killed(BaseException):
    """The process is gone."""


class Notes:
    """A journal that survives the process; `kill_at` ends the process at that entry, before or after it is kept."""

    def __init__(self, plan: CameraPlan) -> None:
        self.progress = not_begun(plan)
        self.lines: list[str] = []
        self.reasons: dict[str, str] = {}
        self.kill_at: int | None = None
        self.keeps_the_last = True

    def _write(self, line: str, progress: Progress) -> None:
        if self.kill_at == len(self.lines) and not self.keeps_the_last:
            raise Killed
        self.progress = progress
        self.lines.append(line)
        if self.kill_at == len(self.lines) - 1:
            raise Killed

    async def step(self, name: str, event: StepEvent, state: StepState, reason: str) -> None:
        self.reasons[name] = reason
        steps = {**self.progress.steps, name: state}
        self._write(f"{name} {event.value}", replace(self.progress, steps=steps))

    async def camera(self, event: CameraEvent, state: CameraState, reason: str) -> None:
        self.reasons["camera"] = reason
        self._write(f"camera {event.value}", replace(self.progress, state=state))

    async def moved(self, place: Place) -> None:
        self._write(f"moved {place.scheme}", replace(self.progress, place=place))


def means(camera: PretendCamera, **more: Any) -> Means:  # noqa: ANN401 - by name
    return Means(**{"open_camera": camera.open, "password_for": a_password, "patience": QUICKLY, **more})


async def hardened(
    camera: PretendCamera, baseline: Baseline = EVERYTHING, place: Place = HTTP
) -> tuple[Progress, Notes]:
    plan = await plan_for(place, camera.open, baseline)
    notes = Notes(plan)
    return await apply_camera(plan, notes.progress, means(camera), notes), notes


def only(**settings: object) -> Baseline:
    return Baseline("some", {name.replace("_", "-"): value for name, value in settings.items()})


async def test_a_camera_becomes_what_the_baseline_wants_in_the_safe_order() -> None:
    camera = PretendCamera()
    progress, notes = await hardened(camera)
    assert progress.state is CameraState.DONE
    assert set(progress.steps.values()) == {DONE}
    assert progress.place == HTTPS
    sent = ["clock", "syslog", "account", "viewer", "discovery", "upnp", "bonjour", "snmp-v1-v2c", "telnet"]
    assert camera.sent == [*sent, "unsigned", "https", "http"]
    assert camera.world.services == {"HTTP": False, "HTTPS": True, "RTSP": True}
    assert camera.world.accounts == {"root": "Administrator", "audit": "User"}
    assert notes.progress == progress
    assert notes.lines.index("moved https") < notes.lines.index("http begin")


async def test_a_second_run_sends_nothing() -> None:
    camera = PretendCamera()
    await hardened(camera)
    camera.sent.clear()
    progress, _ = await hardened(camera, place=HTTPS)
    assert (progress.state, camera.sent) == (CameraState.DONE, [])
    assert set(progress.steps.values()) == {IN_ORDER}


SCENES: Mapping[str, tuple[tuple[str, ...], Baseline, dict[str, StepState], CameraState, str]] = {
    "a camera that says yes and does nothing is caught": (
        ("ignored:discovery",),
        only(discovery_mode=False, telnet_ftp=False),
        {"discovery-mode": UNDONE, "telnet-ftp": SKIPPED},
        CameraState.FAILED,
        "did not do it",
    ),
    "a camera that does something else is put back": (
        ("half:clock",),
        only(ntp={"servers": ["10.0.0.123"]}, discovery_mode=False),
        {"ntp": FAILED, "discovery-mode": SKIPPED},
        CameraState.FAILED,
        "did not go back",
    ),
    "a camera that goes back by itself later is caught at the end": (
        ("reverts:discovery",),
        only(discovery_mode=False),
        {"discovery-mode": FAILED},
        CameraState.FAILED,
        "no longer so",
    ),
    "a camera that refuses one change gets the others": (
        ("refuses:discovery",),
        only(discovery_mode=False, telnet_ftp=False),
        {"discovery-mode": REFUSED, "telnet-ftp": DONE},
        CameraState.FAILED,
        "not allowed here",
    ),
    "a camera that hangs up after doing it is believed for what it shows": (
        ("hangs-up:discovery",),
        only(discovery_mode=False),
        {"discovery-mode": DONE},
        CameraState.DONE,
        "does not announce",
    ),
    "a camera that hangs up without doing it is told once more": (
        ("drops:discovery",),
        only(discovery_mode=False),
        {"discovery-mode": REFUSED},
        CameraState.FAILED,
        "it was cut",
    ),
}


@pytest.mark.parametrize(("faults", "baseline", "steps", "state", "says"), SCENES.values(), ids=SCENES)
async def test_a_camera_is_judged_by_what_it_shows(
    faults: tuple[str, ...], baseline: Baseline, steps: dict[str, StepState], state: CameraState, says: str
) -> None:
    camera = PretendCamera(*faults)
    progress, notes = await hardened(camera, baseline)
    assert progress.steps == steps
    assert progress.state is state
    first = next(iter(steps))
    assert says in notes.reasons[first]
    assert camera.sent.count("discovery") <= 2


async def test_http_stays_on_where_no_login_over_https_works() -> None:
    camera = PretendCamera(world=World(services={"HTTP": True, "HTTPS": True, "RTSP": True}))
    camera.https_works = False
    progress, notes = await hardened(camera, only(https=True, http=False))
    assert progress.steps == {"https": IN_ORDER, "http": REFUSED}
    assert "was not proved, so HTTP stays" in notes.reasons["http"]
    assert (camera.sent, progress.place) == ([], HTTP)


async def test_https_that_nobody_can_use_is_switched_off_again_and_http_is_not_touched() -> None:
    camera = PretendCamera()
    camera.https_works = False
    progress, _ = await hardened(camera, only(https=True, http=False))
    assert progress.steps == {"https": UNDONE, "http": SKIPPED}
    assert camera.world.services == {"HTTP": True, "HTTPS": False, "RTSP": True}


async def test_http_stays_on_where_https_was_refused() -> None:
    camera = PretendCamera("refuses:https")
    progress, notes = await hardened(camera, only(https=True, http=False))
    assert progress.steps == {"https": REFUSED, "http": REFUSED}
    assert "there would be no way in" in notes.reasons["http"]
    assert camera.sent == ["https"]


async def test_whoever_stands_at_https_already_needs_no_move() -> None:
    camera = PretendCamera(world=World(services={"HTTP": True, "HTTPS": True, "RTSP": True}))
    progress, _ = await hardened(camera, only(https=True, http=False), place=HTTPS)
    assert (progress.state, progress.place, set(camera.opened)) == (CameraState.DONE, HTTPS, {"https"})


STALE_SCENES: Mapping[str, tuple[Callable[[World], None], StepState, str]] = {
    "somebody has set it to something else": (
        lambda world: setattr(world, "clock", ClockSource(from_dhcp=False, servers=("192.0.2.9",))),
        STALE,
        "no longer what the plan saw",
    ),
    "somebody has done it already": (
        lambda world: setattr(world, "clock", ClockSource(from_dhcp=False, servers=("10.0.0.123",))),
        IN_ORDER,
        "already",
    ),
}


@pytest.mark.parametrize(("meanwhile", "state", "says"), STALE_SCENES.values(), ids=STALE_SCENES)
async def test_a_plan_is_a_promise_about_the_camera_it_saw(
    meanwhile: Callable[[World], None], state: StepState, says: str
) -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, only(ntp={"servers": ["10.0.0.123"]}))
    notes = Notes(plan)
    meanwhile(camera.world)
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.steps["ntp"], camera.sent) == (state, [])
    assert says in notes.reasons["ntp"]


async def test_another_camera_at_the_same_address_is_left_alone() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, EVERYTHING)
    camera.serial = "P0002"
    notes = Notes(plan)
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.state, camera.sent) == (CameraState.FAILED, [])
    assert "another camera" in notes.reasons["camera"]


async def test_a_wrong_password_costs_one_try() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, EVERYTHING)
    camera.opened.clear()
    camera.wrong_password = True
    notes = Notes(plan)
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert (progress.state, len(camera.opened)) == (CameraState.FAILED, 1)
    assert set(progress.steps.values()) == {SKIPPED}
    assert "password is wrong" in notes.reasons["camera"]


async def test_a_camera_that_was_never_there_is_tried_once_and_one_that_is_gone_with_patience() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, only(discovery_mode=False, telnet_ftp=False))
    notes = Notes(plan)

    def gone(_name: str) -> None:
        camera.silent = True

    camera.on_sent = gone
    progress = await apply_camera(plan, notes.progress, means(camera), notes)
    assert progress.steps == {"discovery-mode": FAILED, "telnet-ftp": SKIPPED}
    assert "it was sent, and then nothing could be observed" in notes.reasons["discovery-mode"]
    camera.opened.clear()
    again = Notes(plan)
    assert (await apply_camera(plan, again.progress, means(camera), again)).state is CameraState.FAILED
    assert len(camera.opened) == 1


async def test_a_camera_that_restarts_after_a_change_is_waited_for() -> None:
    camera = PretendCamera("hangs-up:discovery")

    def restarts(_name: str) -> None:
        camera.silent_for = 2

    camera.on_sent = restarts
    progress, _ = await hardened(camera, only(discovery_mode=False))
    assert progress.state is CameraState.DONE


async def test_a_question_without_an_answer_is_an_unknown_step_and_stays_in_the_plan() -> None:
    camera = PretendCamera(unsupported=("switches", "syslog"))
    progress, _ = await hardened(camera)
    unknown = {name for name, state in progress.steps.items() if state is UNKNOWN}
    assert unknown == {"syslog", "upnp-bonjour", "snmp-v1-v2c", "telnet-ftp"}
    assert progress.state is CameraState.DONE


async def test_without_a_password_no_account_is_made() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, only(service_account={"name": "audit", "role": "User"}))
    notes = Notes(plan)
    progress = await apply_camera(plan, notes.progress, Means(camera.open, patience=QUICKLY), notes)
    assert (progress.steps["service-account"], camera.sent) == (REFUSED, [])
    assert "no password was given" in notes.reasons["service-account"]


async def test_stopping_ends_between_two_steps() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, only(discovery_mode=False, telnet_ftp=False))
    notes = Notes(plan)
    progress = await apply_camera(plan, notes.progress, means(camera, stopped=lambda: bool(camera.sent)), notes)
    assert progress.steps == {"discovery-mode": DONE, "telnet-ftp": SKIPPED}
    assert progress.state is CameraState.STOPPED


# --- going back ---


async def test_everything_can_be_undone_and_the_last_door_is_the_first_again() -> None:
    camera = PretendCamera()
    before = camera.world.copy()
    plan = await plan_for(HTTP, camera.open, EVERYTHING)
    notes = Notes(plan)
    await apply_camera(plan, notes.progress, means(camera), notes)
    progress = await undo_camera(plan, notes.progress, means(camera), notes)
    assert (progress.state, progress.place) == (CameraState.UNDONE, HTTP)
    assert set(progress.steps.values()) == {UNDONE}
    assert camera.world == before


async def test_what_somebody_changed_since_is_not_undone() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, only(ntp={"servers": ["10.0.0.123"]}))
    notes = Notes(plan)
    await apply_camera(plan, notes.progress, means(camera), notes)
    camera.world.clock = ClockSource(from_dhcp=True, servers=())
    progress = await undo_camera(plan, notes.progress, means(camera), notes)
    assert progress.state is CameraState.FAILED
    assert "somebody has changed it since" in notes.reasons["ntp"]
    assert camera.world.clock == ClockSource(from_dhcp=True, servers=())


async def test_an_undo_of_a_camera_that_is_away_can_be_asked_for_again() -> None:
    camera = PretendCamera()
    plan = await plan_for(HTTP, camera.open, only(discovery_mode=False))
    notes = Notes(plan)
    await apply_camera(plan, notes.progress, means(camera), notes)
    camera.silent = True
    assert (await undo_camera(plan, notes.progress, means(camera), notes)).state is CameraState.FAILED
    camera.silent = False
    assert (await undo_camera(plan, notes.progress, means(camera), notes)).state is CameraState.UNDONE
    assert camera.world.discovery == DiscoveryMode(discoverable=True)


# --- crashes ---

TRIPS: Mapping[str, tuple[tuple[str, ...], Baseline]] = {
    "every setting": ((), EVERYTHING),
    "a bundled baseline": ((), load_baseline("strict")),
    "a camera that ignores a change": (("ignored:viewer",), EVERYTHING),
    "a camera that refuses a change": (("refuses:upnp",), EVERYTHING),
    "a list that is tried before it counts": ((), WITH_A_LIST),
    "a list that the camera does not keep": (("ignored:keep",), WITH_A_LIST),
}


@pytest.mark.parametrize("keeps", [True, False], ids=["just after an entry", "just before an entry"])
@pytest.mark.parametrize(("faults", "baseline"), TRIPS.values(), ids=TRIPS)
async def test_killed_between_any_two_entries_it_ends_the_same(
    faults: tuple[str, ...], baseline: Baseline, *, keeps: bool
) -> None:
    undisturbed = PretendCamera(*faults)
    goal, notes = await hardened(undisturbed, baseline)
    for entry in range(len(notes.lines)):
        camera = PretendCamera(*faults)
        plan = await plan_for(HTTP, camera.open, baseline)
        journal = Notes(plan)
        journal.kill_at, journal.keeps_the_last = entry, keeps
        with pytest.raises(Killed):
            await apply_camera(plan, journal.progress, means(camera), journal)
        journal.kill_at = None
        progress = await apply_camera(plan, journal.progress, means(camera), journal)
        assert (progress, camera.world) == (goal, undisturbed.world), f"killed at {notes.lines[entry]}"


async def test_killed_just_after_sending_it_asks_the_camera_what_became_of_it() -> None:
    undisturbed = PretendCamera()
    goal, _ = await hardened(undisturbed)
    for number in range(len(undisturbed.sent)):
        camera = PretendCamera()

        def killed(_name: str, camera: PretendCamera = camera, number: int = number) -> None:
            if len(camera.sent) == number + 1:
                raise Killed

        camera.on_sent = killed
        plan = await plan_for(HTTP, camera.open, EVERYTHING)
        journal = Notes(plan)
        with pytest.raises(Killed):
            await apply_camera(plan, journal.progress, means(camera), journal)
        progress = await apply_camera(plan, journal.progress, means(camera), journal)
        assert (progress, camera.world) == (goal, undisturbed.world)
        assert camera.sent == undisturbed.sent, "what was done already is not sent again"


@pytest.mark.parametrize("keeps", [True, False], ids=["just after an entry", "just before an entry"])
async def test_an_undo_that_was_killed_between_any_two_entries_ends_the_same(*, keeps: bool) -> None:
    before = World()
    for entry in range(100):
        camera = PretendCamera()
        plan = await plan_for(HTTP, camera.open, EVERYTHING)
        journal = Notes(plan)
        await apply_camera(plan, journal.progress, means(camera), journal)
        journal.kill_at, journal.keeps_the_last = len(journal.lines) + entry, keeps
        try:
            await undo_camera(plan, journal.progress, means(camera), journal)
        except Killed:
            journal.kill_at = None
        else:
            break  # there were not so many entries
        if journal.progress.state is not CameraState.UNDONE:
            await undo_camera(plan, journal.progress, means(camera), journal)
        assert journal.progress.state is CameraState.UNDONE
        assert camera.world == before
    else:
        pytest.fail("an undo of ten settings never ended")


async def test_nobody_who_stands_at_https_comes_in_by_http_again_because_it_is_wanted_on() -> None:
    camera = PretendCamera(world=World(services={"HTTP": False, "HTTPS": True, "RTSP": True}))
    progress, _ = await hardened(camera, only(http=True), place=HTTPS)
    assert (progress.state, progress.place, set(camera.opened)) == (CameraState.DONE, HTTPS, {"https"})
