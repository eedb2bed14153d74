"""Which scene each camera looks at, what befalls its picture, and how well its analytics see."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulator.behaviour import FAULTS as ANALYTICS_FAULTS
from simulator.behaviour import AnalyticsPlan, analytics_plan
from simulator.options import Options, OptionsError
from simulator.plan import CameraPlan, EstatePlan
from simulator.scenes.dice import dice
from simulator.scenes.model import FAULTS, HOUR_S
from simulator.scenes.timeline import PicturePlan, picture_plan

MOST_HOURS = 168


def with_pictures(cameras: Sequence[CameraPlan], options: Options) -> list[CameraPlan]:
    """The cameras with their scenes, where pictures are asked for. Raises OptionsError for what cannot be had."""
    if not options.pictures:
        return list(cameras)
    if not (0 <= options.start_hour < MOST_HOURS and options.time_scale > 0):
        raise OptionsError("--start-hour lies between 0 and 168 (Monday is 0), --time-scale is more than 0")
    asked = options.picture_faults
    faulty = _spread(len(cameras), options.seed, asked or {})
    start_s = options.start_hour * HOUR_S
    begin_s = start_s + options.picture_fault_after_s * options.time_scale
    seen = []
    for number, camera in enumerate(cameras):
        scene = options.seed * 1000 + number
        name = faulty.get(number)
        picture = picture_plan(
            scene, start_s, fault=name if name in FAULTS else None, begin_s=begin_s, believable=asked is None
        )
        unwell = name if name in ANALYTICS_FAULTS else None
        analytics = analytics_plan(camera.vendor, unwell, dice(scene * 31 + 1), start_s)
        seen.append(replace(camera, picture=picture, analytics=analytics))
    return seen


def _spread(count: int, seed: int, asked: Mapping[str, int]) -> dict[int, str]:
    """Which camera has which fault."""
    known = (*FAULTS, *ANALYTICS_FAULTS)
    for name in asked:
        if name not in known:
            raise OptionsError(f"no picture fault is called {name!r}; there are: {', '.join(known)}")
    names = [name for name, wanted in asked.items() for _ in range(wanted)]
    if len(names) > count:
        raise OptionsError(f"{len(names)} picture faults for {count} cameras: a camera has one of them at most")
    return dict(zip(dice(seed * 7919 + 11).sample(range(count), k=len(names)), names, strict=True))


def manifest_entries(camera: CameraPlan) -> dict[str, object]:
    """What the manifest tells of a camera's picture and analytics: nothing where it has none."""
    entries: dict[str, object] = {}
    if camera.picture is not None:
        entries["picture"] = _picture(camera.picture)
    if camera.analytics is not None:
        entries["analytics"] = _analytics(camera.analytics)
    return entries


def manifest_week(plan: EstatePlan) -> dict[str, object]:
    """How the time of the scenes goes: their second `start_s` was at `began` of ours (seconds since 1970)."""
    week = plan.week
    return (
        {} if week is None else {"week": {"start_s": week.start_s, "time_scale": week.time_scale, "began": week.began}}
    )


def _picture(picture: PicturePlan) -> dict[str, object]:
    episodes = []
    for episode in picture.episodes:
        row: dict[str, object] = {"kind": episode.kind, "name": episode.name, "severity": episode.severity}
        if episode.variant:
            row["variant"] = episode.variant
        episodes.append({**row, "from_s": episode.from_s, "to_s": episode.to_s})
    return {"scene": picture.scene, "episodes": episodes}


def _analytics(plan: AnalyticsPlan) -> dict[str, object]:
    sees, drift = plan.at(0), plan.drift
    told = None
    if drift is not None:
        told = {"from_s": drift.from_s, "recall": drift.recall, "false_per_min": drift.false_per_min}
    entry = {"version": plan.version, "recall": sees.recall, "false_per_min": sees.false_per_min, "drift": told}
    return {**entry, "dialect": plan.dialect, "spoiled": plan.spoiled}
