"""What each number of a picture check means to a person, and from where on it counts.

The limits are those of `health.judge`: from just noticeable to useless.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from health import judge

PERCENT, PLAIN, DEGREES, GREY = "{:.0%}", "{:.2f}", "{:.1f}°", "{:.0f} of 255"


@dataclass(frozen=True, slots=True)
class Measure:
    """`form` is how its number is written; `limit` says from where on it counts, "" for what only explains."""

    text: str
    form: str
    limit: str = ""


def _between(form: str, limits: tuple[float, float]) -> str:
    return f"noticeable from {form.format(limits[0])}, useless from {form.format(limits[1])}"


_LIGHT = {
    "mean": Measure("Mean brightness", GREY),
    "reference_mean": Measure("Mean brightness of the reference", GREY),
}
MEASURES: Mapping[str, Mapping[str, Measure]] = {
    "obstruction": {
        "covered": Measure("Covered", PERCENT, _between(PERCENT, judge.PATCH)),
        "changed": Measure("Different from the reference", PERCENT, _between(PERCENT, judge.LOST)),
        "coarse": Measure("Likeness of the whole scene", PLAIN, f"another scene below {judge.SAME_SCENE}"),
        "brightness": Measure("Brightness of what covers it", GREY),
    },
    "moved": {
        "shift_of_width": Measure("Shifted, of the width", PERCENT, _between(PERCENT, judge.SHIFT_OF_WIDTH)),
        "degrees": Measure("Turned", DEGREES, _between(DEGREES, judge.TURN_DEGREES)),
        "zoom": Measure("Zoom against the reference", PLAIN, f"off by {_between(PERCENT, judge.ZOOM)}"),
        "explains": Measure("Explained by the movement", PERCENT, f"needs {judge.EXPLAINED:.0%}"),
        "changed": Measure("Different from the reference", PERCENT, f"another view from {judge.LOST[1]:.0%}"),
        "coarse": Measure("Likeness of the whole scene", PLAIN, f"another scene below {judge.SAME_SCENE}"),
    },
    "defocus": {
        "sharpness_change": Measure(
            "Sharpness against the reference", "{:+.2f}", f"less by {_between(PLAIN, judge.REBLUR)}"
        ),
        "coarse": Measure("Likeness of the whole scene", PLAIN),
    },
    "dark": {
        **_LIGHT,
        "brightest": Measure("The brightest twentieth", GREY, f"black up to {judge.BLACK_P95:.0f}"),
        "black": Measure("Black through and through", "{}"),
    },
    "bright": {
        **_LIGHT,
        "white": Measure("White through and through", "{}"),
        "share": Measure("Washed out", PERCENT, _between(PERCENT, judge.BRIGHT_SHARE) + " beyond the reference"),
    },
    "colour": {
        "cast": Measure("Colour cast", PLAIN, _between("{:.0f}", judge.COLOUR_CAST)),
        "grey": Measure("Grey where the reference is coloured", "{}"),
        "chroma": Measure("Colourfulness", PLAIN),
        "reference_chroma": Measure("Colourfulness of the reference", PLAIN),
    },
    "noise": {
        "noise": Measure("Noise", PLAIN, _between("{:.1f} times", judge.NOISE_RATIO) + " the reference"),
        "reference_noise": Measure("Noise of the reference", PLAIN),
    },
    "frozen": {
        "mean_difference": Measure(
            "Difference between pictures", "{:.3f}", f"a live picture has at least {judge.STILL_LEVELS}"
        ),
    },
}


def measured(fault: str, evidence: Mapping[str, object]) -> tuple[tuple[str, str, str], ...]:
    """Name, number and limit of each measure, as they are read. A measure that we have no words for still shows."""
    known = MEASURES.get(fault, {})
    rows = []
    for name, value in evidence.items():
        measure = known.get(name) or Measure(name.replace("_", " ").capitalize(), "{}")
        rows.append((measure.text, _written(measure.form, value), measure.limit))
    return tuple(rows)


def _written(form: str, value: object) -> str:
    if value is None:
        return "cannot be told"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return form.format(value) if isinstance(value, int | float) else str(value)
