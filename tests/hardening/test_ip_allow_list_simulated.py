"""A list of addresses on a simulated camera that drops whom it does not let in, from several addresses of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from ipaddress import ip_network

import pytest

from cameras import ways
from cameras.errors import Unreachable
from cameras.facts import IpFilter
from cameras.place import Place
from cameras.ways import Heard
from hardening.apply import apply_camera, undo_camera
from hardening.baseline import Baseline
from hardening.lifecycle import CameraState, StepState
from hardening.model import Order
from hardening.observing import OpenCamera, plan_for
from hardening.plan import CameraPlan
from simulator.camera import Camera
from simulator.http import Reply, Request
from simulator.vapix import firewall
from tests.hardening.test_apply import Notes, only
from tests.hardening.test_simulated import SHORTLY, hardened, means, simulated
from tests.simulator.changing import until

NAME = "ip-allow-list"
US, ANOTHER = "127.0.0.1", "127.0.0.77"
QUICK_S, ENOUGH_S, SLOW_S = 0.4, 3.0, 600.0
"""How long a minute of the camera is, which is what a trial lasts: to be over soon, to be confirmed in time on a busy
machine and awaited all the same, never to be over.
"""


def listing(*addresses: str, seen_from: str | None = None) -> Baseline:
    said: dict[str, object] = {"addresses": list(addresses)}
    return only(ip_allow_list=said if seen_from is None else {**said, "seen_from": [seen_from]})


LIST = listing(US, "10.0.0.0/24")


@asynccontextmanager
async def walled(minute_s: float = SLOW_S) -> AsyncIterator[tuple[Camera, Place, OpenCamera]]:
    """A camera that has a firewall, which is off."""
    async with simulated("axis") as (camera, place, opened):
        camera.become(replace(camera.plan, firmware="12.11.77", minute_s=minute_s))
        yield camera, place, opened


class _From:
    """A way whose end has an address of its own, as a jump host's has."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def dial(self, address: str, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.bind((self._address, 0))
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        except BaseException:
            sock.close()
            raise
        return sock

    async def knock(self, address: str, port: int, timeout_s: float) -> Heard:
        raise NotImplementedError

    def trouble(self, address: str) -> str | None:  # noqa: ARG002 - nothing is known against it
        return None


@contextmanager
def coming_from(source: str, place: Place) -> Iterator[None]:
    ways.lay([(ip_network(place.address), _From(source))])
    try:
        yield
    finally:
        ways.lay(())


async def filter_of(place: Place, opened: OpenCamera) -> IpFilter:
    async with opened(place) as driver:
        return await driver.ip_filter()


async def test_a_good_list_is_confirmed_and_still_there_when_its_trial_would_be_over() -> None:
    async with walled(ENOUGH_S) as (camera, place, opened):
        progress, notes, _ = await hardened(place, opened, LIST)
        assert progress.steps == {NAME: StepState.DONE}, notes.reasons
        over = asyncio.Event()
        camera.later(61, over.set)
        await over.wait()
        assert await filter_of(place, opened) == IpFilter("allow", (US, "10.0.0.0/24"))
        assert not (await plan_for(place, opened, LIST)).drifts
        with coming_from(ANOTHER, place), pytest.raises(Unreachable):
            await filter_of(place, opened)


async def test_a_list_without_us_is_refused_before_anything_is_sent() -> None:
    async with walled() as (camera, place, opened):
        before = camera.plan
        progress, notes, plan = await hardened(place, opened, listing("10.0.0.0/24"))
        assert plan.steps[0].reason == f"it would shut us out: we come from {US}"
        assert (progress.steps, camera.plan) == ({NAME: StepState.REFUSED}, before), notes.reasons


async def test_behind_a_jump_host_nothing_is_sent_until_somebody_says_whom_the_camera_sees() -> None:
    async with walled() as (camera, place, opened):
        before = camera.plan
        with coming_from(ANOTHER, place):
            progress, _, plan = await hardened(place, opened, LIST)
            assert "write the jump host's as `seen_from`" in plan.steps[0].reason
            assert (progress.steps, camera.plan) == ({NAME: StepState.REFUSED}, before)
            progress, notes, _ = await hardened(place, opened, listing(ANOTHER, seen_from=ANOTHER))
            assert progress.steps == {NAME: StepState.DONE}, notes.reasons
        with pytest.raises(Unreachable):
            await filter_of(place, opened)


