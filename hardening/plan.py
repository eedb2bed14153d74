"""Observed facts and a baseline become ordered steps, each with its diff: `camwarden/plan/1`. Pure.

A plan is the dry run: what it shows is what will be sent, and applying it looks first whether the camera still is what
the plan saw.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from cameras.facts import Gap, GapReason, Identity
from cameras.place import Place
from hardening.baseline import Baseline, BaselineError, from_values
from hardening.lifecycle import StepState
from hardening.model import Order, Risk
from hardening.settings import BY_NAME, AnySetting

FORMAT: Literal["camwarden/plan/1"] = "camwarden/plan/1"
# What a camera answered, by the question that was put to it.
Observations = Mapping[Callable[..., Any], Any]

_SETTLED = {
    Order.IN_ORDER: StepState.IN_ORDER,
    Order.UNKNOWN: StepState.UNKNOWN,
    Order.NOT_APPLICABLE: StepState.NOT_APPLICABLE,
}


class PlanError(ValueError):
    """A file or row that is no plan, or not the plan that was approved. The text says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One setting of one camera. `observed` is the state that was seen, or why none was; `state` is where it starts."""

    setting: AnySetting
    observed: Any
    wanted: Any
    order: Order
    reason: str
    state: StepState

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def risk(self) -> Risk:
        return self.setting.risk if self.state is StepState.WAITING else Risk.NONE

    @property
    def undoable(self) -> bool:
        """Whether what was seen suffices for going back."""
        return not isinstance(self.observed, Gap) and self.setting.back(self.observed) is not None

    def diff(self) -> tuple[str, ...]:
        """For people: what goes and what comes. Empty where nothing is to be changed."""
        if self.order is not Order.DRIFT:
            return ()
        seen, wanted = self.setting.words(self.observed), self.setting.words(self.wanted)
        goes = [f"- {line}" for line in seen if line not in wanted]
        comes = [f"+ {line}" for line in wanted if line not in seen and _about(line, seen, self.observed)]
        return (*goes, *comes)


def _about(line: str, seen: Sequence[str], observed: Any) -> bool:  # noqa: ANN401 - each setting has its own
    """A switch that this camera does not have is not promised to it."""
    return not hasattr(observed, "switches") or any(here.startswith(line.partition(":")[0] + ":") for here in seen)


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """All steps of one camera, in the order of changing: also those that need nothing, and those nobody could judge.

    `identity` is who answered, `None` where it did not say: another camera that has its address since is not changed.
    """

    place: Place
    identity: Identity | None
    steps: tuple[Step, ...]

    def having(self, *states: StepState) -> list[Step]:
        return [step for step in self.steps if step.state in states]

    @property
    def drifts(self) -> bool:
        return any(step.order is Order.DRIFT for step in self.steps)

    @property
    def unknown(self) -> bool:
        return any(step.order is Order.UNKNOWN for step in self.steps)


def plan_camera(place: Place, identity: Identity | None, baseline: Baseline, observations: Observations) -> CameraPlan:
    """What is to be changed on this camera. `observations` answers the question of every setting, or has a Gap."""
    return CameraPlan(
        place,
        identity,
        tuple(
            step_of(setting, setting.see(observations[setting.observe], wanted), wanted)
            for setting, wanted in baseline.wanted()
        ),
    )


def unseen(place: Place, baseline: Baseline, gap: Gap) -> CameraPlan:
    """The plan of a camera that could not be asked: every step is unknown, none is left out."""
    return CameraPlan(place, None, tuple(step_of(setting, gap, wanted) for setting, wanted in baseline.wanted()))


def step_of(setting: AnySetting, observed: Any, wanted: Any) -> Step:  # noqa: ANN401
    compared = setting.compare(observed, wanted)
    state, reason = _SETTLED.get(compared.order, StepState.WAITING), compared.reason
    if compared.order is Order.DRIFT and (why := setting.obstacle(observed, wanted)):
        state, reason = StepState.REFUSED, why
    return Step(setting, observed, wanted, compared.order, reason, state)


# --- frozen ----------------------------------------------------------------------------------------------------------


def baseline_values(baseline: Baseline) -> dict[str, Any]:
    return {"name": baseline.name, "settings": dict(baseline.settings), "digest": baseline.digest}


def camera_values(plan: CameraPlan) -> dict[str, Any]:
    """As JSON, with the evidence."""
    identity = asdict(plan.identity) if plan.identity else None
    return {**asdict(plan.place), "identity": identity, "steps": [_step_values(step) for step in plan.steps]}


def _step_values(step: Step) -> dict[str, Any]:
    gap = isinstance(step.observed, Gap)
    return {
        "setting": step.name,
        "title": step.setting.title,
        "order": step.order.value,
        "state": step.state.value,
        "reason": step.reason,
        "risk": step.risk.value,
        "observed": None if gap else step.setting.dump(step.observed),
        "gap": asdict(step.observed) if gap else None,
        "wanted": step.setting.dump(step.wanted),
        "diff": list(step.diff()),
        "undoable": step.undoable,
    }


def document(created: str, baseline: Baseline, cameras: Sequence[CameraPlan]) -> dict[str, Any]:
    """`camwarden/plan/1`; `created` is ISO 8601 in UTC. Its digest is of all the rest."""
    body = {
        "format": FORMAT,
        "created": created,
        "baseline": baseline_values(baseline),
        "cameras": [camera_values(camera) for camera in cameras],
    }
    return {**body, "digest": digest(body)}


def digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def read_document(values: Mapping[str, Any]) -> tuple[Baseline, tuple[CameraPlan, ...]]:
    """What `document` froze. Raises PlanError, also where something was changed since."""
    if values.get("format") != FORMAT:
        raise PlanError(f"this is no plan: its format is not {FORMAT}")
    body = {key: value for key, value in values.items() if key != "digest"}
    if digest(body) != values.get("digest"):
        raise PlanError("this plan was changed after it was made: its digest does not fit; make a new one")
    try:
        baseline = from_values(values["baseline"]["name"], values["baseline"]["settings"])
        return baseline, tuple(read_camera(camera) for camera in values["cameras"])
    except (KeyError, TypeError, BaselineError) as error:
        raise PlanError(f"this plan cannot be read ({type(error).__name__})") from None


def read_camera(values: Mapping[str, Any]) -> CameraPlan:
    """What `camera_values` froze. Raises PlanError."""
    try:
        place = Place(values["address"], values["port"], values["scheme"], values["shared"])
        identity = Identity(**values["identity"]) if values["identity"] else None
        return CameraPlan(place, identity, tuple(_read_step(step) for step in values["steps"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(f"the plan of a camera cannot be read ({type(error).__name__})") from None


def _read_step(values: Mapping[str, Any]) -> Step:
    setting, gap = BY_NAME[values["setting"]], values["gap"]
    if gap is not None and gap["gap"] not in get_args(GapReason):
        raise PlanError("the plan of a camera cannot be read: an unknown gap")
    return Step(
        setting=setting,
        observed=setting.load(values["observed"]) if gap is None else Gap(gap["gap"], gap["detail"]),
        wanted=setting.load(values["wanted"]),
        order=Order(values["order"]),
        reason=values["reason"],
        state=StepState(values["state"]),
    )
