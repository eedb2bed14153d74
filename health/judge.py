"""Is this picture good? One look against an approved reference view, without memory. Pure.

Each fault is one function from measures to what it found. Where nothing can be compared, the answer is "unknown".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from health.looks import SIZE, Look
from health.measures import Measures, compare
from health.reference import Reference

Number = float | int | str | bool | None


class Fault(StrEnum):
    OBSTRUCTION = "obstruction"
    MOVED = "moved"
    DEFOCUS = "defocus"
    DARK = "dark"
    BRIGHT = "bright"
    COLOUR = "colour"
    NOISE = "noise"
    FROZEN = "frozen"


class Health(StrEnum):
    """In order from good to bad; unknown is beside the order."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    UNKNOWN = "unknown"


SEVERITY: Mapping[Health, int] = MappingProxyType(
    {Health.OK: 0, Health.UNKNOWN: 1, Health.DEGRADED: 2, Health.FAILED: 3}
)


@dataclass(frozen=True, slots=True)
class Found:
    """One fault. `level` is how far it is on the way from just noticeable (0) to useless (1) and beyond."""

    fault: Fault
    level: float
    evidence: Mapping[str, Number]

    @property
    def failed(self) -> bool:
        return self.level >= 1

    @property
    def confidence(self) -> float:
        """0.6 where it is just noticeable, 0.95 where it is plain."""
        return round(0.6 + 0.35 * min(1.0, max(0.0, self.level)), 3)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reason` says why it is unknown, else it is `None`.

    `levels` has every fault that was looked for, also those not found (below zero): what is usual is learnt from them.
    """

    verdict: Health
    faults: tuple[Found, ...]
    levels: Mapping[Fault, float]
    measures: Measures
    reason: str | None

    @property
    def weight(self) -> tuple[int, float]:
        """To compare judgements of the same picture against several references: the mildest explains it best."""
        return SEVERITY[self.verdict], sum(found.level for found in self.faults)


# --- thresholds: from just noticeable to useless ----------------------------------------------------------------------

PATCH = (0.15, 0.40)
AREA = (0.18, 0.45)
LOST = (0.35, 0.70)
SHIFT_OF_WIDTH = (0.01, 0.05)
TURN_DEGREES = (1.0, 5.0)
ZOOM = (0.03, 0.12)
REBLUR = (0.06, 0.20)
DARK_MEAN_LOG2 = (1.3, 3.0)
BRIGHT_SHARE = (0.40, 0.75)
BRIGHT_MEAN_LOG2 = (0.9, 1.8)
COLOUR_CAST = (9.0, 30.0)
NOISE_RATIO = (2.5, 5.0)
NOISE_LEAST = 1.5
BLACK_P95 = 24.0
STILL_LEVELS = 0.05
BLANK_SD = 2.0
NOT_AT_ALL = -1.0
_NOISE_FLOOR = 0.5
_GREY, _COLOURED = 2.5, 6.0
EXPLAINED = 0.4
# Below this correlation of the thumbnails the scene itself is another one.
SAME_SCENE = 0.8
NEARLY_THE_SCENE = 0.6
HALF = 0.5
SCENE_CONTRAST = 0.45
SCENE_VARIETY = 0.45  # made-up cloth has 0.3 at most, pictured scenes 0.5 at least


def judge(reference: Reference, now: Look, stillness: float | None = None) -> Judgement:
    """`stillness`: see `health.stream.stillness`; `None` for a single picture, which cannot be called frozen."""
    measures = compare(reference, now)
    looked_for = [look_for(measures) for look_for in LOOK_FOR]
    if stillness is not None:
        looked_for.append(frozen(stillness))
    levels = MappingProxyType({one.fault: one.level for one in looked_for})
    faults = _explained([one for one in looked_for if one.level >= 0])
    blind = {Fault.DARK, Fault.BRIGHT, Fault.FROZEN}
    if not reference.is_assessable and not any(one.fault in blind for one in faults):
        share = f"{reference.assessable_share:.0%}"
        reason = f"not assessable from this view: only {share} of the reference has enough texture"
        return Judgement(Health.UNKNOWN, (), levels, measures, reason)
    return Judgement(_verdict(faults), faults, levels, measures, None)


def _verdict(faults: Sequence[Found]) -> Health:
    if any(one.failed for one in faults):
        return Health.FAILED
    return Health.DEGRADED if faults else Health.OK


def _explained(found: Sequence[Found]) -> tuple[Found, ...]:
    """Without what another fault brings with it, the clearest first."""
    hidden = _hidden({one.fault: one for one in found})
    return tuple(sorted((one for one in found if one.fault not in hidden), key=lambda one: -one.level))


def _hidden(found: Mapping[Fault, Found]) -> set[Fault]:
    """A cover or a turn changes the light too, and is what to look for; black and white leave nothing to compare.

    Light that is further off than the scene is named beside it: in the dark, too, the scene is hard to find again.
    """
    hidden: set[Fault] = set()
    structure = {Fault.OBSTRUCTION, Fault.MOVED} & found.keys()
    clearest = max((found[fault].level for fault in structure), default=NOT_AT_ALL)
    fainter = {fault for fault, one in found.items() if one.level <= clearest}
    if dark_one := found.get(Fault.DARK):
        # No light, or a tight cover: of a black picture nobody can say which, so both are named.
        hidden |= {Fault.DEFOCUS, Fault.COLOUR, Fault.NOISE}
        hidden |= {Fault.MOVED} if dark_one.evidence["black"] else {Fault.DARK} & fainter
    if bright_one := found.get(Fault.BRIGHT):
        hidden |= {Fault.DEFOCUS, Fault.COLOUR}
        hidden |= structure if bright_one.evidence["white"] else {Fault.BRIGHT} & fainter
    if Fault.MOVED in found and Fault.MOVED not in hidden:
        hidden |= {Fault.OBSTRUCTION, Fault.DEFOCUS}
    if Fault.OBSTRUCTION in found and Fault.OBSTRUCTION not in hidden:
        hidden |= {Fault.DEFOCUS, Fault.COLOUR} if found[Fault.OBSTRUCTION].failed else {Fault.DEFOCUS}
    return hidden


def _level(value: float, limits: tuple[float, float]) -> float:
    noticeable, useless = limits
    return (value - noticeable) / (useless - noticeable)


def _found(fault: Fault, level: float, **evidence: Number) -> Found:
    shown = {name: round(value, 3) if isinstance(value, float) else value for name, value in evidence.items()}
    return Found(fault, level, shown)


def dark(m: Measures) -> Found:
    """Far darker than the reference: lights, exposure, or a tight cover; a picture cannot say which."""
    fall = math.log2((m.reference_light.mean + 1) / (m.light.mean + 1))
    black = m.light.p95 <= BLACK_P95 and m.reference_light.p95 > 2 * BLACK_P95
    level = max(_level(fall, DARK_MEAN_LOG2), 1.0 if black else NOT_AT_ALL)
    return _found(
        Fault.DARK, level, mean=m.light.mean, reference_mean=m.reference_light.mean, brightest=m.light.p95, black=black
    )


def bright(m: Measures) -> Found:
    gained = m.light.bright_share - m.reference_light.bright_share
    rise = math.log2((m.light.mean + 1) / (m.reference_light.mean + 1))
    level = max(_level(gained, BRIGHT_SHARE), _level(rise, BRIGHT_MEAN_LOG2))
    return _found(
        Fault.BRIGHT,
        level,
        share=m.light.bright_share,
        mean=m.light.mean,
        reference_mean=m.reference_light.mean,
        white=gained >= BRIGHT_SHARE[0],
    )


def moved(m: Measures) -> Found:
    if m.move is not None and m.move.explains >= EXPLAINED:
        move = m.move
        level = max(
            _level(move.pixels / SIZE[0], SHIFT_OF_WIDTH),
            _level(abs(move.degrees), TURN_DEGREES),
            _level(abs(move.zoom - 1), ZOOM),
        )
        shift = move.pixels / SIZE[0]
        return _found(
            Fault.MOVED, level, shift_of_width=shift, degrees=move.degrees, zoom=move.zoom, explains=move.explains
        )
    if m.lost_share >= LOST[1] and m.coarse < SAME_SCENE and _shows_a_scene(m):
        return _found(Fault.MOVED, 1.0, shift_of_width=None, changed=m.lost_share, coarse=m.coarse)
    return _found(Fault.MOVED, NOT_AT_ALL)


def _shows_a_scene(m: Measures) -> bool:
    """Where all is lost: cloth, a hand, a sticker may have texture, but not the edges and shapes of a scene.

    Or they have the same texture everywhere, which no scene has.
    """
    contrast = min(m.texture, m.patch_texture, m.patch_spread)
    return contrast >= SCENE_CONTRAST and m.patch_variety >= SCENE_VARIETY


def obstruction(m: Measures) -> Found:
    """Something stands before the scene. What a small movement, a blur or noise explains is none."""
    if _only_unclear(m):
        return _found(Fault.OBSTRUCTION, NOT_AT_ALL)
    left = 1 - m.move.explains if m.move is not None and m.move.explains >= EXPLAINED else 1.0
    level = max(
        _level(left * m.patch_share, PATCH), _level(left * m.area_share, AREA), _level(left * m.lost_share, LOST)
    )
    covered = max(m.patch_share, m.area_share)
    return _found(
        Fault.OBSTRUCTION, level, covered=covered, changed=m.lost_share, coarse=m.coarse, brightness=m.patch_light
    )


def _only_unclear(m: Measures) -> bool:
    """Blurred or noisy beyond comparing block by block, but the scene is there."""
    blurred = m.reblur is not None and m.reblur <= -REBLUR[0]
    least = SAME_SCENE if m.lost_share >= HALF else NEARLY_THE_SCENE
    return (blurred or noise(m).level >= 0) and m.coarse >= least


def defocus(m: Measures) -> Found:
    if m.reblur is None:
        return _found(Fault.DEFOCUS, NOT_AT_ALL)
    return _found(Fault.DEFOCUS, _level(-m.reblur, REBLUR), sharpness_change=m.reblur, coarse=m.coarse)


def colour(m: Measures) -> Found:
    """A cast (the infrared filter is stuck open), or grey where the reference is coloured (stuck in night mode)."""
    cast = ((m.colour.a - m.reference_colour.a) ** 2 + (m.colour.b - m.reference_colour.b) ** 2) ** 0.5
    grey = m.colour.chroma < _GREY and m.reference_colour.chroma >= _COLOURED
    level = max(_level(cast, COLOUR_CAST), 0.5 if grey else NOT_AT_ALL)
    return _found(
        Fault.COLOUR, level, cast=cast, grey=grey, chroma=m.colour.chroma, reference_chroma=m.reference_colour.chroma
    )


def noise(m: Measures) -> Found:
    ratio = m.noise / max(m.reference_noise, _NOISE_FLOOR)
    level = _level(ratio, NOISE_RATIO) if m.noise >= NOISE_LEAST else NOT_AT_ALL
    return _found(Fault.NOISE, level, noise=m.noise, reference_noise=m.reference_noise)


def frozen(stillness: float) -> Found:
    """A sensor always has noise: pictures that are equal to the last digit were taken once."""
    return _found(Fault.FROZEN, 1.0 if stillness < STILL_LEVELS else NOT_AT_ALL, mean_difference=stillness)


LOOK_FOR: tuple[Callable[[Measures], Found], ...] = (
    dark,
    bright,
    moved,
    obstruction,
    defocus,
    colour,
    noise,
)


def judge_alone(now: Look, stillness: float | None = None) -> tuple[Health, tuple[Found, ...], str | None]:
    """Without a reference view: black, white, blank and frozen can be seen; that a picture is good cannot.

    Gives verdict, faults and, where it is unknown, the reason.
    """
    light = now.light
    found = []
    if light.p95 <= BLACK_P95:
        found.append(_found(Fault.DARK, 1.0, mean=light.mean, brightest=light.p95, black=True))
    elif light.bright_share >= BRIGHT_SHARE[1]:
        found.append(_found(Fault.BRIGHT, 1.0, share=light.bright_share, white=True))
    elif float(np.sqrt(now.variance).max()) < BLANK_SD:
        found.append(blank(now))
    if stillness is not None and stillness < STILL_LEVELS:
        found.append(frozen(stillness))
    if found:
        return Health.FAILED, tuple(found), None
    return Health.UNKNOWN, (), "no reference view to compare it with"


def blank(now: Look) -> Found:
    return _found(Fault.OBSTRUCTION, 1.0, covered=1.0, brightness=now.light.mean)


def mildest(judgements: Sequence[Judgement]) -> Judgement:
    """Of one picture against several references that may apply; the first wins where they agree."""
    return min(judgements, key=lambda one: one.weight)