async def test_a_list_that_turns_out_to_shut_us_out_is_over_with_its_trial() -> None:
    async with walled() as (camera, place, opened):

        async def over_by_now(_seconds: float) -> None:
            firewall.take_back(camera)

        plan = await plan_for(place, opened, listing(US, seen_from=US))
        notes = Notes(plan)
        waiting = replace(means(opened), patience=replace(SHORTLY, sleep=over_by_now))
        with coming_from(ANOTHER, place):  # and not from where we were told
            progress = await apply_camera(plan, notes.progress, waiting, notes)
            assert (progress.steps, progress.state) == ({NAME: StepState.UNDONE}, CameraState.FAILED)
            assert "nothing answered from here" in notes.reasons[NAME]
            assert await filter_of(place, opened) == IpFilter("off", ())
        assert camera.fallback is None


async def killed_after(word: str, camera: Camera, place: Place, opened: OpenCamera) -> tuple[CameraPlan, Notes]:
    """A plan and its journal, of a process that ended as soon as the camera was told that."""
    plan = await plan_for(place, opened, LIST)
    notes = Notes(plan)
    handle = camera.handle

    def dying(request: Request) -> Reply:
        reply = handle(request)
        if word in f"{request.target} {request.body.decode()}" and b" 200 " in reply.data[:16]:
            working.cancel()
        return reply

    camera.handle = dying  # type: ignore[method-assign]
    working = asyncio.create_task(apply_camera(plan, notes.progress, means(opened), notes))
    with pytest.raises(asyncio.CancelledError):
        await working
    camera.handle = handle  # type: ignore[method-assign]
    assert notes.progress.steps == {NAME: StepState.APPLYING}
    return plan, notes


OPENED, ACTIVATED, TRIED, CONFIRMED = '"fallbackTime": 0', "firewall/v1/activated", '"fallbackTime": 60', "confirmRules"


@pytest.mark.parametrize("word", [OPENED, ACTIVATED, TRIED, CONFIRMED])
async def test_another_process_goes_on_where_one_was_killed(word: str) -> None:
    async with walled() as (camera, place, opened):
        plan, notes = await killed_after(word, camera, place, opened)
        (now,) = (await plan_for(place, opened, LIST)).steps
        assert (now.order is Order.IN_ORDER) is (word == CONFIRMED), now.reason
        assert (camera.fallback is not None) is (word == TRIED)
        progress = await apply_camera(plan, notes.progress, means(opened), notes)
        assert progress.steps == {NAME: StepState.DONE}, notes.reasons
        assert camera.fallback is None
        assert (await filter_of(place, opened)).mode == "allow"


async def test_a_trial_that_nobody_confirmed_is_over_and_another_process_says_so() -> None:
    async with walled(QUICK_S) as (camera, place, opened):
        plan, notes = await killed_after(TRIED, camera, place, opened)
        await until(lambda: camera.fallback is None)
        assert firewall.rules_of(camera.plan)["pendingDefaultPolicy"] == "DROP", "it was tried"
        assert await filter_of(place, opened) == IpFilter("off", ())
        camera.become(replace(camera.plan, minute_s=SLOW_S))
        progress = await apply_camera(plan, notes.progress, means(opened), notes)
        assert progress.steps == {NAME: StepState.DONE}
        assert "may be over, unconfirmed), so it was sent again" in notes.reasons[NAME]


async def test_it_is_undone_and_the_firewall_is_off_again() -> None:
    async with walled() as (_, place, opened):
        _, notes, plan = await hardened(place, opened, LIST)
        progress = await undo_camera(plan, notes.progress, means(opened), notes)
        assert progress.steps == {NAME: StepState.UNDONE}, notes.reasons
        with coming_from(ANOTHER, place):
            assert await filter_of(place, opened) == IpFilter("off", ())


async def test_before_the_firewall_nothing_is_sent() -> None:
    async with simulated("axis") as (camera, place, opened):
        camera.become(replace(camera.plan, firmware="11.11.181"))
        before = camera.plan
        progress, _, plan = await hardened(place, opened, LIST)
        assert "nothing would take back one that shuts us out" in plan.steps[0].reason
        assert (progress.steps, camera.plan) == ({NAME: StepState.REFUSED}, before)


@pytest.mark.parametrize("family", ["hikvision", "dahua", "onvif"])
async def test_other_families_are_not_told(family: str) -> None:
    async with simulated(family) as (camera, place, opened):
        before = camera.plan
        progress, _, plan = await hardened(place, opened, LIST)
        assert "nothing would take back one that shuts us out" in plan.steps[0].reason
        assert (progress.steps, camera.plan) == ({NAME: StepState.REFUSED}, before)
