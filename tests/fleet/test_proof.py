"""A whole round on simulated cameras: assessed, planned, approved, changed, and assessed again: findings are fixed."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from sqlalchemy import select

from cameras.budget import AttemptBudget
from fleet.findings import triage as findings
from fleet.plans.reach import reaching
from fleet.plans.runner import PlanId, Plans
from fleet.plans.states import PlanState
from fleet.proof import proving
from fleet.reach import by_rules
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from hardening.baseline import load_baseline
from hardening.visit import Patience
from scanners.assessment import CameraAssessment, Options, assess
from scanners.credentials import load_credentials
from scanners.targets import Target
from simulator import Estate
from simulator.manifest import credentials
from tests.simulator.asking import estate

FAULTS = {"discovery-left-on": 2, "http-cleartext-management": 2, "ntp-not-configured": 1}
CLOSED = {"discovery-left-on", "http-cleartext-management", "ntp-not-configured"}


async def recorded(store: Store, running: Estate, settings: Settings) -> None:
    """What a scan would have kept."""
    assert settings.credentials_file is not None
    rules = load_credentials(settings.credentials_file)
    targets = [Target(plan.address, plan.port, plan.scheme, None, shared=False) for plan in running.plan.cameras]
    async with aclosing(assess(targets, Options(credentials=rules, default_credentials=False))) as results:  # type: ignore[type-var] # an async generator
        async for result in results:
            assert isinstance(result, CameraAssessment), result
            await findings.record(store, result)


async def states(store: Store) -> dict[str, set[str]]:
    async with store.read() as connection:
        rows = (await connection.execute(select(t.Finding.check_id, t.Finding.state))).all()
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.check_id, set()).add(row.state)
    return found


async def ended(plans: Plans, plan: PlanId) -> PlanState:
    async with asyncio.timeout(60), aclosing(plans.events(plan)) as events:
        async for _ in events:
            pass
    return (await plans.get(plan)).state


async def test_findings_turn_fixed_once_the_change_is_proved(store: Store, settings: Settings, tmp_path: Path) -> None:
    async with estate(cameras=2, mix={"axis": 1}, faults=FAULTS, reboot_s=0.05) as running:
        file = tmp_path / "credentials.yaml"
        file.write_text(credentials(running.plan))
        settings = settings.model_copy(update={"credentials_file": file})
        await recorded(store, running, settings)
        before = await states(store)
        assert {check for check in CLOSED if "open" in before.get(check, ())} == CLOSED

        budget = AttemptBudget()
        reach = reaching(by_rules(store, load_credentials(file)), budget)
        patience = Patience(tries=50, door_tries=50, pause_s=0.02)
        async with Plans(store, reach, proving(store, settings, budget), patience=patience) as plans:
            async with store.read() as connection:
                cameras = list(await connection.scalars(select(t.Camera.id)))
            plan = await plans.create(load_baseline("strict"), cameras, "anna")
            assert await ended(plans, plan) is PlanState.AWAITING_APPROVAL
            await plans.approve(plan, "anna")
            await plans.start(plan, "anna")
            assert await ended(plans, plan) is PlanState.DONE
            assert all("fixed" in (one.proof or "") for one in await plans.cameras(plan))
        after = await states(store)
        assert {check: after[check] for check in CLOSED} == {check: {"fixed"} for check in CLOSED}
        async with store.read() as connection:
            assert set(await connection.scalars(select(t.Camera.scheme))) == {"https"}
            assert len(list(await connection.scalars(select(t.Camera.id)))) == 2, "the cameras are still the same"
