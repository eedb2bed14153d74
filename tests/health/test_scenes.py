"""The rendered scenes of the simulator: every fault by its name, every harmless change passed over."""

from collections.abc import Mapping
from functools import cache

import pytest

from health.checking import check
from health.conditions import Condition
from health.reference import Reference, build
from simulator.scenes import BENIGN, Benign, PictureFault, Scene
from tests.health.conftest import WHEN

HOUR_S = 3600
HOURS: Mapping[Condition, tuple[float, ...]] = {Condition.DAY: (9, 12, 15), Condition.NIGHT_IR: (0, 2, 23)}
NOW: Mapping[Condition, float] = {Condition.DAY: 34.4, Condition.NIGHT_IR: 25.3}


@cache
def scene() -> Scene:
    return Scene(12)


@cache
def references() -> Mapping[Condition, Reference]:
    return {
        condition: build(
            [[scene().view(hour * HOUR_S + 6 * i).picture for i in range(3)] for hour in hours],
            condition=condition,
            approved_by="ana",
            approved_at=WHEN,
        )
        for condition, hours in HOURS.items()
    }


def faults_in(condition: Condition, fault: PictureFault | None = None, benign: Benign | None = None) -> list[str]:
    start = NOW[condition] * HOUR_S
    burst = [
        scene().view(start + 6 * i, faults=[fault] if fault else [], benign=[benign] if benign else []).picture
        for i in range(3)
    ]
    checked = check(references(), burst, spans_s=12, plausible=[condition])
    return [found.fault.value for found in checked.faults]


LIGHTS = pytest.mark.parametrize("condition", [Condition.DAY, Condition.NIGHT_IR])


@LIGHTS
@pytest.mark.parametrize("name", [name for name in BENIGN if name != "light"])
@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_is_good_with(condition: Condition, name: str, severity: float) -> None:
    assert faults_in(condition, benign=Benign(name, severity)) == []


FAULTS: dict[str, tuple[PictureFault, str]] = {
    "half covered, dark": (PictureFault("covered", 0.5, "dark"), "obstruction"),
    "half covered, bright": (PictureFault("covered", 0.5, "bright"), "obstruction"),
    "covered by cloth": (PictureFault("covered", 1.0, "textured"), "obstruction"),
    "shifted": (PictureFault("moved", 0.3, "shift"), "moved"),
    "turned": (PictureFault("moved", 0.4, "rotate"), "moved"),
    "zoomed": (PictureFault("moved", 0.4, "zoom"), "moved"),
    "out of focus": (PictureFault("defocused", 0.4), "defocus"),
    "far too dark": (PictureFault("dark", 0.85), "dark"),
    "far too bright": (PictureFault("bright", 0.9), "bright"),
    "noisy": (PictureFault("noise", 0.6), "noise"),
    "frozen": (PictureFault("frozen", 1.0), "frozen"),
}


@LIGHTS
@pytest.mark.parametrize(("fault", "name"), FAULTS.values(), ids=FAULTS)
def test_names(condition: Condition, fault: PictureFault, name: str) -> None:
    assert faults_in(condition, fault)[:1] == [name]


@pytest.mark.parametrize("name", ["ir-cut-stuck", "colour-cast"])
def test_names_wrong_colours_by_day(name: str) -> None:
    assert faults_in(Condition.DAY, PictureFault(name, 0.8)) == ["colour"]
