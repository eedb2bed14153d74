"""One plan, one password change and one rollout, as the pages of a test need them."""

from contextlib import aclosing
from datetime import timedelta

from fleet import estate
from fleet.jobs.model import JobId, NewJob
from fleet.plans.runner import PlanId
from fleet.rollouts import orders as rollout_orders
from fleet.rollouts.rows import RolloutId
from fleet.rotations import rows as rotation_rows
from fleet.rotations.runner import RotationId
from fleet.schedules.rows import NewSchedule, ScheduleId, What
from hardening.baseline import parse_baseline
from tests.fleet.rollout_samples import firmware
from tests.web.conftest import House

BASELINE = "format: camwarden/baseline/1\nname: quiet\nsettings:\n  discovery-mode: off\n"


async def cameras(house: House, count: int = 2) -> list[str]:
    return [row.id for row in (await estate.devices(house.store, limit=count)).items]


async def a_plan(house: House) -> PlanId:
    """Of cameras that nobody has a login for: looked at, and unknown in every step."""
    plans = house.service.plans
    plan = await plans.create(parse_baseline(BASELINE), await cameras(house), "anna")
    async with aclosing(plans.events(plan)) as events:
        async for _ in events:
            pass
    return plan


async def a_rotation(house: House) -> RotationId:
    """As an earlier process left it: nobody is at work on it here."""
    accounts = dict.fromkeys(await cameras(house), "camwarden")
    async with house.store.write() as connection:
        return await rotation_rows.add(connection, house.store, "anna", accounts)


async def a_rollout(house: House) -> RolloutId:
    bundle = await firmware(house.store, house.service.settings)
    return await rollout_orders.create(house.store, bundle.id, await cameras(house), "anna", name="Spring round")


async def a_job(house: House) -> JobId:
    """One that was cancelled before it began."""
    queue = house.service.queue
    job = await queue.enqueue(NewJob("somewhere else", "anna", not_before=house.store.now() + timedelta(hours=1)))
    await queue.cancel(job, "anna")
    return job


async def a_schedule(house: House) -> ScheduleId:
    new = NewSchedule("Watches", What.ACCURACY, "0 3 * * *", zone="Asia/Tokyo")
    return await house.service.schedules.add(new, "anna")
