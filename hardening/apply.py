"""Change one camera by its plan: write down, send, prove over a fresh connection, and undo what cannot be proved.

All that is remembered stands in the journal, and what the camera is, the camera is asked: after a crash at any point
`apply_camera` with the journal's progress goes on where it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cameras.errors import DeviceError, Unreachable
from cameras.facts import Gap, NetworkServices
from cameras.place import Place
from hardening.doors import WouldCutUsOff, way_in_by, way_in_without
from hardening.lifecycle import (
    SETTLED,
    SHORT_OF_WANTED,
    CameraEvent,
    CameraState,
    StepEvent,
    StepState,
    camera_after,
    step_after,
)
from hardening.model import Door, Missing, Order, PasswordFor, no_password
from hardening.observing import OpenCamera, ask_identity, is_another, observe
from hardening.plan import CameraPlan, Step
from hardening.settings.https import ask_services
from hardening.trials import NOBODY_CAME_IN, SENT_AGAIN, kept
from hardening.visit import Patience, Visit

MOST_SENDS = 2
ANOTHER_CAMERA = "another camera answers at this address than the one that was planned for"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a camera is, as the journal knows it. `place` is where it is spoken to now."""

    state: CameraState
    steps: Mapping[str, StepState]
    place: Place


def not_begun(plan: CameraPlan) -> Progress:
    return Progress(CameraState.WAITING, {step.name: step.state for step in plan.steps}, plan.place)


