"""Plans and what became of them: for a person at a terminal, and `camwarden/hardening/1` for scripts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cameras.place import Place
from cameras.untrusted import clean_text
from hardening.apply import Progress
from hardening.lifecycle import SHORT_OF_WANTED, CameraState, StepState
from hardening.model import Order, Risk
from hardening.plan import CameraPlan, Step
from scanners.identify import NotEvaluated

FORMAT = "camwarden/hardening/1"
_RISKS = {Risk.MAY_CUT_CONNECTION: " (may cut our connection: a way in is proved before it stays)"}
_SETTLED = {Order.UNKNOWN: "?", Order.NOT_APPLICABLE: "·"}


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one camera; `reasons` are the last words on the camera ("") and on each step."""

    plan: CameraPlan
    progress: Progress
    reasons: Mapping[str, str]

    @property
    def is_short(self) -> bool:
        """Whether the camera is other than wanted, as far as anybody knows."""
        return self.progress.state is not CameraState.DONE or bool(SHORT_OF_WANTED & set(self.progress.steps.values()))


def where(place: Place) -> str:
    host = f"[{place.address}]" if ":" in place.address else place.address
    return f"{host}:{place.port}"


def name_of(plan: CameraPlan) -> str:
    who = plan.identity
    words = " ".join(word for word in (who.manufacturer, who.model) if word) if who else ""
    return clean_text(words, 80)


def plan_lines(plan: CameraPlan) -> Iterator[str]:
    """One camera: first what is to be changed, then what nobody could tell, last what is in order."""
    drifting = [step for step in plan.steps if step.order is Order.DRIFT]
    unknown = [step for step in plan.steps if step.order is Order.UNKNOWN]
    counts = [f"{len(drifting)} to change"] if drifting else []
    counts += [f"{len(unknown)} unknown"] if unknown else []
    yield f"{where(plan.place)}  {name_of(plan) or 'unknown model'}: {', '.join(counts) or 'in order'}"
    for step in drifting:
        yield from _drift_lines(step)
    for order, mark in _SETTLED.items():
        by_reason: dict[str, list[str]] = {}
        for step in plan.steps:
            if step.order is order:
                by_reason.setdefault(clean_text(step.reason, 300), []).append(step.name)
        yield from (f"  {mark} {', '.join(names)}: {reason}" for reason, names in by_reason.items())
    if good := [step.name for step in plan.steps if step.order is Order.IN_ORDER]:
        yield f"  in order: {', '.join(good)}"


def _drift_lines(step: Step) -> Iterator[str]:
    yield f"  {step.name}: {step.setting.title}{_RISKS.get(step.risk, '')}"
    for line in step.diff():
        yield f"    {clean_text(line, 300)}"
    if step.state is StepState.REFUSED:
        yield f"    cannot be changed: {clean_text(step.reason, 300)}"
    elif not step.undoable:
        yield "    cannot be undone: the camera does not say enough about how it is now"


def ended_lines(ended: Ended) -> Iterator[str]:
    """What became of one camera: the steps that were to be changed."""
    state, why = ended.progress.state, clean_text(ended.reasons.get("", ""), 300)
    yield f"{where(ended.progress.place)}  {name_of(ended.plan)}: {state.value}{f' - {why}' if why else ''}"
    for step in ended.plan.steps:
        if step.order is Order.DRIFT:
            now = ended.progress.steps[step.name]
            reason = clean_text(ended.reasons.get(step.name) or step.reason, 300)
            yield f"  {step.name}: {now.value}{f' - {reason}' if reason else ''}"


def missing_lines(missing: Sequence[NotEvaluated]) -> Iterator[str]:
    for one in missing:
        at = f"{one.address}:{one.port}" if one.port else one.address
        yield f"{at}  not evaluated ({one.reason}): {clean_text(one.detail, 300)}"


def result_values(plan: Mapping[str, Any], ended: Sequence[Ended], missing: Sequence[NotEvaluated]) -> dict[str, Any]:
    """`camwarden/hardening/1`: the plan that was applied, and how each of its cameras ended."""
    return {
        "format": FORMAT,
        "plan": plan,
        "cameras": [
            {
                **asdict(one.progress.place),
                "state": one.progress.state.value,
                "reason": one.reasons.get("", ""),
                "steps": [
                    {
                        "setting": step.name,
                        "state": one.progress.steps[step.name].value,
                        "reason": one.reasons.get(step.name) or step.reason,
                    }
                    for step in one.plan.steps
                ],
            }
            for one in ended
        ],
        "not_evaluated": missing_values(missing),
    }


def missing_values(missing: Sequence[NotEvaluated]) -> list[dict[str, Any]]:
    return [asdict(one) for one in missing]
