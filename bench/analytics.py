"""How far the judgement of accuracy can be trusted, and what a detector costs beyond the bare model.

`coverage_95`: how often a 95 % interval holds the truth (simulated cameras, objects of a minute alike); `label_ratio`:
labels that a spot check takes beside a number fixed before for the same certainty; `false_drift_per_camera_year`: years
in which nothing happened but weather; `cause_named`: stories that were told rightly; `pipeline_ratio`: a picture to
detections beside the bare session.run; `ap50_*`: our own detector on held-out scenes.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from analytics_qa.accuracy import average_precision
from analytics_qa.detections import Detections, named
from analytics_qa.detector import OUR_MODEL, Detector, Picture
from analytics_qa.models import manifest_of
from analytics_qa.spot_checks import Question, answer, fixed_labels
from bench.scene_pictures import draw
from bench.simulated_counts import LEARNED_DAYS, STORIES, covered, site, told, watched

SIZE = (640, 360)
# Never trained on: `bench.train_detector` begins its own held-out scenes at 900 000.
_FIRST_SEED = 960_000
_SUSPECTED = 0.05
_APART = 4  # two views of a scene
_DAYS_A_YEAR = 365
_TRUTHS = (0.95, 0.90, 0.75, 0.60)


@dataclass(frozen=True, slots=True)
class Plan:
    cameras: int
    rounds: int
    spot_checks: int
    camera_years: int
    stories: int
    pictures: int
    timed: int


FULL = Plan(cameras=200, rounds=20, spot_checks=2000, camera_years=100, stories=40, pictures=600, timed=300)
QUICK = Plan(cameras=200, rounds=4, spot_checks=400, camera_years=16, stories=5, pictures=96, timed=80)


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:  # noqa: ARG001 - every benchmark is called so
    plan = QUICK if quick else FULL
    table = Table(title="camwarden analytics", title_justify="left")
    for heading in ("what", "ours", "beside it", "over"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    found: dict[str, Any] = {"quick": quick}
    for part in (_coverage, _labels, _false_drift, _causes, _detector):
        found |= part(plan, table)
    Console(width=150).print(table)
    return found


def _coverage(plan: Plan, table: Table) -> dict[str, Any]:
    chance = np.random.default_rng(11)
    held = [covered(chance) for _ in range(plan.cameras * plan.rounds)]
    ours, plain = (float(np.mean([one[place] for one in held])) for place in (0, 1))
    table.add_row(
        "95 % intervals that hold the truth", f"{ours:.3f}", f"{plain:.3f} plain Wilson", f"{len(held)} cameras"
    )
    return {"coverage_95": round(ours, 4), "coverage_95_plain_wilson": round(plain, 4), "cameras": len(held)}


def _labels(plan: Plan, table: Table) -> dict[str, Any]:
    chance, question = np.random.default_rng(12), Question()
    spent = [_spent(chance, question, truth) for truth in _TRUTHS for _ in range(plan.spot_checks)]
    fixed = fixed_labels(question)
    mean = statistics.fmean(spent)
    table.add_row("labels until it is clear", f"{mean:.1f}", f"{fixed} fixed before", f"{len(spent)} spot checks")
    return {"label_ratio": round(mean / fixed, 4), "labels_mean": round(mean, 2), "labels_fixed": fixed}


def _spent(chance: np.random.Generator, question: Question, truth: float) -> int:
    hits = misses = 0
    while answer(question, hits, misses) == "go on":
        right = chance.random() < truth
        hits, misses = hits + right, misses + (not right)
    return hits + misses


def _false_drift(plan: Plan, table: Table) -> dict[str, Any]:
    chance = np.random.default_rng(13)
    alarms = sum(
        watched(site(chance, LEARNED_DAYS + _DAYS_A_YEAR), 0, LEARNED_DAYS + _DAYS_A_YEAR).raised
        for _ in range(plan.camera_years)
    )
    each = alarms / plan.camera_years
    table.add_row("false drift per camera-year", f"{each:.3f}", "", f"{plan.camera_years} camera-years")
    return {"false_drift_per_camera_year": round(each, 4), "camera_years": plan.camera_years}


def _causes(plan: Plan, table: Table) -> dict[str, Any]:
    chance = np.random.default_rng(14)
    right: dict[str, float] = {}
    for story in STORIES:
        said = [told(story, chance) for _ in range(plan.stories)]
        right[story.name] = float(np.mean([state is story.state and cause in story.causes for state, cause in said]))
        table.add_row(f"told rightly: {story.name}", f"{right[story.name]:.2f}", "", f"{plan.stories}")
    return {"cause_named": round(statistics.fmean(right.values()), 4), "stories": len(right)}


def _detector(plan: Plan, table: Table) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name:
        unsure = Detector.load(_unsure(Path(name)))
    detector = Detector.load()
    found: list[Detections] = []
    known: list[Detections] = []
    pictures: list[Picture] = []
    for seed in range(_FIRST_SEED, _FIRST_SEED + _APART * plan.pictures, _APART):
        picture, things = draw(seed, SIZE)
        pictures.append(picture)
        known.append(named((kind, 1.0, box) for kind, box in things))
        found.append(unsure.detect(picture))
    result: dict[str, Any] = {}
    for name in detector.manifest.names:
        reached = average_precision(found, known, name) or 0.0
        there = sum(len(one.of(name)) for one in known)
        table.add_row(
            f"AP50 {name}, held-out scenes", f"{reached:.3f}", "", f"{there} objects, {plan.pictures} pictures"
        )
        result[f"ap50_{name}"] = round(reached, 4)
    whole_ms, bare_ms = _timed(detector, pictures[: plan.timed])
    table.add_row(
        "CPU ms: picture to detections", f"{whole_ms:.2f}", f"{bare_ms:.2f} bare session.run", f"{plan.timed}"
    )
    return {**result, "pipeline_ratio": round(whole_ms / bare_ms, 4), "pipeline_ms": round(whole_ms, 3)}


def _unsure(folder: Path) -> Path:
    """Our detector with everything that it suspects: an average precision over the sure ones alone ends too early."""
    model = folder / OUR_MODEL.name
    shutil.copyfile(OUR_MODEL, model)
    manifest = yaml.safe_load(manifest_of(OUR_MODEL).read_text())
    manifest_of(model).write_text(yaml.safe_dump({**manifest, "score_threshold": _SUSPECTED, "golden": None}))
    return model


def _timed(detector: Detector, pictures: list[Picture]) -> tuple[float, float]:
    """CPU time of this process, the two turn by turn: others are at work on the machine."""
    whole: list[float] = []
    bare: list[float] = []
    for picture in pictures:
        whole.append(_cpu_s(detector.detect, picture))
        bare.append(_cpu_s(detector.run, detector.prepared(picture)))
    return statistics.median(whole) * 1000, statistics.median(bare) * 1000


def _cpu_s(call: Callable[[Any], object], given: object) -> float:
    began = time.process_time()
    call(given)
    return time.process_time() - began
