"""What `camwarden harden` does between its options and its output: look, and change, with progress and Ctrl-C."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from cameras.budget import AttemptBudget
from cameras.driver import Driver
from cameras.errors import Unauthorized
from cameras.opening import open_camera
from cameras.place import Place
from cameras.secret import Secret
from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.reports.hardening import Ended
from hardening.apply import Means, Progress, apply_camera, not_begun
from hardening.baseline import Baseline
from hardening.lifecycle import CameraEvent, CameraState, StepEvent, StepState
from hardening.model import no_password
from hardening.observing import OpenCamera, plan_for
from hardening.plan import CameraPlan, PlanError, document, read_document
from scanners.credentials import CredentialRule, for_address
from scanners.identify import NotEvaluated
from scanners.places import find_places
from scanners.targets import Target

T = TypeVar("T")
LABELS = {"find": "Looking for cameras", "plan": "Comparing", "apply": "Changing"}
LARGEST_PLAN_BYTES = 64 * 1024 * 1024
GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Options:
    credentials: Sequence[CredentialRule]
    timeout_s: float
    at_once: int
    account_password: Secret | None = None
    budget: AttemptBudget = field(default_factory=AttemptBudget)

    def opening(self) -> OpenCamera:
        """Every camera with the login that is closest to it in the file; a refused one is not followed by another."""

        def opened(place: Place) -> AbstractAsyncContextManager[Driver]:
            found = for_address(self.credentials, place.address)
            if not found:
                return _no_login()
            return open_camera(place, found[0], self.budget, timeout_s=self.timeout_s)

        return opened

    async def password_for(self, account: str) -> Secret:
        if self.account_password is None:
            return await no_password(f"{account}; give it with --account-password-file")
        return self.account_password


@asynccontextmanager
async def _no_login() -> AsyncIterator[Driver]:
    raise Unauthorized("no login is given for this camera; add it to the credentials file")
    yield  # type: ignore[unreachable] # what makes this a generator


class Look:
    """What was seen: the plan of each camera, and the targets at which there is none."""

    def __init__(self, baseline: Baseline, options: Options, created: str | None = None) -> None:
        self.baseline = baseline
        self.options = options
        self.plans: list[CameraPlan] = []
        self.missing: list[NotEvaluated] = []
        self.created = created or datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def document(self) -> dict[str, Any]:
        return document(self.created, self.baseline, self.plans)

    def at(self, targets: Sequence[Target]) -> None:
        """Blocks."""
        asyncio.run(self._at(targets))

    async def _at(self, targets: Sequence[Target]) -> None:
        with screen.progress(LABELS) as advance:
            found = await find_places(
                targets, timeout_s=self.options.timeout_s, on_progress=lambda done, total: advance("find", done, total)
            )
            places = [one for one in found if isinstance(one, Place)]
            self.missing += [one for one in found if isinstance(one, NotEvaluated)]
            opened = self.options.opening()

            async def look(place: Place) -> None:
                self.plans.append(await plan_for(place, opened, self.baseline))
                advance("plan", len(self.plans), len(places))

            await side_by_side(self.options.at_once, places, look)
        self.plans.sort(key=lambda one: (int(ip_address(one.place.address)), one.place.port))


def load_plan(path: Path, options: Options) -> Look:
    """What `harden plan --json` printed. Blocks. Raises PlanError, WrongUse."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_PLAN_BYTES + 1)
        values = json.loads(content) if len(content) <= LARGEST_PLAN_BYTES else None
    except (OSError, ValueError) as error:
        raise WrongUse(f"--plan {path}: it cannot be read ({type(error).__name__})") from None
    if not isinstance(values, dict):
        raise PlanError(f"{path}: this is no plan")
    values.pop("not_evaluated", None)
    baseline, plans = read_document(values)
    look = Look(baseline, options, values["created"])
    look.plans.extend(plans)
    if datetime.now(UTC) - _moment(values["created"]) > GOOD_FOR:
        raise PlanError(f"{path}: this plan is older than a day; make a new one")
    return look


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise PlanError("this plan does not say when it was made") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Run:
    """The change. `ended` says of every camera where it is, also after Ctrl-C."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._notes = [_Notes(plan) for plan in look.plans]
        self._done = 0
        self._stopping = False

    @property
    def ended(self) -> list[Ended]:
        return [Ended(note.plan, note.progress, note.reasons) for note in self._notes]

    def apply(self) -> bool:
        """Whether somebody stopped it: a first Ctrl-C lets the step under way be proved, a second does not. Blocks."""
        try:
            asyncio.run(self._apply())
        except asyncio.CancelledError:
            return True
        return self._stopping

    def _stop(self, task: "asyncio.Task[Any] | None") -> None:
        if self._stopping and task is not None:
            task.cancel()
            return
        self._stopping = True
        screen.note("stopping when the step under way is proved or undone; once more to stop at once")

    async def _apply(self) -> None:
        options = self._look.options
        means = Means(options.opening(), options.password_for, stopped=lambda: self._stopping)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, task)
        with screen.progress(LABELS) as advance:

            async def change(note: _Notes) -> None:
                await apply_camera(note.plan, note.progress, means, note)
                self._done += 1
                advance("apply", self._done, len(self._notes))

            await side_by_side(options.at_once, self._notes, change)


class _Notes:
    """A journal for as long as the command runs: what it was at when it was stopped can still be told."""

    def __init__(self, plan: CameraPlan) -> None:
        self.plan = plan
        self.progress: Progress = not_begun(plan)
        self.reasons: dict[str, str] = {}

    async def step(self, name: str, event: StepEvent, state: StepState, reason: str) -> None:
        self.reasons[name] = reason if event is not StepEvent.BEGIN else "it may or may not have been sent"
        self.progress = replace(self.progress, steps={**self.progress.steps, name: state})

    async def camera(self, event: CameraEvent, state: CameraState, reason: str) -> None:
        self.reasons[""] = reason if event is not CameraEvent.START else "stopped before it was finished"
        self.progress = replace(self.progress, state=state)

    async def moved(self, place: Place) -> None:
        self.progress = replace(self.progress, place=place)


async def side_by_side(at_once: int, things: Sequence[T], do: Callable[[T], Coroutine[Any, Any, None]]) -> None:
    places = asyncio.Semaphore(at_once)

    async def one(thing: T) -> None:
        async with places:
            await do(thing)

    async with asyncio.TaskGroup() as group:
        for thing in things:
            group.create_task(one(thing))