class Journal(Protocol):
    """Where progress is written down. A call returns when the entry would survive a crash."""

    async def step(self, name: str, event: StepEvent, state: StepState, reason: str) -> None: ...
    async def camera(self, event: CameraEvent, state: CameraState, reason: str) -> None: ...
    async def moved(self, place: Place) -> None: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What applying needs. `stopped` is asked between steps."""

    open_camera: OpenCamera
    password_for: PasswordFor = no_password
    patience: Patience = field(default_factory=Patience)
    stopped: Callable[[], bool] = lambda: False


async def apply_camera(plan: CameraPlan, progress: Progress, means: Means, journal: Journal) -> Progress:
    """Bring the camera to what its plan wants, as far as it goes. Never raises for a fault of the camera."""
    work = _Work(plan, progress, means, journal)
    async with work.visit:
        if progress.state in {CameraState.WAITING, CameraState.APPLYING}:
            await work.apply()
    return work.progress


async def undo_camera(plan: CameraPlan, progress: Progress, means: Means, journal: Journal) -> Progress:
    """Take back what this plan changed, last change first, where the camera still is as the plan left it."""
    work = _Work(plan, progress, means, journal)
    async with work.visit:
        await work.undo()
    return work.progress


class _Work:
    def __init__(self, plan: CameraPlan, progress: Progress, means: Means, journal: Journal) -> None:
        self._plan = plan
        self._means = means
        self._journal = journal
        self._state = progress.state
        self._steps = dict(progress.steps)
        begun = {StepState.APPLYING, StepState.UNDOING, StepState.DONE} & set(self._steps.values())
        self.visit = Visit(progress.place, means.open_camera, means.patience, waits=bool(begun))

    @property
    def progress(self) -> Progress:
        return Progress(self._state, dict(self._steps), self.visit.place)

    # --- the two ways through a plan ---

    async def apply(self) -> None:
        if self._state is CameraState.WAITING:
            await self._camera(CameraEvent.START, "")
        try:
            if self._left_to_do() and await self._is_another():
                await self._give_up(ANOTHER_CAMERA)
                return
            for step in self._plan.steps:
                if self._steps[step.name] is StepState.WAITING and self._means.stopped():
                    await self._skip_the_rest("stopped before its turn")
                    await self._camera(CameraEvent.STOP, "stopped between two steps")
                    return
                await self._turn(step)
                if self._steps[step.name] in {StepState.UNDONE, StepState.FAILED}:
                    break
            else:
                await self._prove_all()
        except DeviceError as error:
            await self._give_up(str(error))
            return
        await self._skip_the_rest("an earlier step could not be proved")
        await self._end()

    async def undo(self) -> None:
        if self._state is not CameraState.UNDOING:
            await self._camera(CameraEvent.UNDO, "")
        try:
            another = await self._is_another()
        except DeviceError as error:
            await self._camera(CameraEvent.FAIL, f"nothing was undone: {error}")
            return
        if another:
            await self._camera(CameraEvent.FAIL, f"nothing was undone: {ANOTHER_CAMERA}")
            return
        for step in reversed(self._plan.steps):
            before = self._steps[step.name]
            if before is StepState.DONE:
                await self._record(step, StepEvent.UNDO, "")
            if before is StepState.APPLYING:
                await self._record(step, StepEvent.DISPROVED, "it was never proved")
            if before in {StepState.DONE, StepState.UNDOING, StepState.APPLYING}:
                await self._go_back(step, only_from_wanted=before is StepState.DONE)
                if self._steps[step.name] is StepState.FAILED:
                    break
        if failed := [step.name for step in self._plan.steps if self._steps[step.name] is StepState.FAILED]:
            await self._camera(CameraEvent.FAIL, f"not as it was before: {', '.join(failed)}")
        else:
            await self._camera(CameraEvent.BACK, "")

    def _left_to_do(self) -> bool:
        return not SETTLED.issuperset(self._steps.values())

    async def _is_another(self) -> bool:
        """Addresses are lent: what is there now need not be the camera that was planned for."""
        return is_another(self._plan.identity, await self.visit.ask(ask_identity))

    # --- one step ---

    async def _turn(self, step: Step) -> None:
        state = self._steps[step.name]
        if state is StepState.WAITING:
            await self._begin(step)
        elif state is StepState.APPLYING:
            await self._resume(step)
        elif state is StepState.UNDOING:
            await self._go_back(step)

    async def _begin(self, step: Step) -> None:
        """Look first: a plan is a promise about a camera as it was."""
        now = await self._look(step)
        if isinstance(now, Gap):
            await self._record(step, StepEvent.MOVED, f"it could not be observed again: {now.detail}")
        elif step.setting.compare(now, step.wanted).order is Order.IN_ORDER:
            await self._record(step, StepEvent.ALREADY, "it is as wanted already")
        elif now != step.observed:
            words = "; ".join(step.setting.words(now))
            await self._record(step, StepEvent.MOVED, f"it is no longer what the plan saw ({words}); make a new plan")
        elif await self._stand_clear_of(step.setting.closes(step.wanted), step):
            await self._record(step, StepEvent.BEGIN, "")
            await self._send(step)

    async def _resume(self, step: Step) -> None:
        """It was written down as begun: whether it was sent, the camera knows."""
        try:
            now = await self._look(step)
        except DeviceError as error:
            await self._record(step, StepEvent.LOST, f"it may have been sent, and nothing can be observed: {error}")
            return
        compared = step.setting.compare(now, step.wanted)
        if compared.order is Order.IN_ORDER or not self._half_way(step, now) or self._shut_us_out(step):
            await self._judge(step, now, None)
        elif await self._stand_clear_of(step.setting.closes(step.wanted), step):
            await self._send(step, told=SENT_AGAIN if step.setting.trial else "")

    async def _send(self, step: Step, *, told: str = "") -> None:
        """An absolute state, so that sending it again after a cut connection that changed nothing does no harm."""
        for sends_left in reversed(range(MOST_SENDS)):
            said: Exception | None = None
            driver = await self.visit.driver()
            try:
                await step.setting.tell(driver, step.wanted, self._means.password_for)
            except (DeviceError, Missing, WouldCutUsOff) as error:
                said = error
            try:
                now = await self._look(step, anew=True)
            except DeviceError as error:
                await self._record(step, StepEvent.LOST, f"it was sent, and then nothing could be observed: {error}")
                return
            arrived = step.setting.compare(now, step.wanted).order is Order.IN_ORDER
            if not sends_left or arrived or not isinstance(said, Unreachable) or not self._half_way(step, now):
                break
            if self._shut_us_out(step):  # once is enough
                break
        await self._judge(step, now, said, told)

    def _shut_us_out(self, step: Step) -> bool:
        """Whether a camera on which something was tried was away until it had taken it back."""
        return step.setting.trial is not None and self.visit.fell_silent

    async def _kept(self, step: Step, goal: Any, now: Any) -> tuple[Any, Exception | None]:  # noqa: ANN401
        return await kept(self.visit, step.setting.trial, goal, now, lambda: self._look(step, anew=True))

    def _half_way(self, step: Step, now: Any) -> bool:  # noqa: ANN401 - each setting has its own
        return not isinstance(now, Gap) and step.setting.half_way(now, step.observed, step.wanted)

    async def _judge(self, step: Step, now: Any, said: Exception | None, told: str = "") -> None:  # noqa: ANN401
        """What the camera shows decides, not what it said. `told` stands before the last word on the step."""
        shut_out = self._shut_us_out(step)
        now, refused = await self._kept(step, step.wanted, now)
        said = refused or said
        if isinstance(now, Gap):
            await self._record(step, StepEvent.LOST, f"it was sent, and cannot be observed: {now.detail}")
            return
        compared = step.setting.compare(now, step.wanted)
        why = told + compared.reason
        if compared.order is Order.IN_ORDER:
            fault = await self._fault_of_door(step.setting.opens(step.wanted))
            if fault is None:
                await self._record(step, StepEvent.PROVED, why)
                return
            why = fault
        elif now == step.observed and shut_out:
            why = NOBODY_CAME_IN
        elif now == step.observed and said is not None:
            await self._record(step, StepEvent.REFUSE, f"{told}{said}")
            return
        elif now == step.observed:
            why = f"the camera said yes and did not do it: {why}"
        await self._record(step, StepEvent.DISPROVED, why)
        await self._go_back(step, why=why)

    async def _go_back(self, step: Step, *, why: str = "", only_from_wanted: bool = False) -> None:
        """`why` is what made us go back, so that the last word on a step tells the whole story."""
        back = step.setting.back(step.observed)
        event, end = StepEvent.STUCK, "what was seen before does not suffice for going back"
        if back is not None:
            try:
                event, end = await self._send_back(step, back, only_from_wanted=only_from_wanted)
            except (DeviceError, Missing, WouldCutUsOff) as error:
                end = f"it could not be put back: {error}"
        await self._record(step, event, f"{why}; {end}" if why else end)

    async def _send_back(self, step: Step, back: Any, *, only_from_wanted: bool) -> tuple[StepEvent, str]:  # noqa: ANN401
        now = await self._look(step)
        if step.setting.compare(now, back).order is Order.IN_ORDER:
            return StepEvent.BACK, "it is as it was before"
        if only_from_wanted and step.setting.compare(now, step.wanted).order is not Order.IN_ORDER:
            return StepEvent.STUCK, "somebody has changed it since; it was left as it is"
        await self._leave(step.setting.closes(back))
        said = ""
        driver = await self.visit.driver()
        try:
            await step.setting.tell(driver, back, self._means.password_for)
        except (DeviceError, WouldCutUsOff) as error:
            said = f": {error}"
        now, _ = await self._kept(step, back, await self._look(step, anew=True))
        if step.setting.compare(now, back).order is Order.IN_ORDER:
            return StepEvent.BACK, f"put back to {'; '.join(step.setting.words(back))}"
        return StepEvent.STUCK, f"the camera did not go back{said}"

    # --- doors ---

    async def _stand_clear_of(self, door: Door | None, step: Step) -> bool:
        """Move to the other door if this step closes ours; where that cannot be proved, the step is refused."""
        try:
            await self._leave(door)
        except WouldCutUsOff as error:
            await self._record(step, StepEvent.REFUSE, str(error))
            return False
        return True

    async def _leave(self, door: Door | None) -> None:
        if door is None:
            return
        other = way_in_without(door, self.visit.place, await self._services())
        try:
            await self.visit.move(other)
        except DeviceError as error:
            raise WouldCutUsOff(
                f"a login at {other.scheme}://{other.address}:{other.port} was not proved, so {door.upper()} stays "
                f"as it is: {error}"
            ) from error
        await self._journal.moved(other)

    async def _fault_of_door(self, door: Door | None) -> str | None:
        """A door that was opened counts once somebody has come in by it. Whoever came in by HTTPS stays there."""
        if door is None or door == self.visit.place.scheme:
            return None
        try:
            other = way_in_by(door, self.visit.place, await self._services())
            await self.visit.move(other)
        except (DeviceError, WouldCutUsOff) as error:
            return f"the camera says that {door.upper()} is on, and a login there fails: {error}"
        await self._journal.moved(other)
        return None

    async def _services(self) -> NetworkServices:
        answer = await self.visit.ask(ask_services)
        if isinstance(answer, NetworkServices):
            return answer
        raise WouldCutUsOff(f"the camera does not say which doors it has: {answer.detail}")

    # --- looking and writing down ---

    async def _look(self, step: Step, *, anew: bool = False) -> Any:  # noqa: ANN401
        """The state of this step's setting now, or a Gap; raises what forbids going on."""
        answer = await self.visit.ask(step.setting.observe, anew=anew)
        return step.setting.see(answer, step.wanted)

    async def _prove_all(self) -> None:
        """Some settings go back by themselves a moment later: all that was done is looked at once more."""
        done = [step for step in self._plan.steps if self._steps[step.name] is StepState.DONE]
        if not done:
            return
        answers = await observe(await self.visit.driver(anew=True), [step.setting.observe for step in done])
        for step in done:
            now = step.setting.see(answers[step.setting.observe], step.wanted)
            compared = step.setting.compare(now, step.wanted)
            if compared.order is not Order.IN_ORDER:
                await self._record(step, StepEvent.REVERTED, f"it was proved, and is no longer so: {compared.reason}")

    async def _record(self, step: Step, event: StepEvent, reason: str) -> None:
        state = step_after(self._steps[step.name], event)
        await self._journal.step(step.name, event, state, reason)
        self._steps[step.name] = state

    async def _camera(self, event: CameraEvent, reason: str) -> None:
        state = camera_after(self._state, event)
        await self._journal.camera(event, state, reason)
        self._state = state

    async def _skip_the_rest(self, why: str) -> None:
        for step in self._plan.steps:
            if self._steps[step.name] is StepState.WAITING:
                await self._record(step, StepEvent.SKIP, why)

    async def _give_up(self, why: str) -> None:
        for step in self._plan.steps:
            if self._steps[step.name] is StepState.APPLYING:
                await self._record(step, StepEvent.LOST, why)
        await self._skip_the_rest("the camera could not be asked any more")
        await self._camera(CameraEvent.FAIL, why)

    async def _end(self) -> None:
        short = [step.name for step in self._plan.steps if self._steps[step.name] in SHORT_OF_WANTED]
        unseen = [step.name for step in self._plan.steps if _is_unseen(step)]
        if short:
            await self._camera(CameraEvent.FAIL, f"not as wanted: {', '.join(short)}")
        elif unseen:
            await self._camera(CameraEvent.FAIL, f"it could not be asked for {', '.join(unseen)}; make a new plan")
        else:
            await self._camera(CameraEvent.FINISH, "")


def _is_unseen(step: Step) -> bool:
    """A question that this camera has and did not answer. One that it does not have is nobody's failure."""
    return isinstance(step.observed, Gap) and step.observed.gap != "unsupported"
