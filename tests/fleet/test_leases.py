"""One writer per camera, across tasks, crashes and restarts."""

import asyncio

import pytest
from sqlalchemy import insert

from fleet import leases
from fleet.errors import Busy
from fleet.findings import triage as findings
from fleet.store import Store
from fleet.store import tables as t
from tests.fleet.samples import FAIL, Clock, assessed


@pytest.fixture
async def camera(store: Store) -> str:
    await findings.record(store, assessed({("telnet-open", ""): FAIL}))
    async with store.read() as connection:
        return str((await connection.exec_driver_sql("SELECT id FROM cameras")).scalar_one())


async def test_only_one_may_change_a_camera(store: Store, camera: str) -> None:
    async with leases.hold(store, camera, "plan:1"):
        assert await leases.holder_of(store, camera) == "plan:1"
        with pytest.raises(Busy, match="plan:1"):
            async with leases.hold(store, camera, "rollout:2"):
                pass
    async with leases.hold(store, camera, "rollout:2"):
        assert await leases.holder_of(store, camera) == "rollout:2"
    assert await leases.holder_of(store, camera) is None


async def _left_behind(store: Store, camera: str, holder: str) -> None:
    """The row that a process leaves when it dies."""
    async with store.write() as connection:
        await connection.execute(
            insert(t.CameraLease), [{"camera": camera, "holder": holder, "until": store.now() + leases.LASTS}]
        )


async def test_the_same_work_goes_on_at_once_after_a_crash(store: Store, camera: str) -> None:
    await _left_behind(store, camera, "plan:1")
    async with leases.hold(store, camera, "plan:1"):
        assert await leases.holder_of(store, camera) == "plan:1"


async def test_other_work_waits_until_an_abandoned_lease_has_run_out(store: Store, camera: str, clock: Clock) -> None:
    await _left_behind(store, camera, "plan:1")
    with pytest.raises(Busy):
        async with leases.hold(store, camera, "rollout:2"):
            pass
    clock.forward(minutes=6)
    async with leases.hold(store, camera, "rollout:2"):
        assert await leases.holder_of(store, camera) == "rollout:2"


async def test_a_lease_is_renewed_while_the_work_goes_on(
    store: Store, camera: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY_S", 0.0)
    async with leases.hold(store, camera, "plan:1"):
        for _ in range(4):
            clock.forward(minutes=4)
            for _ in range(50):
                await asyncio.sleep(0.001)
        assert await leases.holder_of(store, camera) == "plan:1"
