"""The camera's own analytics: how far from the truth they are, and how they say what they see."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from lxml import etree

from simulator.analytics import PIXELS, Detection, detections, document
from simulator.behaviour import FAULTS, VERSIONS, AnalyticsPlan, Behaviour, Dialect, Drift
from simulator.firmware import package, read_package
from simulator.plan import App, CameraPlan, Defect
from simulator.scenes.model import Light, PictureFault, Thing
from simulator.streaming import behaviour_of
from tests.simulator.asking import estate

TT = {"tt": "http://www.onvif.org/ver10/schema"}
SIZE = (640, 360)
ALWAYS = Behaviour(1.0, 0.0, 0.0)
UTC = 1_790_000_000.25


def crowd(count: int = 40, *, tall: float = 60, visible: float = 1.0) -> tuple[Thing, ...]:
    boxes = [(10.0 + 15 * n, 100.0, 22.0 + 15 * n, 100.0 + tall) for n in range(count)]
    return tuple(Thing("person", box, n + 1, visible) for n, box in enumerate(boxes))


def recall(
    sees: Behaviour,
    *,
    light: Light = "day",
    faults: tuple[PictureFault, ...] = (),
    tall: float = 60,
    visible: float = 1,
) -> float:
    things, moments = crowd(tall=tall, visible=visible), range(0, 400, 4)
    found = [
        one
        for t in moments
        for one in detections(sees, things, SIZE, seed=3, t_s=float(t), light=light, faults=faults)
        if one.real
    ]
    return len(found) / (len(things) * len(moments))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_finds_as_much_as_it_says(version: str) -> None:
    assert recall(VERSIONS[version]) == pytest.approx(VERSIONS[version].recall, abs=0.03)


HARDER: Mapping[str, dict[str, object]] = {
    "at dusk": {"light": "dusk"},
    "at night": {"light": "night-ir"},
    "far away": {"tall": 22},
    "half hidden": {"visible": 0.4},
    "out of focus": {"faults": (PictureFault("defocused", 0.8),)},
    "in the dark": {"faults": (PictureFault("dark", 0.9),)},
}


@pytest.mark.parametrize("how", HARDER.values(), ids=HARDER)
def test_less_is_found(how: dict[str, object]) -> None:
    good = VERSIONS["2.1.0"]
    assert recall(good, **how) < recall(good) - 0.04  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_false_alarms_come_as_often_as_it_says(version: str) -> None:
    sees, minutes = VERSIONS[version], 2000
    alarms = {
        one.track
        for second in range(0, minutes * 60, 2)
        for one in detections(sees, (), SIZE, seed=5, t_s=float(second), light="day")
    }
    assert len(alarms) / minutes == pytest.approx(sees.false_per_min, rel=0.15)


def test_boxes_shake_by_what_it_says() -> None:
    sees = Behaviour(1.0, 0.0, 0.05)
    found = [detections(sees, crowd(1), SIZE, seed=1, t_s=n / 10, light="day") for n in range(400)]
    lefts = [one.box[0] * SIZE[0] for frame in found for one in frame]
    spread = (sum((left - 10) ** 2 for left in lefts) / len(lefts)) ** 0.5
    assert len(lefts) > 390
    assert spread == pytest.approx(0.05 * 12, rel=0.2)
    assert len(set(lefts)) > 300


def test_the_same_moment_gives_the_same_detections() -> None:
    sees, things = VERSIONS["2.2.0"], crowd()
    one, two = (detections(sees, things, SIZE, seed=9, t_s=77.4, light="day") for _ in range(2))
    assert one == two
    assert one != detections(sees, things, SIZE, seed=9, t_s=79.4, light="day")


def test_a_drift_begins_at_its_time() -> None:
    plan = AnalyticsPlan(drift=Drift(1000, 0.6, 4.0))
    assert plan.at(999) == VERSIONS["2.1.0"]
    assert (plan.at(1000).recall, plan.at(1000).false_per_min) == (0.6, 4.0)


# --- which version sees ---


def app(version: str, *, running: bool = True, behaviour: Mapping[str, object] | None = None) -> App:
    return App("objects", "Objects", "Example", version, running, behaviour or {})


APPS: Mapping[str, tuple[tuple[App, ...], Defect | None, float]] = {
    "what it was delivered with": ((), None, 0.95),
    "an app with its version": ((app("2.2.0"),), None, 0.78),
    "an app that says how it sees": ((app("9.9.9", behaviour={"recall": 0.5}),), None, 0.5),
    "an app that says nonsense": ((app("9.9.9", behaviour={"recall": "high"}),), None, 0.95),
    "an app that is stopped": ((app("2.1.0", running=False),), None, 0.0),
    "a firmware that spoils it": ((), "analytics-drop", 0.95 * 0.55),
}


@pytest.fixture(scope="module")
def camera() -> CameraPlan:
    return estate(pictures=True, picture_faults={}).plan.cameras[0]


@pytest.mark.parametrize(("apps", "defect", "wanted"), APPS.values(), ids=APPS)
def test_who_sees(camera: CameraPlan, apps: tuple[App, ...], defect: Defect | None, wanted: float) -> None:
    plan = replace(camera, apps=apps, defect=defect)
    assert plan.analytics is not None
    assert behaviour_of(plan, plan.analytics, 0).recall == pytest.approx(wanted)


def test_a_package_brings_its_behaviour() -> None:
    told, _ = read_package(package("objects", "2.3.1", behaviour={"recall": 0.4, "false_per_min": 9}))
    sees = AnalyticsPlan().at(0, version=told.version, told=told.behaviour)
    assert (sees.recall, sees.false_per_min) == (0.4, 9.0)


# --- documents ---


FOUND = (
    Detection("person", (0.25, 0.25, 0.3, 0.5), 7, 0.91),
    Detection("vehicle", (0.5, 0.5, 0.75, 1.0), 4_000_000_000, 0.66),
)


def numbers(element: etree._Element) -> list[float]:
    return [float(element.get(name, "")) for name in ("left", "top", "right", "bottom")]


@pytest.mark.parametrize("dialect", ["onvif", "pixels", "legacy"])
def test_a_document_says_what_was_found(dialect: Dialect) -> None:
    root = etree.fromstring(document(AnalyticsPlan(dialect=dialect), FOUND, UTC))
    frame = root.find("tt:VideoAnalytics/tt:Frame", TT)
    assert frame is not None
    assert frame.get("UtcTime") == "2026-09-21T14:13:20.250Z"
    scale, move = ((1.0, 1.0), (0.0, 0.0))
    transformation = frame.find("tt:Transformation", TT)
    assert (transformation is not None) == (dialect == "pixels")
    if transformation is not None:
        moved, scaled = (transformation.find(f"tt:{name}", TT) for name in ("Translate", "Scale"))
        assert moved is not None
        assert scaled is not None
        move, scale = ((float(e.get("x", "")), float(e.get("y", ""))) for e in (moved, scaled))
    objects = frame.findall("tt:Object", TT)
    assert [one.get("ObjectId") for one in objects] == ["7", "4000000000"]
    for one, found in zip(objects, FOUND, strict=True):
        box = one.find("tt:Appearance/tt:Shape/tt:BoundingBox", TT)
        assert box is not None
        left, top, right, bottom = numbers(box)
        across = [(x * scale[0] + move[0] + 1) / 2 for x in (left, right)]
        down = [(1 - (y * scale[1] + move[1])) / 2 for y in (top, bottom)]
        assert [across[0], down[0], across[1], down[1]] == pytest.approx(found.box, abs=1e-3)
        kind = one.find("tt:Appearance/tt:Class//tt:Type", TT)
        assert kind is not None
        assert kind.text == {"person": "Human", "vehicle": "Vehicle"}[found.kind]
        path = "tt:Appearance/tt:Class/tt:ClassCandidate/tt:Likelihood"
        likelihood = one.findtext(path, "", TT) if dialect == "legacy" else kind.get("Likelihood", "")
        assert float(likelihood) == pytest.approx(found.confidence)
    assert PIXELS == SIZE


def spoiled(fault: str, number: int = 1) -> bytes:
    return document(FAULTS[fault], FOUND, UTC, number=number)


def test_spoiled_documents_are_spoiled() -> None:
    assert b'left="NaN"' in spoiled("metadata-not-a-number")
    assert etree.fromstring(spoiled("metadata-not-a-number")) is not None
    assert b'UtcTime="1970-01-01T14:13:20.250Z"' in spoiled("metadata-1970")
    for fault in ("metadata-unclosed", "metadata-wrong-prefix"):
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(spoiled(fault))
    assert len(spoiled("metadata-huge", 0)) > 4_000_000
    assert len(spoiled("metadata-huge", 1)) < 4_000
