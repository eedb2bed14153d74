"""The journal of a plan: each entry is in the store before anything else happens."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from cameras.place import Place
from fleet.plans import rows as plan_rows
from fleet.plans.rows import PlanId, Spot
from fleet.store import Store
from hardening.apply import Progress
from hardening.lifecycle import CameraEvent, CameraState, StepEvent, StepState, camera_after, step_after


class Journal:
    """`hardening.apply.Journal` in the store. An entry is written whole even where the service is going down."""

    def __init__(self, store: Store, spot: Spot, tell: Callable[[PlanId], None]) -> None:
        self._store = store
        self._spot = spot
        self._tell = tell

    async def step(self, name: str, event: StepEvent, state: StepState, reason: str) -> None:
        await _whole(plan_rows.keep_step(self._store, self._spot, name, event, (state, reason)))
        self._tell(self._spot.plan)

    async def camera(self, event: CameraEvent, state: CameraState, reason: str) -> None:
        await _whole(plan_rows.keep_camera(self._store, self._spot, event, state, reason))
        self._tell(self._spot.plan)

    async def moved(self, place: Place) -> None:
        await _whole(plan_rows.keep_place(self._store, self._spot, place))

    async def give_up(self, progress: Progress, why: str, event: CameraEvent = CameraEvent.FAIL) -> None:
        """While nobody is at work on the camera: no more is sent."""
        for name, state in progress.steps.items():
            if state is StepState.WAITING:
                await self.step(name, StepEvent.SKIP, step_after(state, StepEvent.SKIP), "the camera was given up")
        if progress.state in {CameraState.WAITING, CameraState.APPLYING, CameraState.UNDOING}:
            await self.camera(event, camera_after(progress.state, event), why)


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end even when cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    interrupted: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            interrupted = error
    task.result()
    if interrupted:
        raise interrupted
