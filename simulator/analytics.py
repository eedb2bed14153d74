"""A camera's own analytics: the truth about its scene through an error model, and the ONVIF metadata that tells of it.

Both are pure: the same moment gives the same detections and, for the same clock, the same document.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from simulator.behaviour import AnalyticsPlan, Behaviour, Dialect, Spoiled
from simulator.scenes.dice import dice
from simulator.scenes.model import Kind, Light, PictureFault, Thing

BUCKET_S = 1.0
FALSE_LASTS_S = 2.0
PIXELS = (640, 360)
HUGE_BYTES = 4 * 1024 * 1024
HUGE_EVERY = 25
LIGHT: Mapping[Light, float] = MappingProxyType({"day": 1.0, "dusk": 0.93, "night-ir": 0.85})
SMALL = ((0.07, 0.5), (0.11, 0.82))
"""Below this share of the picture's height, this is left of the recall."""
SPOILS: Mapping[str, float] = MappingProxyType(
    {"defocused": 0.7, "dark": 0.8, "bright": 0.6, "noise": 0.5, "dirt": 0.25, "covered": 0.15, "moved": 0.05}
)
"""What share of the recall a fault of full severity takes; what a cover hides is not in the truth at all."""


@dataclass(frozen=True, slots=True)
class Detection:
    """`box` is x1, y1, x2, y2 in shares of the picture, y downwards. `real` tells whether something is there."""

    kind: Kind
    box: tuple[float, float, float, float]
    track: int
    confidence: float
    real: bool = True


def detections(
    sees: Behaviour,
    things: Sequence[Thing],
    size: tuple[int, int],
    *,
    seed: int,
    t_s: float,
    light: Light,
    faults: Sequence[PictureFault] = (),
) -> tuple[Detection, ...]:
    """A miss lasts about a second, a false alarm two; boxes shake from frame to frame."""
    quality = LIGHT[light]
    for fault in faults:
        quality *= 1 - SPOILS.get(fault.name, 0) * fault.severity
    found = [one for thing in things if (one := _seen(sees, thing, size, quality, (seed, t_s))) is not None]
    return (*found, *_imagined(sees, seed, t_s))


def _seen(
    sees: Behaviour, thing: Thing, size: tuple[int, int], quality: float, moment: tuple[int, float]
) -> Detection | None:
    width, height = size
    seed, t_s = moment
    x1, y1, x2, y2 = thing.box
    tall = (y2 - y1) / height
    chance = sees.recall * quality * min(1.0, 0.4 + 0.75 * thing.visible)
    chance *= next((left for limit, left in SMALL if tall < limit), 1.0)
    rng = dice(hash((seed, thing.track, int(t_s / BUCKET_S))))
    if rng.random() >= chance:
        return None
    shaking = dice(hash((seed, thing.track, int(t_s * 1000))))
    dx, dy = (x2 - x1) * sees.jitter, (y2 - y1) * sees.jitter
    left, right = (min(max(x + shaking.gauss(0, dx), 0), width) / width for x in (x1, x2))
    top, low = (min(max(y + shaking.gauss(0, dy), 0), height) / height for y in (y1, y2))
    sure = min(0.99, max(0.35, 0.45 + 0.5 * chance + shaking.gauss(0, 0.06)))
    return Detection(thing.kind, (min(left, right), min(top, low), max(left, right), max(top, low)), thing.track, sure)


def _imagined(sees: Behaviour, seed: int, t_s: float) -> list[Detection]:
    """Something that is not there stands still for two seconds."""
    bucket = int(t_s / FALSE_LASTS_S)
    rng = dice(hash((seed, 77, bucket)))
    if rng.random() >= sees.false_per_min * FALSE_LASTS_S / 60:
        return []
    tall = rng.uniform(0.08, 0.3)
    kind: Kind = rng.choice(("person", "person", "vehicle"))
    wide = tall * (0.22 if kind == "person" else 1.1)
    x, y = rng.uniform(0, 1 - wide), rng.uniform(0.1, 1 - tall)
    track = 0x70000000 | (bucket & 0xFFFFFFF)
    return [Detection(kind, (x, y, x + wide, y + tall), track, rng.uniform(0.4, 0.75), real=False)]


# --- documents ---

TYPES: Mapping[Kind, str] = MappingProxyType({"person": "Human", "vehicle": "Vehicle"})
_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics">'
    "<tt:VideoAnalytics>"
)
_CLOSING = "</tt:VideoAnalytics></tt:MetadataStream>"
_TRANSFORMATION = (
    '<tt:Transformation><tt:Translate x="-1" y="1"/>'
    f'<tt:Scale x="{2 / PIXELS[0]:.6f}" y="{-2 / PIXELS[1]:.6f}"/></tt:Transformation>'
)


def document(
    plan: AnalyticsPlan, found: Sequence[Detection], utc: float, *, source: str = "AnalyticsConfig", number: int = 0
) -> bytes:
    """One tt:MetadataStream. `number` counts the documents of a stream: a huge one comes now and then."""
    objects = "".join(_object(one, plan.dialect) for one in found)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(utc)) + f".{int(utc % 1 * 1000):03}Z"
    inside = (_TRANSFORMATION if plan.dialect == "pixels" else "") + objects
    text = f'{_OPENING}<tt:Frame UtcTime="{moment}" Source="{source}">{inside}</tt:Frame>{_CLOSING}'
    spoil = SPOILED.get(plan.spoiled) if plan.spoiled is not None else None
    return (text if spoil is None else spoil(text, number)).encode()


def _object(one: Detection, dialect: Dialect) -> str:
    x1, y1, x2, y2 = one.box
    if dialect == "pixels":
        left, right, top, bottom = x1 * PIXELS[0], x2 * PIXELS[0], y1 * PIXELS[1], y2 * PIXELS[1]
    else:
        left, right, top, bottom = 2 * x1 - 1, 2 * x2 - 1, 1 - 2 * y1, 1 - 2 * y2
    box = f'<tt:BoundingBox left="{left:.4f}" top="{top:.4f}" right="{right:.4f}" bottom="{bottom:.4f}"/>'
    centre = f'<tt:CenterOfGravity x="{(left + right) / 2:.4f}" y="{(top + bottom) / 2:.4f}"/>'
    kind, sure = TYPES[one.kind], f"{one.confidence:.2f}"
    named = f'<tt:Type Likelihood="{sure}">{kind}</tt:Type>'
    if dialect == "legacy":
        candidate = f"<tt:Type>{kind}</tt:Type><tt:Likelihood>{sure}</tt:Likelihood>"
        named = f"<tt:ClassCandidate>{candidate}</tt:ClassCandidate>"
    shape = f"<tt:Shape>{box}{centre}</tt:Shape><tt:Class>{named}</tt:Class>"
    return f'<tt:Object ObjectId="{one.track}"><tt:Appearance>{shape}</tt:Appearance></tt:Object>'


_NO_NUMBER = (
    '<tt:Object ObjectId="1"><tt:Appearance><tt:Shape><tt:BoundingBox left="NaN" top="INF" right="nan" bottom="-INF"/>'
    '<tt:CenterOfGravity x="NaN" y="NaN"/></tt:Shape><tt:Class><tt:Type Likelihood="NaN">Human</tt:Type></tt:Class>'
    "</tt:Appearance></tt:Object>"
)


def _from_1970(text: str, _number: int) -> str:
    before, _, rest = text.partition('UtcTime="')
    return f'{before}UtcTime="1970-01-01{rest[10:]}'


def _huge(text: str, number: int) -> str:
    if number % HUGE_EVERY:
        return text
    return text.replace(_CLOSING, f"<!--{'0123456789abcdef' * (HUGE_BYTES // 16)}-->{_CLOSING}")


SPOILED: Mapping[Spoiled, Callable[[str, int], str]] = MappingProxyType(
    {
        "not-a-number": lambda text, _number: text.replace("</tt:Frame>", f"{_NO_NUMBER}</tt:Frame>"),
        "1970": _from_1970,
        "unclosed": lambda text, _number: text.removesuffix(_CLOSING),
        "huge": _huge,
        "wrong-prefix": lambda text, _number: text.replace("<tt:", "<onvif:").replace("</tt:", "</onvif:"),
    }
)
"""Metadata as broken cameras send it. A wrong prefix is one that is declared nowhere."""
